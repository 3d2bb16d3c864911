#pragma once
// Sums over the rows of a matrix, with an error that grows as the logarithm of their number.

#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/kernels.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>

namespace autodiff {

/// y[j] = or += sum of x[i, j] over the rows: blocks of 64 rows, then a tree of them by doubling.
template <class T>
void column_sums(std::size_t rows, std::size_t columns, const T* x, T* y, store how) {
  // One row is its own sum.
  if (rows == 1) return plain<T>().accumulate(columns, T(1), x, 1, y, how);
  constexpr std::size_t block = 64;
  const auto add_up = loops<T>().rows.column_sums;
  if (rows <= block) return add_up(rows, columns, x, y, how);
  array<T> scratch(shape{std::bit_width(rows / block) + 1, columns});
  T* const levels = scratch.writable();
  std::size_t filled = 0;
  const auto join = [&](std::size_t level, T* to) {
    plain<T>().accumulate(columns, T(1), levels + level * columns, 1, to, store::add);
  };
  for (std::size_t start = 0, index = 0; start < rows; start += block, ++index) {
    T* const level = levels + filled * columns;
    add_up(std::min(block, rows - start), columns, x + start * columns, level, store::write);
    ++filled;
    // Trailing ones of the block index tell how many finished subtrees of equal size to join.
    for (std::size_t ones = index; ones & 1; ones >>= 1) {
      --filled;
      join(filled, levels + (filled - 1) * columns);
    }
  }
  plain<T>().accumulate(columns, T(1), levels + --filled * columns, 1, y, how);
  while (filled > 0) join(--filled, y);
}

}  // namespace autodiff
