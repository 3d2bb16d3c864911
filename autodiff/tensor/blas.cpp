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
namespace {

// Below this many multiply-adds, a few hundred microseconds of work, waking threads costs more than
// they save: OpenBLAS left alone makes a training step of a small network ten times slower.
constexpr double threaded_product = 16e6;

/// Keeps OpenBLAS on the calling thread while it lives.
class one_thread {
 public:
  explicit one_thread(bool wanted) noexcept
      : before_(wanted && openblas_get_num_threads && openblas_set_num_threads
                    ? openblas_get_num_threads()
                    : 1) {
    if (before_ != 1) openblas_set_num_threads(1);
  }
  ~one_thread() {
    if (before_ != 1) openblas_set_num_threads(before_);
  }
  one_thread(const one_thread&) = delete;
  one_thread& operator=(const one_thread&) = delete;

 private:
  int before_;
};

// Below this many matrix_product-adds a call into CBLAS costs more than the product.
constexpr std::size_t small_product = 64;

int as_blas_size(std::size_t size) {
  if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw shape_error("matmul", fmt::format("an extent of {} is more than CBLAS can count", size),
                      "split the product");
  }
  return static_cast<int>(size);
}

template <class T>
void small_matrix_product(const matrix_factor<T>& a, const matrix_factor<T>& b, std::size_t m,
                          std::size_t n, std::size_t k, T beta, T* c) {
  const std::size_t a_row = a.is == transposed::no ? a.lead : 1,
                    a_column = a.is == transposed::no ? 1 : a.lead;
  const std::size_t b_row = b.is == transposed::no ? b.lead : 1,
                    b_column = b.is == transposed::no ? 1 : b.lead;
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      T sum = 0;
      for (std::size_t l = 0; l < k; ++l)
        sum += a.data[i * a_row + l * a_column] * b.data[l * b_row + j * b_column];
      T& out = c[i * n + j];
      out = beta == T(0) ? sum : sum + beta * out;
    }
  }
}

template <class T>
void product_by_size(const matrix_factor<T>& a, const matrix_factor<T>& b, std::size_t m,
                     std::size_t n, std::size_t k, T beta, T* c) {
  if (m <= small_product && n <= small_product && k <= small_product && m * n * k <= small_product)
    return small_matrix_product(a, b, m, n, k, beta, c);
  const int rows = as_blas_size(m), columns = as_blas_size(n), inner = as_blas_size(k);
  const CBLAS_TRANSPOSE a_op = a.is == transposed::no ? CblasNoTrans : CblasTrans;
  const CBLAS_TRANSPOSE b_op = b.is == transposed::no ? CblasNoTrans : CblasTrans;
  // CBLAS wants leading extents of at least 1 of empty factors too.
  const int a_lead = std::max(1, as_blas_size(a.lead)), b_lead = std::max(1, as_blas_size(b.lead));
  const one_thread serial(static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) <
                          threaded_product);
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
