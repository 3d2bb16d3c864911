#pragma once
// Parts of a tensor as views: ranges with steps, single indices, pieces along an axis.

#include <autodiff/tensor/tensor.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

namespace autodiff {

/// An axis from `start` up to and without `stop` in steps. Positions below 0 count from the back,
/// those beyond the ends are cut, and a negative step runs backwards, as in Python: range{} is
/// everything, range{2, 5}, range{.stop = -1}, range{.step = -1}.
struct range {
  std::optional<std::ptrdiff_t> start = {}, stop = {};
  std::ptrdiff_t step = 1;
};

/// What slice() takes of an axis: a range, or one index, which removes the axis.
class axis_part {
 public:
  template <std::integral Index>
  axis_part(Index index) : range_{static_cast<std::ptrdiff_t>(index)}, is_index_(true) {}
  axis_part(const range& r) : range_(r) {}

  bool is_index() const noexcept { return is_index_; }
  std::ptrdiff_t index() const noexcept { return *range_.start; }
  const range& as_range() const noexcept { return range_; }

 private:
  range range_;
  bool is_index_ = false;
};

/// Parts of the leading axes, and all of the others: slice(x, {range{0, 4, 2}, range{}, -1}).
/// Throws shape_error for too many parts, an index outside its axis and step 0.
template <class T>
tensor<T> slice(const tensor<T>& x, std::span<const axis_part> parts);
template <class T>
tensor<T> slice(const tensor<T>& x, std::initializer_list<axis_part> parts) {
  return slice(x, std::span<const axis_part>(parts.begin(), parts.size()));
}
/// Part of one axis: slice(x, -1, {2, 5}). Throws shape_error for an axis that does not exist and
/// for step 0.
template <class T>
tensor<T> slice(const tensor<T>& x, std::ptrdiff_t axis, const range& part);

/// The elements at one index along an axis, which goes; indices below 0 count from the back. Throws
/// shape_error when there is no such index or axis.
template <class T>
tensor<T> select(const tensor<T>& x, std::ptrdiff_t axis, std::ptrdiff_t index);
/// select() at each index along the axis. Throws shape_error when there is no such axis.
template <class T>
std::vector<tensor<T>> unstack(const tensor<T>& x, std::ptrdiff_t axis = 0);
/// `parts` pieces of equal extent along the axis. Throws shape_error when it is not divisible.
template <class T>
std::vector<tensor<T>> split(const tensor<T>& x, std::size_t parts, std::ptrdiff_t axis = 0);
/// Pieces of these extents along the axis. Throws shape_error unless they add up to its extent.
template <class T>
std::vector<tensor<T>> split(const tensor<T>& x, std::span<const std::size_t> extents,
                             std::ptrdiff_t axis = 0);
template <class T>
std::vector<tensor<T>> split(const tensor<T>& x, std::initializer_list<std::size_t> extents,
                             std::ptrdiff_t axis = 0) {
  return split(x, std::span<const std::size_t>(extents.begin(), extents.size()), axis);
}

}  // namespace autodiff
