#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fusion.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/ternary.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/rows.hpp>
#include <tests/tensors.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace tensors;
using autodiff::domain_error;
using autodiff::fuse_always;
using autodiff::shape_error;
using autodiff::symbol;
using reference::close;
using reference::message;
using reference::real;
using reference::says;

// A program in which slopes read inputs, values and results, and one value is used twice.
const auto formula = [](const auto& x, const auto& y, const auto& b) {
  return tanh(x * y + b) / (1.0 + square(x));
};

/// The formula and its three derivatives.
struct formula_at {
  real value, by_x, by_y, by_b;

  formula_at(real x, real y, real b) {
    const real t = std::tanh(x * y + b), slope = 1 - t * t, below = 1 + x * x;
    value = t / below;
    by_x = slope * y / below - 2 * x * t / (below * below);
    by_y = slope * x / below;
    by_b = slope / below;
  }
};

void check_formula(const shape& x_shape, const shape& y_shape, const shape& b_shape) {
  INFO(x_shape << " with " << y_shape << " and " << b_shape);
  reference::random random(71);
  tape t;
  const tensor<double> x = t.variable(drawn(random, x_shape));
  const tensor<double> y = t.variable(drawn(random, y_shape));
  const tensor<double> b = t.variable(drawn(random, b_shape));
  const tensor<double> z = fuse_always(formula, x, y, b);
  const shape whole = broadcast(broadcast(x_shape, y_shape, "test"), b_shape, "test");
  REQUIRE(z.shape() == whole);
  const tensor<double> w = drawn(random, whole);
  std::vector<real> dx(x.size()), dy(y.size()), db(b.size());
  std::vector<real> values;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const std::size_t at_x = meeting(x_shape, whole, i), at_y = meeting(y_shape, whole, i),
                      at_b = meeting(b_shape, whole, i);
    const formula_at f(x.values()[at_x], y.values()[at_y], b.values()[at_b]);
    values.push_back(f.value);
    dx[at_x] += w.values()[i] * f.by_x;
    dy[at_y] += w.values()[i] * f.by_y;
    db[at_b] += w.values()[i] * f.by_b;
  }
  CHECK(reference::all_close(z.values(), values, 2e-15L));
  t.backward(z, w);
  CHECK(t.adjoint(x).shape() == x_shape);
  CHECK(t.adjoint(y).shape() == y_shape);
  CHECK(t.adjoint(b).shape() == b_shape);
  CHECK(reference::all_close(t.adjoint(x).values(), dx, 1e-13L));
  CHECK(reference::all_close(t.adjoint(y).values(), dy, 1e-13L));
  CHECK(reference::all_close(t.adjoint(b).values(), db, 1e-13L));
  // A second use adds to the first.
  t.backward(sum(z * w) + sum(fuse_always(formula, x, y, b) * w));
  for (std::vector<real>* adjoint : {&dx, &dy, &db}) {
    for (real& number : *adjoint) number *= 2;
  }
  CHECK(reference::all_close(t.adjoint(x).values(), dx, 1e-13L));
  CHECK(reference::all_close(t.adjoint(y).values(), dy, 1e-13L));
  CHECK(reference::all_close(t.adjoint(b).values(), db, 1e-13L));
}

}  // namespace

TEST_CASE("a fused chain has values and adjoints of the formula at every size around a block") {
  // Blocks have some hundred elements, the fewer the more operands there are.
  for (std::size_t n = 1; n < 1100; n += n < 70 ? 1 : 61) check_formula({n}, {n}, {n});
  for (std::size_t border = 64; border <= 2048; border += 64) {
    for (const std::size_t n : {border - 1, border, border + 1}) check_formula({n}, {}, {n});
  }
}

