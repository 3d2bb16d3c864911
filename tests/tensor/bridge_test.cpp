#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace {

using namespace tensors;
using autodiff::tape_error;
using autodiff::var;
using reference::real;

}  // namespace

TEST_CASE("an element of a recorded tensor is a recorded scalar") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0, 3.0}));
  const tensor<double> m = t.variable(tensor<double>({{1.0, 2.0}, {3.0, 4.0}}));
  const var a = x[1], b = m(1, 0), c = tensor<double>(sum(x))();
  CHECK(a.value() == 2);
  CHECK(b.value() == 3);
  CHECK(c.value() == 6);
  const var y = a * a * b + c;
  t.backward(y);
  CHECK(t.adjoint(a) == 12);
  CHECK(t.adjoint(b) == 4);
  CHECK(numbers(t.adjoint(x)) == doubles{1, 13, 1});
  CHECK(numbers(t.adjoint(m)) == doubles{0, 0, 4, 0});
}

TEST_CASE("an element of a passive tensor is passive") {
  tape t;
  const tensor<double> x({1.0, 2.0});
  CHECK_FALSE(var(x[1]).is_recorded());
  for (const var& v : elements(x)) CHECK_FALSE(v.is_recorded());
  CHECK(t.statistics().operations == 0);
  CHECK(t.statistics().places == 0);
}

TEST_CASE("one element may be read several times, and its adjoints add up") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({3.0, 4.0}));
  const var a = x[0], b = x[0];
  t.backward(var(a * b + a));
  CHECK(t.adjoint(a) == 4);
  CHECK(t.adjoint(b) == 3);
  CHECK(numbers(t.adjoint(x)) == doubles{7, 0});
}

TEST_CASE("elements are all scalars of a tensor, row by row") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({{1.0, 2.0}, {3.0, 4.0}}));
  const std::vector<var> all = elements(x);
  REQUIRE(all.size() == 4);
  var y = 0.0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].value() == static_cast<double>(i + 1));
    y += all[i] * all[i] * static_cast<double>(i);
  }
  t.backward(y);
  CHECK(numbers(t.adjoint(x)) == doubles{0, 4, 12, 24});
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(t.adjoint(all[i]) == t.adjoint(x).values()[i]);
  CHECK(elements(t.variable(tensor<double>(shape{0, 2}))).empty());
}

TEST_CASE("stacked scalars are a tensor whose adjoint goes back to each of them") {
  tape t;
  const var a = t.variable(2.0), b = t.variable(3.0);
  const tensor<double> s = autodiff::stack({a, b, a * b, a});
  CHECK(s.shape() == shape{4});
  CHECK(numbers(s) == doubles{2, 3, 6, 2});
  t.backward(s, tensor<double>({1.0, 10.0, 100.0, 1000.0}));
  CHECK(t.adjoint(a) == 1 + 300 + 1000);
  CHECK(t.adjoint(b) == 10 + 200);
  CHECK(numbers(t.adjoint(s)) == doubles{1, 10, 100, 1000});
}

TEST_CASE("scalars are stacked into any shape") {
  tape t;
  std::vector<var> scalars;
  for (int i = 0; i < 6; ++i) scalars.push_back(t.variable(1.0 + i));
  const tensor<double> m = autodiff::stack(scalars, {2, 3});
  CHECK(m.shape() == shape{2, 3});
  t.backward(sum(square(m), {1})[1]);
  CHECK(t.adjoint(scalars) == doubles{0, 0, 0, 8, 10, 12});
  CHECK(autodiff::stack(scalars).shape() == shape{6});
  CHECK(autodiff::stack(std::vector<var>{}).shape() == shape{0});
}

TEST_CASE(
    "stacking counts some passive scalars as constants, and only passive ones as a passive "
    "tensor") {
  tape t;
  const var a = t.variable(2.0);
  const tensor<double> s = autodiff::stack({a, var(5.0), a});
  CHECK(s.is_recorded());
  t.backward(sum(s * s));
  CHECK(t.adjoint(a) == 8);
  CHECK_FALSE(autodiff::stack({var(1.0), var(2.0)}).is_recorded());
}

TEST_CASE("a wrong number of scalars is an error with the number and the shape") {
  CHECK(says(message<shape_error>([] {
               autodiff::stack(std::vector<var>(5), {2, 3});
             }),
             "stack: ", "5 scalars", "[2, 3]", "6"));
}

TEST_CASE("a scalar becomes a tensor of rank 0") {
  tape t;
  const var a = t.variable(3.0);
  const tensor<double> x = autodiff::to_tensor(a);
  CHECK(x.shape() == shape{});
  t.backward(square(x));
  CHECK(t.adjoint(a) == 6);
  CHECK(autodiff::to_tensor(var(2.0)).item() == 2);
  CHECK(autodiff::to_tensor<float>(a).item() == 3.0f);
  // An expression is recorded on the way.
  t.backward(autodiff::to_tensor(a * a));
  CHECK(t.adjoint(a) == 6);
}

TEST_CASE("scalars to a tensor and back are the scalars") {
  tape t;
  std::vector<var> x{t.variable(1.0), t.variable(2.0), t.variable(3.0)};
  const std::vector<var> back = elements(autodiff::stack(x));
  t.backward(var(back[0] * back[1] * back[2]));
  CHECK(t.adjoint(x) == doubles{6, 3, 2});
}

