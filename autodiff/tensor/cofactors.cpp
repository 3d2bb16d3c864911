#include <autodiff/tensor/cofactors.hpp>

#include <autodiff/dual.hpp>
#include <autodiff/tensor/array.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

namespace autodiff {
namespace {

template <class T>
T magnitude(const T& x) {
  return x < T(0) ? T(-x) : x;
}

/// Gauss's elimination with rows and columns exchanged for the largest pivot, until what is left is
/// zero: rows `row` and columns `column` of a are [L1 0; M 1] [U1 V; 0 rest], U1 [rank, rank].
template <class T>
struct complete_elimination {
  std::size_t n, rank = 0;
  array<T> factors;
  array<std::size_t> row, column;
  T product_of_pivots{1};  // with the sign of the exchanges

  complete_elimination(std::size_t order, const T* a)
      : n(order), factors(shape{n * n}, {a, n * n}), row(shape{n}), column(shape{n}) {
    T* u = factors.writable();
    std::size_t *rows = row.writable(), *columns = column.writable();
    std::iota(rows, rows + n, std::size_t{0});
    std::iota(columns, columns + n, std::size_t{0});
    for (; rank < n; ++rank) {
      std::size_t best = rank * (n + 1);
      for (std::size_t i = rank; i < n; ++i) {
        for (std::size_t j = rank; j < n; ++j) {
          if (magnitude(u[i * n + j]) > magnitude(u[best])) best = i * n + j;
        }
      }
      if (u[best] == T(0)) return;
      const std::size_t i = best / n, j = best % n;
      if ((i == rank) != (j == rank)) product_of_pivots = -product_of_pivots;
      std::swap(rows[i], rows[rank]);
      std::swap(columns[j], columns[rank]);
      if (i != rank) std::swap_ranges(u + i * n, u + (i + 1) * n, u + rank * n);
      for (std::size_t l = 0; l < n; ++l) std::swap(u[l * n + j], u[l * n + rank]);
      eliminate(u);
      product_of_pivots *= u[rank * (n + 1)];
    }
  }

 private:
  void eliminate(T* u) const {
    for (std::size_t i = rank + 1; i < n; ++i) {
      const T factor = u[i * n + rank] / u[rank * (n + 1)];
      u[i * n + rank] = factor;
      for (std::size_t j = rank + 1; j < n; ++j) u[i * n + j] -= factor * u[rank * n + j];
    }
  }
};

/// Determinant and adjugate of what an elimination left: zeros with tangents at most. From order 3
/// on, both are products of two zeros or more.
template <class T>
struct rest_of {
  T determinant{0};
  T adjugate[2][2] = {};

  explicit rest_of(const complete_elimination<T>& e) {
    const std::size_t order = e.n - e.rank;
    const T* s = e.factors.data() + e.rank * (e.n + 1);
    if (order == 0) determinant = T(1);
    if (order == 1) {
      determinant = s[0];
      adjugate[0][0] = T(1);
    }
    if (order == 2) {
      determinant = s[0] * s[e.n + 1] - s[1] * s[e.n];
      adjugate[0][0] = s[e.n + 1];
      adjugate[0][1] = -s[1];
      adjugate[1][0] = -s[e.n];
      adjugate[1][1] = s[0];
    }
  }
};

}  // namespace

// With p the product of the pivots, adj [U1 V; 0 S] = p [det(S) U1^-1, -U1^-1 V adj(S); 0, adj(S)];
// nothing is divided by what may be zero.
template <class T>
void cofactors(std::size_t n, const T* a, T* result) {
  const complete_elimination<T> e(n, a);
  const rest_of<T> rest(e);
  const std::size_t r = e.rank, order = n - r;
  const T* u = e.factors.data();
  array<T> adjugate(shape{n * n}, T(0));
  T* x = adjugate.writable();
  for (std::size_t i = 0; i < r; ++i) x[i * (n + 1)] = e.product_of_pivots * rest.determinant;
  for (std::size_t j = 0; j < order && order <= 2; ++j) {
    for (std::size_t l = 0; l < order; ++l) {
      const T share = e.product_of_pivots * rest.adjugate[l][j];
      x[(r + l) * n + r + j] = share;
      for (std::size_t i = 0; i < r; ++i) x[i * n + r + j] -= u[i * n + r + l] * share;
    }
  }
  for (std::size_t i = r; i-- > 0;) {  // U1 x = ...
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t l = i + 1; l < r; ++l) x[i * n + j] -= u[i * n + l] * x[l * n + j];
      x[i * n + j] /= u[i * (n + 1)];
    }
  }
  for (std::size_t j = r; j-- > 0;) {  // x L = ...
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t l = j + 1; l < n; ++l) x[i * n + j] -= x[i * n + l] * u[l * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j)
      result[e.row.data()[j] * n + e.column.data()[i]] = x[i * n + j];
  }
}

#define INSTANTIATE(T) template void cofactors(std::size_t, const T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(dual<float>)
INSTANTIATE(dual<double>)

}  // namespace autodiff
