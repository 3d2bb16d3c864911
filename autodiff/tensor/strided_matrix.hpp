#pragma once
// How the loops of matrix products read a factor, transposed or not.

#include <cstddef>

namespace autodiff {

/// A matrix read with strides: element (i, j) at data[i * row + j * column]. One of them is 1.
template <class T>
struct strided_matrix {
  const T* data;
  std::size_t row, column;
};

}  // namespace autodiff