TEST_CASE("a fused chain broadcasts its operands and sums adjoints over what was repeated") {
  check_formula({}, {}, {});
  check_formula({}, {3}, {});
  check_formula({1}, {}, {1, 1});
  check_formula({2, 3}, {3}, {2, 1});
  check_formula({3}, {2, 3}, {});
  check_formula({2, 1}, {1, 3}, {1});
  check_formula({2, 1, 4}, {3, 1}, {4});
  check_formula({2, 1, 2, 1, 2}, {3, 1, 3, 1}, {2, 3, 2, 3, 2});
  // Rows shorter than a block, which they do and do not divide.
  check_formula({300, 8}, {8}, {});
  check_formula({300, 10}, {10}, {300, 1});
  check_formula({90, 10}, {10}, {3, 1, 10});
  check_formula({7, 100, 3}, {100, 1}, {7, 1, 1});
  check_formula({7, 100, 3}, {100, 3}, {3});
  // As long as a block, and longer.
  check_formula({5, 256}, {256}, {5, 1});
  check_formula({5, 257}, {257}, {5, 1});
  check_formula({3, 1000}, {1000}, {1});
  check_formula({3, 4, 150}, {4, 150}, {3, 1, 150});
  // The result is larger than every operand.
  check_formula({40, 1, 1}, {1, 30, 1}, {1, 1, 20});
  check_formula({600, 1}, {1, 2}, {});
}

TEST_CASE("fused operands without elements give results and adjoints without elements") {
  check_formula({0}, {0}, {0});
  check_formula({0, 3}, {3}, {});
  check_formula({2, 1}, {1, 0}, {1});
  check_formula({0}, {}, {1});
}

TEST_CASE("a fused chain is one operation on the tape, an unfused one is many") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const std::size_t before = t.statistics().operations;
  const tensor<double> y = fuse_always(formula, x, x, x);
  CHECK(t.statistics().operations == before + 1);
  CHECK(y.is_recorded());
}

TEST_CASE("a fused chain of passive tensors is passive") {
  tape t;
  const tensor<double> x({1.0, 2.0});
  const tensor<double> y = fuse_always(formula, x, x, x);
  CHECK_FALSE(y.is_recorded());
  CHECK(t.statistics().operations == 0);
  CHECK(reference::all_close(y.values(), formula(x, x, x).values(), 0));
}

TEST_CASE("the same tensor as several fused operands gets the sum of its shares") {
  reference::random random(75);
  for (const std::size_t n : {3u, 300u}) {
    tape t;
    const tensor<double> x = t.variable(drawn(random, {n}));
    const tensor<double> w = drawn(random, {n});
    t.backward(fuse_always(formula, x, x, x), w);
    for (std::size_t i = 0; i < n; ++i) {
      const formula_at f(x.value(i), x.value(i), x.value(i));
      CHECK(close(t.adjoint(x).value(i), w.value(i) * (f.by_x + f.by_y + f.by_b), 1e-14L));
    }
    // One of them as a constant.
    t.backward(fuse_always(formula, x.detached(), x, x), w);
    for (std::size_t i = 0; i < n; ++i) {
      const formula_at f(x.value(i), x.value(i), x.value(i));
      CHECK(close(t.adjoint(x).value(i), w.value(i) * (f.by_y + f.by_b), 1e-14L));
    }
  }
}

TEST_CASE("values used several times in a fused chain get the sum of their shares") {
  reference::random random(76);
  tape t;
  const tensor<double> x = t.variable(drawn(random, {300}));
  const tensor<double> y = fuse_always(
      [](auto v) {
        const auto s = v * v;       // both operands of one row
        const auto e = exp(s + v);  // a slope of 1 into a value that others use too
        const auto d = s - e;
        return e + (d + d) * s;  // e takes no adjoint over: another share follows
      },
      x);
  const tensor<double> w = drawn(random, {300});
  t.backward(y, w);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const real v = x.value(i), s = v * v, e = std::exp(s + v);
    const real ds = 2 * v, de = e * (2 * v + 1);
    CHECK(close(y.value(i), 2 * (s - e) * s + e, 2e-15L));
    CHECK(close(t.adjoint(x).value(i), w.value(i) * (2 * (ds - de) * s + 2 * (s - e) * ds + de),
                1e-13L));
  }
}

