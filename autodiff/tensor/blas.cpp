#include <autodiff/tensor/blas.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/gemm.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/parallel.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <string_view>

// There where the BLAS is OpenBLAS; null otherwise.
extern "C" [[gnu::weak]] int openblas_get_num_threads();
extern "C" [[gnu::weak]] void openblas_set_num_threads(int);

namespace autodiff {
namespace {

/// How many threads the BLAS had before somebody wanted it alone, and how many do.
struct blas_threads {
  std::mutex access;
  int before = 1, users = 0;
};

blas_threads& threads_of_blas() {
  static blas_threads state;
  return state;
}

}  // namespace

calling_thread_alone::calling_thread_alone() {
  if (!openblas_get_num_threads || !openblas_set_num_threads) return;
  blas_threads& state = threads_of_blas();
  const std::lock_guard lock(state.access);
  if (state.users++ > 0) return;
  state.before = openblas_get_num_threads();
  if (state.before != 1) openblas_set_num_threads(1);
}

calling_thread_alone::~calling_thread_alone() {
  if (!openblas_get_num_threads || !openblas_set_num_threads) return;
  blas_threads& state = threads_of_blas();
  const std::lock_guard lock(state.access);
  if (--state.users == 0 && state.before != 1) openblas_set_num_threads(state.before);
}

int blas_size(std::size_t size, std::string_view operation) {
  if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw shape_error(operation, fmt::format("an extent of {} is more than BLAS can count", size),
                      "split the operands");
  }
  return static_cast<int>(size);
}

namespace {

/// Four sums side by side, in registers. Inlined, so that a column stride of 1 is a constant.
template <class T>
[[gnu::always_inline]] inline void put_four(std::size_t k, const strided_matrix<T>& a,
                                            const strided_matrix<T>& b, store how, T* c) {
  T sums[4] = {};
  for (std::size_t l = 0; l < k; ++l) {
    const T factor = a.data[l * a.column];
    for (std::size_t s = 0; s < 4; ++s) sums[s] += factor * b.data[l * b.row + s * b.column];
  }
  if (how == store::add) {
    for (std::size_t s = 0; s < 4; ++s) sums[s] += c[s];
  }
  for (std::size_t s = 0; s < 4; ++s) c[s] = sums[s];
}

/// By four columns of c, and what they leave over one sum at a time.
template <class T>
void product_by_fours(const matrix_factor<T>& left, const matrix_factor<T>& right, std::size_t m,
                      std::size_t n, std::size_t k, store how, T* c) {
  if (n == 1 && m > 1) {  // a column is a row of the transposed product
    return product_by_fours(right.turned(), left.turned(), n, m, k, how, c);
  }
  const strided_matrix<T> a = left.strided(), b = right.strided();
  const std::size_t wide = n / 4 * 4;
  for (std::size_t j = 0; j < wide; j += 4) {
    const T* const columns = b.data + j * b.column;
    for (std::size_t i = 0; i < m; ++i) {
      const strided_matrix<T> row{a.data + i * a.row, 0, a.column};
      if (b.column == 1)
        put_four(k, row, {columns, b.row, 1}, how, c + i * n + j);
      else
        put_four(k, row, {columns, b.row, b.column}, how, c + i * n + j);
    }
  }
  if (wide < n)
    small_product<true>(a, {b.data + wide * b.column, b.row, b.column}, m, n - wide, k, how,
                        c + wide, n);
}

double work_of(product_extents e) {
  return static_cast<double>(e.m) * static_cast<double>(e.n) * static_cast<double>(e.k);
}

/// c in parts of so many rows and columns, but for the last ones.
struct product_grid {
  std::size_t rows, columns, part_rows, part_columns;

