#pragma once
// The squared distance of two tensors as one operation: errors of regression without a tensor of
// differences.

#include <autodiff/tensor/tensor.hpp>

namespace autodiff {

/// scale * sum (a - b)^2, rank 0; a and b of one shape. A zero adjoint passes it by. Throws
/// shape_error with both shapes when they differ.
template <class T>
tensor<T> squared_distance(const tensor<T>& a, const tensor<T>& b, const T& scale = T(1));

}  // namespace autodiff
