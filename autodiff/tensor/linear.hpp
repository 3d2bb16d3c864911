#pragma once
// Matrix products.

#include <autodiff/tensor/tensor.hpp>

namespace autodiff {

/// Matrix product: [m, k] x [k, n] -> [m, n], [m, k] x [k] -> [m], [k] x [k, n] -> [n],
/// [k] x [k] -> []. Throws shape_error with both shapes when they do not fit.
template <class T>
tensor<T> matmul(const tensor<T>& a, const tensor<T>& b);

/// Rows and columns exchanged: [m, n] -> [n, m]. Throws shape_error unless the rank is 2.
template <class T>
tensor<T> transpose(const tensor<T>& x);

}  // namespace autodiff
