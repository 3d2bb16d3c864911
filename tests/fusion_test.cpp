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
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace tensors;
using autodiff::domain_error;
using autodiff::fuse;
using autodiff::symbol;
using reference::close;
using reference::real;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

tensor<double> random_tensor(reference::random& random, const shape& s, double from = -1,
                             double to = 1) {
  return tensor<double>(s, random.uniform(s.size(), from, to));
}

/// Equal bit by bit, any NaN being any other.
bool same(const tensor<double>& a, const tensor<double>& b) {
  return a.shape() == b.shape() && reference::all_close(a.values(), b.values(), 0);
}

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
  const tensor<double> x = t.variable(random_tensor(random, x_shape));
  const tensor<double> y = t.variable(random_tensor(random, y_shape));
  const tensor<double> b = t.variable(random_tensor(random, b_shape));
  const tensor<double> z = fuse(formula, x, y, b);
  const shape whole = broadcast(broadcast(x_shape, y_shape, "test"), b_shape, "test");
  REQUIRE(z.shape() == whole);
  const tensor<double> w = random_tensor(random, whole);
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
  t.backward(sum(z * w) + sum(fuse(formula, x, y, b) * w));
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

namespace {

/// A row alone and between other instructions, as a function of symbols, tensors or numbers.
const auto between = [](const auto& row, const auto&... x) {
  return 0.5 * row(x...) + square(row(x...));
};

}  // namespace

TEST_CASE("every unary row has in a fused chain the values and slopes of the row") {
  reference::random random(72);
  using row_forms =
      rows::row<symbol<double>(symbol<double>), tensor<double>(tensor<double>), real(real)>;
  for (const auto& row : rows::unary<row_forms>()) {
    INFO(row.name);
    const shape s{300};
    const tensor<double> at = random_tensor(random, s, row.sampled[0].from, row.sampled[0].to);
    const tensor<double> w = random_tensor(random, s);
    tape t;
    const tensor<double> x = t.variable(at), again = t.variable(at);
    const tensor<double> y = fuse([&](auto v) { return between(row, v); }, x);
    const tensor<double> alone = fuse([&](auto v) { return row(v); }, x);
    const tensor<double> unfused = between(row, again);
    CHECK(reference::all_close(y.values(), unfused.values(), 1e-14L));
    CHECK(reference::all_close(alone.values(), row(at).values(), 1e-14L));
    t.backward(sum(y * w) + sum(unfused * w));
    CHECK(reference::all_close(t.adjoint(x).values(), t.adjoint(again).values(), 1e-14L));
    t.backward(alone, w);
    for (std::size_t i = 0; i < s.size(); i += 37) {
      const real slope = reference::derivative([&](real v) { return row(v); }, at.value(i), 0.02L);
      CHECK(close(t.adjoint(x).value(i), w.value(i) * slope, 1e-12L));
    }
  }
}

