// Every row of ops.def in every mode. Derivatives are held to extrapolated differences of the
// values in long double, which know nothing of the slopes in the table; values and the last digits
// of slopes to the same formula evaluated in long double.

#include <autodiff/autodiff.hpp>
#include <autodiff/kernels.hpp>

#include <tests/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using autodiff::basic_tape;
using autodiff::basic_var;
using autodiff::binary_loops;
using autodiff::dual;
using autodiff::kernel_table;
using autodiff::store;
using autodiff::tape;
using autodiff::tensor;
using autodiff::unary_loops;
using autodiff::var;

namespace {

using wide = long double;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The limit of an even approximation g(h) at h = 0, by Neville's scheme, at the level where two
/// neighbours agree best.
template <class G>
wide extrapolated(G&& g, wide step) {
  constexpr std::size_t levels = 11;
  constexpr wide shrink = 1.5L;
  std::array<std::array<wide, levels>, levels> table{};
  wide best = 0, uncertainty = std::numeric_limits<wide>::infinity();
  for (std::size_t i = 0; i < levels; ++i, step /= shrink) {
    table[0][i] = g(step);
    wide factor = shrink * shrink;
    for (std::size_t j = 1; j <= i; ++j, factor *= shrink * shrink) {
      table[j][i] = (factor * table[j - 1][i] - table[j - 1][i - 1]) / (factor - 1);
      const wide apart = std::max(std::abs(table[j][i] - table[j - 1][i]),
                                  std::abs(table[j][i] - table[j - 1][i - 1]));
      if (apart <= uncertainty) {
        uncertainty = apart;
        best = table[j][i];
      }
    }
  }
  return best;
}

constexpr wide first_step = 0.05L;

template <class F>
wide first_difference(F&& f, wide x) {
  return extrapolated([&](wide h) { return (f(x + h) - f(x - h)) / (2 * h); }, first_step);
}
template <class F>
wide second_difference(F&& f, wide x) {
  return extrapolated([&](wide h) { return (f(x + h) - 2 * f(x) + f(x - h)) / (h * h); },
                      first_step);
}
template <class F>
wide mixed_difference(F&& f, wide a, wide b) {
  return extrapolated(
      [&](wide h) {
        return (f(a + h, b + h) - f(a + h, b - h) - f(a - h, b + h) + f(a - h, b - h)) /
               (4 * h * h);
      },
      first_step);
}

// What differences in long double deliver, with an order of magnitude to spare.
constexpr double first_tolerance = 1e-14, second_tolerance = 1e-11;

double distance(double got, wide expected) {
  if (std::isnan(got) && std::isnan(expected)) return 0;
  const wide apart =
      std::abs(static_cast<wide>(got) - expected) / std::max(1.0L, std::abs(expected));
  return std::isnan(apart) ? infinity : static_cast<double>(apart);
}

/// Distance in units of the last place of T.
template <class T>
double ulps(T got, wide expected) {
  if (static_cast<wide>(got) == expected) return 0;
  if (std::isnan(got) && std::isnan(expected)) return 0;
  const T rounded = static_cast<T>(expected);
  if (got == rounded) return 0;
  const wide spacing =
      std::max<wide>(std::abs(std::nextafter(rounded, T(0)) - static_cast<wide>(rounded)),
                     std::numeric_limits<T>::denorm_min());
  const wide apart = std::abs(static_cast<wide>(got) - expected) / spacing;
  return std::isnan(apart) ? infinity : static_cast<double>(apart);
}

// What adding to an adjoint may cost.
template <class T>
constexpr T rounding = 8 * std::numeric_limits<T>::epsilon();

// The worst rows need half of it: cbrt, whose slope squares an error of 2.
constexpr double scalar_value_ulps = 4, scalar_slope_ulps = 8;
// The vectorised functions of the C library promise 4 where the scalar ones reach 1.
constexpr double loop_value_ulps = 8, loop_slope_ulps = 12;

/// Numbers over an interval, its ends among them.
template <class T = double>
std::vector<T> samples(autodiff::interval over, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> inside(over.from, over.to);
  std::vector<T> x(count);
  std::generate(x.begin(), x.end(), [&] { return static_cast<T>(inside(random)); });
  x.front() = static_cast<T>(over.from);
  x.back() = static_cast<T>(over.to);
  return x;
}

// Odd, and more than any vector register twice over: loops run their bodies and their remainders.
constexpr std::size_t sample_count = 41;

/// The value of a row in long double.
template <class Rule>
constexpr auto wide_value = [](auto... x) -> wide { return Rule::call(static_cast<wide>(x)...); };

// A slope as a number: the tags unit and minus_unit become 1 and -1.
template <class T, class Slope>
T number(const Slope& slope) {
  if constexpr (std::is_same_v<Slope, autodiff::unit>)
    return T(1);
  else if constexpr (std::is_same_v<Slope, autodiff::minus_unit>)
    return T(-1);
  else
    return T(slope);
}

template <class Rule>
wide wide_slope_of(wide x) {
  return number<wide>(Rule::template slope<wide>(x, wide_value<Rule>(x)));
}
template <class Rule>
std::array<wide, 2> wide_slopes_of(wide a, wide b) {
  const wide y = wide_value<Rule>(a, b);
  return {number<wide>(Rule::template slope_a<wide>(a, b, y, 0.5)),
          number<wide>(Rule::template slope_b<wide>(a, b, y, 0.5))};
}

// Adds up what the checks of one row found, so that a failing row reports once, by its worst point.
class worst {
 public:
  explicit worst(std::string_view row) : row_(row) {}
  void see(double error, double x, double got, wide expected) {
    if (error < error_) return;
    error_ = error;
    text_ = std::string(row_) + " at " + Catch::Detail::stringify(x) + ": " +
            Catch::Detail::stringify(got) + ", expected " +
            Catch::Detail::stringify(static_cast<double>(expected));
  }
  void require_below(double tolerance) const {
    INFO(text_);
    CHECK(error_ <= tolerance);
  }

