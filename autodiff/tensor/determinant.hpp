#pragma once
// Determinants of the matrices on the last two axes; axes before them are batches. All go through
// LAPACK's LU factors, and throw shape_error for matrices that are not square.

#include <autodiff/tensor/tensor.hpp>

namespace autodiff {

/// [..., n, n] -> [...]; 1 for n = 0. The determinant of a singular matrix is 0, with the cofactors
/// as slopes.
template <class T>
tensor<T> determinant(const tensor<T>& a);

/// A determinant that may be too large or too small for T: sign * exp(log).
template <class T>
struct sign_and_log {
  tensor<T> sign;  // 1, -1 or 0; passive
  tensor<T> log;
};
/// [..., n, n] -> [...] twice. A singular matrix has sign 0 and log -inf with slopes NaN: |det| is
/// on its way to -inf from all sides. A zero adjoint passes it by.
template <class T>
sign_and_log<T> sign_log_det(const tensor<T>& a);

/// log |determinant|: the log of sign_log_det.
template <class T>
tensor<T> log_det(const tensor<T>& a);

}  // namespace autodiff
