#include <autodiff/tensor/indexing.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/strides.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace autodiff {

namespace {

/// Throws shape_error when an index along this axis of s is not there.
void require_inside(const index_array& indices, const shape& s, std::size_t axis,
                    std::string_view operation, std::string_view what) {
  const auto outside = indices.first_outside(s[axis]);
  if (!outside) return;
  throw shape_error(operation,
                    fmt::format("there is no {} {}, along axis {} of shape {}", what,
                                indices.describe(*outside), axis, to_string(s)),
                    s[axis] == 0 ? "an axis of extent 0 has nothing to pick"
                                 : fmt::format("indices run from 0 to {}", s[axis] - 1));
}

/// Slices of x, seen as outer x extent x inner, by their index along the middle.
template <class T>
tensor<T> pick_slices(const operation_rule& operation, const tensor<T>& x, const axis_view& along,
                      const index_array& indices, const shape& result) {
  array<T> y(result);
  T* out = y.writable();
  for (std::size_t outer = 0; outer < along.outer; ++outer) {
    const T* from = x.values().data() + outer * along.extent * along.inner;
    if (along.inner == 1) {
      for (const std::int64_t index : indices.values()) *out++ = from[index];
    } else {
      for (const std::int64_t index : indices.values()) {
        out = std::copy_n(from + static_cast<std::size_t>(index) * along.inner, along.inner, out);
      }
    }
  }
  return record(
      operation, std::move(y),
      [along, indices](const array<T>& dy, input_adjoint<T> dx) {
        T* into = dx->open_zeroed();
        const T* from = dy.data();
        for (std::size_t outer = 0; outer < along.outer; ++outer) {
          for (const std::int64_t index : indices.values()) {
            T* slice = into + static_cast<std::size_t>(index) * along.inner;
            for (std::size_t i = 0; i < along.inner; ++i) slice[i] += from[i];
            from += along.inner;
          }
          into += along.extent * along.inner;
        }
      },
      x);
}

template <class T>
tensor<T> pick_along(const operation_rule& operation, std::string_view what, const tensor<T>& x,
                     std::size_t axis, const index_array& indices) {
  if (indices.rank() != 1) {
    throw shape_error(operation,
                      fmt::format("the indices have shape {}", to_string(indices.shape())),
                      "pass a list of them; gather takes indices of any shape");
  }
  require_inside(indices, x.shape(), axis, operation, what);
  return pick_slices(operation, x, axis_view(x.shape(), axis), indices,
                     x.shape().with_extent(axis, indices.size()));
}

}  // namespace

template <class T>
tensor<T> index_select(const tensor<T>& x, std::ptrdiff_t axis, const index_array& indices) {
  static constexpr operation_rule rule{"index_select", "y[k] = x[i[k]] along an axis",
                                       "x̄[i[k]] = Σ ȳ[k] over its picks, else 0"};
  return pick_along(rule, "index", x, x.shape().axis(axis, "index_select"), indices);
}

template <class T>
tensor<T> take_rows(const tensor<T>& x, const index_array& indices) {
  if (x.rank() == 0) {
    throw shape_error("take_rows", "a tensor of rank 0 has no rows", "reshape it");
  }
  static constexpr operation_rule rule{"take_rows", "y[k] = x[i[k]]",
                                       "x̄[i[k]] = Σ ȳ[k] over its picks, else 0"};
  return pick_along(rule, "row", x, 0, indices);
}

template <class T>
tensor<T> masked_select(const tensor<T>& x, const mask& m) {
  if (m.shape() != x.shape()) {
    throw shape_error("masked_select",
                      fmt::format("a mask of shape {} on a tensor of shape {}",
                                  to_string(m.shape()), to_string(x.shape())),
                      "the shapes must be equal; where chooses with broadcasting");
  }
  array<std::int64_t> places(shape{m.count()});
  std::int64_t* next = places.writable();
  for (std::size_t i = 0; i < m.size(); ++i) {
    if (m.values()[i]) *next++ = static_cast<std::int64_t>(i);
  }
  const shape flat{x.size()};
  static constexpr operation_rule rule{"masked_select", "y = the elements of x where m",
                                       "x̄ = ȳ where m, else 0"};
  return pick_slices(rule, x, axis_view(flat, 0), index_array(std::move(places)), shape{m.count()});
}

namespace {

/// The elements that indices pick along an axis: a walk of x (without that axis), the indices and
/// the result, and how far x advances by one index.
struct gather_walk {
  strided_walk<3> walk;
  std::ptrdiff_t step;

  /// Calls visit(place in x, place in the result) for each pick.
  template <class Visitor>
  void for_each(std::span<const std::int64_t> indices, Visitor&& visit) const {
    walk.for_each_row([&](const auto& at) {
      auto [in_x, in_indices, in_y] = at;
      for (std::size_t i = 0; i < walk.row_size(); ++i) {
        visit(in_x + indices[static_cast<std::size_t>(in_indices)] * step, in_y);
        in_x += walk.stride(0);
        in_indices += walk.stride(1);
        in_y += walk.stride(2);
      }
    });
  }
};

gather_walk walk_of_gather(const shape& x, std::size_t axis, const shape& indices,
                           const shape& result) {
  const auto of_x = row_major_strides(x), of_indices = row_major_strides(indices),
             of_result = row_major_strides(result);
  gather_walk picks{{}, of_x[axis]};
  for (std::size_t i = 0; i < x.rank(); ++i) {
    picks.walk.add(result[i],
                   {i == axis ? 0 : of_x[i], indices[i] == 1 ? 0 : of_indices[i], of_result[i]});
  }
  return picks;
}

/// The shape that indices pick from a tensor of shape x.
shape gathered(const shape& x, std::size_t axis, const index_array& indices,
               std::string_view operation) {
  bool fits = indices.rank() == x.rank();
  for (std::size_t i = 0; fits && i < x.rank(); ++i) {
    fits = i == axis || indices.shape()[i] == x[i] || indices.shape()[i] == 1;
  }
  if (!fits) {
    throw shape_error(operation,
                      fmt::format("indices of shape {} do not fit {} along axis {}",
                                  to_string(indices.shape()), to_string(x), axis),
                      "give them the rank of the tensor, and beside the axis its extents or 1");
  }
  require_inside(indices, x, axis, operation, "index");
  return x.with_extent(axis, indices.shape()[axis]);
}

}  // namespace

