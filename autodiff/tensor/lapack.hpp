#pragma once
// Factorisations and triangular systems of float and double: the one place that knows LAPACK.
// Row-major throughout.

#include <autodiff/tensor/blas.hpp>
#include <autodiff/tensor/triangular_form.hpp>

#include <cstddef>
#include <string_view>

namespace autodiff {

/// On which side of the unknowns the matrix stands.
enum class side : bool { left, right };

/// Replaces a [n, n] by its factors: with the columns exchanged as `pivots` says, a is a lower
/// triangular matrix times an upper one with ones on the diagonal. A zero on the diagonal means a
/// singular matrix.
template <class T>
void factor_lu(std::size_t n, T* a, int* pivots);

/// b [n, columns] = a^-1 b, or a^-T b, from the factors of a.
template <class T>
void solve_lu(transposed a_is, std::size_t n, std::size_t columns, const T* factors,
              const int* pivots, T* b);

/// Replaces the symmetric a [n, n], of which it reads the lower triangle, by the lower triangular L
/// with a = L L^T. Returns the first pivot that is not positive, or n.
template <class T>
std::size_t factor_cholesky(std::size_t n, T* a);

/// b [m, n] = a^-1 b with a [m, m] on the left, or b a^-1 with a [n, n] on the right.
template <class T>
void solve_triangle(side a_is, triangular_form form, std::size_t m, std::size_t n, const T* a,
                    T* b);

}  // namespace autodiff