 private:
  std::string_view row_;
  std::string text_;
  double error_ = 0;
};

template <class F>
void for_each_row(F&& f) {
  autodiff::for_each_unary_rule(f);
  autodiff::for_each_binary_rule(f);
}

// The loops of a row in one table.
#define UNARY(NAME, ...)                                                                        \
  [[maybe_unused]] const auto& loops_of(const kernel_table& t, autodiff::NAME##_rule, float) {  \
    return t.NAME##_float;                                                                      \
  }                                                                                             \
  [[maybe_unused]] const auto& loops_of(const kernel_table& t, autodiff::NAME##_rule, double) { \
    return t.NAME##_double;                                                                     \
  }
#define BINARY(NAME, ...) UNARY(NAME)
#include <autodiff/ops.def>

template <class T>
tensor<T> tensor_of(const std::vector<T>& x) {
  return tensor<T>(autodiff::shape{x.size()}, std::span<const T>(x));
}

}  // namespace

TEST_CASE("values agree with long double arithmetic") {
  const auto check = []<class T>(T) {
    for_each_row([]<class Rule>() {
      worst value(Rule::name);
      const auto x = samples<T>(Rule::sampled[0], sample_count, 1);
      for (std::size_t i = 0; i < x.size(); ++i) {
        if constexpr (autodiff::unary_rule<Rule>) {
          const T y = Rule::call(x[i]);
          const wide expected = wide_value<Rule>(x[i]);
          value.see(ulps(y, expected), x[i], y, expected);
        } else {
          const T b = samples<T>(Rule::sampled[1], sample_count, 2)[i];
          const T y = Rule::call(x[i], b);
          const wide expected = wide_value<Rule>(x[i], b);
          value.see(ulps(y, expected), x[i], y, expected);
        }
      }
      value.require_below(scalar_value_ulps);
    });
  };
  check(1.0F);
  check(1.0);
}

