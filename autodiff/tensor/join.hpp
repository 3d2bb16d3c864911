#pragma once
// Larger tensors from smaller ones: tensors side by side, a margin around one, copies of one.

#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <vector>

namespace autodiff {

/// Tensors one after the other along an axis they have: [2, 3] and [4, 3] along 0 -> [6, 3]. The
/// other extents are equal. Throws shape_error with both shapes when they are not, and for an empty
/// list.
template <class T>
tensor<T> concat(std::span<const tensor<T>> list, std::ptrdiff_t axis = 0);
template <class T>
tensor<T> concat(std::initializer_list<tensor<T>> list, std::ptrdiff_t axis = 0) {
  return concat(std::span<const tensor<T>>(list.begin(), list.size()), axis);
}
template <class T>
tensor<T> concat(const std::vector<tensor<T>>& list, std::ptrdiff_t axis = 0) {
  return concat(std::span<const tensor<T>>(list), axis);
}

/// Tensors of one shape along a new axis, counted in the result: n of [2, 3] along 0 -> [n, 2, 3],
/// along -1 -> [2, 3, n]. Throws shape_error when the shapes differ, for an empty list, and
/// where the result would have more than 8 axes.
template <class T>
tensor<T> stack(std::span<const tensor<T>> list, std::ptrdiff_t axis = 0);
template <class T>
tensor<T> stack(std::initializer_list<tensor<T>> list, std::ptrdiff_t axis = 0) {
  return stack(std::span<const tensor<T>>(list.begin(), list.size()), axis);
}
template <class T>
tensor<T> stack(const std::vector<tensor<T>>& list, std::ptrdiff_t axis = 0) {
  return stack(std::span<const tensor<T>>(list), axis);
}

/// How many elements go before and after those of an axis.
struct padding {
  std::size_t before = 0, after = 0;
};

/// x within a margin of `value`, one padding per axis: pad(x, {{1, 2}, {0, 0}}) gives [n, m] ->
/// [n + 3, m]. Throws shape_error unless there is one padding per axis.
template <class T>
tensor<T> pad(const tensor<T>& x, std::span<const padding> of_axes,
              const std::type_identity_t<T>& value = T(0));
template <class T>
tensor<T> pad(const tensor<T>& x, std::initializer_list<padding> of_axes,
              const std::type_identity_t<T>& value = T(0)) {
  return pad(x, std::span<const padding>(of_axes.begin(), of_axes.size()), value);
}
/// The same padding at every axis: pad(x, {1, 1}).
template <class T>
tensor<T> pad(const tensor<T>& x, const padding& of_every_axis,
              const std::type_identity_t<T>& value = T(0)) {
  std::array<padding, most_dimensions> same;
  same.fill(of_every_axis);
  return pad(x, std::span<const padding>(same.data(), x.rank()), value);
}

/// x again and again, so many times along each axis: [2, 3] by {2, 1} -> [4, 3]. The shorter of
/// shape and list of counts is filled up with ones in front, so [3] by {2, 1} -> [2, 3]. Throws
/// shape_error for more than 8 counts and for extents that are too large to count.
template <class T>
tensor<T> tile(const tensor<T>& x, std::span<const std::size_t> counts);
template <class T>
tensor<T> tile(const tensor<T>& x, std::initializer_list<std::size_t> counts) {
  return tile(x, std::span<const std::size_t>(counts.begin(), counts.size()));
}

/// Each slice along an axis `count` times in a row: 1, 2 by 3 -> 1, 1, 1, 2, 2, 2. Throws
/// shape_error when there is no such axis.
template <class T>
tensor<T> repeat(const tensor<T>& x, std::size_t count, std::ptrdiff_t axis);

}  // namespace autodiff
