#pragma once
// Triangles of matrices.

#include <autodiff/tensor/tensor.hpp>

#include <cstddef>

namespace autodiff {

/// The upper triangle of the matrices in the last two axes, zeros below: what lies on diagonal k or
/// above, diagonal 1 being next above the main one. Throws shape_error for a rank below 2.
template <class T>
tensor<T> upper(const tensor<T>& x, std::ptrdiff_t k = 0);
/// The lower triangle: what lies on diagonal k or below, zeros above.
template <class T>
tensor<T> lower(const tensor<T>& x, std::ptrdiff_t k = 0);

}  // namespace autodiff
