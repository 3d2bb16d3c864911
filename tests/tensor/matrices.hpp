#pragma once
// Linear algebra by definition, in long double: what the tests hold LAPACK's answers to. Matrices
// are row-major.

#include <tests/reference.hpp>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace reference {

using reals = std::vector<real>;

/// c [m, n] = a [m, k] b [k, n].
inline reals product(const reals& a, const reals& b, std::size_t m, std::size_t k, std::size_t n) {
  reals c(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t l = 0; l < k; ++l) c[i * n + j] += a[i * k + l] * b[l * n + j];
    }
  }
  return c;
}

inline reals transposed(const reals& a, std::size_t rows, std::size_t columns) {
  reals t(a.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) t[j * rows + i] = a[i * columns + j];
  }
  return t;
}

/// a + factor times the identity.
inline reals shifted(reals a, std::size_t n, real factor) {
  for (std::size_t i = 0; i < n; ++i) a[i * (n + 1)] += factor;
  return a;
}

/// a^-1 b by Gauss-Jordan elimination with exchanges, and the determinant of a.
struct elimination {
  reals x;
  real determinant = 1;

  elimination(reals a, reals b, std::size_t n) : x(std::move(b)) {
    const std::size_t columns = n == 0 ? 0 : x.size() / n;
    const auto exchange = [](reals& m, std::size_t width, std::size_t i, std::size_t j) {
      for (std::size_t l = 0; l < width; ++l) std::swap(m[i * width + l], m[j * width + l]);
    };
    for (std::size_t p = 0; p < n; ++p) {
      std::size_t best = p;
      for (std::size_t i = p; i < n; ++i)
        best = std::fabs(a[i * n + p]) > std::fabs(a[best * n + p]) ? i : best;
      if (best != p) determinant = -determinant;
      exchange(a, n, p, best);
      exchange(x, columns, p, best);
      const real pivot = a[p * (n + 1)];
      determinant *= pivot;
      for (std::size_t i = 0; i < n; ++i) {
        if (i == p) continue;
        const real factor = a[i * n + p] / pivot;
        for (std::size_t l = 0; l < n; ++l) a[i * n + l] -= factor * a[p * n + l];
        for (std::size_t l = 0; l < columns; ++l) x[i * columns + l] -= factor * x[p * columns + l];
      }
      for (std::size_t l = 0; l < n; ++l) a[p * n + l] /= pivot;
      for (std::size_t l = 0; l < columns; ++l) x[p * columns + l] /= pivot;
    }
  }
};

inline reals identity(std::size_t n) { return shifted(reals(n * n), n, 1); }

/// The lower L with L L^T = a.
inline reals cholesky(const reals& a, std::size_t n) {
  reals lower(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      real rest = a[i * n + j];
      for (std::size_t l = 0; l < j; ++l) rest -= lower[i * n + l] * lower[j * n + l];
      lower[i * n + j] = i == j ? std::sqrt(rest) : rest / lower[j * (n + 1)];
    }
  }
  return lower;
}

}  // namespace reference
