#include <autodiff/tensor/triangle.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace autodiff {
namespace {

/// Which part of each row of a matrix belongs to a triangle.
struct triangle {
  bool is_upper;
  std::ptrdiff_t diagonal;
  std::size_t rows, columns;

  struct part {
    std::size_t from, to;
  };
  part of_row(std::size_t row) const {
    const auto width = static_cast<std::ptrdiff_t>(columns);
    const std::ptrdiff_t on_diagonal = static_cast<std::ptrdiff_t>(row) + diagonal;
    const auto edge = [&](std::ptrdiff_t column) {
      return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(column, 0, width));
    };
    return is_upper ? part{edge(on_diagonal), columns} : part{0, edge(on_diagonal + 1)};
  }
};

template <class T>
void copy_triangle(const triangle& t, std::size_t size, const T* from, T* to, store how) {
  for (std::size_t row = 0; row * t.columns < size; ++row, from += t.columns, to += t.columns) {
    const triangle::part inside = t.of_row(row % t.rows);
    if (how == store::write) {
      std::fill(to, to + inside.from, T(0));
      std::copy(from + inside.from, from + inside.to, to + inside.from);
      std::fill(to + inside.to, to + t.columns, T(0));
    } else {
      for (std::size_t i = inside.from; i < inside.to; ++i) to[i] += from[i];
    }
  }
}

template <class T>
tensor<T> cut_triangle(const operation_rule& operation, bool is_upper, const tensor<T>& x,
                       std::ptrdiff_t k) {
  const shape& s = x.shape();
  if (s.rank() < 2) {
    throw shape_error(operation, fmt::format("the tensor has shape {}", to_string(s)),
                      "a triangle needs rows and columns; reshape it");
  }
  const std::size_t rows = s[s.rank() - 2], columns = s[s.rank() - 1];
  // Every diagonal beyond the corners cuts like the first of them.
  const std::ptrdiff_t diagonal = std::clamp(k, -static_cast<std::ptrdiff_t>(rows) - 1,
                                             static_cast<std::ptrdiff_t>(columns) + 1);
  const triangle t{is_upper, diagonal, rows, columns};
  array<T> y(s);
  copy_triangle(t, x.size(), x.values().data(), y.writable(), store::write);
  return record(
      operation, std::move(y),
      [t](const array<T>& dy, input_adjoint<T> dx) {
        const auto into = dx->open();
        copy_triangle(t, dy.size(), dy.data(), into.data, into.how);
      },
      x);
}

}  // namespace

template <class T>
tensor<T> upper(const tensor<T>& x, std::ptrdiff_t k) {
  static constexpr operation_rule rule{"upper", "y = upper triangle of x",
                                       "x̄ = upper triangle of ȳ"};
  return cut_triangle(rule, true, x, k);
}

template <class T>
tensor<T> lower(const tensor<T>& x, std::ptrdiff_t k) {
  static constexpr operation_rule rule{"lower", "y = lower triangle of x",
                                       "x̄ = lower triangle of ȳ"};
  return cut_triangle(rule, false, x, k);
}

#define INSTANTIATE(T)                                        \
  template tensor<T> upper(const tensor<T>&, std::ptrdiff_t); \
  template tensor<T> lower(const tensor<T>&, std::ptrdiff_t);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