template <class T>
tensor<T> gather(const tensor<T>& x, std::ptrdiff_t axis, const index_array& indices) {
  const std::size_t along = x.shape().axis(axis, "gather");
  array<T> y(gathered(x.shape(), along, indices, "gather"));
  const gather_walk picks = walk_of_gather(x.shape(), along, indices.shape(), y.shape());
  const T* from = x.values().data();
  T* out = y.writable();
  picks.for_each(indices.values(),
                 [&](std::ptrdiff_t in_x, std::ptrdiff_t in_y) { out[in_y] = from[in_x]; });
  static constexpr operation_rule rule{"gather", "y[k] = x[i[k]] along an axis",
                                       "x̄[i[k]] = Σ ȳ[k] over its picks, else 0"};
  return record(
      rule, std::move(y),
      [picks, indices](const array<T>& dy, input_adjoint<T> dx) {
        T* into = dx->open_zeroed();
        picks.for_each(indices.values(), [&](std::ptrdiff_t in_x, std::ptrdiff_t in_y) {
          into[in_x] += dy.data()[in_y];
        });
      },
      x);
}

namespace {

/// y holds the values of base, or zeros where base is an empty constant.
template <class T>
tensor<T> scatter(array<T> y, const tensor<T>& base, std::ptrdiff_t axis,
                  const index_array& indices, const tensor<T>& values) {
  const std::size_t along = y.shape().axis(axis, "scatter_add");
  const shape picked = gathered(y.shape(), along, indices, "scatter_add");
  if (values.shape() != picked) {
    throw shape_error(
        "scatter_add",
        fmt::format("values of shape {} for indices of shape {} into {}", to_string(values.shape()),
                    to_string(indices.shape()), to_string(y.shape())),
        fmt::format("give them the shape {}", to_string(picked)));
  }
  const gather_walk picks = walk_of_gather(y.shape(), along, indices.shape(), picked);
  const T* from = values.values().data();
  T* out = y.writable();
  picks.for_each(indices.values(), [&](std::ptrdiff_t in_y, std::ptrdiff_t in_values) {
    out[in_y] += from[in_values];
  });
  static constexpr operation_rule rule{"scatter_add", "y = a, then y[i[k]] += b[k]",
                                       "ā = ȳ, b̄[k] = ȳ[i[k]]"};
  return record(
      rule, std::move(y),
      [picks, indices](const array<T>& dy, input_adjoint<T> dbase, input_adjoint<T> dvalues) {
        if (dbase) dbase->add(dy);
        if (!dvalues) return;
        const auto into = dvalues->open();
        picks.for_each(indices.values(), [&](std::ptrdiff_t in_y, std::ptrdiff_t in_values) {
          T& share = into.data[in_values];
          share = into.how == store::write ? dy.data()[in_y] : T(share + dy.data()[in_y]);
        });
      },
      base, values);
}

}  // namespace

template <class T, std::same_as<tensor<T>> Base>
tensor<T> scatter_add(const Base& base, std::ptrdiff_t axis, const index_array& indices,
                      const tensor<T>& values) {
  return scatter(base.stored(), base, axis, indices, values);
}

template <class T>
tensor<T> scatter_add(const shape& s, std::ptrdiff_t axis, const index_array& indices,
                      const tensor<T>& values) {
  return scatter(array<T>(s, T(0)), tensor<T>(), axis, indices, values);
}

template <class T>
tensor<T> one_hot(const index_array& labels, std::size_t classes) {
  if (const auto outside = labels.first_outside(classes)) {
    throw shape_error("one_hot",
                      fmt::format("label {} with {} classes", labels.describe(*outside), classes),
                      "labels run from 0 to classes - 1");
  }
  if (labels.rank() == most_dimensions) {
    throw shape_error(
        "one_hot", fmt::format("labels of shape {} and one axis more", to_string(labels.shape())),
        fmt::format("a tensor has at most {} dimensions", most_dimensions));
  }
  std::array<std::size_t, most_dimensions> extents{};
  std::copy(labels.shape().begin(), labels.shape().end(), extents.begin());
  extents[labels.rank()] = classes;
  array<T> y(shape(std::span<const std::size_t>(extents.data(), labels.rank() + 1)), T(0));
  T* row = y.writable();
  for (const std::int64_t label : labels.values()) {
    row[label] = T(1);
    row += classes;
  }
  return tensor<T>(std::move(y));
}

#define INSTANTIATE(T)                                                                   \
  template tensor<T> index_select(const tensor<T>&, std::ptrdiff_t, const index_array&); \
  template tensor<T> take_rows(const tensor<T>&, const index_array&);                    \
  template tensor<T> masked_select(const tensor<T>&, const mask&);                       \
  template tensor<T> gather(const tensor<T>&, std::ptrdiff_t, const index_array&);       \
  template tensor<T> scatter_add(const tensor<T>&, std::ptrdiff_t, const index_array&,   \
                                 const tensor<T>&);                                      \
  template tensor<T> scatter_add(const shape&, std::ptrdiff_t, const index_array&,       \
                                 const tensor<T>&);                                      \
  template tensor<T> one_hot(const index_array&, std::size_t);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