TEST_CASE("forward derivatives agree with differences of the values") {
  for_each_row([]<class Rule>() {
    worst slope(Rule::name);
    const auto x = samples(Rule::sampled[0], sample_count, 3);
    if constexpr (autodiff::unary_rule<Rule>) {
      for (const double at : x) {
        const dual<double> y = Rule::call(dual<double>(at, 1.0));
        CHECK(y.value() == Rule::call(at));
        const wide expected = first_difference(wide_value<Rule>, at);
        slope.see(distance(y.tangent(), expected), at, y.tangent(), expected);
      }
    } else {
      const auto b = samples(Rule::sampled[1], sample_count, 4);
      for (std::size_t i = 0; i < x.size(); ++i) {
        // Both directions at once, and each argument beside a constant.
        const dual<double, 2> y =
            Rule::call(dual<double, 2>(x[i], {1.0, 0.0}), dual<double, 2>(b[i], {0.0, 1.0}));
        const dual<double> y_a = Rule::call(dual<double>(x[i], 1.0), b[i]);
        const dual<double> y_b = Rule::call(x[i], dual<double>(b[i], 1.0));
        CHECK(y.value() == Rule::call(x[i], b[i]));
        const wide by_a = first_difference([&](wide a) { return wide_value<Rule>(a, b[i]); }, x[i]);
        const wide by_b = first_difference([&](wide c) { return wide_value<Rule>(x[i], c); }, b[i]);
        slope.see(distance(y.tangent(0), by_a), x[i], y.tangent(0), by_a);
        slope.see(distance(y.tangent(1), by_b), b[i], y.tangent(1), by_b);
        slope.see(distance(y_a.tangent(), by_a), x[i], y_a.tangent(), by_a);
        slope.see(distance(y_b.tangent(), by_b), b[i], y_b.tangent(), by_b);
      }
    }
    slope.require_below(first_tolerance);
  });
}

TEST_CASE("reverse derivatives agree with differences of the values") {
  for_each_row([]<class Rule>() {
    worst slope(Rule::name);
    const auto at = samples(Rule::sampled[0], sample_count, 5);
    tape t;
    if constexpr (autodiff::unary_rule<Rule>) {
      for (const double value : at) {
        const var x = t.variable(value);
        const var y = Rule::call(x);
        CHECK(y.value() == Rule::call(value));
        t.backward(y);
        const wide expected = first_difference(wide_value<Rule>, value);
        slope.see(distance(t.adjoint(x), expected), value, t.adjoint(x), expected);
      }
    } else {
      const auto other = samples(Rule::sampled[1], sample_count, 6);
      for (std::size_t i = 0; i < at.size(); ++i) {
        const var a = t.variable(at[i]), b = t.variable(other[i]);
        const wide by_a =
            first_difference([&](wide c) { return wide_value<Rule>(c, other[i]); }, at[i]);
        const wide by_b =
            first_difference([&](wide c) { return wide_value<Rule>(at[i], c); }, other[i]);
        const auto see = [&](const var& y, bool with_a, bool with_b) {
          CHECK(y.value() == Rule::call(at[i], other[i]));
          t.backward(y);
          const wide expect_a = with_a ? by_a : 0, expect_b = with_b ? by_b : 0;
          slope.see(distance(t.adjoint(a), expect_a), at[i], t.adjoint(a), expect_a);
          slope.see(distance(t.adjoint(b), expect_b), other[i], t.adjoint(b), expect_b);
        };
        see(Rule::call(a, b), true, true);
        see(Rule::call(a, other[i]), true, false);
        see(Rule::call(at[i], b), false, true);
        see(Rule::call(a, var(other[i])), true, false);
        see(Rule::call(var(at[i]), b), false, true);
      }
    }
    slope.require_below(first_tolerance);
  });
}

TEST_CASE("single-precision scalars keep a few units in the last place of their derivatives") {
  for_each_row([]<class Rule>() {
    worst slope(Rule::name);
    const auto at = samples<float>(Rule::sampled[0], sample_count, 7);
    basic_tape<float> t;
    if constexpr (autodiff::unary_rule<Rule>) {
      for (const float value : at) {
        const wide expected = wide_slope_of<Rule>(value);
        const dual<float> forward = Rule::call(dual<float>(value, 1.0F));
        slope.see(ulps(forward.tangent(), expected), value, forward.tangent(), expected);
        const basic_var<float> x = t.variable(value);
        t.backward(basic_var<float>(Rule::call(x)));
        slope.see(ulps(t.adjoint(x), expected), value, t.adjoint(x), expected);
      }
    } else {
      const auto other = samples<float>(Rule::sampled[1], sample_count, 8);
      for (std::size_t i = 0; i < at.size(); ++i) {
        const auto expected = wide_slopes_of<Rule>(at[i], other[i]);
        const basic_var<float> a = t.variable(at[i]), b = t.variable(other[i]);
        t.backward(basic_var<float>(Rule::call(a, b)));
        slope.see(ulps(t.adjoint(a), expected[0]), at[i], t.adjoint(a), expected[0]);
        slope.see(ulps(t.adjoint(b), expected[1]), other[i], t.adjoint(b), expected[1]);
      }
    }
    slope.require_below(scalar_slope_ulps);
  });
}

