// The loops behind tensors on every row of ops.def, for every instruction set that this CPU has:
// the last digits of values and slopes, held to the same formula evaluated in long double.

#include <autodiff/autodiff.hpp>
#include <autodiff/tensor/elementwise_loops.hpp>
#include <autodiff/tensor/kernels.hpp>

#include <tests/catch.hpp>
#include <tests/rows.hpp>
#include <tests/tensor/loop_rows.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>
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
// More than ternary loops take at once.
constexpr std::size_t long_count = 2 * autodiff::spread_block + 5;

/// Whether a row has a slope by its first argument: polygamma and ierfcx count with it.
template <class Row>
bool counts_with_first(const Row& row) {
  return row.sampled[0].from == row.sampled[0].to;
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

template <class T>
tensor<T> tensor_of(const std::vector<T>& x) {
  return tensor<T>(autodiff::shape{x.size()}, std::span<const T>(x));
}

}  // namespace

TEMPLATE_TEST_CASE("unary loops of every reachable instruction set agree with long double", "",
                   float, double) {
  using T = TestType;
  for (const kernel_table* table : autodiff::available_kernels()) {
    INFO("instruction set " << table->instruction_set);
    for (const auto& row : loop_rows::unary<wide>(loop_rows::table_for<T>(*table))) {
      const unary_loops<T>& f = row.loops;
      CHECK(f.rule.name == row.name);
      CHECK(f.needs_x == row.needs_x);
      CHECK(f.needs_y == row.needs_y);
      worst value(row.name), slope(row.name);
      const auto all = samples<T>(row.sampled[0], sample_count, 11);
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
          const wide exact = row.value(all[i]);
          value.see(ulps(y[i], exact), all[i], y[i], exact);
          const wide pulled = row.share(weights[i], all[i], exact);
          slope.see(ulps(dx[i], pulled), all[i], dx[i], pulled);
          CHECK(std::abs(sum[i] - (100 + dx[i])) <= rounding<T> * (100 + std::abs(dx[i])));
        }
      }
      value.require_below(loop_value_ulps);
      slope.require_below(loop_slope_ulps);
    }
  }
}

TEMPLATE_TEST_CASE("binary loops of every reachable instruction set agree with long double", "",
                   float, double) {
  using T = TestType;
  for (const kernel_table* table : autodiff::available_kernels()) {
    INFO("instruction set " << table->instruction_set);
    for (const auto& row : loop_rows::binary<wide>(loop_rows::table_for<T>(*table))) {
      const binary_loops<T>& f = row.loops;
      CHECK(f.rule.name == row.name);
      worst value(row.name), slope(row.name);
      const auto all_a = samples<T>(row.sampled[0], sample_count, 13);
      const auto all_b = samples<T>(row.sampled[1], sample_count, 14);
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
            const wide exact = row.value(at_a, at_b);
            value.see(ulps(y[i], exact), at_a, y[i], exact);
            pulled[0].push_back(row.share_a(weights[i], at_a, at_b, exact));
            pulled[1].push_back(row.share_b(weights[i], at_a, at_b, exact));
            for (std::size_t side = 0; side < 2; ++side) {
              sums[side] += pulled[side].back();
              sizes[side] += std::abs(pulled[side].back());
            }
          }
          for (std::size_t side = counts_with_first(row); side < 2; ++side) {
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
                slope.see(static_cast<double>(apart / std::numeric_limits<T>::epsilon()), all_a[i],
                          into[i], sums[side]);
              } else {
                slope.see(ulps(into[i], pulled[side][i]), all_a[i], into[i], pulled[side][i]);
              }
            }
          }
        }
      }
      value.require_below(loop_value_ulps);
      slope.require_below(loop_slope_ulps);
    }
  }
}

