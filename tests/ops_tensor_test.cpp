// The loops behind tensors on every row of ops.def, for every instruction set that this CPU has:
// the last digits of values and slopes, held to the same formula evaluated in long double.

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

using autodiff::binary_loops;
using autodiff::kernel_table;
using autodiff::store;
using autodiff::tape;
using autodiff::tensor;
using autodiff::unary_loops;

namespace {

using wide = long double;

constexpr double infinity = std::numeric_limits<double>::infinity();

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

/// Whether a row has a slope by its first argument: polygamma and ierfcx count with it.
template <class Rule>
constexpr bool counts_with_first = Rule::sampled[0].from == Rule::sampled[0].to;

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
            for (std::size_t side = counts_with_first<Rule>; side < 2; ++side) {
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
          if (!counts_with_first<Rule>) {
            slope.see(ulps(dx.value(i), weights[i] * slopes[0]), at[i], dx.value(i),
                      weights[i] * slopes[0]);
          }
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
          if (!counts_with_first<Rule>)
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
