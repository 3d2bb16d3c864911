#pragma once
// Systems of linear equations, inverses and the Cholesky factor, on the last two axes; axes before
// them are batches. All go through LAPACK. A matrix for which there is no answer throws
// domain_error with its place in the batch and the pivot.

#include <autodiff/tensor/tensor.hpp>
#include <autodiff/tensor/triangular_form.hpp>

namespace autodiff {

/// The x with a x = b, by LU factors with exchanges: [..., n, n], [..., n, k] -> [..., n, k]. A
/// vector b [n] gives [..., n]. Batch axes broadcast. Throws shape_error when the shapes do not
/// fit, domain_error for a singular matrix.
template <class T>
tensor<T> solve(const tensor<T>& a, const tensor<T>& b);

/// The same with a triangular matrix: the lower triangle of a, or what `form` says. Throws
/// domain_error for a 0 on the diagonal that it reads.
template <class T>
tensor<T> triangular_solve(const tensor<T>& a, const tensor<T>& b, triangular_form form = {});

/// The lower triangular L with L L^T = a: [..., n, n] -> [..., n, n]. Where a is not symmetric, the
/// factor of (a + a^T) / 2, so that the adjoint of a is symmetric. Throws shape_error for
/// matrices that are not square, domain_error for one that is not positive definite.
template <class T>
tensor<T> cholesky(const tensor<T>& a);

/// The x with L L^T x = b, from the factor that cholesky gave: shapes and errors as for
/// triangular_solve.
template <class T>
tensor<T> cholesky_solve(const tensor<T>& lower, const tensor<T>& b);

/// The inverse of each matrix, where inverse() is 1 / x element by element: [..., n, n] ->
/// [..., n, n]. Throws shape_error for matrices that are not square, domain_error for a singular
/// one. To apply an inverse, solve() is faster and more accurate.
template <class T>
tensor<T> matrix_inverse(const tensor<T>& a);

}  // namespace autodiff
