#include <autodiff/tensor/slice.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/view_layout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace autodiff {
namespace {

/// An index from the front or the back as one from the front.
std::ptrdiff_t index_in(const shape& s, std::size_t axis, std::ptrdiff_t index,
                        std::string_view operation) {
  const std::ptrdiff_t extent = static_cast<std::ptrdiff_t>(s[axis]);
  if (index < -extent || index >= extent) {
    throw shape_error(
        operation,
        fmt::format("there is no index {} along axis {} of shape {}", index, axis, to_string(s)),
        extent == 0 ? "this axis is empty"
                    : fmt::format("indices run from {} to {}", -extent, extent - 1));
  }
  return index < 0 ? index + extent : index;
}

struct steps {
  std::ptrdiff_t start, step;
  std::size_t count;
};

/// The indices of a range of an axis.
steps resolve(const range& r, std::ptrdiff_t extent, std::string_view operation) {
  if (r.step == 0) {
    throw shape_error(operation, "a range has step 0",
                      "give a step above or below 0; expand() repeats");
  }
  // Where a walk may start and end: backwards, one before the first element.
  const std::ptrdiff_t low = r.step > 0 ? 0 : -1, high = low + extent;
  const auto position = [&](const std::optional<std::ptrdiff_t>& given, std::ptrdiff_t otherwise) {
    if (!given) return otherwise;
    return std::clamp(*given < 0 ? *given + extent : *given, low, high);
  };
  const std::ptrdiff_t start = position(r.start, r.step > 0 ? low : high);
  const std::ptrdiff_t stop = position(r.stop, r.step > 0 ? high : low);
  const std::ptrdiff_t distance = r.step > 0 ? stop - start : start - stop;
  if (distance <= 0) return {0, 0, 0};
  // The magnitude of the lowest number is no std::ptrdiff_t.
  const std::size_t length = r.step > 0 ? static_cast<std::size_t>(r.step)
                                        : std::size_t{0} - static_cast<std::size_t>(r.step);
  const std::size_t count = (static_cast<std::size_t>(distance) - 1) / length + 1;
  return {start, count == 1 ? 0 : r.step, count};
}

constexpr operation_rule of_slice{"slice", "y = x[part]", "x̄[part] = ȳ, else 0"},
    of_select{"select", "y = x[i] along an axis", "x̄[i] = ȳ, else 0"},
    of_unstack{"unstack", "y = x[i] along an axis", "x̄[i] = ȳ, else 0"},
    of_split{"split", "y = x[part]", "x̄[part] = ȳ, else 0"};

template <class T>
tensor<T> slice_as(const operation_rule& operation, const tensor<T>& x,
                   std::span<const axis_part> parts) {
  if (parts.size() > x.rank()) {
    throw shape_error(operation,
                      fmt::format("{} parts for shape {}", parts.size(), to_string(x.shape())),
                      "give at most one range or index per axis");
  }
  view_layout layout(operation);
  for (std::size_t axis = 0; axis < x.rank(); ++axis) {
    if (axis < parts.size() && parts[axis].is_index()) {
      const std::ptrdiff_t index = index_in(x.shape(), axis, parts[axis].index(), operation);
      layout.set_walk(axis, {index, 0, 0});
    } else {
      const range whole, &part = axis < parts.size() ? parts[axis].as_range() : whole;
      const steps taken = resolve(part, static_cast<std::ptrdiff_t>(x.shape()[axis]), operation);
      layout.set_walk(axis, {taken.start, taken.step, layout.add_axis(taken.count)});
    }
  }
  return view(x, layout);
}

/// One part, all of the other axes.
template <class T>
tensor<T> slice_one(const operation_rule& operation, const tensor<T>& x, std::size_t axis,
                    const axis_part& part) {
  std::array<axis_part, most_dimensions> parts{range{}, range{}, range{}, range{},
                                               range{}, range{}, range{}, range{}};
  parts[axis] = part;
  return slice_as<T>(operation, x, std::span(parts).first(axis + 1));
}

template <class T>
tensor<T> piece_of(const tensor<T>& x, std::size_t axis, std::size_t start, std::size_t extent) {
  return slice_one<T>(
      of_split, x, axis,
      range{static_cast<std::ptrdiff_t>(start), static_cast<std::ptrdiff_t>(start + extent)});
}

}  // namespace

template <class T>
tensor<T> slice(const tensor<T>& x, std::span<const axis_part> parts) {
  return slice_as(of_slice, x, parts);
}

template <class T>
tensor<T> slice(const tensor<T>& x, std::ptrdiff_t axis, const range& part) {
  return slice_one<T>(of_slice, x, x.shape().axis(axis, "slice"), part);
}

template <class T>
tensor<T> select(const tensor<T>& x, std::ptrdiff_t axis, std::ptrdiff_t index) {
  return slice_one<T>(of_select, x, x.shape().axis(axis, "select"), index);
}

template <class T>
std::vector<tensor<T>> unstack(const tensor<T>& x, std::ptrdiff_t axis) {
  const std::size_t along = x.shape().axis(axis, "unstack");
  std::vector<tensor<T>> pieces;
  for (std::size_t i = 0; i < x.shape()[along]; ++i)
    pieces.push_back(slice_one<T>(of_unstack, x, along, i));
  return pieces;
}

template <class T>
std::vector<tensor<T>> split(const tensor<T>& x, std::size_t parts, std::ptrdiff_t axis) {
  const std::size_t along = x.shape().axis(axis, "split"), extent = x.shape()[along];
  if (parts == 0 || extent % parts != 0) {
    throw shape_error("split",
                      fmt::format("extent {} of shape {} does not divide into {} equal parts",
                                  extent, to_string(x.shape()), parts),
                      "give a number that divides it, or the extents: split(x, {2, 3}, axis)");
  }
  std::vector<tensor<T>> pieces;
  for (std::size_t i = 0; i < parts; ++i)
    pieces.push_back(piece_of(x, along, i * (extent / parts), extent / parts));
  return pieces;
}

template <class T>
std::vector<tensor<T>> split(const tensor<T>& x, std::span<const std::size_t> pieces,
                             std::ptrdiff_t axis) {
  const std::size_t along = x.shape().axis(axis, "split");
  std::vector<tensor<T>> made;
  std::size_t start = 0;
  for (const std::size_t piece : pieces) {
    if (piece > x.shape()[along] - start) break;
    made.push_back(piece_of(x, along, start, piece));
    start += piece;
  }
  if (made.size() != pieces.size() || start != x.shape()[along]) {
    throw shape_error(
        "split",
        fmt::format("extents {} do not add up to {} along axis {} of shape {}",
                    fmt::join(pieces, " + "), x.shape()[along], axis, to_string(x.shape())),
        "give extents that cover the axis");
  }
  return made;
}

#define INSTANTIATE(T)                                                                  \
  template tensor<T> slice(const tensor<T>&, std::span<const axis_part>);               \
  template tensor<T> slice(const tensor<T>&, std::ptrdiff_t, const range&);             \
  template tensor<T> select(const tensor<T>&, std::ptrdiff_t, std::ptrdiff_t);          \
  template std::vector<tensor<T>> unstack(const tensor<T>&, std::ptrdiff_t);            \
  template std::vector<tensor<T>> split(const tensor<T>&, std::size_t, std::ptrdiff_t); \
  template std::vector<tensor<T>> split(const tensor<T>&, std::span<const std::size_t>, \
                                        std::ptrdiff_t);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
