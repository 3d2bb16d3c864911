// The loops of every row of ops.def: every length, repeated operands, overwriting, and the choice
// of the instruction set.

#include <autodiff/tensor/kernels.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensor/guarded.hpp>
#include <tests/tensor/loop_rows.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using autodiff::kernel_table;
using autodiff::store;
using loop_rows::table_for;
using reference::real;

/// Whether `got` is `expected` up to the disagreement that vector functions may have.
template <class T>
bool agrees(T got, T expected, double ulps = 8) {
  return reference::ulps<T>(got, expected) <= ulps;
}

/// All lengths with a different remainder of the vector loops, on unaligned data; write and add.
template <class T>
void require_every_length(const loop_rows::unary_row<T>& row) {
  // Near its zero crossing the slope of mish is the difference of two terms.
  const double slope_ulps = row.name == "mish" ? 16 : 8;
  const auto& f = row.loops;
  reference::random random(9);
  const auto [from, to] = row.sampled[0];
  std::size_t wrong = 0;
  for (std::size_t n = 0; n < 70; ++n) {
    const auto x = random.uniform<T>(n, from, to), dy = random.uniform<T>(n, 0.5, 2);
    guarded<T> y(n), written(n), added(n);
    f.forward(n, x.data(), y.data());
    for (std::size_t i = 0; i < n; ++i) added.data()[i] = T(1);
    f.pullback(n, x.data(), y.data(), dy.data(), written.data(), store::write);
    f.pullback(n, x.data(), y.data(), dy.data(), added.data(), store::add);
    for (std::size_t i = 0; i < n; ++i) {
      const T slope = row.share(dy[i], x[i], y[i]);
      wrong += !agrees(y[i], row.value(x[i]));
      wrong += !agrees(written[i], slope, slope_ulps) ||
               !reference::close(added[i], T(1) + slope, 1e-5L);
    }
    wrong += !y.intact() + !written.intact() + !added.intact();
  }
  CHECK(wrong == 0);
}

