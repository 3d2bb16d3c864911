#pragma once
// Packing for matrix products: strips of a and panels of b laid out in the order in which the
// innermost loop reads them. For `Unit` see register_tile.hpp.

#include <autodiff/tensor/register_tile.hpp>
#include <autodiff/tensor/strided_matrix.hpp>
#include <autodiff/tensor/turning.hpp>

#include <cstddef>
#include <cstring>

namespace autodiff {

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
        turn_group<typename Unit::vector>(b.data + turned * b.column + done, b.column,
                                          panel + done * full + turned, full);
      }
    }
  }
  for (std::size_t l = 0; l < depth; ++l) {
    for (std::size_t j = l < done ? turned : 0; j < width; ++j)
      panel[l * full + j] = b.data[l * b.row + j * b.column];
  }
}

/// `count` strips of `height` rows of a transposed factor, `depth` deep, one after the other; or,
/// as rows and columns trade places, full panels of one that is not transposed. Each row of memory
/// is read once, from its beginning to its end, and asked for some rows before: rows may lie on
/// pages of their own, where the processor looks no further ahead than a few lines.
template <class Unit, std::size_t height, class T>
void pack_strips(std::size_t depth, strided_matrix<T> a, std::size_t count, T* to) {
  constexpr std::size_t rows_ahead = 8;
  for (std::size_t l = 0; l < depth; ++l, to += height) {
    const T* from = a.data + l * a.column;
    const std::size_t ahead = l + rows_ahead < depth ? rows_ahead * a.column : 0;
    for (std::size_t s = 0; s < count; ++s, from += height) {
      __builtin_prefetch(from + ahead);
      std::memcpy(to + s * depth * height, from, height * sizeof(T));
    }
  }
}

}  // namespace autodiff
