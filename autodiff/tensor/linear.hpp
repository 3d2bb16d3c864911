#pragma once
// Matrix products and the affine map of a dense layer.

#include <autodiff/tensor/tensor.hpp>

namespace autodiff {

/// Matrix product: [m, k] x [k, n] -> [m, n], [m, k] x [k] -> [m], [k] x [k, n] -> [n],
/// [k] x [k] -> []. Throws shape_error with both shapes when they do not fit.
template <class T>
tensor<T> matmul(const tensor<T>& a, const tensor<T>& b);

}  // namespace autodiff