/// Both operands long, or one of them repeated; both pullbacks, write and add.
template <class T>
void require_every_stride(const loop_rows::binary_row<T>& row) {
  const auto& f = row.loops;
  reference::random random(10);
  const auto [a_from, a_to] = row.sampled[0];
  const auto [b_from, b_to] = row.sampled[1];
  const real tolerance = 64 * std::numeric_limits<T>::epsilon();
  std::size_t wrong = 0;
  for (const std::size_t n : {2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 67}) {
    for (const auto& [stride_a, stride_b] : {std::pair{1, 1}, {1, 0}, {0, 1}}) {
      const auto a = random.uniform<T>(stride_a ? n : 1, a_from, a_to);
      const auto b = random.uniform<T>(stride_b ? n : 1, b_from, b_to);
      const auto dy = random.uniform<T>(n, 0.5, 2);
      const auto step_a = static_cast<std::size_t>(stride_a),
                 step_b = static_cast<std::size_t>(stride_b);
      guarded<T> y(n);
      f.forward(n, a.data(), step_a, b.data(), step_b, y.data());
      std::vector<real> da(a.size()), db(b.size());
      for (std::size_t i = 0; i < n; ++i) {
        const T at_a = a[i * step_a], at_b = b[i * step_b];
        wrong += !agrees(y[i], row.value(at_a, at_b));
        da[i * step_a] += row.share_a(dy[i], at_a, at_b, y[i]);
        db[i * step_b] += row.share_b(dy[i], at_a, at_b, y[i]);
      }
      for (const store how : {store::write, store::add}) {
        guarded<T> into_a(a.size()), into_b(b.size());
        std::fill_n(into_a.data(), a.size(), T(3));
        std::fill_n(into_b.data(), b.size(), T(3));
        f.pullback_a(n, a.data(), step_a, b.data(), step_b, y.data(), dy.data(), into_a.data(), how,
                     0.5);
        f.pullback_b(n, a.data(), step_a, b.data(), step_b, y.data(), dy.data(), into_b.data(), how,
                     0.5);
        const real start = how == store::write ? 0 : 3;
        // Sums of shares may be large and their result small: relative to the terms, about 1 to 10
        // each.
        const real scale = tolerance * static_cast<real>(n);
        for (std::size_t i = 0; i < a.size(); ++i) {
          wrong += !reference::close(into_a[i], start + da[i], scale);
        }
        for (std::size_t i = 0; i < b.size(); ++i) {
          wrong += !reference::close(into_b[i], start + db[i], scale);
        }
        wrong += !into_a.intact() + !into_b.intact();
      }
      wrong += !y.intact();
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEMPLATE_TEST_CASE("unary loops serve every length and write nowhere else", "", float, double) {
  for (const kernel_table* kernels : autodiff::available_kernels()) {
    for (const auto& row : loop_rows::unary<TestType>(table_for<TestType>(*kernels))) {
      INFO(row.name << ", " << kernels->instruction_set);
      require_every_length(row);
    }
  }
}

TEMPLATE_TEST_CASE("binary loops serve long and repeated operands and sum into a repeated one", "",
                   float, double) {
  for (const kernel_table* kernels : autodiff::available_kernels()) {
    for (const auto& row : loop_rows::binary<TestType>(table_for<TestType>(*kernels))) {
      INFO(row.name << ", " << kernels->instruction_set);
      require_every_stride(row);
    }
  }
}

TEST_CASE("a unary loop may write over its argument") {
  for (const kernel_table* kernels : autodiff::available_kernels()) {
    for (const auto& row : loop_rows::unary<double>(kernels->of_double)) {
      INFO(row.name << ", " << kernels->instruction_set);
      reference::random random(11);
      auto x = random.uniform(53, row.sampled[0].from, row.sampled[0].to);
      std::vector<double> y(x.size());
      row.loops.forward(x.size(), x.data(), y.data());
      row.loops.forward(x.size(), x.data(), x.data());
      CHECK(x == y);
    }
  }
}

TEST_CASE("a zero weight wins over an infinite slope of a steep row") {
  for (const kernel_table* table : autodiff::available_kernels()) {
    const std::vector<double> x(9, 0.0), y(9, 0.0), dy{0, 1, -1, 0, 0, 2, 0, 0, 1};
    std::vector<double> dx(9);
    table->of_double.sqrt.pullback(9, x.data(), y.data(), dy.data(), dx.data(), store::write);
    for (std::size_t i = 0; i < 9; ++i) CHECK(dx[i] == (dy[i] == 0 ? 0 : dy[i] * HUGE_VAL));
  }
}

TEST_CASE("the share of a tie is what the caller says") {
  for (const kernel_table* table : autodiff::available_kernels()) {
    const std::vector<float> a{1, 2, 3, 4, 5}, b{1, 0, 3, 9, 5}, dy(5, 1.0f);
    std::vector<float> da(5), db(5);
    for (const double tie : {0.5, 0.0}) {
      const auto share = static_cast<float>(tie);
      table->of_float.max.pullback_a(5, a.data(), 1, b.data(), 1, nullptr, dy.data(), da.data(),
                                     store::write, tie);
      table->of_float.max.pullback_b(5, a.data(), 1, b.data(), 1, nullptr, dy.data(), db.data(),
                                     store::write, tie);
      CHECK(da == std::vector<float>{share, 1, share, 0, share});
      CHECK(db == std::vector<float>{share, 0, share, 1, share});
      table->of_float.min.pullback_a(5, a.data(), 1, b.data(), 1, nullptr, dy.data(), da.data(),
                                     store::write, tie);
      CHECK(da == std::vector<float>{share, 0, share, 1, share});
    }
  }
}

TEST_CASE("the chosen table is the best that this CPU can run, or the one asked for") {
  const auto tables = autodiff::available_kernels();
  CHECK(std::string_view(tables.front()->instruction_set) == "baseline");
  const char* asked = std::getenv("BACKSWEEP_ISA");
  for (const kernel_table* table : tables) {
    if (asked && std::string_view(asked) == table->instruction_set) {
      CHECK(&autodiff::kernels() == table);
      return;
    }
  }
  CHECK(&autodiff::kernels() == tables.back());
}
