// The forms in which a row of ops.def can be called: beside constants on every side, on mixed plain
// numbers, with a second argument left out, under the names of the standard library. What the rows
// compute is held to mathematics in reference_table_test.cpp.

#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>

using autodiff::basic_tape;
using autodiff::basic_var;
using autodiff::dual;
using autodiff::tape;
using autodiff::tensor;
using autodiff::var;

namespace {

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Numbers inside the domain of a row.
template <class Rule>
auto sample(reference::random& random) {
  std::array<double, Rule::sampled.size()> x;
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = random.uniform(Rule::sampled[i].from, Rule::sampled[i].to);
  }
  return x;
}

/// The slopes of a result are these, 0 for an argument that was a constant.
void check_adjoints(tape& t, const var& y, std::span<const var> v, std::span<const double> slopes,
                    std::span<const bool> active) {
  t.backward(y);
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    CAPTURE(i);
    CHECK(same(t.adjoint(v[i]), active[i] ? slopes[i] : 0));
  }
}

/// The slopes of a row with arguments of its own types, 0 for a constant.
template <class Rule, class... X>
void check_reverse(tape& t, const std::array<var, sizeof...(X)>& v,
                   const std::array<double, sizeof...(X)>& slopes, const X&... x) {
  constexpr std::array active{!std::is_arithmetic_v<X>...};
  check_adjoints(t, Rule::call(x...), v, slopes, active);
}

/// Whether what was found is exactly what was expected.
void check_same(double found, double expected) { CHECK(same(found, expected)); }
void check_equal(double found, double expected) { CHECK(found == expected); }

}  // namespace

TEST_CASE("a binary row beside a constant has the slope it has between variables") {
  reference::random random(1);
  autodiff::for_each_binary_rule([&]<class Rule>() {
    INFO(Rule::name);
    const auto [a, b] = sample<Rule>(random);
    using both = dual<double, 2>;
    const both z = Rule::call(both(a, {1.0, 0.0}), both(b, {0.0, 1.0}));
    check_equal(z.value(), Rule::call(a, b));
    check_same(Rule::call(dual<double>(a, 1.0), b).tangent(), z.tangent(0));
    check_same(Rule::call(a, dual<double>(b, 1.0)).tangent(), z.tangent(1));
    tape t;
    const std::array v{t.variable(a), t.variable(b)};
    const std::array slopes{z.tangent(0), z.tangent(1)};
    check_reverse<Rule>(t, v, slopes, v[0], v[1]);
    check_reverse<Rule>(t, v, slopes, v[0] + 0.0, v[1]);
    check_reverse<Rule>(t, v, slopes, v[0], v[1] + 0.0);
    check_reverse<Rule>(t, v, slopes, v[0] + 0.0, v[1] + 0.0);
    check_reverse<Rule>(t, v, slopes, v[0], b);
    check_reverse<Rule>(t, v, slopes, a, v[1]);
    check_reverse<Rule>(t, v, slopes, v[0] + 0.0, b);
    check_reverse<Rule>(t, v, slopes, a, v[1] + 0.0);
  });
}

TEST_CASE("a ternary row beside constants has the slopes it has between variables") {
  reference::random random(2);
  autodiff::for_each_ternary_rule([&]<class Rule>() {
    INFO(Rule::name);
    const auto [a, b, c] = sample<Rule>(random);
    using all = dual<double, 3>;
    const all z =
        Rule::call(all(a, {1.0, 0.0, 0.0}), all(b, {0.0, 1.0, 0.0}), all(c, {0.0, 0.0, 1.0}));
    CHECK(z.value() == Rule::call(a, b, c));
    CHECK(Rule::call(all(a, {1.0, 0.0, 0.0}), b, c).tangents() ==
          std::array{z.tangent(0), 0.0, 0.0});
    CHECK(Rule::call(a, all(b, {0.0, 1.0, 0.0}), c).tangent(1) == z.tangent(1));
    CHECK(Rule::call(a, b, all(c, {0.0, 0.0, 1.0})).tangent(2) == z.tangent(2));
    tape t;
    const std::array v{t.variable(a), t.variable(b), t.variable(c)};
    const std::array slopes{z.tangent(0), z.tangent(1), z.tangent(2)};
    check_reverse<Rule>(t, v, slopes, v[0], v[1], v[2]);
    check_reverse<Rule>(t, v, slopes, v[0] + 0.0, v[1], v[2]);
    check_reverse<Rule>(t, v, slopes, v[0], v[1] + 0.0, v[2] + 0.0);
    check_reverse<Rule>(t, v, slopes, v[0], b, c);
    check_reverse<Rule>(t, v, slopes, a, v[1], c);
    check_reverse<Rule>(t, v, slopes, a, b, v[2]);
    check_reverse<Rule>(t, v, slopes, v[0], v[1], c);
    check_reverse<Rule>(t, v, slopes, v[0] + 0.0, b, v[2]);
    check_reverse<Rule>(t, v, slopes, a, v[1], v[2] + 0.0);
    const var passive = Rule::call(var(a), var(b), c);
    CHECK_FALSE(passive.is_recorded());
  });
}