TEMPLATE_TEST_CASE("ternary loops of every reachable instruction set agree with long double", "",
                   float, double) {
  using T = TestType;
  for (const kernel_table* table : autodiff::available_kernels()) {
    INFO("instruction set " << table->instruction_set);
    for (const auto& row : loop_rows::ternary<wide>(loop_rows::table_for<T>(*table))) {
      const autodiff::ternary_loops<T>& f = row.loops;
      CHECK(f.rule.name == row.name);
      worst value(row.name), slope(row.name);
      std::array<std::vector<T>, 3> x;
      for (unsigned k = 0; k < 3; ++k) x[k] = samples<T>(row.sampled[k], long_count, 20 + k);
      const auto weights = samples<T>({-2, 2}, long_count, 23);
      // Every mix of operands that are there element by element and ones that are repeated.
      for (std::size_t mix = 0; mix < 8; ++mix) {
        const std::array<std::size_t, 3> stride{mix & 1, mix >> 1 & 1, mix >> 2 & 1};
        for (const std::size_t n : {std::size_t{1}, std::size_t{4}, sample_count, long_count}) {
          const auto operand_of = [&](std::size_t k, bool needed) {
            return autodiff::operand_row<T>{needed ? x[k].data() : nullptr, stride[k]};
          };
          std::vector<T> y(n + 1, T(7));
          f.forward(n, operand_of(0, true), operand_of(1, true), operand_of(2, true), y.data());
          CHECK(y[n] == 7);
          std::array<wide, 3> sums{}, sizes{};
          std::array<std::vector<wide>, 3> pulled;
          for (std::size_t i = 0; i < n; ++i) {
            const T a = x[0][i * stride[0]], b = x[1][i * stride[1]], c = x[2][i * stride[2]];
            const wide exact = row.value(a, b, c);
            value.see(ulps(y[i], exact), a, y[i], exact);
            for (std::size_t k = 0; k < 3; ++k) {
              pulled[k].push_back(row.shares[k](weights[i], a, b, c, exact));
              sums[k] += pulled[k].back();
              sizes[k] += std::abs(pulled[k].back());
            }
          }
          for (std::size_t k = 0; k < 3; ++k) {
            const std::size_t count = stride[k] == 0 ? 1 : n;
            std::vector<T> into(count + 1, T(7)), added(count + 1, T(100));
            // Without what the slope is said not to read.
            const auto& [reads, reads_y] = f.reads[k];
            const auto a = operand_of(0, reads[0]), b = operand_of(1, reads[1]),
                       c = operand_of(2, reads[2]);
            const T* of_y = reads_y ? y.data() : nullptr;
            const auto pull = [&](T* to, store how) {
              f.pullbacks[k](n, a, b, c, of_y, weights.data(), to, how);
            };
            pull(into.data(), store::write);
            pull(added.data(), store::add);
            CHECK(into[count] == 7);
            CHECK(added[count] == 100);
            for (std::size_t i = 0; i < count; ++i) {
              CHECK(std::abs(added[i] - (100 + into[i])) <=
                    rounding<T> * (100 + std::abs(into[i])));
              if (stride[k] == 0) {
                const wide apart = std::abs(into[i] - sums[k]) / std::max(sizes[k], 1e-3L);
                slope.see(static_cast<double>(apart / std::numeric_limits<T>::epsilon()), x[k][i],
                          into[i], sums[k]);
              } else {
                slope.see(ulps(into[i], pulled[k][i]), x[k][i], into[i], pulled[k][i]);
              }
            }
          }
        }
      }
      value.require_below(loop_value_ulps);
      slope.require_below(loop_slope_ulps);
    }
  }
}

TEMPLATE_TEST_CASE("tensors give the values and pullbacks of every unary row", "", float, double) {
  using T = TestType;
  const auto in_wide = loop_rows::unary<wide>(autodiff::loops<T>());
  const auto on_tensors = rows::unary<rows::row<tensor<T>(tensor<T>)>>();
  for (std::size_t r = 0; r < in_wide.size(); ++r) {
    const auto& row = in_wide[r];
    worst value(row.name), slope(row.name);
    const auto at = samples<T>(row.sampled[0], sample_count, 16);
    const auto weights = samples<T>({-2, 2}, sample_count, 17);
    tape t;
    const tensor<T> x = t.variable(tensor_of(at));
    const tensor<T> y = on_tensors[r](x);
    t.backward(y, tensor_of(weights));
    const tensor<T> dx = t.adjoint(x);
    for (std::size_t i = 0; i < at.size(); ++i) {
      const wide exact = row.value(at[i]), pulled = row.share(weights[i], at[i], exact);
      value.see(ulps(y.value(i), exact), at[i], y.value(i), exact);
      slope.see(ulps(dx.value(i), pulled), at[i], dx.value(i), pulled);
    }
    value.require_below(loop_value_ulps);
    slope.require_below(loop_slope_ulps);
  }
}

