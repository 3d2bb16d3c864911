#pragma once
// Small blocks of numbers turned from rows to columns. Like the loops of kernels.hpp this is
// compiled for several instruction sets, so everything is forced inline.

#include <concepts>
#include <cstddef>
#include <cstring>
#include <utility>

namespace autodiff {

/// Numbers in the 128 bits within which vector instructions move numbers about cheaply.
template <class T>
inline constexpr std::size_t group = 16 / sizeof(T);

/// A vector of the groups of numbers at `from`, `next` apart. By reference: vectors as values would
/// be passed differently by each instruction set.
template <class Vector, class T>
[[gnu::always_inline]] inline void gather_groups(const T* from, std::size_t next, Vector& to) {
  using one [[gnu::vector_size(16)]] = T;
  if constexpr (sizeof(Vector) == 16) {
    std::memcpy(&to, from, 16);
  } else {
    using half [[gnu::vector_size(sizeof(Vector) / 2)]] = T;
    half low, high;
    gather_groups(from, next, low);
    gather_groups(from + sizeof(half) / sizeof(one) * next, next, high);
    [&]<std::size_t... i>(std::index_sequence<i...>) __attribute__((always_inline)) {
      to = __builtin_shufflevector(low, high, static_cast<int>(i)...);
    }
    (std::make_index_sequence<sizeof(Vector) / sizeof(T)>{});
  }
}

/// Within every group: the numbers at `first` of x and y in turn.
template <class T, std::size_t first, std::size_t run, class Vector>
[[gnu::always_inline]] inline void interleave(const Vector& x, const Vector& y, Vector& out) {
  constexpr std::size_t lanes = sizeof(Vector) / sizeof(T);
  [&]<std::size_t... i>(std::index_sequence<i...>) __attribute__((always_inline)) {
    out = __builtin_shufflevector(
        x, y,
        static_cast<int>(i / group<T> * group<T> + first + i % group<T> / (2 * run) * run +
                         i % run + (i % (2 * run) >= run ? lanes : 0))...);
  }
  (std::make_index_sequence<lanes>{});
}

/// As many rows as a vector has numbers, `from_row` apart, a group of columns of them, turned into
/// vectors `to_row` apart.
template <class Vector, class T>
[[gnu::always_inline]] inline void turn_group(const T* from, std::size_t from_row, T* to,
                                              std::size_t to_row) {
  Vector r[group<T>], out[group<T>];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < group<T>; ++i)
    gather_groups(from + i * from_row, group<T> * from_row, r[i]);
  if constexpr (group<T> == 2) {
    interleave<T, 0, 1>(r[0], r[1], out[0]);
    interleave<T, 1, 1>(r[0], r[1], out[1]);
  } else {
    Vector a, b, c, d;
    interleave<T, 0, 1>(r[0], r[1], a);
    interleave<T, 0, 1>(r[2], r[3], b);
    interleave<T, 2, 1>(r[0], r[1], c);
    interleave<T, 2, 1>(r[2], r[3], d);
    interleave<T, 0, 2>(a, b, out[0]);
    interleave<T, 2, 2>(a, b, out[1]);
    interleave<T, 0, 2>(c, d, out[2]);
    interleave<T, 2, 2>(c, d, out[3]);
  }
#pragma GCC unroll 4
  for (std::size_t i = 0; i < group<T>; ++i) std::memcpy(to + i * to_row, &out[i], sizeof(Vector));
}

/// Four rows of four numbers, `from_row` apart, turned into four rows `to_row` apart.
template <std::floating_point T>
[[gnu::always_inline]] inline void turn_four(const T* from, std::size_t from_row, T* to,
                                             std::size_t to_row) {
  using four [[gnu::vector_size(4 * sizeof(T))]] = T;
#pragma GCC unroll 2
  for (std::size_t j = 0; j < 4; j += group<T>)
    turn_group<four>(from + j, from_row, to + j * to_row, to_row);
}

/// Columns of x, [rows, columns], become rows of `turned`: the number at x[i * x_row + j] goes to
/// turned[j * to_row + i].
template <class T>
[[gnu::always_inline]] inline void turn_rows(std::size_t rows, std::size_t columns, const T* x,
                                             std::size_t x_row, T* turned, std::size_t to_row) {
  if constexpr (std::floating_point<T>) {
    if (rows >= 4 && columns >= 4) {
      // The last blocks overlap those before rather than leave single rows and columns.
      for (std::size_t i = 0; i < rows; i += 4) {
        const std::size_t row = i + 4 <= rows ? i : rows - 4;
        for (std::size_t j = 0; j < columns; j += 4) {
          const std::size_t column = j + 4 <= columns ? j : columns - 4;
          turn_four(x + row * x_row + column, x_row, turned + column * to_row + row, to_row);
        }
      }
      return;
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) turned[j * to_row + i] = x[i * x_row + j];
  }
}

}  // namespace autodiff
