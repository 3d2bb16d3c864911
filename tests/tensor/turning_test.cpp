#include <autodiff/tensor/turning.hpp>

#include <tests/catch.hpp>

#include <cstddef>
#include <vector>

namespace {

/// Whether each number is where it belongs, and what lies around the block untouched.
template <class T>
bool turns(std::size_t rows, std::size_t columns) {
  const std::size_t x_row = columns + 3, to_row = rows + 2;
  std::vector<T> x(rows * x_row), turned(columns * to_row, T(-1));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = T(static_cast<double>(i));
  autodiff::turn_rows(rows, columns, x.data(), x_row, turned.data(), to_row);
  for (std::size_t j = 0; j < columns; ++j) {
    for (std::size_t i = 0; i < to_row; ++i) {
      const T expected = i < rows ? x[i * x_row + j] : T(-1);
      if (turned[j * to_row + i] != expected) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("rows turn to columns in blocks of any size") {
  for (std::size_t rows = 0; rows <= 17; ++rows) {
    for (std::size_t columns = 0; columns <= 17; ++columns) {
      INFO(rows << " rows of " << columns);
      CHECK(turns<float>(rows, columns));
      CHECK(turns<double>(rows, columns));
    }
  }
}
