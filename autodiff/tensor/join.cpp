#include <autodiff/tensor/join.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/noted.hpp>
#include <autodiff/tensor/strides.hpp>
#include <autodiff/tensor/transfer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

namespace autodiff {
namespace {

// Extents of results, which a negative number that became a large one would make small again.

[[noreturn]] void refuse_extent(std::string_view operation, std::size_t a, char sign,
                                std::size_t b) {
  throw shape_error(operation, fmt::format("no axis has the extent {} {} {}", a, sign, b),
                    "check for a negative number that became a large one");
}

std::size_t sum_of(std::string_view operation, std::size_t a, std::size_t b) {
  if (a > std::numeric_limits<std::size_t>::max() - b) refuse_extent(operation, a, '+', b);
  return a + b;
}

std::size_t product_of(std::string_view operation, std::size_t a, std::size_t b) {
  if (b != 0 && a > std::numeric_limits<std::size_t>::max() / b)
    refuse_extent(operation, a, '*', b);
  return a * b;
}

// Joining along an axis is placing matrices side by side: extents before the axis are rows, the
// axis and those behind it columns.

/// A matrix of so many columns (operand 0) inside one of more (operand 1).
strided_walk<2> block(std::size_t rows, std::size_t columns, std::size_t columns_of_whole) {
  strided_walk<2> walk;
  walk.add(rows,
           {static_cast<std::ptrdiff_t>(columns), static_cast<std::ptrdiff_t>(columns_of_whole)});
  walk.add(columns, {1, 1});
  return walk;
}

/// A tensor that was joined from any number of others.
template <class T>
class joined_operation final : public owning_tensor_node<T> {
 public:
  /// What one input contributed; a passive one has no node.
  struct piece {
    tensor_node<T>* node;
    std::size_t columns;
  };
  joined_operation(const shape& s, std::size_t rows, array<piece> pieces)
      : owning_tensor_node<T>(s), rows_(rows), pieces_(std::move(pieces)) {}
  void sweep(tape& t, std::uint32_t) override {
    if (!this->adjoint().has_storage()) return;
    const std::size_t whole = rows_ == 0 ? 0 : this->shape().size() / rows_;
    const T* dy = this->adjoint().data();
    for (const piece& p : pieces_.values()) {
      if (p.node) {
        const auto into = p.node->open();
        transfer<1, 0>(block(rows_, p.columns, whole), dy, into.data, into.how);
      }
      dy += p.columns;
    }
    this->release_unless_kept(t);
  }

