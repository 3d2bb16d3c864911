#pragma once
// Matrix products, by the loops of gemm.hpp, and what has to be known of the BLAS under LAPACK.
// Row-major throughout.

#include <cstddef>
#include <string_view>

namespace autodiff {

/// A size as BLAS and LAPACK count. Throws shape_error for one that is more than they can.
int blas_size(std::size_t size, std::string_view operation);

/// Keeps the BLAS on the calling thread while one lives on any thread: its own threads would make
/// results depend on their number, and small products slow. Threads are those of parallel.hpp.
class calling_thread_alone {
 public:
  calling_thread_alone();
  ~calling_thread_alone();
  calling_thread_alone(const calling_thread_alone&) = delete;
  calling_thread_alone& operator=(const calling_thread_alone&) = delete;
};

/// Whether a factor enters as stored or transposed.
enum class transposed : bool { no, yes };

/// A factor as it lies: `lead` numbers from the start of a stored row to that of the next one.
template <class T>
struct matrix_factor {
  const T* data;
  transposed is;
  std::size_t lead;

  matrix_factor turned() const noexcept {
    return {data, is == transposed::no ? transposed::yes : transposed::no, lead};
  }
  /// From an element to the one below it, and to its right.
  std::size_t row_stride() const noexcept { return is == transposed::no ? lead : 1; }
  std::size_t column_stride() const noexcept { return is == transposed::no ? 1 : lead; }
};

/// c = a' b' + beta c, with a' [m, k], b' [k, n], c [m, n]; a' is a, or the transpose of a stored
/// as [k, m] (b' likewise). With beta 0, c may hold anything.
template <class T>
void matrix_product(const matrix_factor<T>& a, const matrix_factor<T>& b, std::size_t m,
                    std::size_t n, std::size_t k, T beta, T* c) {
  const std::size_t a_row = a.row_stride(), a_column = a.column_stride();
  const std::size_t b_row = b.row_stride(), b_column = b.column_stride();
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      T sum(0);
      for (std::size_t l = 0; l < k; ++l)
        sum += a.data[i * a_row + l * a_column] * b.data[l * b_row + j * b_column];
      T& out = c[i * n + j];
      if (beta == T(0))
        out = sum;
      else
        out = sum + beta * out;
    }
  }
}

template <>
void matrix_product<float>(const matrix_factor<float>& a, const matrix_factor<float>& b,
                           std::size_t m, std::size_t n, std::size_t k, float beta, float* c);
template <>
void matrix_product<double>(const matrix_factor<double>& a, const matrix_factor<double>& b,
                            std::size_t m, std::size_t n, std::size_t k, double beta, double* c);

/// The same with factors whose rows lie without gaps.
template <class T>
void matrix_product(transposed a_is, transposed b_is, std::size_t m, std::size_t n, std::size_t k,
                    const T* a, const T* b, T beta, T* c) {
  matrix_product(matrix_factor<T>{a, a_is, a_is == transposed::no ? k : m},
                 matrix_factor<T>{b, b_is, b_is == transposed::no ? n : k}, m, n, k, beta, c);
}

}  // namespace autodiff
