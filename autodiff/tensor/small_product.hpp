#pragma once
// Matrix products of a few multiply-adds: one sum at a time, inlined, since a call through tables
// of loops costs more than such a product. Networks of a few units live here.

#include <autodiff/tensor/strided_matrix.hpp>
#include <autodiff/tensor/sum_loops.hpp>

#include <cstddef>

namespace autodiff {

/// Whether anything but such loops costs more than the product [m, k] x [k, n] itself.
constexpr bool is_small_product(std::size_t m, std::size_t n, std::size_t k,
                                std::size_t most = 16) noexcept {
  return m <= most && n <= most && k <= most && m * n * k <= most;
}

/// c = or += a b, [m, k] x [k, n]; the rows of c lie c_row numbers apart. With `in_pairs` a sum is
/// two chains of additions side by side, which pays where k is more than a few.
template <bool in_pairs = false, class T>
void small_product(const strided_matrix<T>& a, const strided_matrix<T>& b, std::size_t m,
                   std::size_t n, std::size_t k, store how, T* c, std::size_t c_row) {
  const T* row = a.data;
  for (std::size_t i = m; i > 0; --i, row += a.row, c += c_row) {
    const T* column = b.data;
    for (std::size_t j = 0; j < n; ++j, column += b.column) {
      T sum(0), other(0);
      const T *left = row, *right = column;
      std::size_t rest = k;
      if constexpr (in_pairs) {
        for (; rest > 1; rest -= 2, left += 2 * a.column, right += 2 * b.row) {
          sum += left[0] * right[0];
          other += left[a.column] * right[b.row];
        }
      }
      for (; rest > 0; --rest, left += a.column, right += b.row) sum += *left * *right;
      if constexpr (in_pairs) sum += other;
      if (how == store::write)
        c[j] = sum;
      else
        c[j] += sum;
    }
  }
}

}  // namespace autodiff