TEST_CASE("every binary row has in a fused chain the values and slopes of the row") {
  reference::random random(73);
  using row_forms =
      rows::row<symbol<double>(symbol<double>, symbol<double>),
                symbol<double>(symbol<double>, double), symbol<double>(double, symbol<double>),
                tensor<double>(tensor<double>, tensor<double>),
                tensor<double>(tensor<double>, double), tensor<double>(double, tensor<double>),
                real(real, real)>;
  for (const auto& row : rows::binary<row_forms>()) {
    INFO(row.name);
    const shape s{300};
    const tensor<double> at_a = random_tensor(random, s, row.sampled[0].from, row.sampled[0].to);
    const tensor<double> at_b = random_tensor(random, s, row.sampled[1].from, row.sampled[1].to);
    const tensor<double> w = random_tensor(random, s);
    const double k = at_a.value(7), l = at_b.value(9);
    tape t;
    const tensor<double> a = t.variable(at_a), b = t.variable(at_b);
    const tensor<double> a2 = t.variable(at_a), b2 = t.variable(at_b);
    const tensor<double> y = fuse([&](auto u, auto v) { return between(row, u, v); }, a, b);
    const tensor<double> left = fuse([&](auto u) { return between(row, u, l); }, a);
    const tensor<double> right = fuse([&](auto v) { return between(row, k, v); }, b);
    const tensor<double> alone = fuse([&](auto u, auto v) { return row(u, v); }, a, b);
    const tensor<double> y2 = between(row, a2, b2), left2 = between(row, a2, l),
                         right2 = between(row, k, b2);
    CHECK(reference::all_close(y.values(), y2.values(), 1e-14L));
    CHECK(reference::all_close(left.values(), left2.values(), 1e-14L));
    CHECK(reference::all_close(right.values(), right2.values(), 1e-14L));
    CHECK(reference::all_close(alone.values(), row(at_a, at_b).values(), 1e-14L));
    t.backward(sum((y + left + right) * w) + sum((y2 + left2 + right2) * w));
    CHECK(reference::all_close(t.adjoint(a).values(), t.adjoint(a2).values(), 1e-13L));
    CHECK(reference::all_close(t.adjoint(b).values(), t.adjoint(b2).values(), 1e-13L));
    t.backward(alone, w);
    for (std::size_t i = 0; i < s.size(); i += 37) {
      const real u = at_a.value(i), v = at_b.value(i);
      const real by_a = reference::derivative([&](real x) { return row(x, v); }, u, 0.02L);
      const real by_b = reference::derivative([&](real x) { return row(u, x); }, v, 0.02L);
      // polygamma and ierfcx count with their first argument.
      if (row.sampled[0].from != row.sampled[0].to)
        CHECK(close(t.adjoint(a).value(i), w.value(i) * by_a, 1e-11L));
      CHECK(close(t.adjoint(b).value(i), w.value(i) * by_b, 1e-11L));
    }
  }
}

TEST_CASE("every ternary row has in a fused chain the values and slopes of the row") {
  reference::random random(74);
  using row_forms =
      rows::row<symbol<double>(symbol<double>, symbol<double>, symbol<double>),
                symbol<double>(symbol<double>, double, double),
                symbol<double>(double, symbol<double>, symbol<double>),
                tensor<double>(tensor<double>, tensor<double>, tensor<double>),
                tensor<double>(tensor<double>, double, double),
                tensor<double>(double, tensor<double>, tensor<double>), real(real, real, real)>;
  for (const auto& row : rows::ternary<row_forms>()) {
    INFO(row.name);
    const shape s{300};
    std::vector<tensor<double>> at;
    for (const auto& from : row.sampled) at.push_back(random_tensor(random, s, from.from, from.to));
    const double k = at[0].value(5), l = at[1].value(6), m = at[2].value(7);
    const tensor<double> w = random_tensor(random, s);
    tape t;
    const tensor<double> a = t.variable(at[0]), b = t.variable(at[1]), c = t.variable(at[2]);
    const tensor<double> a2 = t.variable(at[0]), b2 = t.variable(at[1]), c2 = t.variable(at[2]);
    const tensor<double> y =
        fuse([&](auto u, auto v, auto x) { return between(row, u, v, x); }, a, b, c);
    const tensor<double> first = fuse([&](auto u) { return between(row, u, l, m); }, a);
    const tensor<double> others = fuse([&](auto v, auto x) { return between(row, k, v, x); }, b, c);
    const tensor<double> alone =
        fuse([&](auto u, auto v, auto x) { return row(u, v, x); }, a, b, c);
    const tensor<double> y2 = between(row, a2, b2, c2), first2 = between(row, a2, l, m),
                         others2 = between(row, k, b2, c2);
    CHECK(reference::all_close(y.values(), y2.values(), 1e-14L));
    CHECK(reference::all_close(first.values(), first2.values(), 1e-14L));
    CHECK(reference::all_close(others.values(), others2.values(), 1e-14L));
    t.backward(sum((y + first + others) * w) + sum((y2 + first2 + others2) * w));
    CHECK(reference::all_close(t.adjoint(a).values(), t.adjoint(a2).values(), 1e-13L));
    CHECK(reference::all_close(t.adjoint(b).values(), t.adjoint(b2).values(), 1e-13L));
    CHECK(reference::all_close(t.adjoint(c).values(), t.adjoint(c2).values(), 1e-13L));
    t.backward(alone, w);
    for (std::size_t i = 0; i < s.size(); i += 37) {
      const real u = at[0].value(i), v = at[1].value(i), x = at[2].value(i);
      CHECK(close(alone.value(i), row(u, v, x), 4e-15L));
      const real by_a = reference::derivative([&](real z) { return row(z, v, x); }, u, 0.02L);
      const real by_c = reference::derivative([&](real z) { return row(u, v, z); }, x, 0.02L);
      CHECK(close(t.adjoint(a).value(i), w.value(i) * by_a, 1e-11L));
      CHECK(close(t.adjoint(c).value(i), w.value(i) * by_c, 1e-11L));
    }
  }
}

