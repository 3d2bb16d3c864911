// The loops over rows of a matrix, for every instruction set this CPU has, held to long double.

#include <autodiff/tensor/kernels.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
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
using reference::close;
using reference::real;

template <class T>
constexpr real unit = std::numeric_limits<T>::epsilon();

/// visit(loops) for every instruction set.
template <class T, class Visitor>
void for_each_set(Visitor&& visit) {
  for (const kernel_table* table : autodiff::available_kernels()) {
    INFO(table->instruction_set);
    visit(table_for<T>(*table).rows);
  }
}

// Lengths on both sides of every block and vector width.
constexpr std::size_t lengths[] = {1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 33, 64, 65, 129};

/// One row of softmax and what belongs to it.
struct softmax_row {
  std::vector<real> p, log_p;
  real log_sum = 0;

  template <class T>
  softmax_row(const T* x, std::size_t k) {
    real total = 0;
    for (std::size_t j = 0; j < k; ++j) total += std::exp(real{x[j]});
    log_sum = std::log(total);
    for (std::size_t j = 0; j < k; ++j) {
      log_p.push_back(x[j] - log_sum);
      p.push_back(std::exp(log_p.back()));
    }
  }
};

}  // namespace

TEMPLATE_TEST_CASE("column_sums writes or adds the sums of columns", "", float, double) {
  using T = TestType;
  reference::random random(31);
  for_each_set<T>([&](const auto& loops) {
    for (const std::size_t rows : {0, 1, 2, 5, 63, 64}) {
      for (const std::size_t columns : lengths) {
        const auto x = random.uniform<T>(rows * columns, -1, 1);
        for (const store how : {store::write, store::add}) {
          std::vector<T> y(columns, T(3));
          loops.column_sums(rows, columns, x.data(), y.data(), how);
          std::size_t wrong = 0;
          for (std::size_t j = 0; j < columns; ++j) {
            real total = how == store::write ? 0 : 3;
            for (std::size_t i = 0; i < rows; ++i) total += x[i * columns + j];
            wrong += !close(y[j], total, static_cast<real>(rows + 4) * unit<T>);
          }
          CHECK(wrong == 0);
        }
      }
    }
  });
}

TEMPLATE_TEST_CASE("min is the smallest number, and NaN where there is one", "", float, double) {
  using T = TestType;
  reference::random random(32);
  for_each_set<T>([&](const auto& loops) {
    for (const std::size_t n : lengths) {
      auto x = random.uniform<T>(n, 1, 5);
      CHECK(loops.min(n, x.data()) == *std::min_element(x.begin(), x.end()));
      for (std::size_t i = 0; i < n; ++i) {
        const T before = x[i];
        x[i] = -std::numeric_limits<T>::infinity();
        REQUIRE(loops.min(n, x.data()) == x[i]);
        x[i] = std::numeric_limits<T>::quiet_NaN();
        REQUIRE(std::isnan(loops.min(n, x.data())));
        x[i] = before;
      }
    }
  });
}

TEMPLATE_TEST_CASE("product is that of long double up to rounding", "", float, double) {
  using T = TestType;
  reference::random random(33);
  for_each_set<T>([&](const auto& loops) {
    CHECK(loops.product(0, nullptr) == T(1));
    for (const std::size_t n : lengths) {
      const auto x = random.uniform<T>(n, 0.8, 1.25);
      real expected = 1;
      for (const T factor : x) expected *= factor;
      CHECK(std::fabs(loops.product(n, x.data()) / expected - 1) <= static_cast<real>(n) * unit<T>);
    }
  });
}

TEMPLATE_TEST_CASE("softmax gives weights, their logarithms and that of the sum, row by row", "",
                   float, double) {
  using T = TestType;
  reference::random random(34);
  for_each_set<T>([&](const auto& loops) {
    for (const std::size_t rows : {1, 2, 15, 16, 17, 40}) {
      for (const std::size_t k : lengths) {
        const auto x = random.uniform<T>(rows * k, -8, 8);
        std::vector<T> p(x.size()), log_p(x.size()), log_sums(rows), alone(x.size());
        loops.softmax(rows, k, x.data(), p.data(), log_p.data(), log_sums.data());
        loops.softmax(rows, k, x.data(), alone.data(), nullptr, nullptr);
        CHECK(alone == p);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          const softmax_row expected(x.data() + i * k, k);
          wrong += !close(log_sums[i], expected.log_sum, 16 * unit<T>);
          for (std::size_t j = 0; j < k; ++j) {
            wrong += !close(p[i * k + j], expected.p[j], 16 * unit<T>);
            wrong += !close(log_p[i * k + j], expected.log_p[j], 16 * unit<T>);
          }
        }
        CHECK(wrong == 0);
      }
    }
  });
}

TEMPLATE_TEST_CASE("cross_entropy gives the loss of each row and its derivative", "", float,
                   double) {
  using T = TestType;
  reference::random random(35);
  for_each_set<T>([&](const auto& loops) {
    for (const std::size_t rows : {1, 2, 15, 16, 17, 40}) {
      for (const std::size_t k : lengths) {
        const auto z = random.uniform<T>(rows * k, -8, 8), t = random.uniform<T>(rows * k, 0, 1);
        std::vector<T> loss(rows), delta(z.size()), log_p(z.size());
        loops.cross_entropy(rows, k, z.data(), t.data(), loss.data(), delta.data(), log_p.data());
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          const softmax_row expected(z.data() + i * k, k);
          real total = 0, weight = 0;
          for (std::size_t j = 0; j < k; ++j) {
            total -= t[i * k + j] * expected.log_p[j];
            weight += t[i * k + j];
          }
          const real tolerance = static_cast<real>(16 + k) * unit<T>;
          wrong += !close(loss[i], total, tolerance);
          for (std::size_t j = 0; j < k; ++j) {
            const std::size_t at = i * k + j;
            wrong += !close(delta[at], expected.p[j] * weight - t[at], tolerance);
            wrong += !close(log_p[at], expected.log_p[j], 16 * unit<T>);
          }
        }
        CHECK(wrong == 0);
      }
    }
  });
}

TEMPLATE_TEST_CASE("rows of infinities have the weights that conventions give them", "", float,
                   double) {
  using T = TestType;
  const T infinity = std::numeric_limits<T>::infinity();
  for_each_set<T>([&](const auto& loops) {
    const std::vector<T> x{-infinity, 1, 1, -infinity, -infinity, -infinity, infinity, 2, infinity};
    std::vector<T> p(9), log_sums(3);
    loops.softmax(3, 3, x.data(), p.data(), nullptr, log_sums.data());
    CHECK(p == std::vector<T>{0, 0.5, 0.5, 0, 0, 0, 0.5, 0, 0.5});
    CHECK(log_sums[1] == -infinity);
    CHECK(log_sums[2] == infinity);
  });
}
