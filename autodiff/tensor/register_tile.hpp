#pragma once
// The innermost loop of matrix products: a tile of the result that stays in vector registers while
// the rows of a strip of a and the columns of a panel of b pass by. `Unit` says what an instruction
// set offers; one with internal linkage gives every instance of these templates internal linkage.
// Source: Van Zee, van de Geijn, BLIS: A Framework for Rapidly Instantiating BLAS Functionality,
// ACM TOMS 41 (2015): multiply_tile is its micro-kernel, tiles_in_order its macro-kernel.

#include <cstddef>
#include <cstring>

namespace autodiff {

/// The columns of a panel of b: two vectors.
template <class Unit>
inline constexpr std::size_t panel_width = 2 * Unit::lanes;

/// to[0 .. count) = or += of[0 .. count), in pieces of one instruction each.
template <std::size_t piece, class T>
[[gnu::always_inline]] inline void store_first(std::size_t count, const T* of, bool add, T* to) {
  if constexpr (piece > 0) {
    if (count & piece) {
      T sum[piece];
      std::memcpy(sum, of, sizeof(sum));
      if (add) {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < piece; ++i) sum[i] += to[i];
      }
      std::memcpy(to, sum, sizeof(sum));
      of += piece;
      to += piece;
    }
    store_first<piece / 2>(count, of, add, to);
  }
}

/// Where the operands of one tile begin.
template <class T>
struct tile_place {
  const T *a, *b;
  T *c, *kept;  // where the panel of b is packed on the way
};

/// From element to element below and to the right of a, from row to row of b and c.
struct tile_strides {
  std::size_t a_row, a_column, b_row, c_row;
};

/// A tile of c = or += rows of a times columns of b, summed in the order of `depth`. The last
/// vector stores `last` numbers.
template <class Unit, std::size_t rows, std::size_t vectors, bool keep, class T>
[[gnu::always_inline]] inline void multiply_tile(std::size_t depth, tile_place<T> at,
                                                 const tile_strides& by, std::size_t last,
                                                 bool add) {
  // Vectors anywhere in an array. Not memcpy(): sums that have an address leave the registers.
  using loose = typename Unit::loose;
  constexpr std::size_t lanes = Unit::lanes;
  typename Unit::vector sums[rows][vectors] = {};
#pragma GCC unroll 4
  for (std::size_t l = depth; l > 0; --l, at.a += by.a_column, at.b += by.b_row) {
    typename Unit::vector row[vectors];
#pragma GCC unroll 2
    for (std::size_t j = 0; j < vectors; ++j) {
      row[j] = *reinterpret_cast<const loose*>(at.b + j * lanes);
      if constexpr (keep) *reinterpret_cast<loose*>(at.kept + j * lanes) = row[j];
    }
    if constexpr (keep) at.kept += vectors * lanes;
#pragma GCC unroll 12
    for (std::size_t i = 0; i < rows; ++i) {
      const T factor = at.a[i * by.a_row];
#pragma GCC unroll 2
      for (std::size_t j = 0; j < vectors; ++j) sums[i][j] += factor * row[j];
    }
  }
#pragma GCC unroll 12
  for (std::size_t i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (std::size_t j = 0; j < vectors; ++j) {
      T* const to = at.c + i * by.c_row + j * lanes;
      if (j + 1 == vectors && last < lanes) {
        alignas(typename Unit::vector) T numbers[lanes];
        *reinterpret_cast<loose*>(numbers) = sums[i][j];
        store_first<lanes / 2>(last, numbers, add, to);
      } else {
        loose& out = *reinterpret_cast<loose*>(to);
        out = add ? out + sums[i][j] : sums[i][j];
      }
    }
  }
}

/// Steps from tile to tile in one direction.
struct tile_walk {
  std::size_t count, a, b, c, kept;
};

/// All tiles of strips of equal height with panels of equal width: those of `inner` follow each
/// other.
template <class Unit, std::size_t rows, std::size_t vectors, bool keep, class T>
void tiles_in_order(const tile_walk& outer, const tile_walk& inner, std::size_t depth,
                    tile_place<T> at, const tile_strides& strides, std::size_t last, bool add) {
  const auto step = [](const tile_place<T>& from, const tile_walk& by) {
    return tile_place<T>{from.a + by.a, from.b + by.b, from.c + by.c,
                         keep ? from.kept + by.kept : nullptr};
  };
  const tile_strides by = strides;
  for (std::size_t o = outer.count; o > 0; --o, at = step(at, outer)) {
    tile_place<T> tile = at;
    for (std::size_t i = inner.count; i > 0; --i, tile = step(tile, inner))
      multiply_tile<Unit, rows, vectors, keep>(depth, tile, by, last, add);
  }
}

}  // namespace autodiff
