#pragma once
// Matrix products and the affine map of a dense layer.

#include <autodiff/tensor/tensor.hpp>

namespace autodiff {

/// Matrix product: [m, k] x [k, n] -> [m, n], [m, k] x [k] -> [m], [k] x [k, n] -> [n],
/// [k] x [k] -> []. Throws shape_error with both shapes when they do not fit.
template <class T>
tensor<T> matmul(const tensor<T>& a, const tensor<T>& b);

/// x w + b, b added to every row: [n, in] x [in, out] + [out] -> [n, out]; [in] gives [out].
/// Throws shape_error with the shapes when they do not fit.
template <class T>
tensor<T> affine(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b);

}  // namespace autodiff