TEST_CASE("second derivatives agree with second differences in every nesting") {
  for_each_row([]<class Rule>() {
    worst curvature(Rule::name);
    const auto at = samples(Rule::sampled[0], 13, 9);
    if constexpr (autodiff::unary_rule<Rule>) {
      for (const double value : at) {
        const wide expected = second_difference(wide_value<Rule>, value);
        const auto see = [&](double got) {
          curvature.see(distance(got, expected), value, got, expected);
        };
        {
          using twice = dual<dual<double>>;
          const twice y = Rule::call(twice(dual<double>(value, 1.0), dual<double>(1.0, 0.0)));
          see(y.tangent().tangent());
        }
        {
          tape t;
          const var x = t.variable(value);
          const dual<var> y = Rule::call(dual<var>(x, var(1.0)));
          // The slope of a linear function is a constant.
          if (y.tangent().is_recorded()) t.backward(y.tangent());
          see(y.tangent().is_recorded() ? t.adjoint(x) : 0.0);
        }
        {
          basic_tape<dual<double>> t;
          const basic_var<dual<double>> x = t.variable(dual<double>(value, 1.0));
          t.backward(basic_var<dual<double>>(Rule::call(x)));
          see(t.adjoint(x).tangent());
        }
        {
          tape inner;
          basic_tape<var> outer;
          const var x = inner.variable(value);
          const basic_var<var> outer_x = outer.variable(x);
          outer.backward(basic_var<var>(Rule::call(outer_x)));
          const var slope = outer.adjoint(outer_x);
          if (slope.is_recorded()) inner.backward(slope);
          see(slope.is_recorded() ? inner.adjoint(x) : 0.0);
        }
      }
    } else {
      const auto other = samples(Rule::sampled[1], 13, 10);
      for (std::size_t i = 0; i < at.size(); ++i) {
        const double a = at[i], b = other[i];
        const wide aa = second_difference([&](wide c) { return wide_value<Rule>(c, b); }, a);
        const wide bb = second_difference([&](wide c) { return wide_value<Rule>(a, c); }, b);
        const wide ab = mixed_difference(wide_value<Rule>, a, b);
        const auto see = [&](double got_aa, double got_ab, double got_ba, double got_bb) {
          curvature.see(distance(got_aa, aa), a, got_aa, aa);
          curvature.see(distance(got_ab, ab), a, got_ab, ab);
          curvature.see(distance(got_ba, ab), a, got_ba, ab);
          curvature.see(distance(got_bb, bb), b, got_bb, bb);
        };
        {
          using inner = dual<double, 2>;
          using twice = dual<inner, 2>;
          const twice y = Rule::call(twice(inner(a, {1.0, 0.0}), {inner(1.0), inner(0.0)}),
                                     twice(inner(b, {0.0, 1.0}), {inner(0.0), inner(1.0)}));
          see(y.tangent(0).tangent(0), y.tangent(0).tangent(1), y.tangent(1).tangent(0),
              y.tangent(1).tangent(1));
        }
        {
          tape inner;
          basic_tape<var> outer;
          const var x = inner.variable(a), y = inner.variable(b);
          const basic_var<var> outer_x = outer.variable(x), outer_y = outer.variable(y);
          outer.backward(basic_var<var>(Rule::call(outer_x, outer_y)));
          const auto row = [&](const var& slope) {
            if (!slope.is_recorded()) return std::array{0.0, 0.0};
            inner.backward(slope);
            return std::array{inner.adjoint(x), inner.adjoint(y)};
          };
          const auto by_a = row(outer.adjoint(outer_x)), by_b = row(outer.adjoint(outer_y));
          see(by_a[0], by_a[1], by_b[0], by_b[1]);
        }
      }
    }
    curvature.require_below(second_tolerance);
  });
}

