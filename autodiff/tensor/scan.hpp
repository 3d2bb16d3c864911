#pragma once
// Running sums and products along an axis.

#include <autodiff/tensor/tensor.hpp>

#include <cstddef>

namespace autodiff {

/// y[i] = x[0] + ... + x[i] along the axis. Throws shape_error when there is no such axis.
template <class T>
tensor<T> cumsum(const tensor<T>& x, std::ptrdiff_t axis);

/// y[i] = x[0] * ... * x[i] along the axis; zeros have the right derivative, nothing is divided.
/// Throws shape_error when there is no such axis.
template <class T>
tensor<T> cumprod(const tensor<T>& x, std::ptrdiff_t axis);

}  // namespace autodiff
