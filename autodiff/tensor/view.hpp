#pragma once
// Views: the elements of a tensor in another order, in part, or repeated, without a copy. They all
// are one operation: each axis of x is fixed, or walked by one axis of the view. What the view
// reads in the strides of x, its pullback adds to in the strides of dx.
//
// A view keeps the whole storage of x alive.

#include <autodiff/tensor/tensor.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

namespace autodiff {

/// Which elements a view holds: its axes, and for each axis of x how it is passed. An axis of the
/// view that no axis of x is walked along repeats.
class view_layout {
 public:
  /// How an axis of x is passed: at index start + i * step, where i is the index along axis `along`
  /// of the view. With step 0 it is fixed.
  struct walk {
    std::ptrdiff_t start = 0, step = 0;
    std::size_t along = 0;
  };

  /// Rank 0: every axis of x fixed at 0. `operation` is the name in the record and in errors.
  explicit view_layout(std::string_view operation) : operation_(operation) {}
  /// Adds a last axis to the view and returns its number. Throws shape_error beyond 8.
  std::size_t add_axis(std::size_t extent);
  void set_walk(std::size_t axis_of_x, const walk& w) noexcept { walks_[axis_of_x] = w; }
  /// Adds a last axis to the view that is this axis of x.
  void keep_axis(const autodiff::shape& x, std::size_t axis) {
    walks_[axis] = {0, 1, add_axis(x[axis])};
  }

  std::string_view operation() const noexcept { return operation_; }
  autodiff::shape shape() const {
    return autodiff::shape(std::span<const std::size_t>(extents_.data(), rank_));
  }
  const walk& walk_of(std::size_t axis_of_x) const noexcept { return walks_[axis_of_x]; }

 private:
  std::string_view operation_;
  std::array<std::size_t, most_dimensions> extents_{};
  std::size_t rank_ = 0;
  std::array<walk, most_dimensions> walks_{};
};

/// The view of x with this layout.
template <class T>
tensor<T> view(const tensor<T>& x, const view_layout& layout);

/// The last two axes exchanged: [..., m, n] -> [..., n, m]. Throws shape_error below rank 2.
template <class T>
tensor<T> transpose(const tensor<T>& x);
/// Two axes exchanged.
template <class T>
tensor<T> swap_axes(const tensor<T>& x, std::ptrdiff_t first, std::ptrdiff_t second);
/// Axis i of the result is axis order[i] of x. Throws shape_error unless each axis stands there
/// once.
template <class T>
tensor<T> permute(const tensor<T>& x, std::span<const std::ptrdiff_t> order);
template <class T>
tensor<T> permute(const tensor<T>& x, std::initializer_list<std::ptrdiff_t> order) {
  return permute(x, std::span<const std::ptrdiff_t>(order.begin(), order.size()));
}
/// The elements in reverse order along these axes.
template <class T>
tensor<T> flip(const tensor<T>& x, std::span<const std::ptrdiff_t> over);
template <class T>
tensor<T> flip(const tensor<T>& x, std::initializer_list<std::ptrdiff_t> over) {
  return flip(x, std::span<const std::ptrdiff_t>(over.begin(), over.size()));
}
template <class T>
tensor<T> flip(const tensor<T>& x, std::ptrdiff_t axis) {
  return flip(x, {axis});
}
/// Elements (i, i + offset) of the matrices on two axes, along a new last axis. Throws shape_error
/// when the axes are the same.
template <class T>
tensor<T> diagonal(const tensor<T>& x, std::ptrdiff_t offset = 0, std::ptrdiff_t rows = 0,
                   std::ptrdiff_t columns = 1);

/// x repeated to shape s by the rule of broadcasting. Throws shape_error with both shapes when x
/// does not broadcast to s.
template <class T>
tensor<T> expand(const tensor<T>& x, const shape& s);
/// A new axis of extent 1, which stands at `axis` in the result.
template <class T>
tensor<T> unsqueeze(const tensor<T>& x, std::ptrdiff_t axis);
/// Without the axes of extent 1.
template <class T>
tensor<T> squeeze(const tensor<T>& x);
/// Without this axis. Throws shape_error unless its extent is 1.
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
/// reshape(x, {3, -1}): one extent may be left to the size of x.
template <class T>
tensor<T> reshape(const tensor<T>& x, std::initializer_list<wanted_extent> extents);
/// Axes `first` to `last`, both included, as one. Rank 0 becomes [1].
template <class T>
tensor<T> flatten(const tensor<T>& x, std::ptrdiff_t first = 0, std::ptrdiff_t last = -1);

}  // namespace autodiff
