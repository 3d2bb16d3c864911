#pragma once
// A matrix of plain numbers, row after row: what the formulas of nn/delta/delta.hpp are written in.
// It knows nothing of tapes.

#include <cstddef>
#include <utility>
#include <vector>

namespace nn {

template <class T>
struct matrix {
  matrix() = default;
  matrix(std::size_t rows, std::size_t columns, const T& fill = T(0))
      : rows(rows), columns(columns), values(rows * columns, fill) {}
  /// Row-major values; as many as rows * columns.
  matrix(std::size_t rows, std::size_t columns, std::vector<T> values)
      : rows(rows), columns(columns), values(std::move(values)) {}

  T& operator()(std::size_t row, std::size_t column) { return values[row * columns + column]; }
  const T& operator()(std::size_t row, std::size_t column) const {
    return values[row * columns + column];
  }
  std::size_t size() const noexcept { return values.size(); }
  bool empty() const noexcept { return values.empty(); }
  bool operator==(const matrix&) const = default;

  std::size_t rows = 0, columns = 0;
  std::vector<T> values;
};

}  // namespace nn