TEST_CASE("long programs with loops run and differentiate") {
  // Horner's rule for sum of x^k / (k + 1), k = 0 ... 199.
  const auto horner = [](const auto& x) {
    auto y = 0.0 * x + 1.0 / 200;
    for (int k = 198; k >= 0; --k) y = y * x + 1.0 / (k + 1);
    return y;
  };
  reference::random random(77);
  tape t;
  const tensor<double> at = drawn(random, {700}, -0.9, 0.9);
  const tensor<double> x = t.variable(at), x2 = t.variable(at);
  const tensor<double> y = fuse_always(horner, x), y2 = horner(x2);
  CHECK(reference::all_close(y.values(), y2.values(), 1e-14L));
  t.backward(sum(y) + sum(y2));
  CHECK(reference::all_close(t.adjoint(x).values(), t.adjoint(x2).values(), 1e-12L));
  for (std::size_t i = 0; i < at.size(); i += 99) {
    // The sum is -log(1 - x) / x up to x^200.
    const real v = at.value(i), log_term = std::log1p(-v);
    CHECK(close(y.value(i), -log_term / v, 1e-9L));
    CHECK(close(t.adjoint(x).value(i), (v / (1 - v) + log_term) / (v * v), 1e-6L));
  }
}

TEST_CASE("operands that the result does not depend on get no adjoint, or zeros") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0, 3.0}));
  const tensor<double> unused = t.variable(tensor<double>(shape{2, 1}, 5.0));
  const tensor<double> y = fuse_always(
      [](auto v, auto u) {
        static_cast<void>(exp(u));  // computed for nobody
        return v * 2.0;
      },
      x, unused);
  REQUIRE(y.shape() == shape{2, 3});
  CHECK(y.value(1, 2) == 6);
  t.backward(sum(y));
  CHECK(t.adjoint(x).value(0) == 4);
  CHECK(t.adjoint(unused).value(1, 0) == 0);
}

TEST_CASE("numbers of the function are constants of the call") {
  const tensor<double> x({1.0, 2.0});
  for (const double k : {3.0, -4.0}) {
    CHECK(fuse_always([k](auto v) { return k * v - 1; }, x).value(1) == k * 2 - 1);
    CHECK(fuse_always([k](auto v) { return 1 / (k - v); }, x).value(0) == 1 / (k - 1));
  }
  const tensor<double> y = fuse_always(
      [](auto v) {
        auto total = +v;
        total += 1;
        total *= v;
        total -= 0.5f;
        total /= 2;
        return -total;
      },
      x);
  CHECK(y.value(1) == -(3.0 * 2 - 0.5) / 2);
  CHECK(fuse_always([](auto v) { return leaky_relu(v - 3.0); }, x).value(0) == -2.0 * 0.01);
}

TEST_CASE("std functions brought in by using find the rows of symbols") {
  using std::clamp, std::max, std::sqrt;
  const tensor<double> x({1.0, 4.0}), y({2.0, 3.0});
  const tensor<double> z =
      fuse_always([](auto a, auto b) { return clamp(sqrt(max(a, b)), a, b); }, x, y);
  CHECK(z.value(0) == std::sqrt(2.0));
}

TEST_CASE("a scalar variable among fused operands is a tensor of rank 0") {
  tape t;
  const autodiff::var s = t.variable(3.0);
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  t.backward(
      sum(fuse_always([](auto v, auto k) { return v * k; }, x, autodiff::to_tensor<double>(s))));
  CHECK(t.adjoint(s) == 3);
  CHECK(t.adjoint(x).value(0) == 3);
}

TEST_CASE("fused chains of floats agree with the unfused ones bit by bit in values") {
  reference::random random(78);
  tape t;
  // A multiple of what a block holds: the same elements fall into the remainders of loops.
  const tensor<float> x(shape{2048}, random.uniform<float>(2048, -2, 2));
  const auto chain = [](const auto& v) {
    return relu(v * 1.5f + 0.25f) * sigmoid(v) - tanh(v) / 3.0f;
  };
  CHECK(reference::all_close(fuse_always(chain, x).values(), chain(x).values(), 0));
}

TEST_CASE("sweeping a fused chain again gives the same adjoints") {
  reference::random random(79);
  tape t;
  const tensor<double> x = t.variable(drawn(random, {5, 100}));
  const tensor<double> b = t.variable(drawn(random, {100}));
  const tensor<double> y = sum(fuse_always(formula, x, x, b));
  t.backward(y);
  const tensor<double> dx = t.adjoint(x), db = t.adjoint(b);
  t.backward(y);
  CHECK(same(dx, t.adjoint(x)));
  CHECK(same(db, t.adjoint(b)));
}
