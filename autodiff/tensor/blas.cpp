#include <autodiff/tensor/blas.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/gemm.hpp>
#include <autodiff/tensor/kernels.hpp>

#include <cblas.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>

// There where the BLAS is OpenBLAS; null otherwise.
extern "C" [[gnu::weak]] int openblas_get_num_threads();
extern "C" [[gnu::weak]] void openblas_set_num_threads(int);
extern "C" [[gnu::weak]] char* openblas_get_corename();

namespace autodiff {
namespace {

// A few hundred microseconds of work: below, waking threads costs more than they save.
constexpr double worth_threads = 16e6;

}  // namespace

// Without these the products of a training step would each wake threads: OpenBLAS left alone makes
// a step of a small network ten times slower.
calling_thread_alone::calling_thread_alone(double multiply_adds) noexcept {
  if (multiply_adds >= worth_threads || !openblas_get_num_threads || !openblas_set_num_threads)
    return;
  threads_before_ = openblas_get_num_threads();
  if (threads_before_ != 1) openblas_set_num_threads(1);
}

calling_thread_alone::~calling_thread_alone() {
  if (threads_before_ != 1) openblas_set_num_threads(threads_before_);
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

/// Whether our own loops are the faster ones, as measured (bench/gemm.hpp): they are but for what
/// is large enough for threads, and tall transposed factors times few columns.
bool is_for_own_loops(transposed a_is, product_extents e) {
  constexpr std::size_t few = 16;
  const double multiply_adds =
      static_cast<double>(e.m) * static_cast<double>(e.n) * static_cast<double>(e.k);
  if (multiply_adds >= worth_threads) {
    const int threads = openblas_get_num_threads ? openblas_get_num_threads() : 1;
    return !blas_knows_cpu() && threads <= 2;
  }
  return a_is == transposed::no || e.n > few || !blas_knows_cpu();
}

template <class T>
void own_product(const matrix_factor<T>& a, const matrix_factor<T>& b, product_extents e, bool add,
                 T* c) {
  const product_loops<T>& loops = [&]() -> const auto& {
    if constexpr (sizeof(T) == sizeof(float))
      return kernels().products->of_float;
    else
      return kernels().products->of_double;
  }
  ();
  array<T> scratch(shape{loops.scratch_numbers(e)});
  const auto read = [](const matrix_factor<T>& x) {
    return strided_matrix<T>{x.data, x.row_stride(), x.column_stride()};
  };
  loops.multiply(e, read(a), read(b), add, c, scratch.writable());
}

template <class T>
void product_by_size(const matrix_factor<T>& a, const matrix_factor<T>& b, std::size_t m,
                     std::size_t n, std::size_t k, T beta, T* c) {
  if (m <= small_product && n <= small_product && k <= small_product && m * n * k <= small_product)
    return small_matrix_product(a, b, m, n, k, beta, c);
  const product_extents e{m, n, k};
  if ((beta == T(0) || beta == T(1)) && k > 0 && is_for_own_loops(a.is, e))
    return own_product(a, b, e, beta != T(0), c);
  const int rows = blas_size(m, "matmul"), columns = blas_size(n, "matmul"),
            inner = blas_size(k, "matmul");
  const CBLAS_TRANSPOSE a_op = a.is == transposed::no ? CblasNoTrans : CblasTrans;
  const CBLAS_TRANSPOSE b_op = b.is == transposed::no ? CblasNoTrans : CblasTrans;
  // CBLAS wants leading extents of at least 1 of empty factors too.
  const int a_lead = std::max(1, blas_size(a.lead, "matmul")),
            b_lead = std::max(1, blas_size(b.lead, "matmul"));
  const calling_thread_alone alone(static_cast<double>(m) * static_cast<double>(n) *
                                   static_cast<double>(k));
  if constexpr (sizeof(T) == sizeof(float)) {
    cblas_sgemm(CblasRowMajor, a_op, b_op, rows, columns, inner, 1.0f, a.data, a_lead, b.data,
                b_lead, beta, c, std::max(1, columns));
  } else {
    cblas_dgemm(CblasRowMajor, a_op, b_op, rows, columns, inner, 1.0, a.data, a_lead, b.data,
                b_lead, beta, c, std::max(1, columns));
  }
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