 private:
  std::size_t rows_;
  array<piece> pieces_;
};

/// The tensors of a list as blocks of `rows` rows, side by side in a tensor of shape `s`.
template <class T>
tensor<T> join(const operation_rule& operation, std::span<const tensor<T>> list, std::size_t rows,
               const shape& s) {
  const auto columns = [rows](std::size_t size) { return rows == 0 ? 0 : size / rows; };
  array<T> y(s);
  T* out = y.writable();
  tag_type tags = 0;
  for (const tensor<T>& x : list) {
    transfer<0, 1>(block(rows, columns(x.size()), columns(s.size())), x.values().data(), out,
                   store::write);
    out += columns(x.size());
    tags |= x.tag();
  }
  if (tags == 0) return tensor<T>(std::move(y));
  using operation_type = joined_operation<T>;
  tape& t = recording_tape(operation, tags);
  array<typename operation_type::piece> pieces(shape{list.size()});
  std::transform(list.begin(), list.end(), pieces.writable(), [&](const tensor<T>& x) {
    return typename operation_type::piece{find_adjoint(t, x, operation).operator->(),
                                          columns(x.size())};
  });
  t.add_operation<operation_type>(0, s, rows, std::move(pieces));
  if (t.is_explained()) {
    noted_operation joined{t.end().operations - 1, operation, noted(y), {}};
    for (const tensor<T>& x : list) joined.operands.push_back(noted_input(t, x));
    t.notes().write().operations.push_back(std::move(joined));
  }
  return tensor<T>(std::move(y), t.operation_tag(), t.serial());
}

template <class T>
const shape& shape_of_first(std::string_view operation, std::span<const tensor<T>> list) {
  if (list.empty()) throw shape_error(operation, "the list is empty", "pass at least one tensor");
  return list.front().shape();
}

}  // namespace

template <class T>
tensor<T> concat(std::span<const tensor<T>> list, std::ptrdiff_t axis) {
  const shape& first = shape_of_first("concat", list);
  if (first.rank() == 0) {
    throw shape_error("concat", "tensors of rank 0 have no axis to be joined along",
                      "stack them along a new one");
  }
  const std::size_t along = first.axis(axis, "concat");
  std::size_t total = 0;
  for (const tensor<T>& x : list) {
    const shape& s = x.shape();
    if (s.rank() != first.rank() || s.with_extent(along, first[along]) != first) {
      throw shape_error("concat",
                        fmt::format("tensor {} has shape {} and tensor 0 has {}", &x - list.data(),
                                    to_string(s), to_string(first)),
                        fmt::format("all extents but that of axis {} must be equal", along));
    }
    total = sum_of("concat", total, s[along]);
  }
  static constexpr operation_rule rule{"concat", "y = [a | b | ...]",
                                       "ā, b̄, ... are the parts of ȳ"};
  return join(rule, list, axis_view(first, along).outer, first.with_extent(along, total));
}

template <class T>
tensor<T> stack(std::span<const tensor<T>> list, std::ptrdiff_t axis) {
  const shape& first = shape_of_first("stack", list);
  for (const tensor<T>& x : list) {
    if (x.shape() == first) continue;
    throw shape_error("stack",
                      fmt::format("tensor {} has shape {} and tensor 0 has {}", &x - list.data(),
                                  to_string(x.shape()), to_string(first)),
                      "all shapes must be equal; join different ones with concat");
  }
  if (first.rank() == most_dimensions) {
    throw shape_error("stack",
                      fmt::format("shape {} has {} dimensions and the result one more",
                                  to_string(first), first.rank()),
                      fmt::format("a tensor has at most {}", most_dimensions));
  }
  std::array<std::size_t, most_dimensions> extents{};
  const std::span<const std::size_t> result(extents.data(), first.rank() + 1);
  std::copy(first.begin(), first.end(), extents.begin());
  extents[first.rank()] = list.size();
  const std::size_t along = shape(result).axis(axis, "stack");
  std::rotate(extents.begin() + along, extents.begin() + first.rank(),
              extents.begin() + first.rank() + 1);
  const shape s(result);
  static constexpr operation_rule rule{"stack", "y = [a, b, ...] along a new axis",
                                       "ā = ȳ[0], b̄ = ȳ[1], ..."};
  return join(rule, list, axis_view(s, along).outer, s);
}

template <class T>
tensor<T> pad(const tensor<T>& x, std::span<const padding> of_axes,
              const std::type_identity_t<T>& value) {
  const shape& s = x.shape();
  if (of_axes.size() != s.rank()) {
    throw shape_error("pad", fmt::format("{} paddings for shape {}", of_axes.size(), to_string(s)),
                      "pass one per axis, {before, after} each");
  }
  std::array<std::size_t, most_dimensions> extents{};
  for (std::size_t axis = 0; axis < s.rank(); ++axis) {
    const auto& [before, after] = of_axes[axis];
    extents[axis] = sum_of("pad", sum_of("pad", before, s[axis]), after);
  }
  array<T> y(shape(std::span<const std::size_t>(extents.data(), s.rank())), value);
  const auto strides_of_x = row_major_strides(s), strides_of_y = row_major_strides(y.shape());
  strided_walk<2> walk;
  std::ptrdiff_t first = 0;
  for (std::size_t axis = 0; axis < s.rank(); ++axis) {
    walk.add(s[axis], {strides_of_x[axis], strides_of_y[axis]});
    first += static_cast<std::ptrdiff_t>(of_axes[axis].before) * strides_of_y[axis];
  }
  transfer<0, 1>(walk, x.values().data(), y.writable() + first, store::write);
  static constexpr operation_rule rule{"pad", "y = x with a border", "x̄ = ȳ without the border"};
  return record(
      rule, std::move(y),
      [walk, first](const array<T>& dy, input_adjoint<T> dx) {
        const auto into = dx->open();
        transfer<1, 0>(walk, dy.data() + first, into.data, into.how);
      },
      x);
}

namespace {

/// Every copy of x (operand 0) in y (operand 1).
strided_walk<2, 2 * most_dimensions> tile_walk(const shape& x, const shape& y) {
  const auto strides_of_x = row_major_strides(x), strides_of_y = row_major_strides(y);
  strided_walk<2, 2 * most_dimensions> walk;
  for (std::size_t axis = 0; axis < y.rank(); ++axis) {
    const std::size_t missing = y.rank() - x.rank();
    const std::size_t extent = axis < missing ? 1 : x[axis - missing];
    const std::size_t copies = extent == 0 ? 0 : y[axis] / extent;
    walk.add(copies, {0, static_cast<std::ptrdiff_t>(extent) * strides_of_y[axis]});
    walk.add(extent, {axis < missing ? 0 : strides_of_x[axis - missing], strides_of_y[axis]});
  }
  return walk;
}

}  // namespace

template <class T>
tensor<T> tile(const tensor<T>& x, std::span<const std::size_t> counts) {
  const shape& s = x.shape();
  const std::size_t rank = std::max(s.rank(), counts.size());
  if (rank > most_dimensions) {
    throw shape_error("tile", fmt::format("{} counts", counts.size()),
                      fmt::format("a tensor has at most {} dimensions", most_dimensions));
  }
  std::array<std::size_t, most_dimensions> extents;
  extents.fill(1);
  for (std::size_t i = 1; i <= s.rank(); ++i) extents[rank - i] = s[s.rank() - i];
  for (std::size_t i = 1; i <= counts.size(); ++i) {
    std::size_t& extent = extents[rank - i];
    extent = product_of("tile", extent, counts[counts.size() - i]);
  }
  array<T> y(shape(std::span<const std::size_t>(extents.data(), rank)));
  transfer<0, 1>(tile_walk(s, y.shape()), x.values().data(), y.writable(), store::write);
  static constexpr operation_rule rule{"tile", "y = copies of x side by side",
                                       "x̄ = Σ ȳ over the copies"};
  return record(
      rule, std::move(y),
      [](const array<T>& dy, input_adjoint<T> dx) {
        transfer<1, 0>(tile_walk(dx->shape(), dy.shape()), dy.data(), dx->open_zeroed(),
                       store::add);
      },
      x);
}

template <class T>
tensor<T> repeat(const tensor<T>& x, std::size_t count, std::ptrdiff_t axis) {
  const std::size_t along = x.shape().axis(axis, "repeat");
  const shape result = x.shape().with_extent(along, product_of("repeat", x.shape()[along], count));
  const axis_view at(x.shape(), along);
  const auto step = static_cast<std::ptrdiff_t>(at.inner);
  strided_walk<2, 3> walk;
  walk.add(at.outer * at.extent, {step, step * static_cast<std::ptrdiff_t>(count)});
  walk.add(count, {0, step});
  walk.add(at.inner, {1, 1});
  array<T> y(result);
  transfer<0, 1>(walk, x.values().data(), y.writable(), store::write);
  static constexpr operation_rule rule{"repeat", "y = x, each slice repeated",
                                       "x̄ = Σ ȳ over the repetitions"};
  return record(
      rule, std::move(y),
      [walk](const array<T>& dy, input_adjoint<T> dx) {
        transfer<1, 0>(walk, dy.data(), dx->open_zeroed(), store::add);
      },
      x);
}

#define INSTANTIATE(T)                                                          \
  template tensor<T> concat(std::span<const tensor<T>>, std::ptrdiff_t);        \
  template tensor<T> stack(std::span<const tensor<T>>, std::ptrdiff_t);         \
  template tensor<T> pad(const tensor<T>&, std::span<const padding>, const T&); \
  template tensor<T> tile(const tensor<T>&, std::span<const std::size_t>);      \
  template tensor<T> repeat(const tensor<T>&, std::size_t, std::ptrdiff_t);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
