#include <autodiff/tensor/factors.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/cofactors.hpp>
#include <autodiff/tensor/product_operand.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace autodiff {
namespace {

/// Duals taken apart, for routines that know only numbers.
template <class T>
struct parts {
  array<T> values, tangents;

  parts(std::size_t size, const dual<T>* x) : values(shape{size}), tangents(shape{size}) {
    T *value = values.writable(), *tangent = tangents.writable();
    for (std::size_t i = 0; i < size; ++i) {
      value[i] = x[i].value();
      tangent[i] = x[i].tangent();
    }
  }
  void join(dual<T>* out) const {
    for (std::size_t i = 0; i < values.size(); ++i)
      out[i] = dual<T>(values.data()[i], tangents.data()[i]);
  }
};

template <class T>
void subtract(const array<T>& x, T* from) {
  for (std::size_t i = 0; i < x.size(); ++i) from[i] -= x.data()[i];
}

std::size_t order_of(const shape& s) { return s[s.rank() - 1]; }

/// The number of matrices; extents of 0 among the batch axes make it 0, but not an order of 0.
std::size_t count_of(const shape& s) {
  std::size_t count = 1;
  for (std::size_t i = 0; i + 2 < s.rank(); ++i) count *= s[i];
  return count;
}

}  // namespace

shape batch_of_squares(std::string_view operation, const shape& s) {
  if (s.rank() < 2 || s[s.rank() - 1] != s[s.rank() - 2]) {
    throw shape_error(operation, fmt::format("{} holds no square matrices", to_string(s)),
                      "the last two extents must be equal");
  }
  return shape(s.extents().first(s.rank() - 2));
}

std::string name_of_matrix(std::size_t matrix, const shape& s) {
  return s.rank() == 2 ? fmt::format("the matrix {}", to_string(s))
                       : fmt::format("matrix {} of {}", matrix, to_string(s));
}

template <class T>
lu_factors<T>::lu_factors(const array<T>& a)
    : order_(order_of(a.shape())),
      count_(count_of(a.shape())),
      factors_(a.shape(), a.values()),
      pivots_(shape{count_ * order_}) {
  T* matrix = factors_.writable();
  int* pivots = pivots_.writable();
  for (std::size_t i = 0; i < count_; ++i)
    factor_lu(order_, matrix + i * order_ * order_, pivots + i * order_);
}

template <class T>
std::size_t lu_factors<T>::zero_pivot(std::size_t matrix) const {
  const T* a = factors_.data() + matrix * order_ * order_;
  std::size_t i = 0;
  while (i < order_ && a[i * (order_ + 1)] != T(0)) ++i;
  return i;
}

template <class T>
void lu_factors<T>::solve(transposed a_is, std::size_t matrix, std::size_t columns, T* b) const {
  solve_lu(a_is, order_, columns, factors_.data() + matrix * order_ * order_,
           pivots_.data() + matrix * order_, b);
}

template <class T>
T lu_factors<T>::sign(std::size_t matrix) const {
  const T* a = factors_.data() + matrix * order_ * order_;
  T sign(1);
  for (std::size_t i = 0; i < order_; ++i) {
    const T pivot = a[i * (order_ + 1)];
    if (pivot == T(0)) return T(0);
    const bool exchanged = static_cast<std::size_t>(pivots_.data()[matrix * order_ + i]) != i + 1;
    if ((pivot < T(0)) != exchanged) sign = -sign;
    if (pivot != pivot) sign = pivot;
  }
  return sign;
}

template <class T>
T lu_factors<T>::determinant(std::size_t matrix) const {
  // The product of the pivots may leave the range of T on the way to a result inside of it.
  const T* a = factors_.data() + matrix * order_ * order_;
  T product = sign(matrix);
  int exponent = 0;
  for (std::size_t i = 0; i < order_; ++i) {
    int step = 0;
    product = std::frexp(product * std::fabs(a[i * (order_ + 1)]), &step);
    exponent += step;
  }
  return std::ldexp(product, exponent);
}

template <class T>
T lu_factors<T>::log_determinant(std::size_t matrix) const {
  const T* a = factors_.data() + matrix * order_ * order_;
  T sum(0);
  for (std::size_t i = 0; i < order_; ++i) sum += std::log(std::fabs(a[i * (order_ + 1)]));
  return sum;
}

template <class T>
lu_factors<dual<T>>::lu_factors(const array<dual<T>>& a)
    : a_(), tangents_(), values_([&] {
        parts<T> split(a.size(), a.data());
        tangents_ = std::move(split.tangents);
        a_ = split.values.reshaped(a.shape());
        return lu_factors<T>(a_);
      }()) {}

