#pragma once
// A layer's worth of work as one operation: product, bias and an elementwise function, recorded
// once and computed in one pass over the result.

#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/tensor.hpp>

namespace autodiff {

/// x w + b, b added to each row: [n, in] x [in, out] + [out] -> [n, out]; x may be one row [in] or
/// have more axes in front. Throws shape_error with the shapes when they do not fit.
template <class T>
tensor<T> affine(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b);

/// f(x w + b) with f a row of ops.def, by its loops: affine(x, w, b, loops<float>().tanh). The
/// slope of tanh, sigmoid, softplus and selu is computed from their value (1 - y^2, ...), so that
/// the preactivation is not kept: it is off by a rounding of y, as in every textbook and framework,
/// where tanh(affine(x, w, b)) keeps all digits of a saturated tail. On an explained tape it is
/// these two operations, so that the preactivation and its adjoint stand there.
template <class T>
tensor<T> affine(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b,
                 const unary_loops<T>& f);

}  // namespace autodiff
