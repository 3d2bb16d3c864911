#include <autodiff/tensor/blas.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/gemm.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/parallel.hpp>

#include <cblas.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <string_view>

// There where the BLAS is OpenBLAS; null otherwise.
extern "C" [[gnu::weak]] int openblas_get_num_threads();
extern "C" [[gnu::weak]] void openblas_set_num_threads(int);
extern "C" [[gnu::weak]] char* openblas_get_corename();

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

// Below, anything but plain loops costs more than the product.
constexpr std::size_t small_product = 64;

template <class T>
void put(T sum, T beta, T& out) {
  out = beta == T(0) ? sum : sum + beta * out;
}

template <class T>
void small_matrix_product(const matrix_factor<T>& left, const matrix_factor<T>& right_factor,
                          std::size_t m, std::size_t n, std::size_t k, T beta, T* c) {
  if (n == 1 && m > 1) {  // a column is a row of the transposed product
    return small_matrix_product(right_factor.turned(), left.turned(), n, m, k, beta, c);
  }
  const std::size_t a_row = left.row_stride(), a_column = left.column_stride();
  const std::size_t b_row = right_factor.row_stride(), b_column = right_factor.column_stride();
  const std::size_t wide = n / 4 * 4;
  for (std::size_t j = 0; j < wide; j += 4) {  // four sums side by side, in registers
    for (std::size_t i = 0; i < m; ++i) {
      T sums[4] = {};
      const T *a = left.data + i * a_row, *b = right_factor.data + j * b_column;
      for (std::size_t l = 0; l < k; ++l, a += a_column, b += b_row) {
        for (std::size_t s = 0; s < 4; ++s)
          sums[s] += *a * (b_column == 1 ? b[s] : b[s * b_column]);
      }
      for (std::size_t s = 0; s < 4; ++s) put(sums[s], beta, c[i * n + j + s]);
    }
  }
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = wide; j < n; ++j) {
      T even(0), odd(0);  // not one chain of additions
      const T *a = left.data + i * a_row, *b = right_factor.data + j * b_column;
      std::size_t rest = k;
      for (; rest > 1; rest -= 2, a += 2 * a_column, b += 2 * b_row) {
        even += a[0] * b[0];
        odd += a[a_column] * b[b_row];
      }
      if (rest > 0) even += *a * *b;
      put(even + odd, beta, c[i * n + j]);
    }
  }
}

/// Whether the BLAS runs kernels made for this CPU. Debian 12's OpenBLAS takes those for Haswell on
/// CPUs with AVX-512 that are younger than itself, at half the speed; the variable that would help,
/// OPENBLAS_CORETYPE, is read before a program can set it.
bool blas_knows_cpu() {
  static const bool known = [] {
    if (!openblas_get_corename) return true;
    const std::string_view name = openblas_get_corename();
    const bool old = name == "Haswell" || name == "Zen" || name == "Prescott" || name == "Nehalem";
    return !old || std::string_view(kernels().instruction_set) != "avx512";
  }();
  return known;
}

double work_of(product_extents e) {
  return static_cast<double>(e.m) * static_cast<double>(e.n) * static_cast<double>(e.k);
}