TEST_CASE("a fused chain is one operation on the tape, an unfused one is many") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const std::size_t before = t.statistics().operations;
  const tensor<double> y = fuse(formula, x, x, x);
  CHECK(t.statistics().operations == before + 1);
  CHECK(y.is_recorded());
}

TEST_CASE("a fused chain of passive tensors is passive") {
  tape t;
  const tensor<double> x({1.0, 2.0});
  const tensor<double> y = fuse(formula, x, x, x);
  CHECK_FALSE(y.is_recorded());
  CHECK(t.statistics().operations == 0);
  CHECK(reference::all_close(y.values(), formula(x, x, x).values(), 0));
}

TEST_CASE("the same tensor as several fused operands gets the sum of its shares") {
  reference::random random(75);
  for (const std::size_t n : {3u, 300u}) {
    tape t;
    const tensor<double> x = t.variable(random_tensor(random, {n}));
    const tensor<double> w = random_tensor(random, {n});
    t.backward(fuse(formula, x, x, x), w);
    for (std::size_t i = 0; i < n; ++i) {
      const formula_at f(x.value(i), x.value(i), x.value(i));
      CHECK(close(t.adjoint(x).value(i), w.value(i) * (f.by_x + f.by_y + f.by_b), 1e-14L));
    }
    // One of them as a constant.
    t.backward(fuse(formula, x.detached(), x, x), w);
    for (std::size_t i = 0; i < n; ++i) {
      const formula_at f(x.value(i), x.value(i), x.value(i));
      CHECK(close(t.adjoint(x).value(i), w.value(i) * (f.by_y + f.by_b), 1e-14L));
    }
  }
}

TEST_CASE("values used several times in a fused chain get the sum of their shares") {
  reference::random random(76);
  tape t;
  const tensor<double> x = t.variable(random_tensor(random, {300}));
  const tensor<double> y = fuse(
      [](auto v) {
        const auto s = v * v;       // both operands of one row
        const auto e = exp(s + v);  // a slope of 1 into a value that others use too
        const auto d = s - e;
        return e + (d + d) * s;  // e takes no adjoint over: another share follows
      },
      x);
  const tensor<double> w = random_tensor(random, {300});
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
  const tensor<double> at = random_tensor(random, {700}, -0.9, 0.9);
  const tensor<double> x = t.variable(at), x2 = t.variable(at);
  const tensor<double> y = fuse(horner, x), y2 = horner(x2);
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
  const tensor<double> y = fuse(
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

TEST_CASE("an argument, broadcast to the shape of all, can be the result itself") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({-0.0, infinity, not_a_number}));
  const tensor<double> y = fuse([](auto v, auto) { return v; }, x, tensor<double>(shape{2, 1}));
  REQUIRE(y.shape() == shape{2, 3});
  CHECK(std::signbit(y.value(1, 0)));
  CHECK(y.value(1, 1) == infinity);
  CHECK(std::isnan(y.value(1, 2)));
  t.backward(sum(y));
  CHECK(t.adjoint(x).value(0) == 2);
}

