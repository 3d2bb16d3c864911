#include <autodiff/tensor/view_layout.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/strides.hpp>

#include <fmt/format.h>

#include <array>
#include <utility>

namespace autodiff {
namespace {

/// A layout in the strides of one tensor.
struct placed_view {
  std::ptrdiff_t offset = 0;
  stride_list strides{};

  placed_view(const view_layout& layout, const shape& x, const stride_list& strides_of_x) {
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
      const auto& [start, step, along] = layout.walk_of(axis);
      offset += start * strides_of_x[axis];
      if (step != 0) strides[along] += step * strides_of_x[axis];
    }
  }
};

/// Whether a view passes each element of x exactly once.
bool passes_each_once(const view_layout& layout, const shape& shape, const autodiff::shape& x) {
  std::array<bool, most_dimensions> walked{};
  for (std::size_t axis = 0; axis < x.rank(); ++axis) {
    if (x[axis] == 1) continue;
    const auto& [start, step, along] = layout.walk_of(axis);
    if ((step != 1 && step != -1) || shape[along] != x[axis] || walked[along]) return false;
    walked[along] = true;
  }
  return shape.size() == x.size();
}

/// Leaves the elements of dy where a view has them.
template <class T>
void scatter(const array<T>& dy, const stride_list& strides, T* into, store how) {
  const T* from = dy.data();
  for_each_strip(
      dy.shape(), strides,
      [&](std::size_t n, std::ptrdiff_t at, std::ptrdiff_t view_at, std::ptrdiff_t step) {
        T* out = into + view_at;
        if (step == 1) {
          plain<T>().accumulate(n, T(1), from + at, 1, out, how);
        } else if (step == 0 && how == store::add) {
          *out += plain<T>().sum(n, from + at);
        } else {
          for (std::size_t i = 0; i < n; ++i, out += step)
            *out = how == store::write ? from[at + i] : T(*out + from[at + i]);
        }
      });
}

}  // namespace

std::size_t view_layout::add_axis(std::size_t extent) {
  if (rank_ == most_dimensions) {
    throw shape_error(*operation_, fmt::format("the result has more than {} axes", rank_),
                      "flatten or squeeze some first");
  }
  extents_[rank_] = extent;
  return rank_++;
}

template <class T>
tensor<T> view(const tensor<T>& x, const view_layout& layout) {
  const shape shape = layout.shape();
  const placed_view seen(layout, x.shape(), x.stored().strides());
  array<T> y = x.stored().viewed(shape, seen.offset, seen.strides);
  if (!x.is_recorded()) return tensor<T>(std::move(y));
  const placed_view back(layout, x.shape(), row_major_strides(x.shape()));
  return record(
      layout.operation(), std::move(y),
      [back, once = passes_each_once(layout, shape, x.shape())](const array<T>& dy,
                                                                input_adjoint<T> dx) {
        const auto into = dx->open(once);
        if (dy.size() > 0) scatter(dy, back.strides, into.data + back.offset, into.how);
      },
      x);
}

#define INSTANTIATE(T) template tensor<T> view(const tensor<T>&, const view_layout&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
