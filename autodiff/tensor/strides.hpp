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

/// Copies elements of `element_size` bytes from where a view has them to row-major order.
void pack(const shape& s, const stride_list& strides, std::size_t element_size, const void* from,
          void* to);

/// Pairs each element of a row-major array of shape s with that of a view: visit(n, at, view_at,
/// step) stands for the elements at + i and view_at + i * step, i < n. The order is one in which
/// both sides pass through few cache lines at a time.
template <class Visitor>
void for_each_strip(const shape& s, const stride_list& strides, Visitor&& visit) {
  const stride_list own = row_major_strides(s);
  std::size_t last = s.rank();
  while (last > 0 && s[last - 1] == 1) --last;
  // Along the last axis the view jumps: go along the axis where it does not, in strips of the last
  // one as wide as half a cache line of floats. Eight lines with one address in the cache fit.
  constexpr std::size_t strip = 8;
  const bool jumps = last > 1 && std::abs(strides[last - 1]) > 1 && s[last - 1] > strip;
  std::size_t smooth = last;
  for (std::size_t axis = 0; jumps && axis + 1 < last; ++axis) {
    if (s[axis] == 1 || std::abs(strides[axis]) >= std::abs(strides[last - 1])) continue;
    if (smooth == last || std::abs(strides[axis]) < std::abs(strides[smooth])) smooth = axis;
  }
  const auto walk_part = [&](std::size_t begin, std::size_t strips, std::size_t width) {
    strided_walk<2, most_dimensions + 1> walk;
    for (std::size_t axis = 0; axis + 1 < last; ++axis) {
      if (axis != smooth) walk.add(s[axis], {own[axis], strides[axis]});
    }
    std::ptrdiff_t at = 0, view_at = 0;
    if (last > 0) {
      const std::ptrdiff_t step = own[last - 1], view_step = strides[last - 1];
      const auto wide = static_cast<std::ptrdiff_t>(width);
      at = static_cast<std::ptrdiff_t>(begin) * step;
      view_at = static_cast<std::ptrdiff_t>(begin) * view_step;
      walk.add(strips, {step * wide, view_step * wide});
      if (smooth != last) walk.add(s[smooth], {own[smooth], strides[smooth]});
      walk.add(width, {step, view_step});
    }
    walk.for_each_row([&](const auto& offsets) {
      const std::ptrdiff_t first = at + offsets[0], view_first = view_at + offsets[1];
      if (walk.stride(0) == 1) return visit(walk.row_size(), first, view_first, walk.stride(1));
      // A strip one element wide: the walk's rows run along the other axis.
      for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(walk.row_size()); ++i)
        visit(1, first + i * walk.stride(0), view_first + i * walk.stride(1), 1);
    });
  };
  if (s.size() == 0) return;
  if (smooth == last) {
    walk_part(0, 1, last == 0 ? 1 : s[last - 1]);
  } else {
    const std::size_t strips = s[last - 1] / strip, rest = s[last - 1] % strip;
    walk_part(0, strips, strip);
    if (rest > 0) walk_part(strips * strip, 1, rest);
  }
}

}  // namespace autodiff
