#pragma once
// Packing for matrix products: strips of a and panels of b laid out in the order in which the
// innermost loop reads them. For `Unit` see register_tile.hpp.

#include <autodiff/tensor/register_tile.hpp>
#include <autodiff/tensor/strided_matrix.hpp>

#include <cstddef>
#include <cstring>
#include <utility>

namespace autodiff {

/// Numbers in the 128 bits within which vector instructions move numbers about cheaply.
template <class T>
inline constexpr std::size_t group = 16 / sizeof(T);

/// A vector of the groups of numbers at `from`, `next` apart.
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
template <class Unit, class T>
[[gnu::always_inline]] inline void turn_group(const T* from, std::size_t from_row, T* to,
                                              std::size_t to_row) {
  using vector = typename Unit::vector;
  vector r[group<T>], out[group<T>];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < group<T>; ++i)
    gather_groups(from + i * from_row, group<T> * from_row, r[i]);
  if constexpr (group<T> == 2) {
    interleave<T, 0, 1>(r[0], r[1], out[0]);
    interleave<T, 1, 1>(r[0], r[1], out[1]);
  } else {
    vector a, b, c, d;
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
  for (std::size_t i = 0; i < group<T>; ++i) std::memcpy(to + i * to_row, &out[i], sizeof(vector));
}

/// Columns [0, width) of b, `depth` deep, as rows of a full panel. What the panel holds beyond its
/// width is never part of a result. From b.data on, `readable` numbers belong to the matrix.
template <class Unit, class T>
void pack_panel(std::size_t depth, std::size_t width, strided_matrix<T> b, std::size_t readable,
                T* panel) {
  constexpr std::size_t full = panel_width<Unit>;
  std::size_t done = 0, turned = 0;  // rows, and columns of these
  if (b.column == 1) {
    for (; done < depth && done * b.row + full <= readable; ++done)
      std::memcpy(panel + done * full, b.data + done * b.row, full * sizeof(T));
    turned = width;
  } else {
    for (; done + group<T> <= depth; done += group<T>) {
      for (turned = 0; turned + Unit::lanes <= width; turned += Unit::lanes) {
        turn_group<Unit>(b.data + turned * b.column + done, b.column, panel + done * full + turned,
                         full);
      }
    }
  }
  for (std::size_t l = 0; l < depth; ++l) {
    for (std::size_t j = l < done ? turned : 0; j < width; ++j)
      panel[l * full + j] = b.data[l * b.row + j * b.column];
  }
}

/// `count` strips of `height` rows of a transposed factor, `depth` deep, one after the other. Each
/// row of memory is read once, from its beginning to its end.
template <class Unit, std::size_t height, class T>
void pack_strips(std::size_t depth, strided_matrix<T> a, std::size_t count, T* to) {
  for (std::size_t l = 0; l < depth; ++l, to += height) {
    const T* from = a.data + l * a.column;
    for (std::size_t s = 0; s < count; ++s, from += height)
      std::memcpy(to + s * depth * height, from, height * sizeof(T));
  }
}

}  // namespace autodiff
