#include <autodiff/tensor/view.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace autodiff {
namespace {

std::ptrdiff_t signed_extent(const shape& s, std::size_t axis) {
  return static_cast<std::ptrdiff_t>(s[axis]);
}

template <class T>
tensor<T> permute_as(const operation_rule& operation, const tensor<T>& x, const axis_list& order) {
  view_layout layout(operation);
  for (const std::size_t axis : order) layout.keep_axis(x.shape(), axis);
  return view(x, layout);
}

template <class T>
tensor<T> swap_as(const operation_rule& operation, const tensor<T>& x, std::ptrdiff_t first,
                  std::ptrdiff_t second) {
  axis_list order{{}, x.rank()};
  std::iota(order.at.begin(), order.at.end(), 0u);
  std::swap(order.at[x.shape().axis(first, operation)],
            order.at[x.shape().axis(second, operation)]);
  return permute_as(operation, x, order);
}

/// Without the axes that `goes` names, whose extents are 1.
template <class T, class Predicate>
tensor<T> without(const operation_rule& operation, const tensor<T>& x, Predicate&& goes) {
  view_layout layout(operation);
  for (std::size_t axis = 0; axis < x.rank(); ++axis) {
    if (!goes(axis)) layout.keep_axis(x.shape(), axis);
  }
  return view(x, layout);
}

template <class T>
tensor<T> reshape_as(const operation_rule& operation, const tensor<T>& x, const shape& s) {
  return record(
      operation, x.stored().reshaped(s),
      [](const array<T>& dy, input_adjoint<T> dx) { dx->add(dy); }, x);
}

constexpr operation_rule of_squeeze{"squeeze", "y = x without axes of extent 1", "x̄ = ȳ with them"},
    of_flatten{"flatten", "y = x with axes joined", "x̄ = ȳ in the shape of x"};

}  // namespace

template <class T>
tensor<T> transpose(const tensor<T>& x) {
  if (x.rank() < 2) {
    throw shape_error("transpose", fmt::format("the tensor has shape {}", to_string(x.shape())),
                      "rows and columns need rank 2 or more; reshape it");
  }
  static constexpr operation_rule rule{"transpose", "y = xᵀ", "x̄ = ȳᵀ"};
  return swap_as(rule, x, -2, -1);
}

template <class T>
tensor<T> swap_axes(const tensor<T>& x, std::ptrdiff_t first, std::ptrdiff_t second) {
  static constexpr operation_rule rule{"swap_axes", "y = x with two axes swapped",
                                       "x̄ = ȳ with them swapped back"};
  return swap_as(rule, x, first, second);
}

template <class T>
tensor<T> permute(const tensor<T>& x, const axes& order) {
  if (order.list().size() != x.rank()) {
    throw shape_error("permute",
                      fmt::format("the order ({}) does not fit shape {}",
                                  fmt::join(order.list(), ", "), to_string(x.shape())),
                      "name each axis once");
  }
  static constexpr operation_rule rule{"permute", "y = x with its axes in another order",
                                       "x̄ = ȳ with them in the order of x"};
  return permute_as(rule, x, order.of(x.shape(), "permute"));
}

template <class T>
tensor<T> flip(const tensor<T>& x, const axes& over) {
  static constexpr operation_rule rule{"flip", "y = x reversed", "x̄ = ȳ reversed"};
  view_layout layout(rule);
  for (std::size_t axis = 0; axis < x.rank(); ++axis) layout.keep_axis(x.shape(), axis);
  for (const std::size_t axis : over.of(x.shape(), "flip"))
    layout.set_walk(axis, {signed_extent(x.shape(), axis) - 1, -1, axis});
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
  static constexpr operation_rule rule{"diagonal", "y = diagonal of x",
                                       "x̄ = ȳ on the diagonal, else 0"};
  view_layout layout(rule);
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
  static constexpr operation_rule rule{"expand", "y = x, repeated", "x̄ = Σ ȳ over the repetitions"};
  view_layout layout(rule);
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
  static constexpr operation_rule rule{"unsqueeze", "y = x with one axis more", "x̄ = ȳ without it"};
  view_layout layout(rule);
  for (std::size_t old = 0; old <= x.rank(); ++old) {
    if (old == place) layout.add_axis(1);
    if (old < x.rank()) layout.keep_axis(x.shape(), old);
  }
  return view(x, layout);
}

template <class T>
tensor<T> squeeze(const tensor<T>& x) {
  return without(of_squeeze, x, [&](std::size_t axis) { return x.shape()[axis] == 1; });
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
  return without(of_squeeze, x, [&](std::size_t each) { return each == gone; });
}

template <class T>
tensor<T> reshape(const tensor<T>& x, const shape& s) {
  if (x.size() != s.size()) {
    throw shape_error("reshape",
                      fmt::format("{} holds {} elements and {} holds {}", to_string(x.shape()),
                                  x.size(), to_string(s), s.size()),
                      "choose a shape of the same size, or leave one extent open: {3, -1}");
  }
  static constexpr operation_rule rule{"reshape", "y = x in another shape",
                                       "x̄ = ȳ in the shape of x"};
  return reshape_as(rule, x, s);
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
  if (x.rank() == 0) return reshape_as(of_flatten, x, shape{1});
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
  return reshape_as(of_flatten, x, shape(std::span<const std::size_t>(extents.data(), rank)));
}

#define INSTANTIATE(T)                                                                           \
  template tensor<T> transpose(const tensor<T>&);                                                \
  template tensor<T> swap_axes(const tensor<T>&, std::ptrdiff_t, std::ptrdiff_t);                \
  template tensor<T> permute(const tensor<T>&, const axes&);                                     \
  template tensor<T> flip(const tensor<T>&, const axes&);                                        \
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
