#pragma once
// All views are one operation: each axis of x is fixed, or walked by one axis of the view. What the
// view reads in the strides of x, its pullback adds to in the strides of dx.

#include <autodiff/tensor/tensor.hpp>

#include <array>
#include <cstddef>
#include <span>

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

  /// Rank 0: every axis of x fixed at 0. `operation` is static, and named in errors.
  explicit view_layout(const operation_rule& operation) : operation_(&operation) {}
  /// Adds a last axis to the view and returns its number. Throws shape_error beyond 8.
  std::size_t add_axis(std::size_t extent);
  void set_walk(std::size_t axis_of_x, const walk& w) noexcept { walks_[axis_of_x] = w; }
  /// Adds a last axis to the view that is this axis of x.
  void keep_axis(const autodiff::shape& x, std::size_t axis) {
    walks_[axis] = {0, 1, add_axis(x[axis])};
  }

  const operation_rule& operation() const noexcept { return *operation_; }
  autodiff::shape shape() const {
    return autodiff::shape(std::span<const std::size_t>(extents_.data(), rank_));
  }
  const walk& walk_of(std::size_t axis_of_x) const noexcept { return walks_[axis_of_x]; }

 private:
  const operation_rule* operation_;
  std::array<std::size_t, most_dimensions> extents_{};
  std::size_t rank_ = 0;
  std::array<walk, most_dimensions> walks_{};
};

/// The view of x with this layout.
template <class T>
tensor<T> view(const tensor<T>& x, const view_layout& layout);

}  // namespace autodiff
