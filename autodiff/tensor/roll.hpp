#pragma once
// Elements moved around an axis.

#include <autodiff/tensor/tensor.hpp>

#include <cstddef>

namespace autodiff {

/// Elements moved by `shift` along an axis; those that leave at one end enter at the other. Throws
/// shape_error when there is no such axis.
template <class T>
tensor<T> roll(const tensor<T>& x, std::ptrdiff_t shift, std::ptrdiff_t axis);

}  // namespace autodiff