TEST_CASE("slopes keep their last digits over the whole domain, tails included") {
  // Magnitudes from subnormal to near overflow, both signs. The slope in long double has eleven
  // more bits: a formula that cancels loses them in double and shows.
  std::vector<double> at;
  for (double magnitude = 1e-310; magnitude < 1e308; magnitude *= 3.7) {
    at.push_back(magnitude);
    at.push_back(-magnitude);
  }
  for (const double one : {1e-1, 1e-4, 1e-8, 1e-12, 1e-15}) {
    for (const double x : {1 - one, -1 + one, 1 + one, -1 - one}) at.push_back(x);
  }
  for (double x = -760; x <= 760; x += 7.3) at.push_back(x);
  std::size_t seen = 0;
  autodiff::for_each_unary_rule([&]<class Rule>() {
    worst slope(Rule::name);
    for (const double x : at) {
      const double y = Rule::call(x);
      if (!std::isfinite(y)) continue;
      const double got = number<double>(Rule::template slope<double>(x, y));
      const wide expected = wide_slope_of<Rule>(x);
      // What double cannot hold in full is not held against the row.
      const wide size = std::abs(expected);
      if (size > std::numeric_limits<double>::max()) continue;
      if (size < 1e-290L) {
        slope.see(std::abs(got) < 1e-289 ? 0.0 : infinity, x, got, expected);
      } else {
        slope.see(ulps(got, expected), x, got, expected);
      }
      ++seen;
    }
    slope.require_below(scalar_slope_ulps);
  });
  CHECK(seen > 10000);
}

TEST_CASE("tails of slopes agree with closed forms") {
  const auto slope = []<class Rule>(Rule, double x) {
    return number<double>(Rule::template slope<double>(x, Rule::call(x)));
  };
  const auto sech_squared = [](wide x) {
    const wide e = std::exp(-2 * std::abs(x));
    return 4 * e / ((1 + e) * (1 + e));
  };
  const auto logistic_slope = [](wide x) {
    const wide e = std::exp(-std::abs(x));
    return e / ((1 + e) * (1 + e));
  };
  const auto logistic = [](wide x) { return 1 / (1 + std::exp(-x)); };
  for (const double x : {0.0, 1e-9, 0.5, 3.0, 15.0, 20.0, 40.0, 300.0, 345.0}) {
    for (const double signed_x : {x, -x}) {
      CAPTURE(signed_x);
      CHECK(ulps(slope(autodiff::tanh_rule{}, signed_x), sech_squared(signed_x)) <=
            scalar_slope_ulps);
    }
  }
  for (const double x : {0.0, 1e-9, 0.5, 5.0, 40.0, 100.0, 700.0}) {
    for (const double signed_x : {x, -x}) {
      CAPTURE(signed_x);
      const wide e = std::exp(-std::abs(static_cast<wide>(signed_x)));
      CHECK(ulps(slope(autodiff::sigmoid_rule{}, signed_x), logistic_slope(signed_x)) <=
            scalar_slope_ulps);
      CHECK(ulps(slope(autodiff::softplus_rule{}, signed_x), logistic(signed_x)) <=
            scalar_slope_ulps);
      CHECK(ulps(slope(autodiff::log_sigmoid_rule{}, signed_x), logistic(-signed_x)) <=
            scalar_slope_ulps);
      CHECK(ulps(slope(autodiff::expm1_rule{}, signed_x), signed_x < 0 ? e : 1 / e) <=
            scalar_slope_ulps);
      const wide x2 = static_cast<wide>(signed_x) * signed_x;
      CHECK(ulps(slope(autodiff::atan_rule{}, signed_x), 1 / (1 + x2)) <= scalar_slope_ulps);
      CHECK(ulps(slope(autodiff::asinh_rule{}, signed_x), 1 / std::sqrt(1 + x2)) <=
            scalar_slope_ulps);
    }
  }
  // Values, too, where a naive formula overflows or cancels.
  CHECK(autodiff::sigmoid(-700.0) == Approx(std::exp(-700.0)).epsilon(1e-15));
  CHECK(autodiff::sigmoid(-800.0) == 0);
  CHECK(slope(autodiff::sigmoid_rule{}, -800.0) == 0);
  CHECK(autodiff::softplus(800.0) == 800);
  CHECK(slope(autodiff::softplus_rule{}, 800.0) == 1);
  CHECK(autodiff::softplus(-700.0) == Approx(std::exp(-700.0)).epsilon(1e-15));
  CHECK(autodiff::log_sigmoid(-800.0) == -800);
  CHECK(slope(autodiff::tanh_rule{}, 1000.0) == 0);
  for (const double above : {1e-15, 1e-10, 1e-3, 1.0, 1e10}) {
    const double x = 1 + above;
    const wide exact = 1 / std::sqrt((static_cast<wide>(x) - 1) * (static_cast<wide>(x) + 1));
    CAPTURE(x);
    CHECK(ulps(slope(autodiff::acosh_rule{}, x), exact) <= scalar_slope_ulps);
  }
  // No overflow on the way where the result is moderate.
  CHECK(slope(autodiff::asinh_rule{}, 1e200) == Approx(1e-200).epsilon(1e-15));
  CHECK(slope(autodiff::acosh_rule{}, 1e200) == Approx(1e-200).epsilon(1e-15));
  CHECK(slope(autodiff::atan_rule{}, 1e200) == 0);
}

