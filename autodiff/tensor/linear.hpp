#pragma once
// Products of vectors, matrices and batches of them.

#include <autodiff/tensor/tensor.hpp>

namespace autodiff {

/// Matrix product: [m, k] x [k, n] -> [m, n], [m, k] x [k] -> [m], [k] x [k, n] -> [n],
/// [k] x [k] -> []. Axes before the last two are batches of matrices and broadcast:
/// [5, 1, m, k] x [3, k, n] -> [5, 3, m, n]; a vector belongs to every matrix of the batch. A batch
/// with one right factor is multiplied as one matrix. Its adjoints are products too, and sums of
/// what IEEE arithmetic gives for each term: an adjoint of 0 beside an infinite or NaN element
/// makes them NaN, where the rows of ops.def, dot and squared_distance pass it by. Throws
/// shape_error with both shapes when they do not fit.
template <class T>
tensor<T> matmul(const tensor<T>& a, const tensor<T>& b);

/// Sum of products: [k] x [k] -> []. A zero adjoint passes it by. Throws shape_error with both
/// shapes when they do not fit.
template <class T>
tensor<T> dot(const tensor<T>& a, const tensor<T>& b);

/// Every product of two elements: [m] x [n] -> [m, n]. Its adjoints are products of matrices, as
/// those of matmul. Throws shape_error for other ranks than 1.
template <class T>
tensor<T> outer(const tensor<T>& a, const tensor<T>& b);

}  // namespace autodiff
