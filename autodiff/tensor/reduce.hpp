#pragma once
// Sums and means over all or some axes.

#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

namespace autodiff {

/// Axes to reduce, counted from the front (0 ..) or the back (-1 ..).
using axes = std::initializer_list<std::ptrdiff_t>;

/// Sum of all elements, rank 0. 0 for an empty tensor.
template <class T>
tensor<T> sum(const tensor<T>& x);
/// Sum over `over`; these axes go, or stay with extent 1 when keep_dims is set. Throws shape_error
/// for an axis that x does not have.
template <class T>
tensor<T> sum(const tensor<T>& x, axes over, bool keep_dims = false);

/// Mean of all elements, rank 0. NaN for an empty tensor.
template <class T>
tensor<T> mean(const tensor<T>& x);
template <class T>
tensor<T> mean(const tensor<T>& x, axes over, bool keep_dims = false);

/// Index of the largest element along the last axis, row by row; the first at a tie. Passive.
/// Throws shape_error when the last axis is empty or missing.
template <class T>
std::vector<std::size_t> argmax(const tensor<T>& x);

}  // namespace autodiff