TEST_CASE("second derivatives of saturated functions are zero, not NaN") {
  const auto curvatures = []<class Rule>(Rule, double value) {
    const dual<dual<double>> forward =
        Rule::call(dual<dual<double>>(dual<double>(value, 1.0), dual<double>(1.0, 0.0)));
    tape inner;
    basic_tape<var> outer;
    const var x = inner.variable(value);
    const basic_var<var> outer_x = outer.variable(x);
    outer.backward(basic_var<var>(Rule::call(outer_x)));
    const var slope = outer.adjoint(outer_x);
    inner.backward(slope);
    return std::array{forward.tangent().tangent(), inner.adjoint(x)};
  };
  for (const double x : {800.0, -800.0, 1e5, -1e5}) {
    CAPTURE(x);
    for (const double c : curvatures(autodiff::tanh_rule{}, x)) CHECK(c == 0);
    for (const double c : curvatures(autodiff::sigmoid_rule{}, x)) CHECK(c == 0);
    for (const double c : curvatures(autodiff::log_sigmoid_rule{}, x)) CHECK(c == 0);
    for (const double c : curvatures(autodiff::softplus_rule{}, x)) CHECK(c == 0);
  }
  // tanh'' = -2 tanh sech^2, deep in the tail where 1 - tanh^2 has long been 0 in double.
  const double exact = -8 * std::exp(-60.0);
  for (const double c : curvatures(autodiff::tanh_rule{}, 30.0))
    CHECK(c == Approx(exact).epsilon(1e-12));
}

