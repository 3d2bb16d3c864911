#pragma once
// Views: the elements of a tensor in another order, in part, or repeated, without a copy. A view
// keeps the whole storage of x alive.

#include <autodiff/tensor/axes.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/tensor/view_layout.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>

namespace autodiff {

/// The last two axes exchanged: [..., m, n] -> [..., n, m]. Throws shape_error below rank 2.
template <class T>
tensor<T> transpose(const tensor<T>& x);
/// Two axes exchanged. Throws shape_error for an axis that does not exist.
template <class T>
tensor<T> swap_axes(const tensor<T>& x, std::ptrdiff_t first, std::ptrdiff_t second);
/// Axis i of the result is axis order[i] of x. Throws shape_error unless each axis stands there
/// once.
template <class T>
tensor<T> permute(const tensor<T>& x, const axes& order);
/// The elements in reverse order along these axes. Throws shape_error for an axis that does not
/// exist or stands there twice.
template <class T>
tensor<T> flip(const tensor<T>& x, const axes& over);
/// Elements (i, i + offset) of the matrices on two axes, along a new last axis, which an
/// offset beyond the matrix leaves empty: [..., m, n] -> [..., k]. Throws shape_error when the axes
/// are the same or do not exist.
template <class T>
tensor<T> diagonal(const tensor<T>& x, std::ptrdiff_t offset = 0, std::ptrdiff_t rows = 0,
                   std::ptrdiff_t columns = 1);

/// x repeated to shape s by the rule of broadcasting. Throws shape_error with both shapes when x
/// does not broadcast to s.
template <class T>
tensor<T> expand(const tensor<T>& x, const shape& s);
/// A new axis of extent 1, which stands at `axis` in the result. Throws shape_error for a place
/// that the result does not have, and beyond 8 axes.
template <class T>
tensor<T> unsqueeze(const tensor<T>& x, std::ptrdiff_t axis);
/// Without the axes of extent 1.
template <class T>
tensor<T> squeeze(const tensor<T>& x);
/// Without this axis. Throws shape_error unless it exists and its extent is 1.
template <class T>
tensor<T> squeeze(const tensor<T>& x, std::ptrdiff_t axis);

/// The same elements, row by row, in another shape. Shares the storage where strides can give the
/// shape, as they always can for a contiguous x. Throws shape_error when the sizes differ.
template <class T>
tensor<T> reshape(const tensor<T>& x, const shape& s);

/// An extent of reshape(); -1 stands for what is left.
class wanted_extent {
 public:
  template <std::integral Extent>
  wanted_extent(Extent extent) : extent_(static_cast<std::ptrdiff_t>(extent)) {}
  std::ptrdiff_t extent() const noexcept { return extent_; }

 private:
  std::ptrdiff_t extent_;
};
/// reshape(x, {3, -1}): one extent may be left to the size of x. Throws shape_error when there is
/// no such shape, or more than one.
template <class T>
tensor<T> reshape(const tensor<T>& x, std::initializer_list<wanted_extent> extents);
/// Axes `first` to `last`, both included, as one. Rank 0 becomes [1]. Throws shape_error for axes
/// that do not exist or stand the other way round.
template <class T>
tensor<T> flatten(const tensor<T>& x, std::ptrdiff_t first = 0, std::ptrdiff_t last = -1);

}  // namespace autodiff
