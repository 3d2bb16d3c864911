#include <autodiff/tensor/blas.hpp>
#include <autodiff/tensor/product_operand.hpp>
#include <autodiff/tensor/small_product.hpp>
#include <autodiff/tensor/sum_loops.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensor/products.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace {

using autodiff::store;
using namespace products;

/// visit(m, n, k, whether a is transposed, whether b is) for every product of at most 64
/// multiply-adds.
template <class Visitor>
void for_each_small_product(Visitor&& visit) {
  constexpr std::size_t most = 64;
  for (std::size_t m = 1; m <= most; ++m) {
    for (std::size_t n = 1; m * n <= most; ++n) {
      for (std::size_t k = 1; m * n * k <= most; ++k) {
        for (const transposed a_is : both) {
          for (const transposed b_is : both) visit(m, n, k, a_is, b_is);
        }
      }
    }
  }
}

template <class T>
T infinity() {
  return std::numeric_limits<T>::infinity();
}

}  // namespace

TEMPLATE_TEST_CASE("a product of few multiply-adds is the sum by definition, written or added", "",
                   float, double) {
  using T = TestType;
  reference::random random(41);
  const auto one_by_one = [](const auto& a, const auto& b, std::size_t m, std::size_t n,
                             std::size_t k, T beta, T* c) {
    small_product(a.strided(), b.strided(), m, n, k, beta == 0 ? store::write : store::add, c, n);
  };
  const auto in_pairs = [](const auto& a, const auto& b, std::size_t m, std::size_t n,
                           std::size_t k, T beta, T* c) {
    autodiff::small_product<true>(a.strided(), b.strided(), m, n, k,
                                  beta == 0 ? store::write : store::add, c, n);
  };
  const auto as_operations = [](const auto& a, const auto& b, std::size_t m, std::size_t n,
                                std::size_t k, T beta, T* c) {
    multiply_into(a, b, m, n, k, beta == 0 ? store::write : store::add, c);
  };
  for_each_small_product(
      [&](std::size_t m, std::size_t n, std::size_t k, transposed a_is, transposed b_is) {
        for (const T beta : {0, 1}) {
          require_product<T>(a_is, b_is, m, n, k, beta, random, one_by_one);
          require_product<T>(a_is, b_is, m, n, k, beta, random, in_pairs);
          require_product<T>(a_is, b_is, m, n, k, beta, random, as_operations);
        }
        for (const double beta : {0.0, 1.0, -0.5})
          require_product<T>(a_is, b_is, m, n, k, static_cast<T>(beta), random);
      });
}

TEMPLATE_TEST_CASE("NaN and infinity go through a product of few multiply-adds to their sums alone",
                   "", float, double) {
  using T = TestType;
  for_each_small_product(
      [](std::size_t m, std::size_t n, std::size_t k, transposed a_is, transposed b_is) {
        INFO("[" << m << ", " << k << "] x [" << k << ", " << n << "]");
        for (const T odd : {infinity<T>(), -infinity<T>(), std::numeric_limits<T>::quiet_NaN()}) {
          // At the end of the last row of a: that row of c has it in each sum, others in none.
          std::vector<T> a(m * k, T(1)), b(k * n, T(2));
          a.back() = odd;
          for (const T beta : {0, 1}) {
            std::vector<T> c(m * n, T(3));
            autodiff::matrix_product(a_is, b_is, m, n, k, a.data(), b.data(), beta, c.data());
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < m * n; ++i) {
              const bool is_last = i / n == m - 1;
              const bool is_odd = std::isnan(odd) ? std::isnan(c[i]) : c[i] == odd;
              wrong += is_last ? !is_odd : c[i] != static_cast<T>(2 * k) + 3 * beta;
            }
            CHECK(wrong == 0);
          }
        }
      });
}

TEST_CASE("rows of the result of a small product may lie apart") {
  const std::vector<double> a{1, 2, 3, 4}, b{5, 6, 7, 8};
  std::vector<double> c(5, -1.0);
  autodiff::small_product<false, double>({a.data(), 2, 1}, {b.data(), 2, 1}, 2, 2, 2, store::write,
                                         c.data(), 3);
  CHECK(c == std::vector<double>{19, 22, -1, 43, 50});
}

TEST_CASE("a product counts as small by its multiply-adds, whatever overflows") {
  using autodiff::is_small_product;
  CHECK(is_small_product(4, 2, 2));
  CHECK_FALSE(is_small_product(17, 1, 1));
  CHECK(is_small_product(16, 1, 1));
  CHECK_FALSE(is_small_product(4, 4, 2));
  CHECK(is_small_product(4, 4, 4, 64));
  constexpr std::size_t huge = std::size_t{1} << 32;
  CHECK_FALSE(is_small_product(huge, huge, 1));
  CHECK(is_small_product(16, 16, 0));
}