  std::size_t size() const { return rows * columns; }
  product_extents part(product_extents e, std::size_t i, std::size_t j) const {
    return {std::min(part_rows, e.m - i * part_rows),
            std::min(part_columns, e.n - j * part_columns), e.k};
  }
};

/// Halves the longer side of the parts, or the other one where that has no more to give, while they
/// stay worth a thread and are fewer than threads.
product_grid divided(product_extents e) {
  constexpr double worth_a_thread = 1.5e6;
  constexpr std::size_t column_grain = 32, row_grain = 8;  // what fills vectors and strips
  product_grid grid{1, 1, e.m, e.n};
  const auto halved = [](std::size_t extent, std::size_t grain) {
    return std::min(extent, ((extent + 1) / 2 + grain - 1) / grain * grain);
  };
  while (work_of({grid.part_rows, grid.part_columns, e.k}) >= 2 * worth_a_thread &&
         grid.size() < threads()) {
    const std::size_t fewer_rows = halved(grid.part_rows, row_grain);
    const std::size_t fewer_columns = halved(grid.part_columns, column_grain);
    const bool rows_end = fewer_rows == grid.part_rows,
               columns_end = fewer_columns == grid.part_columns;
    if (rows_end && columns_end) break;
    if (rows_end || (!columns_end && grid.part_columns >= grid.part_rows))
      grid.part_columns = fewer_columns;
    else
      grid.part_rows = fewer_rows;
    grid.rows = (e.m + grid.part_rows - 1) / grid.part_rows;
    grid.columns = (e.n + grid.part_columns - 1) / grid.part_columns;
  }
  return grid;
}

/// multiply(part, part of a, part of b, first element of the part of c, index of the part).
template <class T, class Multiply>
void for_each_part(const product_grid& grid, product_extents e, const strided_matrix<T>& a,
                   const strided_matrix<T>& b, T* c, Multiply&& multiply) {
  parallel(grid.size(), [&](std::size_t index) {
    const std::size_t i = index / grid.columns, j = index % grid.columns;
    const std::size_t row = i * grid.part_rows, column = j * grid.part_columns;
    multiply(grid.part(e, i, j), strided_matrix<T>{a.data + row * a.row, a.row, a.column},
             strided_matrix<T>{b.data + column * b.column, b.row, b.column}, c + row * e.n + column,
             index);
  });
}

/// An element of c is the same in parts of any size: there are as many as threads.
template <class T>
void tiled_product(const strided_matrix<T>& a, const strided_matrix<T>& b, product_extents e,
                   bool add, T* c) {
  const product_loops<T>& loops = [&]() -> const auto& {
    if constexpr (sizeof(T) == sizeof(float))
      return kernels().products->of_float;
    else
      return kernels().products->of_double;
  }
  ();
  const product_grid grid = divided(e);
  // From this thread's pool for all of them, so that steps in the steady state allocate nothing.
  constexpr std::size_t cache_line = 64 / sizeof(T);
  const std::size_t per_part =
      (loops.scratch_numbers(grid.part(e, 0, 0)) + cache_line - 1) / cache_line * cache_line;
  array<T> scratch(shape{grid.size() * per_part});
  T* const numbers = scratch.writable();
  for_each_part(grid, e, a, b, c,
                [&](product_extents part, const strided_matrix<T>& left,
                    const strided_matrix<T>& right, T* to, std::size_t index) {
                  loops.multiply(part, left, right, add, to, e.n, numbers + index * per_part);
                });
}

template <class T>
void product_by_size(const matrix_factor<T>& a, const matrix_factor<T>& b, std::size_t m,
                     std::size_t n, std::size_t k, T beta, T* c) {
  const store how = scaled_first(m * n, beta, c);
  constexpr std::size_t most_by_fours = 64;  // up to here a tile costs more than the product
  if (is_small_product(m, n, k, most_by_fours)) return product_by_fours(a, b, m, n, k, how, c);
  if (k > 0)
    tiled_product(a.strided(), b.strided(), {m, n, k}, how == store::add, c);
  else if (how == store::write)
    std::fill_n(c, m * n, T(0));
}

}  // namespace

template <>
void matrix_product<float>(const matrix_factor<float>& a, const matrix_factor<float>& b,
                           std::size_t m, std::size_t n, std::size_t k, float beta, float* c) {
  product_by_size(a, b, m, n, k, beta, c);
}
template <>
void matrix_product<double>(const matrix_factor<double>& a, const matrix_factor<double>& b,
                            std::size_t m, std::size_t n, std::size_t k, double beta, double* c) {
  product_by_size(a, b, m, n, k, beta, c);
}

}  // namespace autodiff
