// Broadcasting and operands of the rows with three arguments; their values and slopes are held to
// mathematics in ops_tensor_test.cpp.

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/ternary.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

namespace {

using namespace tensors;
using autodiff::var;

const tensor<double> table({{-2.0, 0.5, 3.0}, {1.0, -1.0, 0.0}});

}  // namespace

TEST_CASE("clamp holds a tensor between two numbers and passes its adjoint inside") {
  tape t;
  const tensor<double> x = t.variable(table);
  const tensor<double> y = clamp(x, -1.0, 1.0);
  CHECK(numbers(y) == doubles{-1, 0.5, 1, 1, -1, 0});
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 1, 0, 1, 1, 1});
  // Bounds may be whole numbers.
  CHECK(numbers(clamp(x, 0, 1)) == doubles{0, 0.5, 1, 1, 0, 0});
}

TEST_CASE("three operands are broadcast together and a repeated one adds up its shares") {
  tape t;
  const tensor<double> a = t.variable(tensor<double>({{1.0}, {2.0}})),
                       b = t.variable(tensor<double>({3.0, 4.0, 5.0})),
                       c = t.variable(tensor<double>(6.0));
  const tensor<double> y = fma(a, b, c);
  CHECK(y.shape() == shape{2, 3});
  CHECK(numbers(y) == doubles{9, 10, 11, 12, 14, 16});
  t.backward(y, tensor<double>({{1.0, 10.0, 100.0}, {1000.0, 2000.0, 3000.0}}));
  CHECK(t.adjoint(a).shape() == shape{2, 1});
  CHECK(numbers(t.adjoint(a)) == doubles{543, 26000});
  CHECK(numbers(t.adjoint(b)) == doubles{2001, 4010, 6100});
  CHECK(t.adjoint(c).item() == 6111);
}

TEST_CASE("long rows with repeated operands add up every share") {
  constexpr std::size_t n = 1000;
  const doubles x = reference::random(7).uniform(n, -2, 2);
  tape t;
  const tensor<double> a = t.variable(tensor<double>(shape{n}, x));
  const tensor<double> low = t.variable(tensor<double>(-1.0));
  const tensor<double> y = clamp(a, low, 1.0);
  t.backward(sum(y));
  std::size_t below = 0;
  for (std::size_t i = 0; i < n; ++i) {
    below += x[i] < -1;
    CHECK(y.value(i) == std::clamp(x[i], -1.0, 1.0));
    CHECK(t.adjoint(a).value(i) == (x[i] >= -1 && x[i] <= 1 ? 1 : 0));
  }
  CHECK(below > 0);
  CHECK(t.adjoint(low).item() == static_cast<double>(below));
}

TEST_CASE("one tensor may be several operands") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({2.0, -3.0}));
  const tensor<double> y = fma(x, x, x);
  CHECK(numbers(y) == doubles{6, 6});
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(x)) == doubles{5, -5});
  t.backward(sum(fma(x, x, x) + x));
  CHECK(numbers(t.adjoint(x)) == doubles{6, -4});
}

TEST_CASE("a pullback keeps what the slopes of recorded operands read, and no other operand") {
  tape t;
  const tensor<double> x = t.variable(table), constant(shape{2, 3}, 2.0), row({1.0, 2.0, 3.0});
  const auto keeps = [&](auto&& call) { return keeps_operand(t, x, call); };
  CHECK_FALSE(keeps([&](const auto& y) { return fma(y, constant, constant); }));
  CHECK_FALSE(keeps([&](const auto& y) { return fma(constant, row, y); }));
  CHECK_FALSE(keeps([&](const auto& y) { return fma(y, row, x); }));
  CHECK(keeps([&](const auto& y) { return fma(y, x, constant); }));
  CHECK(keeps([&](const auto& y) { return fma(y, y, row); }));
  CHECK(keeps([](const auto& y) { return clamp(y, -1.0, 1.0); }));
}

TEST_CASE("a scalar variable beside tensors gets its derivative") {
  tape t;
  const var low = t.variable(0.0);
  const tensor<double> x = t.variable(table);
  const tensor<double> y = clamp(x, low, 2.0 * exp(low));
  CHECK(numbers(y) == doubles{0, 0.5, 2, 1, 0, 0});
  t.backward(sum(y));
  // Two entries lie below, one above.
  CHECK(t.adjoint(low) == 2 + 2);
}

TEST_CASE("a NaN between bounds stays and infinite entries have slope 0") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  tape t;
  const tensor<double> x = t.variable(tensor<double>({nan, infinity, -infinity}));
  const tensor<double> y = clamp(x, -1.0, 1.0);
  CHECK(reference::all_close(numbers(y), doubles{nan, 1, -1}, 0));
  t.backward(sum(y));
  CHECK(reference::all_close(numbers(t.adjoint(x)), doubles{nan, 0, 0}, 0));
}

TEST_CASE("ternary rows of no elements are empty and repeated operands get zeros") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{0, 3})),
                       low = t.variable(tensor<double>(shape{3}, -1.0));
  const tensor<double> y = clamp(x, low, 1.0);
  CHECK(y.shape() == shape{0, 3});
  t.backward(sum(y));
  CHECK(t.adjoint(x).shape() == shape{0, 3});
  CHECK(numbers(t.adjoint(low)) == doubles(3));
  CHECK(hypot(tensor<double>(2.0), 3.0, 6.0).item() == 7);
}

TEST_CASE("tensors beside std::clamp and duals find the row") {
  using std::clamp;
  const tensor<double> low(shape{3}, -1.0), high(shape{3}, 1.0);
  CHECK(numbers(clamp(tensor<double>({-2.0, 0.0, 2.0}), low, high)) == doubles{-1, 0, 1});
  const tensor<dual<double>> x({dual<double>(0.5, 1.0), dual<double>(3.0, 1.0)});
  const tensor<dual<double>> y = clamp(x, -1.0, dual<double>(1.0, 5.0));
  CHECK(y.value(0).tangent() == 1);
  CHECK(y.value(1).tangent() == 5);
}

TEST_CASE("operands that do not fit are an error with the row and the shapes") {
  CHECK(says(message<shape_error>([] {
               clamp(table, tensor<double>({1.0, 2.0}), 3.0);
             }),
             "clamp: ", "[2, 3]", "[2]"));
  CHECK(says(message<shape_error>([] {
               fma(table, 2.0, tensor<double>({1.0, 2.0}));
             }),
             "fma: ", "[2, 3]", "[2]"));
}