TEST_CASE("a tensor to scalars and back is the tensor") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({{1.0, 2.0}, {3.0, 4.0}}));
  const tensor<double> back = autodiff::stack(elements(x), x.shape());
  CHECK(numbers(back) == numbers(x));
  t.backward(sum(matmul(back, back)));
  const doubles round_trip = numbers(t.adjoint(x));
  t.backward(sum(matmul(x, x)));
  CHECK(round_trip == numbers(t.adjoint(x)));
}

TEST_CASE("float tensors meet scalars of double") {
  tape t;
  const tensor<float> x = t.variable(tensor<float>({0.5f, 1.5f}));
  const var a = x[0] * x[1];
  CHECK(a.value() == 0.75);
  const tensor<float> s = autodiff::stack<float>({a, a * a});
  CHECK(numbers(s) == std::vector<float>{0.75f, 0.5625f});
  t.backward(sum(s));
  CHECK(t.adjoint(a) == 2.5);
  CHECK(numbers(t.adjoint(x)) == std::vector<float>{3.75f, 1.25f});
  const std::vector<var> all = elements(x);
  t.backward(var(all[1] * all[1]));
  CHECK(numbers(t.adjoint(x)) == std::vector<float>{0, 3});
}

TEST_CASE("a graph that crosses between scalars and tensors has the gradient of its formula") {
  // f(p) = sum_ij tanh(w_ij) with w = [[p0 p1, exp(p0)], [sin(p1), 1]] times (w_00 + w_11).
  const auto f = [](real p0, real p1) {
    const real w[] = {p0 * p1, std::exp(p0), std::sin(p1), 1};
    real total = 0;
    for (const real x : w) total += std::tanh(x);
    return total * (w[0] + w[3]);
  };
  tape t;
  const var p0 = t.variable(0.3), p1 = t.variable(-0.7);
  const tensor<double> w =
      autodiff::stack(std::vector<var>{p0 * p1, exp(p0), sin(p1), 1.0}, {2, 2});
  const var total = sum(tanh(w))();
  const var y = total * (w(0, 0) + w(1, 1));
  t.backward(y);
  CHECK(reference::close(y.value(), f(0.3L, -0.7L), 1e-15L));
  CHECK(reference::close(t.adjoint(p0),
                         reference::derivative([&](real x) { return f(x, -0.7L); }, 0.3L), 1e-13L));
  CHECK(reference::close(t.adjoint(p1),
                         reference::derivative([&](real x) { return f(0.3L, x); }, -0.7L), 1e-13L));
}

TEST_CASE("crossing back and forth many times keeps the order of records") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.1, 0.9}));
  tensor<double> y = x;
  for (int i = 0; i < 50; ++i) {
    const var a = y[0], b = y[1];
    y = autodiff::stack({sin(a) + 0.5 * b, a * b}) * 0.9;
  }
  t.backward(sum(y));
  const auto f = [](real a, real b) {
    for (int i = 0; i < 50; ++i) {
      const real next = 0.9L * (std::sin(a) + 0.5L * b);
      b = 0.9L * (a * b);
      a = next;
    }
    return a + b;
  };
  const auto gradient = t.adjoint(x).values();
  CHECK(reference::close(gradient[0], reference::derivative([&](real a) { return f(a, 0.9); }, 1.1),
                         1e-12L));
  CHECK(reference::close(gradient[1], reference::derivative([&](real b) { return f(1.1, b); }, 0.9),
                         1e-12L));
}

TEST_CASE("scalars of a rewound part cannot be stacked") {
  tape t;
  const var x = t.variable(1.0);
  const auto mark = t.mark();
  const var stale = x * 2.0;
  t.rewind(mark);
  const auto before = t.statistics();
  CHECK(says(message<tape_error>([&] { autodiff::stack({x, stale}); }), "stack: ", "rewound"));
  CHECK(t.statistics().operations == before.operations);
}

TEST_CASE("scalars of another tape cannot be stacked") {
  tape outer;
  const var x = outer.variable(1.0);
  {
    tape inner;
    const var y = inner.variable(2.0);
    CHECK(says(message<tape_error>([&] { autodiff::stack({y, x}); }), "stack: ", "another tape"));
  }
  outer.backward(sum(autodiff::stack({x, x})));
  CHECK(outer.adjoint(x) == 2);
}

TEST_CASE("elements that are recorded after a rewind own their places") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0, 3.0}));
  const auto mark = t.mark();
  for (int round = 0; round < 3; ++round) {
    const auto all = elements(x);
    const var y = all[0] * all[1] + all[2] * static_cast<double>(round);
    t.backward(y);
    CHECK(numbers(t.adjoint(x)) == doubles{2, 1, static_cast<double>(round)});
    t.rewind(mark);
  }
}

TEST_CASE("more elements than a tape has places are refused before any is made") {
  tape t;
  const tensor<float> x = t.variable(tensor<float>(1.0f));
  const tensor<float> repeated = expand(x, shape{std::size_t{1} << 33});
  CHECK_THROWS_AS(elements(repeated), autodiff::memory_error);
}
