#include <autodiff/tensor/lapack.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>

// LAPACK and BLAS as Fortran has them: column-major, arguments by address, and at the end the
// lengths of the texts, which those compiled from Fortran expect. No header declares them
// everywhere.
extern "C" {
void sgetrf_(const int* m, const int* n, float* a, const int* lead, int* pivots, int* info);
void dgetrf_(const int* m, const int* n, double* a, const int* lead, int* pivots, int* info);
void spotrf_(const char* triangle, const int* n, float* a, const int* lead, int* info, std::size_t);
void dpotrf_(const char* triangle, const int* n, double* a, const int* lead, int* info,
             std::size_t);
void strsm_(const char* side, const char* triangle, const char* transposed, const char* diagonal,
            const int* m, const int* n, const float* factor, const float* a, const int* a_lead,
            float* b, const int* b_lead, std::size_t, std::size_t, std::size_t, std::size_t);
void dtrsm_(const char* side, const char* triangle, const char* transposed, const char* diagonal,
            const int* m, const int* n, const double* factor, const double* a, const int* a_lead,
            double* b, const int* b_lead, std::size_t, std::size_t, std::size_t, std::size_t);
}

namespace autodiff {
namespace {

/// Rows of b [n, columns] exchanged as the factorisation did, or back.
template <class T>
void exchange_rows(std::size_t n, std::size_t columns, const int* pivots, bool back, T* b) {
  for (std::size_t step = 0; step < n; ++step) {
    const std::size_t i = back ? n - 1 - step : step;
    const std::size_t other = static_cast<std::size_t>(pivots[i]) - 1;
    if (other != i) std::swap_ranges(b + i * columns, b + (i + 1) * columns, b + other * columns);
  }
}

}  // namespace

// Read column by column, a row-major matrix is its transpose: LAPACK finds a^T = P L U, so that
// a = U^T L^T P^T.

template <class T>
void factor_lu(std::size_t n, T* a, int* pivots) {
  if (n == 0) return;
  const calling_thread_alone alone;
  const int size = blas_size(n, "lu");
  int info = 0;
  if constexpr (std::same_as<T, float>)
    sgetrf_(&size, &size, a, &size, pivots, &info);
  else
    dgetrf_(&size, &size, a, &size, pivots, &info);
}

template <class T>
void solve_lu(transposed a_is, std::size_t n, std::size_t columns, const T* factors,
              const int* pivots, T* b) {
  constexpr triangular_form lower{}, upper{.upper = true, .unit_diagonal = true},
      lower_turned{.transposed = true},
      upper_turned{.upper = true, .transposed = true, .unit_diagonal = true};
  if (a_is == transposed::no) {
    solve_triangle(side::left, lower, n, columns, factors, b);
    solve_triangle(side::left, upper, n, columns, factors, b);
    exchange_rows(n, columns, pivots, true, b);
  } else {
    exchange_rows(n, columns, pivots, false, b);
    solve_triangle(side::left, upper_turned, n, columns, factors, b);
    solve_triangle(side::left, lower_turned, n, columns, factors, b);
  }
}

template <class T>
std::size_t factor_cholesky(std::size_t n, T* a) {
  if (n == 0) return n;
  const calling_thread_alone alone;
  const int size = blas_size(n, "cholesky");
  int info = 0;
  if constexpr (std::same_as<T, float>)
    spotrf_("U", &size, a, &size, &info, 1);
  else
    dpotrf_("U", &size, a, &size, &info, 1);
  if (info > 0) return static_cast<std::size_t>(info) - 1;
  for (std::size_t i = 0; i < n; ++i) std::fill(a + i * n + i + 1, a + (i + 1) * n, T(0));
  return n;
}

template <class T>
void solve_triangle(side a_is, triangular_form form, std::size_t m, std::size_t n, const T* a,
                    T* b) {
  if (m == 0 || n == 0) return;
  const std::size_t order = a_is == side::left ? m : n;
  const calling_thread_alone alone;
  const int rows = blas_size(m, "solve"), columns = blas_size(n, "solve"),
            lead = blas_size(order, "solve");
  // Transposed, left is right and lower is upper.
  const char* side_of = a_is == side::left ? "R" : "L";
  const char* triangle = form.upper ? "L" : "U";
  const char* turned = form.transposed ? "T" : "N";
  const char* diagonal = form.unit_diagonal ? "U" : "N";
  const T one(1);
  if constexpr (std::same_as<T, float>) {
    strsm_(side_of, triangle, turned, diagonal, &columns, &rows, &one, a, &lead, b, &columns, 1, 1,
           1, 1);
  } else {
    dtrsm_(side_of, triangle, turned, diagonal, &columns, &rows, &one, a, &lead, b, &columns, 1, 1,
           1, 1);
  }
}

#define INSTANTIATE(T)                                                                    \
  template void factor_lu(std::size_t, T*, int*);                                         \
  template void solve_lu(transposed, std::size_t, std::size_t, const T*, const int*, T*); \
  template std::size_t factor_cholesky(std::size_t, T*);                                  \
  template void solve_triangle(side, triangular_form, std::size_t, std::size_t, const T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autodiff
