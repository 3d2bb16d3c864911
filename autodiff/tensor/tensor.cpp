#include <autodiff/tensor/tensor.hpp>

#include <autodiff/error.hpp>
#include <autodiff/stream_formatter.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

template <class T, std::size_t N>
struct fmt::formatter<autodiff::dual<T, N>> : autodiff::stream_formatter {};

namespace autodiff {
namespace {

// Longer axes print their first and last three entries.
constexpr std::size_t longest_printed = 12, printed_ends = 3;

template <class T>
void print(std::string& out, const shape& s, std::size_t axis, const T* values,
           std::size_t indent) {
  if (axis == s.rank()) {
    out += fmt::format("{}", *values);
    return;
  }
  std::size_t stride = 1;
  for (std::size_t i = axis + 1; i < s.rank(); ++i) stride *= s[i];
  const bool innermost = axis + 1 == s.rank();
  out += '[';
  for (std::size_t i = 0; i < s[axis]; ++i) {
    if (i > 0) out += innermost ? ", " : ",\n" + std::string(indent + 1, ' ');
    if (s[axis] > longest_printed && i == printed_ends) {
      out += innermost ? "..., " : "...,\n" + std::string(indent + 1, ' ');
      i = s[axis] - printed_ends;
    }
    print(out, s, axis + 1, values + i * stride, indent + 1);
  }
  out += ']';
}

[[noreturn]] void refuse_ragged(const std::string& what) {
  throw shape_error("tensor", what, "give every list of one depth as many entries");
}

/// The extents of nested lists, read off the first entry at each depth; [0] for no entries.
template <class T>
shape shape_of(std::initializer_list<nested_list<T>> list) {
  std::array<std::size_t, most_dimensions> extents{};
  std::size_t rank = 0;
  for (const auto* at = &list;; at = &at->begin()->list()) {
    if (rank == most_dimensions) {
      throw shape_error("tensor", fmt::format("braces are nested deeper than {}", most_dimensions),
                        "a tensor has at most so many dimensions");
    }
    extents[rank++] = at->size();
    if (at->size() == 0 || at->begin()->is_number()) break;
  }
  return shape(std::span<const std::size_t>(extents.data(), rank));
}

/// Writes the numbers of a list that should have the extents of s from `axis` on; returns the end.
template <class T>
T* copy_numbers(std::initializer_list<nested_list<T>> list, const shape& s, std::size_t axis,
                T* out) {
  if (list.size() != s[axis]) {
    refuse_ragged(
        fmt::format("a list has {} entries and the first beside it {}", list.size(), s[axis]));
  }
  for (const nested_list<T>& entry : list) {
    if (entry.is_number() != (axis + 1 == s.rank())) refuse_ragged("a number stands beside a list");
    if (entry.is_number())
      *out++ = entry.number();
    else
      out = copy_numbers(entry.list(), s, axis + 1, out);
  }
  return out;
}

}  // namespace

namespace tensor_errors {

void recorded_values() {
  throw tape_error("mutable_values",
                   "the tensor is recorded, and its record needs the values as they are",
                   "change a copy: auto copy = x.detached()");
}

void not_one_item(const shape& s) {
  throw shape_error("item", fmt::format("the tensor has shape {}", to_string(s)),
                    "only a tensor with one element has an item; read value(i, ...) or values()");
}

void not_scalar(std::string_view operation, const shape& s) {
  throw shape_error(
      operation, fmt::format("the output has shape {}", to_string(s)),
      "reduce it to one element (sum, mean, an element), or pass a cotangent of its shape");
}

void cotangent_shape(std::string_view operation, const shape& y, const shape& cotangent) {
  throw shape_error(operation,
                    fmt::format("the output has shape {} and the cotangent {}", to_string(y),
                                to_string(cotangent)),
                    "pass a cotangent of the output's shape");
}

void adjoint_released(std::string_view operation, const shape& s) {
  throw tape_error(operation,
                   fmt::format("the sweep kept leaves_only and gave back this adjoint of shape {}",
                               to_string(s)),
                   "call tape.keep(x) before backward, or backward(y, keep_all)");
}

void recorded_argument(std::string_view operation, const shape& s) {
  throw tape_error(
      operation,
      fmt::format("an argument of shape {} is recorded on a tape already, and tensors "
                  "have none of higher order",
                  to_string(s)),
      "pass x.detached() to take it as a constant, or elements(x) to nest derivatives");
}

}  // namespace tensor_errors

template <class T>
tensor<T>::tensor(const autodiff::shape& s, std::span<const T> values)
    : values_(s, std::span<const T>()) {
  if (values.size() != s.size()) {
    throw shape_error("tensor",
                      fmt::format("{} values for shape {}, which holds {}", values.size(),
                                  autodiff::to_string(s), s.size()),
                      "pass one value per element, row by row");
  }
  std::copy(values.begin(), values.end(), values_.writable());
}

template <class T>
tensor<T>::tensor(std::initializer_list<nested_list<T>> values) : values_(shape_of(values)) {
  copy_numbers(values, shape(), 0, values_.writable());
}

template <class T>
std::string to_string(const tensor<T>& x) {
  std::string text;
  if (x.stored().has_storage())
    print(text, x.shape(), 0, x.values().data(), 0);
  else
    text = "[]";
  return text;
}

template <class T>
std::ostream& operator<<(std::ostream& out, const tensor<T>& x) {
  return out << to_string(x);
}

#define INSTANTIATE(T)                              \
  template class tensor<T>;                         \
  template std::string to_string(const tensor<T>&); \
  template std::ostream& operator<<(std::ostream&, const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
