#pragma once
// Matrix products of a few multiply-adds: plain loops, inlined, since a call through tables of
// loops costs more than such a product. Networks of a few units live here.

#include <autodiff/tensor/blas.hpp>
#include <autodiff/tensor/sum_loops.hpp>

#include <cstddef>

namespace autodiff {

/// Whether anything but plain loops costs more than the product [m, k] x [k, n] itself.
constexpr bool is_small_product(std::size_t m, std::size_t n, std::size_t k) noexcept {
  constexpr std::size_t most = 16;
  return m <= most && n <= most && k <= most && m * n * k <= most;
}

/// c = or += a b, [m, k] x [k, n].
template <class T>
void small_product(const matrix_factor<T>& a, const matrix_factor<T>& b, std::size_t m,
                   std::size_t n, std::size_t k, store how, T* c) {
  const std::size_t a_row = a.row_stride(), a_column = a.column_stride();
  const std::size_t b_row = b.row_stride(), b_column = b.column_stride();
  const T* row = a.data;
  for (std::size_t i = m; i > 0; --i, row += a_row) {
    const T* column = b.data;
    for (std::size_t j = n; j > 0; --j, column += b_column, ++c) {
      T sum(0);
      const T *left = row, *right = column;
      for (std::size_t l = k; l > 0; --l, left += a_column, right += b_row) sum += *left * *right;
      if (how == store::write)
        *c = sum;
      else
        *c += sum;
    }
  }
}

}  // namespace autodiff
