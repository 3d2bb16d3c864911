#pragma once
// Matrix products of all sizes but the smallest: compiled per instruction set (gemm.cpp) and called
// through blas.hpp.

#include <autodiff/tensor/strided_matrix.hpp>

#include <cstddef>

namespace autodiff {

struct product_extents {
  std::size_t m, n, k;
};

/// c [m, n] = a [m, k] b [k, n], added to c where `add` is set; the rows of c lie c_row numbers
/// apart. `scratch`, 64-byte aligned, holds scratch_numbers(extents) numbers. An element of c comes
/// out the same to the last bit as part of any larger or smaller c.
template <class T>
struct product_loops {
  std::size_t (*scratch_numbers)(product_extents extents);
  void (*multiply)(product_extents extents, strided_matrix<T> a, strided_matrix<T> b, bool add,
                   T* c, std::size_t c_row, T* scratch);
};

struct product_table {
  product_loops<float> of_float;
  product_loops<double> of_double;
};

}  // namespace autodiff
