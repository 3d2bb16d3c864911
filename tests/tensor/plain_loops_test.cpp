// Sums, products, the largest number and updates: the loops that belong to no row of ops.def.

#include <autodiff/dual.hpp>
#include <autodiff/tensor/kernels.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensor/guarded.hpp>
#include <tests/tensor/loop_rows.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace {

using autodiff::kernel_table;
using autodiff::store;
using loop_rows::table_for;
using reference::real;

}  // namespace

TEMPLATE_TEST_CASE("sum and dot are those of long double up to rounding", "", float, double) {
  using T = TestType;
  reference::random random(12);
  for (const kernel_table* table : autodiff::available_kernels()) {
    const auto& loops = table_for<T>(*table).plain;
    for (const std::size_t n : {0, 1, 2, 15, 16, 17, 31, 32, 100, 511, 512, 513, 1023, 1024, 1025,
                                1536, 2560, 4000, 100001}) {
      const auto x = random.uniform<T>(n, -1, 1), y = random.uniform<T>(n, -1, 1);
      real sum = 0, size = 0, dot = 0, dot_size = 0;
      for (std::size_t i = 0; i < n; ++i) {
        sum += x[i];
        size += std::fabs(x[i]);
        dot += real{x[i]} * y[i];
        dot_size += std::fabs(real{x[i]} * y[i]);
      }
      INFO(n << ", " << table->instruction_set);
      const real unit = std::numeric_limits<T>::epsilon();
      // Sixteen sums of at most 32 terms, joined pairwise: some forty roundings, whatever n is.
      CHECK(std::fabs(loops.sum(n, x.data()) - sum) <= 40 * unit * size);
      CHECK(std::fabs(loops.dot(n, x.data(), y.data()) - dot) <=
            (static_cast<real>(n) / 16 + 20) * unit * dot_size);
    }
  }
}

TEST_CASE("the error of a long sum grows slowly") {
  // One running sum of float would be off by more than a percent here.
  const std::vector<float> x(10'000'000, 0.1f);
  const real exact = real{0.1f} * static_cast<real>(x.size());
  for (const kernel_table* table : autodiff::available_kernels()) {
    CHECK(std::fabs(table->of_float.plain.sum(x.size(), x.data()) / exact - 1) < 1e-6L);
  }
}

TEMPLATE_TEST_CASE("max is the largest number, and NaN where there is one", "", float, double) {
  using T = TestType;
  const T infinity = std::numeric_limits<T>::infinity();
  reference::random random(13);
  for (const kernel_table* table : autodiff::available_kernels()) {
    const auto& loops = table_for<T>(*table).plain;
    for (std::size_t n = 1; n < 70; ++n) {
      auto x = random.uniform<T>(n, -5, -1);
      CHECK(loops.max(n, x.data()) == *std::max_element(x.begin(), x.end()));
      for (std::size_t i = 0; i < n; ++i) {
        const T before = x[i];
        x[i] = infinity;
        REQUIRE(loops.max(n, x.data()) == infinity);
        x[i] = std::numeric_limits<T>::quiet_NaN();
        REQUIRE(std::isnan(loops.max(n, x.data())));
        x[i] = before;
      }
      std::fill(x.begin(), x.end(), -infinity);
      CHECK(loops.max(n, x.data()) == -infinity);
    }
  }
}

TEMPLATE_TEST_CASE("accumulate writes or adds a multiple of a vector or of one number", "", float,
                   double) {
  using T = TestType;
  reference::random random(14);
  for (const kernel_table* table : autodiff::available_kernels()) {
    const auto& loops = table_for<T>(*table).plain;
    for (std::size_t n = 1; n < 40; ++n) {
      for (const std::size_t stride : {0, 1}) {
        for (const store how : {store::write, store::add}) {
          const auto x = random.uniform<T>(n, -1, 1);
          guarded<T> y(n);
          std::fill_n(y.data(), n, T(2));
          loops.accumulate(n, T(-1.5), x.data(), stride, y.data(), how);
          const real start = how == store::write ? 0 : 2;
          std::size_t wrong = !y.intact();
          for (std::size_t i = 0; i < n; ++i) {
            wrong += !reference::close(y[i], start - 1.5L * x[i * stride],
                                       2 * std::numeric_limits<T>::epsilon());
          }
          CHECK(wrong == 0);
        }
      }
    }
  }
}

TEST_CASE("plain loops for duals carry tangents") {
  using dual = autodiff::dual<double>;
  std::vector<dual> x;
  double value = 0, tangent = 0, product = 0;
  for (int i = 0; i < 600; ++i) {
    x.emplace_back(0.5 * i, 1.0 - i);
    value += 0.5 * i;
    tangent += 1.0 - i;
    product += 0.25 * i * i;
  }
  const auto& loops = autodiff::plain<dual>();
  CHECK(loops.sum(x.size(), x.data()).value() == value);
  CHECK(loops.sum(x.size(), x.data()).tangent() == tangent);
  CHECK(loops.dot(x.size(), x.data(), x.data()).value() == product);
  CHECK(loops.max(x.size(), x.data()).value() == 299.5);
  CHECK(loops.max(x.size(), x.data()).tangent() == -598);
  dual y(1, 1);
  loops.accumulate(1, dual(2, 3), x.data() + 4, 1, &y, store::add);
  CHECK(y.value() == 5);
  CHECK(y.tangent() == 1 + 2 * -3 + 3 * 2);
}
