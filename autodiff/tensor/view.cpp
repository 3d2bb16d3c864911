#include <autodiff/tensor/view.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

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

std::ptrdiff_t signed_extent(const shape& s, std::size_t axis) {
  return static_cast<std::ptrdiff_t>(s[axis]);
}

template <class T>
tensor<T> permute_as(std::string_view operation, const tensor<T>& x,
                     std::span<const std::size_t> order) {
  view_layout layout(operation);
  for (const std::size_t axis : order) layout.keep_axis(x.shape(), axis);
  return view(x, layout);
}

template <class T>
tensor<T> swap_as(std::string_view operation, const tensor<T>& x, std::ptrdiff_t first,
                  std::ptrdiff_t second) {
  std::array<std::size_t, most_dimensions> order;
  std::iota(order.begin(), order.end(), 0u);
  std::swap(order[x.shape().axis(first, operation)], order[x.shape().axis(second, operation)]);
  return permute_as<T>(operation, x, std::span(order).first(x.rank()));
}

/// Without the axes that `goes` names, whose extents are 1.
template <class T, class Predicate>
tensor<T> without(std::string_view operation, const tensor<T>& x, Predicate&& goes) {
  view_layout layout(operation);
  for (std::size_t axis = 0; axis < x.rank(); ++axis) {
    if (!goes(axis)) layout.keep_axis(x.shape(), axis);
  }
  return view(x, layout);
}

template <class T>
tensor<T> reshape_as(std::string_view operation, const tensor<T>& x, const shape& s) {
  return record(
      operation, x.stored().reshaped(s),
      [](const array<T>& dy, input_adjoint<T> dx) { dx->add(dy); }, x);
}

}  // namespace

std::size_t view_layout::add_axis(std::size_t extent) {
  if (rank_ == most_dimensions) {
    throw shape_error(operation_, fmt::format("the result has more than {} axes", rank_),
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
        const auto into =
            once ? dx->open()
                 : typename tensor_node<T>::place_for_share{dx->open_zeroed(), store::add};
        if (dy.size() > 0) scatter(dy, back.strides, into.data + back.offset, into.how);
      },
      x);
}

template <class T>
tensor<T> transpose(const tensor<T>& x) {
  if (x.rank() < 2) {
    throw shape_error("transpose", fmt::format("the tensor has shape {}", to_string(x.shape())),
                      "rows and columns need rank 2 or more; reshape it");
  }
  return swap_as("transpose", x, -2, -1);
}

template <class T>
tensor<T> swap_axes(const tensor<T>& x, std::ptrdiff_t first, std::ptrdiff_t second) {
  return swap_as("swap_axes", x, first, second);
}

template <class T>
tensor<T> permute(const tensor<T>& x, std::span<const std::ptrdiff_t> order) {
  std::array<std::size_t, most_dimensions> from_front{};
  std::array<bool, most_dimensions> there{};
  bool each_once = order.size() == x.rank();
  for (std::size_t i = 0; each_once && i < order.size(); ++i) {
    const std::size_t axis = x.shape().axis(order[i], "permute");
    from_front[i] = axis;
    each_once = !std::exchange(there[axis], true);
  }
  if (!each_once) {
    throw shape_error("permute",
                      fmt::format("the order ({}) does not fit shape {}", fmt::join(order, ", "),
                                  to_string(x.shape())),
                      "name each axis once");
  }
  return permute_as<T>("permute", x, std::span(from_front).first(x.rank()));
}

template <class T>
tensor<T> flip(const tensor<T>& x, std::span<const std::ptrdiff_t> over) {
  view_layout layout("flip");
  for (std::size_t axis = 0; axis < x.rank(); ++axis) layout.keep_axis(x.shape(), axis);
  for (const std::ptrdiff_t given : over) {
    const std::size_t axis = x.shape().axis(given, "flip");
    if (layout.walk_of(axis).step < 0) {
      throw shape_error("flip", fmt::format("axis {} stands twice in the list of axes", given),
                        "name each axis once");
    }
    layout.set_walk(axis, {signed_extent(x.shape(), axis) - 1, -1, axis});
  }
  return view(x, layout);
}