TEST_CASE("loops of every reachable instruction set agree with long double arithmetic") {
  const auto tables = autodiff::available_kernels();
  const auto check = [&]<class T>(T) {
    for (const kernel_table* table : tables) {
      INFO("instruction set " << table->instruction_set << ", "
                              << (sizeof(T) == 4 ? "float" : "double"));
      autodiff::for_each_unary_rule([&]<class Rule>() {
        const unary_loops<T>& f = loops_of(*table, Rule{}, T{});
        CHECK(std::string_view(f.name) == Rule::name);
        CHECK(f.needs_x == autodiff::needs<Rule>::x);
        CHECK(f.needs_y == autodiff::needs<Rule>::y);
        worst value(Rule::name), slope(Rule::name);
        const auto all = samples<T>(Rule::sampled[0], sample_count, 11);
        const auto weights = samples<T>({-2, 2}, sample_count, 12);
        for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{4}, sample_count}) {
          // One more element than the loop may touch.
          std::vector<T> y(n + 1, T(7)), dx(n + 1, T(7)), sum(n + 1, T(100));
          f.forward(n, all.data(), y.data());
          const T* x = f.needs_x ? all.data() : nullptr;
          const T* kept = f.needs_y ? y.data() : nullptr;
          f.pullback(n, x, kept, weights.data(), dx.data(), store::write);
          f.pullback(n, x, kept, weights.data(), sum.data(), store::add);
          CHECK(y[n] == 7);
          CHECK(dx[n] == 7);
          CHECK(sum[n] == 100);
          for (std::size_t i = 0; i < n; ++i) {
            const wide exact = wide_value<Rule>(all[i]);
            value.see(ulps(y[i], exact), all[i], y[i], exact);
            const wide pulled = weights[i] * wide_slope_of<Rule>(all[i]);
            slope.see(ulps(dx[i], pulled), all[i], dx[i], pulled);
            CHECK(std::abs(sum[i] - (100 + dx[i])) <= rounding<T> * (100 + std::abs(dx[i])));
          }
        }
        value.require_below(loop_value_ulps);
        slope.require_below(loop_slope_ulps);
      });
      autodiff::for_each_binary_rule([&]<class Rule>() {
        const binary_loops<T>& f = loops_of(*table, Rule{}, T{});
        CHECK(std::string_view(f.name) == Rule::name);
        worst value(Rule::name), slope(Rule::name);
        const auto all_a = samples<T>(Rule::sampled[0], sample_count, 13);
        const auto all_b = samples<T>(Rule::sampled[1], sample_count, 14);
        const auto weights = samples<T>({-2, 2}, sample_count, 15);
        struct strides {
          std::size_t a, b;
        };
        for (const strides stride : {strides{1, 1}, strides{1, 0}, strides{0, 1}}) {
          for (const std::size_t n : {std::size_t{1}, std::size_t{4}, sample_count}) {
            std::vector<T> y(n + 1, T(7));
            f.forward(n, all_a.data(), stride.a, all_b.data(), stride.b, y.data());
            CHECK(y[n] == 7);
            const T* a = f.needs_a ? all_a.data() : nullptr;
            const T* b = f.needs_b ? all_b.data() : nullptr;
            const T* kept = f.needs_y ? y.data() : nullptr;
            std::array<wide, 2> sums{}, sizes{};
            std::array<std::vector<wide>, 2> pulled;
            for (std::size_t i = 0; i < n; ++i) {
              const T at_a = all_a[i * stride.a], at_b = all_b[i * stride.b];
              const wide exact = wide_value<Rule>(at_a, at_b);
              value.see(ulps(y[i], exact), at_a, y[i], exact);
              const auto slopes = wide_slopes_of<Rule>(at_a, at_b);
              for (std::size_t side = 0; side < 2; ++side) {
                pulled[side].push_back(weights[i] * slopes[side]);
                sums[side] += pulled[side].back();
                sizes[side] += std::abs(pulled[side].back());
              }
            }
            for (std::size_t side = 0; side < 2; ++side) {
              auto* pullback = side == 0 ? f.pullback_a : f.pullback_b;
              const bool repeated = (side == 0 ? stride.a : stride.b) == 0;
              const std::size_t count = repeated ? 1 : n;
              std::vector<T> into(count + 1, T(7)), added(count + 1, T(100));
              pullback(n, a, stride.a, b, stride.b, kept, weights.data(), into.data(), store::write,
                       0.5);
              pullback(n, a, stride.a, b, stride.b, kept, weights.data(), added.data(), store::add,
                       0.5);
              CHECK(into[count] == 7);
              CHECK(added[count] == 100);
              for (std::size_t i = 0; i < count; ++i) {
                CHECK(std::abs(added[i] - (100 + into[i])) <=
                      rounding<T> * (100 + std::abs(into[i])));
                if (repeated) {
                  // Rounding of a sum is relative to its terms.
                  const wide apart = std::abs(into[i] - sums[side]) / std::max(sizes[side], 1e-3L);
                  slope.see(static_cast<double>(apart / std::numeric_limits<T>::epsilon()),
                            all_a[i], into[i], sums[side]);
                } else {
                  slope.see(ulps(into[i], pulled[side][i]), all_a[i], into[i], pulled[side][i]);
                }
              }
            }
          }
        }
        value.require_below(loop_value_ulps);
        slope.require_below(loop_slope_ulps);
      });
    }
  };
  check(1.0F);
  check(1.0);
}

