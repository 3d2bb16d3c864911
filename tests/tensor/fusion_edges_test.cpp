// Fused chains at infinities, ties and zeros, and their errors.

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fusion.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cmath>
#include <limits>
#include <string>

namespace {

using namespace tensors;
using autodiff::domain_error;
using autodiff::fuse_always;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("an argument, broadcast to the shape of all, can be the result itself") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({-0.0, infinity, not_a_number}));
  const tensor<double> y =
      fuse_always([](auto v, auto) { return v; }, x, tensor<double>(shape{2, 1}));
  REQUIRE(y.shape() == shape{2, 3});
  CHECK(std::signbit(y.value(1, 0)));
  CHECK(y.value(1, 1) == infinity);
  CHECK(std::isnan(y.value(1, 2)));
  t.backward(sum(y));
  CHECK(t.adjoint(x).value(0) == 2);
}

TEST_CASE("ties of a fused chain are shared as in the single rows") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0})),
                       y = t.variable(tensor<double>({1.0, 1.0}));
  const auto larger = [](auto a, auto b) { return max(a * 1.0, b * 1.0); };
  t.backward(sum(fuse_always(larger, x, y)));
  CHECK(t.adjoint(x).value(0) == 0.5);
  CHECK(t.adjoint(y).value(0) == 0.5);
  CHECK(t.adjoint(x).value(1) == 1);
  CHECK(t.adjoint(y).value(1) == 0);
  t.backward(sum(fuse_always(larger, x, y.detached())));
  CHECK(t.adjoint(x).value(0) == 0);
  t.backward(sum(fuse_always(larger, x, x)));
  CHECK(t.adjoint(x).value(0) == 1);
  t.backward(sum(fuse_always([](auto a) { return max(a, 1.0) + max(a, a); }, x)));
  CHECK(t.adjoint(x).value(0) == 1);
  CHECK(t.adjoint(x).value(1) == 2);
}

TEST_CASE("a zero adjoint skips an infinite slope inside of a fused chain") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({0.0, 4.0}));
  t.backward(sum(fuse_always([](auto v) { return 0.0 * sqrt(v); }, x)));
  CHECK(t.adjoint(x).value(0) == 0);
  t.backward(fuse_always([](auto v) { return sqrt(v) + 1.0; }, x), tensor<double>({0.0, 1.0}));
  CHECK(t.adjoint(x).value(0) == 0);
  CHECK(t.adjoint(x).value(1) == 0.25);
  t.backward(sum(fuse_always([](auto v) { return 2.0 * sqrt(v); }, x)));
  CHECK(t.adjoint(x).value(0) == infinity);
  t.backward(sum(fuse_always([](auto v) { return sqrt(v * v); }, x)));
  CHECK(std::isnan(t.adjoint(x).value(0)));
}

TEST_CASE("NaN and infinity stay in their elements of a fused chain") {
  doubles at(600, 0.5);
  at[0] = not_a_number;
  at[255] = infinity;
  at[256] = -infinity;
  at[599] = not_a_number;
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{600}, at));
  const auto chain = [](const auto& v) { return log(square(v)) * 2.0 + relu(v); };
  const tensor<double> y = fuse_always(chain, x);
  const tensor<double> x2 = t.variable(tensor<double>(shape{600}, at));
  CHECK(same(y, chain(x2)));
  t.backward(sum(y) + sum(chain(x2)));
  CHECK(same(t.adjoint(x), t.adjoint(x2)));
  CHECK(t.adjoint(x).value(1) == 9);
  CHECK(std::isnan(t.adjoint(x).value(0)));
}

TEST_CASE("errors of fused chains say what to do") {
  const tensor<double> x(shape{2, 3}), y(shape{4});
  const std::string shapes =
      message<shape_error>([&] { fuse_always([](auto a, auto b) { return a + b; }, x, y); });
  CHECK(says(shapes, "fuse: shapes [2, 3] and [4] do not fit", "equal or 1"));
  const std::string foreign = message<domain_error>([&] {
    fuse_always([&](auto a) { return fuse_always([&](auto b) { return a + b; }, x), a; }, x);
  });
  CHECK(says(foreign, "fuse: a symbol of another call"));
  const std::string returned = message<domain_error>([&] {
    fuse_always(
        [&](auto a) {
          fuse_always([&](auto) { return a; }, x);
          return a;
        },
        x);
  });
  CHECK(says(returned, "fuse: a symbol of another call"));
}
