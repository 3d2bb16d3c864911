#pragma once
// Matrix products, by the loops of gemm.hpp, and what has to be known of the BLAS under LAPACK.
// Row-major throughout.

#include <autodiff/tensor/small_product.hpp>
#include <autodiff/tensor/strided_matrix.hpp>
#include <autodiff/tensor/sum_loops.hpp>

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
  strided_matrix<T> strided() const noexcept {
    return is == transposed::no ? strided_matrix<T>{data, lead, 1}
                                : strided_matrix<T>{data, 1, lead};
  }
};

/// Takes beta out of what follows: c is multiplied by it, unless it is 0 or 1. Says what is left to
/// do with products: to write or to add them.
template <class T>
store scaled_first(std::size_t size, T beta, T* c) {
  if (beta == T(0)) return store::write;
  for (std::size_t i = 0; beta != T(1) && i < size; ++i) c[i] *= beta;
  return store::add;
}

/// c = a' b' + beta c, with a' [m, k], b' [k, n], c [m, n]; a' is a, or the transpose of a stored
/// as [k, m] (b' likewise). With beta 0, c may hold anything.
template <class T>
void matrix_product(const matrix_factor<T>& a, const matrix_factor<T>& b, std::size_t m,
                    std::size_t n, std::size_t k, T beta, T* c) {
  small_product(a.strided(), b.strided(), m, n, k, scaled_first(m * n, beta, c), c, n);
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
