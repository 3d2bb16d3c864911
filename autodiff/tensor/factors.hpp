#pragma once
// Factorisations of the matrices of a tensor, kept between a computation and its pullback. Those of
// duals are the factorisations of the values, with the tangents carried along by rules: no
// algorithm is differentiated step by step.

#include <autodiff/dual.hpp>
#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/lapack.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace autodiff {

/// The batch axes of square matrices, [..., n, n] -> [...]. Throws shape_error, naming `operation`,
/// for any other shape.
shape batch_of_squares(std::string_view operation, const shape& s);

/// A matrix of a tensor of shape s, for errors: "matrix 2 of [5, 3, 3]", or "the matrix [3, 3]".
std::string name_of_matrix(std::size_t matrix, const shape& s);

/// Factors of each matrix of a [..., n, n].
template <class T>
class lu_factors {
 public:
  explicit lu_factors(const array<T>& a);

  std::size_t order() const noexcept { return order_; }
  /// How many matrices there are.
  std::size_t count() const noexcept { return count_; }
  /// The first pivot of a matrix that is 0, or order() for a regular matrix.
  std::size_t zero_pivot(std::size_t matrix) const;
  /// b [n, columns] = a^-1 b or a^-T b with a matrix that has no zero pivot.
  void solve(transposed a_is, std::size_t matrix, std::size_t columns, T* b) const;
  /// Of every matrix; 0 where a pivot is, and the product of none is 1.
  T determinant(std::size_t matrix) const;
  /// 1, -1 or 0.
  T sign(std::size_t matrix) const;
  /// log |determinant|; -inf for a singular matrix, with a tangent of NaN.
  T log_determinant(std::size_t matrix) const;

 private:
  std::size_t order_, count_;
  array<T> factors_;
  array<int> pivots_;
};

/// x' = a^-1 (b' - a' x), and Jacobi's formula for determinants.
template <class T>
class lu_factors<dual<T>> {
 public:
  explicit lu_factors(const array<dual<T>>& a);

  std::size_t order() const noexcept { return values_.order(); }
  std::size_t count() const noexcept { return values_.count(); }
  std::size_t zero_pivot(std::size_t matrix) const { return values_.zero_pivot(matrix); }
  void solve(transposed a_is, std::size_t matrix, std::size_t columns, dual<T>* b) const;
  dual<T> determinant(std::size_t matrix) const;
  dual<T> sign(std::size_t matrix) const { return values_.sign(matrix); }
  dual<T> log_determinant(std::size_t matrix) const;

 private:
  /// trace(a^-1 a').
  T relative_slope(std::size_t matrix) const;

  array<T> a_, tangents_;
  lu_factors<T> values_;
};

/// Replaces the symmetric a [n, n] by the lower triangular L with a = L L^T. Returns the first
/// pivot that is not positive, or n.
template <class T>
std::size_t factor_cholesky(std::size_t n, dual<T>* a);

template <class T>
void solve_triangle(side a_is, triangular_form form, std::size_t m, std::size_t n, const dual<T>* a,
                    dual<T>* b);

/// The lower triangle of x [n, n] with half of its diagonal; zeros above.
template <class T>
void halve_lower(std::size_t n, T* x) {
  for (std::size_t i = 0; i < n; ++i) {
    x[i * (n + 1)] = x[i * (n + 1)] / T(2);
    for (std::size_t j = i + 1; j < n; ++j) x[i * n + j] = T(0);
  }
}

/// result [n, n] = 1.
template <class T>
void fill_identity(std::size_t n, T* result) {
  for (std::size_t i = 0; i < n * n; ++i) result[i] = T(i % (n + 1) == 0 ? 1 : 0);
}

}  // namespace autodiff
