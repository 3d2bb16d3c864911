#pragma once
// Where the elements of a view lie. Element (i, j, ...) is at i * strides[0] + j * strides[1] + ...
// from the first one: an axis that runs backwards has a negative stride, a repeated one has 0.

#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/strided_walk.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <optional>

namespace autodiff {

using stride_list = std::array<std::ptrdiff_t, most_dimensions>;

/// The distance in a row-major tensor of shape s between neighbours along each axis.
inline stride_list row_major_strides(const shape& s) noexcept {
  stride_list strides{};
  std::ptrdiff_t stride = 1;
  for (std::size_t axis = s.rank(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= static_cast<std::ptrdiff_t>(s[axis]);
  }
  return strides;
}

/// Whether elements with these strides lie row by row without gaps. Strides along axes of extent 1
/// do not matter.
bool is_row_major(const shape& s, const stride_list& strides) noexcept;

/// The strides under which the same elements have shape `to`, where there are such.
std::optional<stride_list> reshaped_strides(const shape& from, const stride_list& strides,
                                            const shape& to) noexcept;

/// The strides of an operand of shape s along the axes of `whole`, to which it broadcasts: 0 where
/// it is repeated.
stride_list broadcast_strides(const shape& whole, const shape& s,
                              const stride_list& strides) noexcept;

/// The walk over `whole` in operands with these strides along its axes.
template <std::size_t N>
strided_walk<N> walk_over(const shape& whole, const std::array<stride_list, N>& operands) {
  strided_walk<N> walk;
  for (std::size_t axis = 0; axis < whole.rank(); ++axis) {
    typename strided_walk<N>::offsets steps;
    for (std::size_t k = 0; k < N; ++k) steps[k] = operands[k][axis];
    walk.add(whole[axis], steps);
  }
  return walk;
}

/// The walk over `whole`, operand k being a row-major tensor of shape *operands[k] that broadcasts
/// to it. Along its rows operands are contiguous or repeated.
template <std::size_t N>
strided_walk<N> broadcast_walk(const shape& whole, const std::array<const shape*, N>& operands) {
  std::array<stride_list, N> strides;
  for (std::size_t k = 0; k < N; ++k)
    strides[k] = broadcast_strides(whole, *operands[k], row_major_strides(*operands[k]));
  return walk_over(whole, strides);
}

/// Copies elements of `element_size` bytes from where a view has them to row-major order.
void pack(const shape& s, const stride_list& strides, std::size_t element_size, const void* from,
          void* to);

/// Pairs each element of a row-major array of shape s with that of a view: visit(n, at, view_at,
/// step) stands for the elements at + i and view_at + i * step, i < n. The order is one in which
/// both sides pass through few cache lines at a time.
template <class Visitor>
void for_each_strip(const shape& s, const stride_list& strides, Visitor&& visit) {
  if (s.size() == 0) return;
  const stride_list own = row_major_strides(s);
  std::size_t last = s.rank();
  while (last > 0 && s[last - 1] == 1) --last;
  if (last == 0) return visit(1, 0, 0, 1);
  --last;
  // Where the view jumps along the last axis: pass along the axis on which it does so least, in
  // strips of the last axis half a cache line of floats wide.
  std::size_t smooth = last;
  const std::ptrdiff_t step = strides[last];
  for (std::size_t axis = 0; std::abs(step) > 1 && axis < last; ++axis) {
    if (s[axis] != 1 && std::abs(strides[axis]) < std::abs(strides[smooth])) smooth = axis;
  }
  strided_walk<2> walk;
  for (std::size_t axis = 0; axis < last; ++axis) {
    if (axis != smooth) walk.add(s[axis], {own[axis], strides[axis]});
  }
  if (smooth == last) {
    walk.add(s[last], {1, step});
    return walk.for_each_row(
        [&](const auto& at) { visit(walk.row_size(), at[0], at[1], walk.stride(1)); });
  }
  const auto pass = [&](std::size_t width, std::ptrdiff_t at, std::ptrdiff_t view_at) {
    for (std::size_t i = 0; i < s[smooth]; ++i, at += own[smooth], view_at += strides[smooth])
      visit(width, at, view_at, step);
  };
  walk.for_each_row([&](auto at) {
    for (std::size_t i = 0; i < walk.row_size(); ++i) {
      constexpr std::size_t strip = 8;
      std::size_t j = 0;
      for (; j + strip <= s[last]; j += strip) {
        const auto begin = static_cast<std::ptrdiff_t>(j);
        pass(strip, at[0] + begin, at[1] + begin * step);
      }
      const auto begin = static_cast<std::ptrdiff_t>(j);
      if (j < s[last]) pass(s[last] - j, at[0] + begin, at[1] + begin * step);
      at[0] += walk.stride(0);
      at[1] += walk.stride(1);
    }
  });
}

}  // namespace autodiff