template <class T>
tensor<T> diagonal(const tensor<T>& x, std::ptrdiff_t offset, std::ptrdiff_t rows,
                   std::ptrdiff_t columns) {
  const std::size_t row_axis = x.shape().axis(rows, "diagonal");
  const std::size_t column_axis = x.shape().axis(columns, "diagonal");
  if (row_axis == column_axis) {
    throw shape_error("diagonal",
                      fmt::format("rows and columns are both axis {} of shape {}", row_axis,
                                  to_string(x.shape())),
                      "name two axes");
  }
  const std::ptrdiff_t m = signed_extent(x.shape(), row_axis),
                       n = signed_extent(x.shape(), column_axis);
  // An offset beyond the matrix leaves nothing, whatever its size.
  const std::ptrdiff_t down = std::clamp<std::ptrdiff_t>(offset, -m, 0) * -1,
                       right = std::clamp<std::ptrdiff_t>(offset, 0, n);
  view_layout layout("diagonal");
  for (std::size_t axis = 0; axis < x.rank(); ++axis) {
    if (axis != row_axis && axis != column_axis) layout.keep_axis(x.shape(), axis);
  }
  const std::size_t last = layout.add_axis(static_cast<std::size_t>(std::min(m - down, n - right)));
  layout.set_walk(row_axis, {down, 1, last});
  layout.set_walk(column_axis, {right, 1, last});
  return view(x, layout);
}

template <class T>
tensor<T> expand(const tensor<T>& x, const shape& s) {
  const std::size_t missing = s.rank() < x.rank() ? 0 : s.rank() - x.rank();
  bool fits = s.rank() >= x.rank();
  view_layout layout("expand");
  for (const std::size_t extent : s) layout.add_axis(extent);
  for (std::size_t axis = 0; fits && axis < x.rank(); ++axis) {
    const std::size_t extent = x.shape()[axis], wanted = s[axis + missing];
    fits = extent == 1 || extent == wanted;
    layout.set_walk(axis, {0, extent == 1 ? 0 : 1, axis + missing});
  }
  if (!fits) {
    throw shape_error(
        "expand", fmt::format("{} does not broadcast to {}", to_string(x.shape()), to_string(s)),
        "extents aligned at the end must be equal, or 1 in the tensor; unsqueeze it");
  }
  return view(x, layout);
}

template <class T>
tensor<T> unsqueeze(const tensor<T>& x, std::ptrdiff_t axis) {
  const auto rank = static_cast<std::ptrdiff_t>(x.rank());
  if (axis < -rank - 1 || axis > rank) {
    throw shape_error(
        "unsqueeze",
        fmt::format("there is no place {} for an axis in shape {}", axis, to_string(x.shape())),
        fmt::format("places run from {} to {}", -rank - 1, rank));
  }
  const auto place = static_cast<std::size_t>(axis < 0 ? axis + rank + 1 : axis);
  view_layout layout("unsqueeze");
  for (std::size_t old = 0; old <= x.rank(); ++old) {
    if (old == place) layout.add_axis(1);
    if (old < x.rank()) layout.keep_axis(x.shape(), old);
  }
  return view(x, layout);
}

template <class T>
tensor<T> squeeze(const tensor<T>& x) {
  return without("squeeze", x, [&](std::size_t axis) { return x.shape()[axis] == 1; });
}

template <class T>
tensor<T> squeeze(const tensor<T>& x, std::ptrdiff_t axis) {
  const std::size_t gone = x.shape().axis(axis, "squeeze");
  if (x.shape()[gone] != 1) {
    throw shape_error("squeeze",
                      fmt::format("axis {} of shape {} has extent {}", axis, to_string(x.shape()),
                                  x.shape()[gone]),
                      "only an axis of extent 1 can go; select() takes one index of it");
  }
  return without("squeeze", x, [&](std::size_t each) { return each == gone; });
}

