#pragma once
// Matrix products: the one place that knows CBLAS. Row-major throughout.

#include <cstddef>
#include <string_view>

namespace autodiff {

/// A size as BLAS and LAPACK count. Throws shape_error for one that is more than they can.
int blas_size(std::size_t size, std::string_view operation);

/// Keeps the BLAS on the calling thread while it lives, unless the work is worth waking threads.
class calling_thread_alone {
 public:
  explicit calling_thread_alone(double multiply_adds) noexcept;
  ~calling_thread_alone();
  calling_thread_alone(const calling_thread_alone&) = delete;
  calling_thread_alone& operator=(const calling_thread_alone&) = delete;

 private:
  int threads_before_ = 1;
};

/// Whether a factor enters as stored or transposed.
enum class transposed : bool { no, yes };

/// c = a' b' + beta c, with a' [m, k], b' [k, n], c [m, n]; a' is a, or the transpose of a stored
/// as [k, m] (b' likewise). With beta 0, c may hold anything.
template <class T>
void matrix_product(transposed a_is, transposed b_is, std::size_t m, std::size_t n, std::size_t k,
                    const T* a, const T* b, T beta, T* c) {
  const std::size_t a_row = a_is == transposed::no ? k : 1,
                    a_column = a_is == transposed::no ? 1 : m;
  const std::size_t b_row = b_is == transposed::no ? n : 1,
                    b_column = b_is == transposed::no ? 1 : k;
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      T sum(0);
      for (std::size_t l = 0; l < k; ++l)
        sum += a[i * a_row + l * a_column] * b[l * b_row + j * b_column];
      T& out = c[i * n + j];
      if (beta == T(0))
        out = sum;
      else
        out = sum + beta * out;
    }
  }
}

template <>
void matrix_product<float>(transposed a_is, transposed b_is, std::size_t m, std::size_t n,
                           std::size_t k, const float* a, const float* b, float beta, float* c);
template <>
void matrix_product<double>(transposed a_is, transposed b_is, std::size_t m, std::size_t n,
                            std::size_t k, const double* a, const double* b, double beta,
                            double* c);

}  // namespace autodiff
