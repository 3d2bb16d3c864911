#include <autodiff/tensor/tensor.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <ostream>

template <class T, std::size_t N>
struct fmt::formatter<autodiff::dual<T, N>> : fmt::ostream_formatter {};

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

[[noreturn]] void ragged(std::size_t row, std::size_t length, std::size_t first) {
  throw shape_error("tensor",
                    fmt::format("row {} has {} values and row 0 has {}", row, length, first),
                    "give every row the same number of values");
}

}  // namespace

namespace tensor_errors {

void recorded_values() {
  throw tape_error("mutable_values",
                   "the tensor is recorded, and its record needs the values as they are",
                   "change a copy: auto copy = x.detached()");
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
tensor<T>::tensor(std::initializer_list<std::initializer_list<T>> rows)
    : values_(autodiff::shape{rows.size(), rows.size() ? rows.begin()->size() : 0}) {
  T* out = values_.writable();
  for (const auto& row : rows) {
    if (row.size() != rows.begin()->size()) {
      ragged(static_cast<std::size_t>(&row - rows.begin()), row.size(), rows.begin()->size());
    }
    out = std::copy(row.begin(), row.end(), out);
  }
}

template <class T>
tensor<T>::tensor(std::initializer_list<std::initializer_list<std::initializer_list<T>>> matrices) {
  const std::size_t rows = matrices.size() ? matrices.begin()->size() : 0;
  const std::size_t columns = rows ? matrices.begin()->begin()->size() : 0;
  values_ = array<T>(autodiff::shape{matrices.size(), rows, columns});
  T* out = values_.writable();
  for (const auto& matrix : matrices) {
    if (matrix.size() != rows) {
      ragged(static_cast<std::size_t>(&matrix - matrices.begin()), matrix.size(), rows);
    }
    for (const auto& row : matrix) {
      if (row.size() != columns) {
        ragged(static_cast<std::size_t>(&row - matrix.begin()), row.size(), columns);
      }
      out = std::copy(row.begin(), row.end(), out);
    }
  }
}

template <class T>
const T& tensor<T>::item() const {
  if (size() != 1) {
    throw shape_error("item", fmt::format("the tensor has shape {}", autodiff::to_string(shape())),
                      "only a tensor with one element has an item; read value(i, ...) or values()");
  }
  return values_.values()[0];
}

template <class T>
typename tensor_node<T>::place_for_share tensor_node<T>::open() {
  if (adjoint_.has_storage()) return {adjoint_.writable(), store::add};
  return {adjoint_.allocate(), store::write};
}

template <class T>
T* tensor_node<T>::open_zeroed() {
  if (adjoint_.has_storage()) return adjoint_.writable();
  T* const zeros = adjoint_.allocate();
  std::fill_n(zeros, adjoint_.size(), T(0));
  return zeros;
}

template <class T>
void tensor_node<T>::add(const array<T>& share) {
  if (adjoint_.has_storage()) {
    plain<T>().accumulate(share.size(), T(1), share.data(), 1, adjoint_.writable(), store::add);
  } else {
    // Row-major, so that pullbacks need not ask.
    adjoint_ = share.contiguous().reshaped(shape());
  }
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
  template class tensor_node<T>;                    \
  template std::string to_string(const tensor<T>&); \
  template std::ostream& operator<<(std::ostream&, const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