template <class T>
tensor<T> reshape(const tensor<T>& x, const shape& s) {
  if (x.size() != s.size()) {
    throw shape_error("reshape",
                      fmt::format("{} holds {} elements and {} holds {}", to_string(x.shape()),
                                  x.size(), to_string(s), s.size()),
                      "choose a shape of the same size, or leave one extent open: {3, -1}");
  }
  return reshape_as("reshape", x, s);
}

template <class T>
tensor<T> reshape(const tensor<T>& x, std::initializer_list<wanted_extent> wanted) {
  std::array<std::size_t, most_dimensions> extents{};
  std::size_t rank = 0, known = 1, open = 0, left_open = 0;
  bool fits = wanted.size() <= most_dimensions;
  for (const wanted_extent& each : wanted) {
    if (!fits) break;
    if (each.extent() == -1) {
      ++open;
      left_open = rank++;
    } else {
      fits = each.extent() >= 0;
      extents[rank++] = static_cast<std::size_t>(each.extent());
      known *= extents[rank - 1];
    }
  }
  fits = fits && (open == 0 || (open == 1 && known != 0 && x.size() % known == 0));
  if (!fits) {
    std::vector<std::ptrdiff_t> list;
    for (const wanted_extent& each : wanted) list.push_back(each.extent());
    throw shape_error(
        "reshape",
        fmt::format("{} does not become [{}]", to_string(x.shape()), fmt::join(list, ", ")),
        "of at most 8 extents one may be -1: the size divided by the others");
  }
  if (open == 1) extents[left_open] = x.size() / known;
  return reshape(x, shape(std::span<const std::size_t>(extents.data(), rank)));
}

template <class T>
tensor<T> flatten(const tensor<T>& x, std::ptrdiff_t first, std::ptrdiff_t last) {
  if (x.rank() == 0) return reshape_as("flatten", x, shape{1});
  const std::size_t from = x.shape().axis(first, "flatten"), to = x.shape().axis(last, "flatten");
  if (to < from) {
    throw shape_error(
        "flatten",
        fmt::format("axis {} comes after axis {} in shape {}", first, last, to_string(x.shape())),
        "give the first and the last axis to join");
  }
  std::array<std::size_t, most_dimensions> extents{};
  std::copy_n(x.shape().begin(), from + 1, extents.begin());
  for (std::size_t axis = from + 1; axis <= to; ++axis) extents[from] *= x.shape()[axis];
  std::copy(x.shape().begin() + to + 1, x.shape().end(), extents.begin() + from + 1);
  const std::size_t rank = x.rank() - (to - from);
  return reshape_as("flatten", x, shape(std::span<const std::size_t>(extents.data(), rank)));
}

#define INSTANTIATE(T)                                                                           \
  template tensor<T> view(const tensor<T>&, const view_layout&);                                 \
  template tensor<T> transpose(const tensor<T>&);                                                \
  template tensor<T> swap_axes(const tensor<T>&, std::ptrdiff_t, std::ptrdiff_t);                \
  template tensor<T> permute(const tensor<T>&, std::span<const std::ptrdiff_t>);                 \
  template tensor<T> flip(const tensor<T>&, std::span<const std::ptrdiff_t>);                    \
  template tensor<T> diagonal(const tensor<T>&, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t); \
  template tensor<T> expand(const tensor<T>&, const shape&);                                     \
  template tensor<T> unsqueeze(const tensor<T>&, std::ptrdiff_t);                                \
  template tensor<T> squeeze(const tensor<T>&);                                                  \
  template tensor<T> squeeze(const tensor<T>&, std::ptrdiff_t);                                  \
  template tensor<T> reshape(const tensor<T>&, const shape&);                                    \
  template tensor<T> reshape(const tensor<T>&, std::initializer_list<wanted_extent>);            \
  template tensor<T> flatten(const tensor<T>&, std::ptrdiff_t, std::ptrdiff_t);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
