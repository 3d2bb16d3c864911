#pragma once
// Products of matrices by definition, for the tests of what multiplies them.

#include <autodiff/tensor/blas.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace products {

using autodiff::transposed;
using reference::real;

constexpr std::array both{transposed::no, transposed::yes};

/// One product by definition, in long double, with the sum of the magnitudes of its terms, to which
/// rounding is relative.
struct product {
  std::vector<real> values, magnitudes;
};

template <class T>
product by_definition(transposed a_is, transposed b_is, std::size_t m, std::size_t n, std::size_t k,
                      const std::vector<T>& a, const std::vector<T>& b, real beta,
                      const std::vector<T>& c) {
  product p{std::vector<real>(m * n), std::vector<real>(m * n)};
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const real start = beta == 0 ? 0 : beta * c[i * n + j];
      real sum = start, magnitude = std::fabs(start);
      for (std::size_t l = 0; l < k; ++l) {
        const real term = real{a_is == transposed::no ? a[i * k + l] : a[l * m + i]} *
                          real{b_is == transposed::no ? b[l * n + j] : b[j * k + l]};
        sum += term;
        magnitude += std::fabs(term);
      }
      p.values[i * n + j] = sum;
      p.magnitudes[i * n + j] = magnitude;
    }
  }
  return p;
}

/// multiply(a factor, the other, m, n, k, beta, c) against the definition.
template <class T, class Multiply>
void require_product(transposed a_is, transposed b_is, std::size_t m, std::size_t n, std::size_t k,
                     T beta, reference::random& random, Multiply&& multiply) {
  INFO("[" << m << ", " << k << "] x [" << k << ", " << n << "], beta " << beta << ", transposed "
           << (a_is == transposed::yes) << (b_is == transposed::yes));
  const auto a = random.uniform<T>(m * k, -1, 1), b = random.uniform<T>(k * n, -1, 1);
  // With beta 0 the result must not even look at what was there.
  std::vector<T> c = beta == 0 ? std::vector<T>(m * n, std::numeric_limits<T>::quiet_NaN())
                               : random.uniform<T>(m * n, -1, 1);
  const product expected = by_definition(a_is, b_is, m, n, k, a, b, real{beta}, c);
  multiply(autodiff::matrix_factor<T>{a.data(), a_is, a_is == transposed::no ? k : m},
           autodiff::matrix_factor<T>{b.data(), b_is, b_is == transposed::no ? n : k}, m, n, k,
           beta, c.data());
  const real unit = static_cast<real>(k + 2) * std::numeric_limits<T>::epsilon();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < m * n; ++i) {
    // Written so that a NaN is wrong.
    wrong += !(std::fabs(real{c[i]} - expected.values[i]) <= unit * expected.magnitudes[i]);
  }
  CHECK(wrong == 0);
}

template <class T>
void require_product(transposed a_is, transposed b_is, std::size_t m, std::size_t n, std::size_t k,
                     T beta, reference::random& random) {
  require_product(a_is, b_is, m, n, k, beta, random,
                  [](const auto&... x) { autodiff::matrix_product<T>(x...); });
}

}  // namespace products