TEST_CASE("numbers of the function are constants of the call") {
  const tensor<double> x({1.0, 2.0});
  for (const double k : {3.0, -4.0}) {
    CHECK(fuse([k](auto v) { return k * v - 1; }, x).value(1) == k * 2 - 1);
    CHECK(fuse([k](auto v) { return 1 / (k - v); }, x).value(0) == 1 / (k - 1));
  }
  const tensor<double> y = fuse(
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
  CHECK(fuse([](auto v) { return leaky_relu(v - 3.0); }, x).value(0) == -2.0 * 0.01);
}

TEST_CASE("std functions brought in by using find the rows of symbols") {
  using std::clamp, std::max, std::sqrt;
  const tensor<double> x({1.0, 4.0}), y({2.0, 3.0});
  const tensor<double> z = fuse([](auto a, auto b) { return clamp(sqrt(max(a, b)), a, b); }, x, y);
  CHECK(z.value(0) == std::sqrt(2.0));
}

TEST_CASE("ties of a fused chain are shared as in the single rows") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0})),
                       y = t.variable(tensor<double>({1.0, 1.0}));
  const auto larger = [](auto a, auto b) { return max(a * 1.0, b * 1.0); };
  t.backward(sum(fuse(larger, x, y)));
  CHECK(t.adjoint(x).value(0) == 0.5);
  CHECK(t.adjoint(y).value(0) == 0.5);
  CHECK(t.adjoint(x).value(1) == 1);
  CHECK(t.adjoint(y).value(1) == 0);
  t.backward(sum(fuse(larger, x, y.detached())));
  CHECK(t.adjoint(x).value(0) == 0);
  t.backward(sum(fuse(larger, x, x)));
  CHECK(t.adjoint(x).value(0) == 1);
  t.backward(sum(fuse([](auto a) { return max(a, 1.0) + max(a, a); }, x)));
  CHECK(t.adjoint(x).value(0) == 1);
  CHECK(t.adjoint(x).value(1) == 2);
}

TEST_CASE("a zero adjoint skips an infinite slope inside of a fused chain") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({0.0, 4.0}));
  t.backward(sum(fuse([](auto v) { return 0.0 * sqrt(v); }, x)));
  CHECK(t.adjoint(x).value(0) == 0);
  t.backward(fuse([](auto v) { return sqrt(v) + 1.0; }, x), tensor<double>({0.0, 1.0}));
  CHECK(t.adjoint(x).value(0) == 0);
  CHECK(t.adjoint(x).value(1) == 0.25);
  t.backward(sum(fuse([](auto v) { return 2.0 * sqrt(v); }, x)));
  CHECK(t.adjoint(x).value(0) == infinity);
  t.backward(sum(fuse([](auto v) { return sqrt(v * v); }, x)));
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
  const tensor<double> y = fuse(chain, x);
  const tensor<double> x2 = t.variable(tensor<double>(shape{600}, at));
  CHECK(same(y, chain(x2)));
  t.backward(sum(y) + sum(chain(x2)));
  CHECK(same(t.adjoint(x), t.adjoint(x2)));
  CHECK(t.adjoint(x).value(1) == 9);
  CHECK(std::isnan(t.adjoint(x).value(0)));
}

TEST_CASE("a scalar variable among fused operands is a tensor of rank 0") {
  tape t;
  const autodiff::var s = t.variable(3.0);
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  t.backward(sum(fuse([](auto v, auto k) { return v * k; }, x, autodiff::to_tensor<double>(s))));
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
  CHECK(reference::all_close(fuse(chain, x).values(), chain(x).values(), 0));
}

TEST_CASE("sweeping a fused chain again gives the same adjoints") {
  reference::random random(79);
  tape t;
  const tensor<double> x = t.variable(random_tensor(random, {5, 100}));
  const tensor<double> b = t.variable(random_tensor(random, {100}));
  const tensor<double> y = sum(fuse(formula, x, x, b));
  t.backward(y);
  const tensor<double> dx = t.adjoint(x), db = t.adjoint(b);
  t.backward(y);
  CHECK(same(dx, t.adjoint(x)));
  CHECK(same(db, t.adjoint(b)));
}

TEST_CASE("errors of fused chains say what to do") {
  const tensor<double> x(shape{2, 3}), y(shape{4});
  const std::string shapes =
      message<shape_error>([&] { fuse([](auto a, auto b) { return a + b; }, x, y); });
  CHECK(says(shapes, "fuse: shapes [2, 3] and [4] do not fit", "equal or 1"));
  const std::string foreign = message<domain_error>(
      [&] { fuse([&](auto a) { return fuse([&](auto b) { return a + b; }, x), a; }, x); });
  CHECK(says(foreign, "fuse: a symbol of another call"));
  const std::string returned = message<domain_error>([&] {
    fuse(
        [&](auto a) {
          fuse([&](auto) { return a; }, x);
          return a;
        },
        x);
  });
  CHECK(says(returned, "fuse: a symbol of another call"));
}
