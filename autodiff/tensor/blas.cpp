#include <autodiff/tensor/blas.hpp>

#include <autodiff/error.hpp>

#include <cblas.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

// There where the BLAS is OpenBLAS; null otherwise.
extern "C" [[gnu::weak]] int openblas_get_num_threads();
extern "C" [[gnu::weak]] void openblas_set_num_threads(int);

namespace autodiff {

// Without these the products of a training step would each wake threads: OpenBLAS left alone makes
// a step of a small network ten times slower.
calling_thread_alone::calling_thread_alone(double multiply_adds) noexcept {
  // A few hundred microseconds of work: below, waking threads costs more than they save.
  constexpr double worth_threads = 16e6;
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

// Below this many multiply-adds a call into CBLAS costs more than the product.
constexpr std::size_t small_product = 64;

template <class T>
void small_matrix_product(transposed a_is, transposed b_is, std::size_t m, std::size_t n,
                          std::size_t k, const T* a, const T* b, T beta, T* c) {
  const std::size_t a_row = a_is == transposed::no ? k : 1,
                    a_column = a_is == transposed::no ? 1 : m;
  const std::size_t b_row = b_is == transposed::no ? n : 1,
                    b_column = b_is == transposed::no ? 1 : k;
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      T sum = 0;
      for (std::size_t l = 0; l < k; ++l)
        sum += a[i * a_row + l * a_column] * b[l * b_row + j * b_column];
      T& out = c[i * n + j];
      out = beta == T(0) ? sum : sum + beta * out;
    }
  }
}

template <class T>
void product_by_size(transposed a_is, transposed b_is, std::size_t m, std::size_t n, std::size_t k,
                     const T* a, const T* b, T beta, T* c) {
  if (m <= small_product && n <= small_product && k <= small_product && m * n * k <= small_product)
    return small_matrix_product(a_is, b_is, m, n, k, a, b, beta, c);
  const int rows = blas_size(m, "matmul"), columns = blas_size(n, "matmul"),
            inner = blas_size(k, "matmul");
  const CBLAS_TRANSPOSE a_op = a_is == transposed::no ? CblasNoTrans : CblasTrans;
  const CBLAS_TRANSPOSE b_op = b_is == transposed::no ? CblasNoTrans : CblasTrans;
  // CBLAS wants leading extents of at least 1 of empty factors too.
  const int a_lead = std::max(1, a_is == transposed::no ? inner : rows);
  const int b_lead = std::max(1, b_is == transposed::no ? columns : inner);
  const calling_thread_alone alone(static_cast<double>(m) * static_cast<double>(n) *
                                   static_cast<double>(k));
  if constexpr (sizeof(T) == sizeof(float)) {
    cblas_sgemm(CblasRowMajor, a_op, b_op, rows, columns, inner, 1.0f, a, a_lead, b, b_lead, beta,
                c, std::max(1, columns));
  } else {
    cblas_dgemm(CblasRowMajor, a_op, b_op, rows, columns, inner, 1.0, a, a_lead, b, b_lead, beta, c,
                std::max(1, columns));
  }
}

}  // namespace

template <>
void matrix_product<float>(transposed a_is, transposed b_is, std::size_t m, std::size_t n,
                           std::size_t k, const float* a, const float* b, float beta, float* c) {
  product_by_size(a_is, b_is, m, n, k, a, b, beta, c);
}
template <>
void matrix_product<double>(transposed a_is, transposed b_is, std::size_t m, std::size_t n,
                            std::size_t k, const double* a, const double* b, double beta,
                            double* c) {
  product_by_size(a_is, b_is, m, n, k, a, b, beta, c);
}

}  // namespace autodiff