/// Whether our own loops are the faster ones, as measured (bench/gemm.hpp): they are but for large
/// products, and tall transposed factors times few columns.
bool is_for_own_loops(transposed a_is, product_extents e) {
  constexpr double large = 16e6;
  constexpr std::size_t few = 16;
  return !blas_knows_cpu() || (work_of(e) < large && (a_is == transposed::no || e.n > few));
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

/// Halves the longer side of the parts while they stay worth a thread and are not enough.
template <class Enough>
product_grid divided(product_extents e, double worth_a_thread, Enough enough) {
  constexpr std::size_t column_grain = 32, row_grain = 8;  // what fills vectors and strips
  product_grid grid{1, 1, e.m, e.n};
  const auto halved = [](std::size_t extent, std::size_t grain) {
    return ((extent + 1) / 2 + grain - 1) / grain * grain;
  };
  while (work_of({grid.part_rows, grid.part_columns, e.k}) >= 2 * worth_a_thread && !enough(grid)) {
    const bool by_columns = grid.part_columns >= grid.part_rows;
    std::size_t& longer = by_columns ? grid.part_columns : grid.part_rows;
    longer = halved(longer, by_columns ? column_grain : row_grain);
    grid.rows = (e.m + grid.part_rows - 1) / grid.part_rows;
    grid.columns = (e.n + grid.part_columns - 1) / grid.part_columns;
  }
  return grid;
}

/// multiply(part, part of a, part of b, first element of the part of c, index of the part).
template <class T, class Multiply>
void for_each_part(const product_grid& grid, product_extents e, const matrix_factor<T>& a,
                   const matrix_factor<T>& b, T* c, Multiply&& multiply) {
  parallel(grid.size(), [&](std::size_t index) {
    const std::size_t i = index / grid.columns, j = index % grid.columns;
    const std::size_t row = i * grid.part_rows, column = j * grid.part_columns;
    multiply(grid.part(e, i, j), matrix_factor<T>{a.data + row * a.row_stride(), a.is, a.lead},
             matrix_factor<T>{b.data + column * b.column_stride(), b.is, b.lead},
             c + row * e.n + column, index);
  });
}

/// An element of c is the same in parts of any size: there are as many as threads.
template <class T>
void own_product(const matrix_factor<T>& a, const matrix_factor<T>& b, product_extents e, bool add,
                 T* c) {
  constexpr double worth_a_thread = 1.5e6;
  const product_loops<T>& loops = [&]() -> const auto& {
    if constexpr (sizeof(T) == sizeof(float))
      return kernels().products->of_float;
    else
      return kernels().products->of_double;
  }
  ();
  const auto read = [](const matrix_factor<T>& x) {
    return strided_matrix<T>{x.data, x.row_stride(), x.column_stride()};
  };
  const product_grid grid =
      divided(e, worth_a_thread, [](const product_grid& g) { return g.size() >= threads(); });
  // From this thread's pool for all of them, so that steps in the steady state allocate nothing.
  constexpr std::size_t cache_line = 64 / sizeof(T);
  const std::size_t per_part =
      (loops.scratch_numbers(grid.part(e, 0, 0)) + cache_line - 1) / cache_line * cache_line;
  array<T> scratch(shape{grid.size() * per_part});
  T* const numbers = scratch.writable();
  for_each_part(grid, e, a, b, c,
                [&](product_extents part, const matrix_factor<T>& left,
                    const matrix_factor<T>& right, T* to, std::size_t index) {
                  loops.multiply(part, read(left), read(right), add, to, e.n,
                                 numbers + index * per_part);
                });
}

void gemm(CBLAS_TRANSPOSE a_is, CBLAS_TRANSPOSE b_is, int m, int n, int k, const float* a,
          int a_lead, const float* b, int b_lead, float beta, float* c, int c_lead) {
  cblas_sgemm(CblasRowMajor, a_is, b_is, m, n, k, 1.0f, a, a_lead, b, b_lead, beta, c, c_lead);
}
void gemm(CBLAS_TRANSPOSE a_is, CBLAS_TRANSPOSE b_is, int m, int n, int k, const double* a,
          int a_lead, const double* b, int b_lead, double beta, double* c, int c_lead) {
  cblas_dgemm(CblasRowMajor, a_is, b_is, m, n, k, 1.0, a, a_lead, b, b_lead, beta, c, c_lead);
}

/// A BLAS promises nothing about the same element in parts of another size: what the parts are
/// follows from the extents alone.
template <class T>
void blas_product(const matrix_factor<T>& a, const matrix_factor<T>& b, product_extents e, T beta,
                  T* c) {
  constexpr double worth_a_thread = 16e6;
  constexpr std::size_t parts_at_least = 4, side = 512;  // smaller ones are packed too often
  const auto as_int = [](std::size_t size) { return blas_size(size, "matmul"); };
  const auto op = [](transposed is) { return is == transposed::no ? CblasNoTrans : CblasTrans; };
  // CBLAS wants leading extents of at least 1 of empty factors too.
  const int a_lead = std::max(1, as_int(a.lead)), b_lead = std::max(1, as_int(b.lead)),
            c_lead = std::max(1, as_int(e.n));
  for (const std::size_t extent : {e.m, e.k}) as_int(extent);
  const calling_thread_alone alone;
  const product_grid grid = divided(e, worth_a_thread, [](const product_grid& g) {
    return g.size() >= parts_at_least && g.part_rows <= side && g.part_columns <= side;
  });
  for_each_part(grid, e, a, b, c,
                [&](product_extents part, const matrix_factor<T>& left,
                    const matrix_factor<T>& right, T* to, std::size_t) {
                  gemm(op(a.is), op(b.is), as_int(part.m), as_int(part.n), as_int(part.k),
                       left.data, a_lead, right.data, b_lead, beta, to, c_lead);
                });
}

template <class T>
void product_by_size(const matrix_factor<T>& a, const matrix_factor<T>& b, std::size_t m,
                     std::size_t n, std::size_t k, T beta, T* c) {
  if (m <= small_product && n <= small_product && k <= small_product && m * n * k <= small_product)
    return small_matrix_product(a, b, m, n, k, beta, c);
  const product_extents e{m, n, k};
  if ((beta == T(0) || beta == T(1)) && k > 0 && is_for_own_loops(a.is, e))
    return own_product(a, b, e, beta != T(0), c);
  blas_product(a, b, e, beta, c);
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