TEST_CASE("tensors give the values and pullbacks of every row") {
  const auto check = []<class T>(T) {
    for_each_row([]<class Rule>() {
      worst value(Rule::name), slope(Rule::name);
      const auto at = samples<T>(Rule::sampled[0], sample_count, 16);
      const auto weights = samples<T>({-2, 2}, sample_count, 17);
      tape t;
      const tensor<T> x = t.variable(tensor_of(at));
      if constexpr (autodiff::unary_rule<Rule>) {
        const tensor<T> y = Rule::call(x);
        t.backward(y, tensor_of(weights));
        const tensor<T> dx = t.adjoint(x);
        for (std::size_t i = 0; i < at.size(); ++i) {
          const wide exact = wide_value<Rule>(at[i]),
                     pulled = weights[i] * wide_slope_of<Rule>(at[i]);
          value.see(ulps(y.value(i), exact), at[i], y.value(i), exact);
          slope.see(ulps(dx.value(i), pulled), at[i], dx.value(i), pulled);
        }
      } else {
        const auto other = samples<T>(Rule::sampled[1], sample_count, 18);
        const tensor<T> b = t.variable(tensor_of(other));
        const tensor<T> y = Rule::call(x, b);
        t.backward(y, tensor_of(weights));
        const tensor<T> dx = t.adjoint(x), db = t.adjoint(b);
        for (std::size_t i = 0; i < at.size(); ++i) {
          const wide exact = wide_value<Rule>(at[i], other[i]);
          const auto slopes = wide_slopes_of<Rule>(at[i], other[i]);
          value.see(ulps(y.value(i), exact), at[i], y.value(i), exact);
          slope.see(ulps(dx.value(i), weights[i] * slopes[0]), at[i], dx.value(i),
                    weights[i] * slopes[0]);
          slope.see(ulps(db.value(i), weights[i] * slopes[1]), other[i], db.value(i),
                    weights[i] * slopes[1]);
        }
        // Each side beside a number.
        const T number_b = other[3], number_a = at[3];
        const tensor<T> left = Rule::call(x, number_b), right = Rule::call(number_a, b);
        t.backward(left, tensor_of(weights));
        const tensor<T> dleft = t.adjoint(x);
        t.backward(right, tensor_of(weights));
        const tensor<T> dright = t.adjoint(b);
        for (std::size_t i = 0; i < at.size(); ++i) {
          const wide by_left = weights[i] * wide_slopes_of<Rule>(at[i], number_b)[0];
          const wide by_right = weights[i] * wide_slopes_of<Rule>(number_a, other[i])[1];
          slope.see(ulps(dleft.value(i), by_left), at[i], dleft.value(i), by_left);
          slope.see(ulps(dright.value(i), by_right), other[i], dright.value(i), by_right);
        }
      }
      value.require_below(loop_value_ulps);
      slope.require_below(loop_slope_ulps);
    });
  };
  check(1.0F);
  check(1.0);
}

TEST_CASE("tensors of duals carry the forward derivative of every row") {
  for_each_row([]<class Rule>() {
    worst slope(Rule::name);
    const auto at = samples(Rule::sampled[0], sample_count, 19);
    if constexpr (autodiff::unary_rule<Rule>) {
      std::vector<dual<double>> x;
      for (const double value : at) x.emplace_back(value, 1.0);
      const tensor<dual<double>> y = Rule::call(tensor_of(x));
      for (std::size_t i = 0; i < at.size(); ++i) {
        const wide expected = first_difference(wide_value<Rule>, at[i]);
        slope.see(distance(y.value(i).tangent(), expected), at[i], y.value(i).tangent(), expected);
      }
    } else {
      const auto other = samples(Rule::sampled[1], sample_count, 20);
      std::vector<dual<double>> a, b;
      for (std::size_t i = 0; i < at.size(); ++i) {
        a.emplace_back(at[i], 1.0);
        b.emplace_back(other[i], -0.5);
      }
      const tensor<dual<double>> y = Rule::call(tensor_of(a), tensor_of(b));
      for (std::size_t i = 0; i < at.size(); ++i) {
        const wide along = first_difference(
            [&](wide h) { return wide_value<Rule>(at[i] + h, other[i] - h / 2); }, 0);
        slope.see(distance(y.value(i).tangent(), along), at[i], y.value(i).tangent(), along);
      }
    }
    slope.require_below(first_tolerance);
  });
}
