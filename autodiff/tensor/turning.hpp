#pragma once
// Small blocks of numbers turned from rows to columns. Like the loops of kernels.hpp this is
// compiled for several instruction sets, so everything is forced inline.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace autodiff {

template <std::floating_point T>
struct four_numbers;
template <>
struct four_numbers<float> {
  using type [[gnu::vector_size(16)]] = float;
  // Neighbours in one 128-bit half: what one instruction can do.
  static constexpr std::array<int, 4> low{0, 4, 1, 5}, high{2, 6, 3, 7};
};
template <>
struct four_numbers<double> {
  using type [[gnu::vector_size(32)]] = double;
  static constexpr std::array<int, 4> low{0, 4, 2, 6}, high{1, 5, 3, 7};
};

/// The numbers of a and b, counted on from a, at these places. By reference: vectors as values
/// would be passed differently by each instruction set.
template <std::array<int, 4> at, class Four>
[[gnu::always_inline]] inline void shuffle(const Four& a, const Four& b, Four& out) {
  out = __builtin_shufflevector(a, b, at[0], at[1], at[2], at[3]);
}

/// Four rows of four numbers, `from_row` apart, turned into four rows `to_row` apart.
template <std::floating_point T>
[[gnu::always_inline]] inline void turn_four(const T* from, std::size_t from_row, T* to,
                                             std::size_t to_row) {
  using four = typename four_numbers<T>::type;
  four r[4];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) std::memcpy(&r[i], from + i * from_row, sizeof(four));
  constexpr std::array<int, 4> low = four_numbers<T>::low, high = four_numbers<T>::high;
  constexpr std::array<int, 4> first{0, 1, 4, 5}, second{2, 3, 6, 7};
  four a, b, c, d, turned[4];
  shuffle<low>(r[0], r[1], a);
  shuffle<low>(r[2], r[3], b);
  shuffle<high>(r[0], r[1], c);
  shuffle<high>(r[2], r[3], d);
  // What `low` left together differs with the width of the numbers.
  constexpr bool wide = sizeof(T) == 8;
  shuffle<first>(a, b, turned[0]);
  shuffle<first>(c, d, turned[wide ? 1 : 2]);
  shuffle<second>(a, b, turned[wide ? 2 : 1]);
  shuffle<second>(c, d, turned[3]);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) std::memcpy(to + i * to_row, &turned[i], sizeof(four));
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
