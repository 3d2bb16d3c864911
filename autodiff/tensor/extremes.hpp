#pragma once
// The largest and smallest elements, and where they are. A NaN wins over every number. Throws
// shape_error where there is nothing to choose from, and for axes as the other reductions do.

#include <autodiff/tensor/axes.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <initializer_list>

namespace autodiff {

/// The largest element over all or some axes; k equal ones share the derivative, 1/k each. One axis
/// is written in braces: max(x, {0}); max(x, 0) is elementwise, the larger of x and 0.
template <class T>
tensor<T> max(const tensor<T>& x);
template <class T>
tensor<T> max(const tensor<T>& x, const axes& over, bool keep_dims = false);
/// The smallest element, likewise.
template <class T>
tensor<T> min(const tensor<T>& x);
template <class T>
tensor<T> min(const tensor<T>& x, const axes& over, bool keep_dims = false);

// Otherwise {0} could as well be a tensor.
template <class T>
tensor<T> max(const tensor<T>& x, std::initializer_list<std::ptrdiff_t> over,
              bool keep_dims = false) {
  return max(x, axes(over), keep_dims);
}
template <class T>
tensor<T> min(const tensor<T>& x, std::initializer_list<std::ptrdiff_t> over,
              bool keep_dims = false) {
  return min(x, axes(over), keep_dims);
}

/// Row-major index of the largest element, the first of equal ones, the first NaN where there is
/// one. Passive.
template <class T>
std::size_t argmax(const tensor<T>& x);
/// Index along one axis of the largest element of each line: the shape of x without the axis, or
/// with extent 1 there when keep_dims is set.
template <class T>
array<std::size_t> argmax(const tensor<T>& x, std::ptrdiff_t axis, bool keep_dims = false);
/// The smallest element, likewise.
template <class T>
std::size_t argmin(const tensor<T>& x);
template <class T>
array<std::size_t> argmin(const tensor<T>& x, std::ptrdiff_t axis, bool keep_dims = false);

}  // namespace autodiff