TEST_CASE("a variable of an inner level is a constant of a ternary row") {
  tape inner;
  basic_tape<var> outer;
  const var p = inner.variable(3.0);
  const basic_var<var> x = outer.variable(var(2.0));
  outer.backward(fma(x, p, 1.0) + hypot(x, p, 6));
  const var slope = outer.adjoint(x);
  CHECK(slope.value() == Approx(3 + 2.0 / 7));
  inner.backward(slope);
  CHECK(inner.adjoint(p) == Approx(1 - 2.0 * 3 / 343));
}

TEST_CASE("plain functions take numbers of different types") {
  CHECK(autodiff::pow(2.0, 3) == 8);
  CHECK(autodiff::pow(2, 3) == 8);
  CHECK(autodiff::max(1, 2.5F) == 2.5);
  CHECK(autodiff::atan2(1.0F, 2) == std::atan2(1.0, 2.0));
  CHECK(autodiff::hypot(3, 4.0F) == 5);
  CHECK(autodiff::hypot(2, 3.0F, 6.0) == 7);
  CHECK(autodiff::clamp(7, 0, 1.5) == 1.5);
  CHECK(autodiff::sqrt(4) == 2);
  CHECK(autodiff::ldexp(1.5, 4) == 24);
  static_assert(std::is_same_v<decltype(autodiff::max(1, 2.5F)), double>);
  static_assert(std::is_same_v<decltype(autodiff::max(1.0F, 2.5F)), float>);
  static_assert(std::is_same_v<decltype(autodiff::max(1.0, 2.5F)), double>);
  static_assert(std::is_same_v<decltype(autodiff::pow(1.0F, 2.0L)), long double>);
  static_assert(std::is_same_v<decltype(autodiff::exp(1)), double>);
}

TEST_CASE("names of the standard library and ours do not get into each other's way") {
  tape t;
  const var x = t.variable(-2.0), low = t.variable(-2.0);
  {
    using std::max, std::clamp, std::hypot, std::fma;
    CHECK(var(max(x, 0.0)).value() == 0);
    CHECK(var(max(0.0, x)).value() == 0);
    CHECK(var(max(x, low)).value() == -2);
    CHECK(max(1.0, 2.0) == 2);
    CHECK(clamp(3.0, 0.0, 1.0) == 1);
    CHECK(var(hypot(x, 3.0, 6.0)).value() == 7);
    CHECK(var(fma(x, x, x)).value() == 2);
    // Ours: 1 on the closed interval.
    t.backward(clamp(x, low, x + 4.0));
    CHECK(t.adjoint(x) == 1);
    const dual<double> d(1.0, 1.0);
    CHECK(clamp(d, d - 1.0, d + 1.0).tangent() == 1);
  }
  {
    using autodiff::max, autodiff::clamp, autodiff::hypot;
    CHECK(var(max(x, 0.0)).value() == 0);
    CHECK(max(1.0, 2.0) == 2);
    CHECK(max(1, 2.5) == 2.5);
    CHECK(clamp(3.0, 0.0, 1.0) == 1);
    CHECK(hypot(2.0, 3.0, 6.0) == 7);
  }
}

TEST_CASE("the slope of leaky_relu and the height of elu may be left out, whatever the type") {
  using autodiff::elu, autodiff::leaky_relu;
  CHECK(leaky_relu(-2.0) == -0.02);
  static_assert(std::is_same_v<decltype(leaky_relu(-2.0F)), float>);
  CHECK(leaky_relu(-2.0F) == -2.0F * 0.01F);
  CHECK(leaky_relu(-2.0F, 0.5F) == -1);
  CHECK(elu(-1.0) == std::expm1(-1.0));
  CHECK(elu(-1.0, 2.0) == 2 * std::expm1(-1.0));
  CHECK(leaky_relu(dual<double>(-2.0, 1.0)).tangent() == 0.01);
  CHECK(elu(dual<float>(0.5F, 1.0F)).tangent() == 1);
  tape t;
  const var x = t.variable(-2.0);
  t.backward(leaky_relu(x) + leaky_relu(x * 2.0, 0.5) + elu(x));
  CHECK(t.adjoint(x) == Approx(0.01 + 1 + std::exp(-2.0)));
  const tensor<float> u = t.variable(tensor<float>{-2.0F, 3.0F});
  t.backward(sum(leaky_relu(u)) + sum(elu(u)));
  CHECK(t.adjoint(u).value(0) == Approx(0.01 + std::exp(-2.0)));
  CHECK(t.adjoint(u).value(1) == 2);
}

TEST_CASE("classification looks at the value of numbers, duals, variables and expressions") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  tape t;
  const auto check = [&](const auto& zero, const auto& one) {
    CHECK(isnan(zero / zero));
    CHECK_FALSE(isnan(one));
    CHECK(isinf(one / zero));
    CHECK_FALSE(isinf(one));
    CHECK(isfinite(one + zero));
    CHECK_FALSE(isfinite(one * inf));
    CHECK(signbit(-one));
    CHECK(signbit(zero * -1.0));
    CHECK_FALSE(signbit(one));
    CHECK_FALSE(signbit(zero));
  };
  check(dual<double>(0.0, 1.0), dual<double>(1.0, -1.0));
  check(dual<dual<double>>(0.0), dual<dual<double>>(1.0));
  check(t.variable(0.0), t.variable(1.0));
  CHECK(t.statistics().statements == 0);
  CHECK(autodiff::signbit(-0.0));
  CHECK(autodiff::isnan(std::nan("")));
}