template <class T>
void lu_factors<dual<T>>::solve(transposed a_is, std::size_t matrix, std::size_t columns,
                                dual<T>* b) const {
  const std::size_t n = order();
  parts<T> x(n * columns, b);
  values_.solve(a_is, matrix, columns, x.values.writable());
  array<T> moved(shape{n * columns});
  const matrix_factor<T> slopes{tangents_.data() + matrix * n * n, a_is, n};
  multiply_into(slopes, rows_of(x.values.data(), columns), n, columns, n, store::write,
                moved.writable());
  T* tangents = x.tangents.writable();
  subtract(moved, tangents);
  values_.solve(a_is, matrix, columns, tangents);
  x.join(b);
}

template <class T>
T lu_factors<dual<T>>::relative_slope(std::size_t matrix) const {
  const std::size_t n = order();
  array<T> quotient(shape{n * n}, tangents_.values().subspan(matrix * n * n, n * n));
  T* x = quotient.writable();
  values_.solve(transposed::no, matrix, n, x);
  T trace(0);
  for (std::size_t i = 0; i < n; ++i) trace += x[i * (n + 1)];
  return trace;
}

template <class T>
dual<T> lu_factors<dual<T>>::determinant(std::size_t matrix) const {
  const std::size_t n = order();
  const T value = values_.determinant(matrix);
  if (zero_pivot(matrix) == n) return {value, T(value * relative_slope(matrix))};
  array<T> slopes(shape{n * n});
  cofactors(n, a_.data() + matrix * n * n, slopes.writable());
  const T* tangents = tangents_.data() + matrix * n * n;
  return {value, std::inner_product(slopes.data(), slopes.data() + n * n, tangents, T(0))};
}

template <class T>
dual<T> lu_factors<dual<T>>::log_determinant(std::size_t matrix) const {
  const bool regular = zero_pivot(matrix) == order();
  return {values_.log_determinant(matrix),
          regular ? relative_slope(matrix) : std::numeric_limits<T>::quiet_NaN()};
}

// L' = L F(L^-1 a' L^-T), where F takes the lower triangle with half of the diagonal.
// Source: Murray, Differentiation of the Cholesky decomposition (2016), section 2.1.
template <class T>
std::size_t factor_cholesky(std::size_t n, dual<T>* a) {
  parts<T> split(n * n, a);
  T* lower = split.values.writable();
  const std::size_t pivot = factor_cholesky(n, lower);
  if (pivot != n) return pivot;
  T* inner = split.tangents.writable();
  solve_triangle(side::left, {}, n, n, lower, inner);
  solve_triangle(side::right, {.transposed = true}, n, n, lower, inner);
  halve_lower(n, inner);
  array<T> tangents(shape{n * n});
  multiply_into(rows_of(lower, n), rows_of(inner, n), n, n, n, store::write, tangents.writable());
  split.tangents = std::move(tangents);
  split.join(a);
  return n;
}

// x' = a^-1 (b' - a' x), or (b' - x a') a^-1.
template <class T>
void solve_triangle(side a_is, triangular_form form, std::size_t m, std::size_t n, const dual<T>* a,
                    dual<T>* b) {
  const std::size_t order = a_is == side::left ? m : n;
  parts<T> split(order * order, a), x(m * n, b);
  const T* matrix = split.values.data();
  solve_triangle(a_is, form, m, n, matrix, x.values.writable());
  T* slopes = split.tangents.writable();
  for (std::size_t i = 0; i < order; ++i) {
    for (std::size_t j = 0; j < order; ++j) {
      if (!form.reads(i, j)) slopes[i * order + j] = T(0);
    }
  }
  array<T> moved(shape{m * n});
  const matrix_factor<T> in_a{slopes, transposed{form.transposed}, order},
      in_x = rows_of(x.values.data(), n);
  const bool is_left = a_is == side::left;
  multiply_into(is_left ? in_a : in_x, is_left ? in_x : in_a, m, n, order, store::write,
                moved.writable());
  T* tangents = x.tangents.writable();
  subtract(moved, tangents);
  solve_triangle(a_is, form, m, n, matrix, tangents);
  x.join(b);
}

template class lu_factors<float>;
template class lu_factors<double>;
template class lu_factors<dual<float>>;
template class lu_factors<dual<double>>;

#define INSTANTIATE_DUAL(T)                                                                     \
  template std::size_t factor_cholesky(std::size_t, dual<T>*);                                  \
  template void solve_triangle(side, triangular_form, std::size_t, std::size_t, const dual<T>*, \
                               dual<T>*);
INSTANTIATE_DUAL(float)
INSTANTIATE_DUAL(double)

}  // namespace autodiff