TEMPLATE_TEST_CASE("tensors give the values and pullbacks of every binary row", "", float, double) {
  using T = TestType;
  const auto in_wide = loop_rows::binary<wide>(autodiff::loops<T>());
  const auto on_tensors =
      rows::binary<rows::row<tensor<T>(tensor<T>, tensor<T>), tensor<T>(tensor<T>, T),
                             tensor<T>(T, tensor<T>)>>();
  for (std::size_t r = 0; r < in_wide.size(); ++r) {
    const auto& row = in_wide[r];
    const auto& call = on_tensors[r];
    worst value(row.name), slope(row.name);
    const auto at = samples<T>(row.sampled[0], sample_count, 16);
    const auto other = samples<T>(row.sampled[1], sample_count, 18);
    const auto weights = samples<T>({-2, 2}, sample_count, 17);
    const auto pulled_a = [&](std::size_t i, T a, T b) {
      return row.share_a(weights[i], a, b, row.value(a, b));
    };
    const auto pulled_b = [&](std::size_t i, T a, T b) {
      return row.share_b(weights[i], a, b, row.value(a, b));
    };
    tape t;
    const tensor<T> a = t.variable(tensor_of(at)), b = t.variable(tensor_of(other));
    const tensor<T> y = call(a, b);
    t.backward(y, tensor_of(weights));
    const tensor<T> da = t.adjoint(a), db = t.adjoint(b);
    // Each side beside a number.
    const T number_a = at[3], number_b = other[3];
    t.backward(call(a, number_b), tensor_of(weights));
    const tensor<T> dleft = t.adjoint(a);
    t.backward(call(number_a, b), tensor_of(weights));
    const tensor<T> dright = t.adjoint(b);
    for (std::size_t i = 0; i < at.size(); ++i) {
      const wide exact = row.value(at[i], other[i]);
      value.see(ulps(y.value(i), exact), at[i], y.value(i), exact);
      if (!counts_with_first(row)) {
        const wide in_a = pulled_a(i, at[i], other[i]), by_left = pulled_a(i, at[i], number_b);
        slope.see(ulps(da.value(i), in_a), at[i], da.value(i), in_a);
        slope.see(ulps(dleft.value(i), by_left), at[i], dleft.value(i), by_left);
      }
      const wide in_b = pulled_b(i, at[i], other[i]), by_right = pulled_b(i, number_a, other[i]);
      slope.see(ulps(db.value(i), in_b), other[i], db.value(i), in_b);
      slope.see(ulps(dright.value(i), by_right), other[i], dright.value(i), by_right);
    }
    value.require_below(loop_value_ulps);
    slope.require_below(loop_slope_ulps);
  }
}

TEMPLATE_TEST_CASE("tensors give the values and pullbacks of every ternary row", "", float,
                   double) {
  using T = TestType;
  using R = tensor<T>;
  const auto in_wide = loop_rows::ternary<wide>(autodiff::loops<T>());
  const auto on_tensors = rows::ternary<rows::row<R(R, R, R), R(R, R, T), R(R, T, R), R(T, R, R),
                                                  R(R, T, T), R(T, R, T), R(T, T, R)>>();
  for (std::size_t r = 0; r < in_wide.size(); ++r) {
    const auto& row = in_wide[r];
    const auto& call = on_tensors[r];
    worst value(row.name), slope(row.name);
    std::array<std::vector<T>, 3> at;
    for (unsigned k = 0; k < 3; ++k) at[k] = samples<T>(row.sampled[k], sample_count, 30 + k);
    const auto weights = samples<T>({-2, 2}, sample_count, 33);
    const std::array<T, 3> number{at[0][3], at[1][3], at[2][3]};
    tape t;
    const R a = t.variable(tensor_of(at[0])), b = t.variable(tensor_of(at[1])),
            c = t.variable(tensor_of(at[2]));
    const std::array<R, 3> x{a, b, c};
    // y with each operand a tensor where the bit of `tensors` is set, else a number.
    const auto check = [&](const R& y, std::size_t tensors) {
      t.backward(y, tensor_of(weights));
      for (std::size_t i = 0; i < sample_count; ++i) {
        std::array<T, 3> here;
        for (std::size_t k = 0; k < 3; ++k) here[k] = tensors >> k & 1 ? at[k][i] : number[k];
        const wide exact = row.value(here[0], here[1], here[2]);
        value.see(ulps(y.value(i), exact), here[0], y.value(i), exact);
        for (std::size_t k = 0; k < 3; ++k) {
          if (!(tensors >> k & 1)) continue;
          const wide pulled = row.shares[k](weights[i], here[0], here[1], here[2], exact);
          const T share = t.adjoint(x[k]).value(i);
          slope.see(ulps(share, pulled), here[k], share, pulled);
        }
      }
    };
    check(call(a, b, c), 7);
    check(call(a, b, number[2]), 3);
    check(call(a, number[1], c), 5);
    check(call(number[0], b, c), 6);
    check(call(a, number[1], number[2]), 1);
    check(call(number[0], b, number[2]), 2);
    check(call(number[0], number[1], c), 4);
    value.require_below(loop_value_ulps);
    slope.require_below(loop_slope_ulps);
  }
}
