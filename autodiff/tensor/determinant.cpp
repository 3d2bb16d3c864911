#include <autodiff/tensor/determinant.hpp>

#include <autodiff/tensor/cofactors.hpp>
#include <autodiff/tensor/factors.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace autodiff {
namespace {

/// of(matrix) for each of them.
template <class T, class Function>
array<T> map_matrices(const shape& batch, Function&& of) {
  array<T> y(batch);
  T* out = y.writable();
  for (std::size_t i = 0; i < batch.size(); ++i) out[i] = of(i);
  return y;
}

/// Adds weights[i] * slopes of matrix i to its adjoint, where slopes_of(i, slopes) writes them. A
/// weight of 0 asks for none.
template <class T, class Slopes>
void pull_matrices(std::size_t block, const array<T>& weights, input_adjoint<T> da,
                   Slopes&& slopes_of) {
  const auto into = da->open();
  array<T> scratch(shape{block});
  T* slopes = scratch.writable();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const T& weight = weights.data()[i];
    if (is_zero(weight))
      std::fill_n(slopes, block, T(0));
    else
      slopes_of(i, slopes);
    plain<T>().accumulate(block, weight, slopes, 1, into.data + i * block, into.how);
  }
}

/// a^-T
template <class T>
void inverse_turned(const lu_factors<T>& lu, std::size_t matrix, T* result) {
  fill_identity(lu.order(), result);
  lu.solve(transposed::yes, matrix, lu.order(), result);
}

}  // namespace

// da = dy det(a) a^-T, which for a singular matrix are the cofactors.
// Source: Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008),
// section 2.2.4.
template <class T>
tensor<T> determinant(const tensor<T>& a) {
  const shape batch = batch_of_squares("determinant", a.shape());
  const lu_factors<T> lu(a.stored());
  array<T> y = map_matrices<T>(batch, [&](std::size_t i) { return lu.determinant(i); });
  if (!a.is_recorded()) return tensor<T>(std::move(y));
  static constexpr operation_rule rule{"determinant", "y = det a", "ā = ȳ det(a) a⁻ᵀ"};
  return record(
      rule, y,
      [lu, a_kept = a.stored().share(), y_kept = y.share()](const array<T>& dy,
                                                            input_adjoint<T> da) {
        const std::size_t n = lu.order(), block = n * n;
        pull_matrices(block, dy, da, [&](std::size_t i, T* slopes) {
          if (lu.zero_pivot(i) != n) return cofactors(n, a_kept.data() + i * block, slopes);
          inverse_turned(lu, i, slopes);
          for (std::size_t at = 0; at < block; ++at) slopes[at] *= y_kept.data()[i];
        });
      },
      a);
}

namespace {

template <class T>
sign_and_log<T> sign_and_log_of(const operation_rule& operation, const tensor<T>& a) {
  const shape batch = batch_of_squares(operation, a.shape());
  const lu_factors<T> lu(a.stored());
  tensor<T> sign(map_matrices<T>(batch, [&](std::size_t i) { return lu.sign(i); }));
  array<T> y = map_matrices<T>(batch, [&](std::size_t i) { return lu.log_determinant(i); });
  if (!a.is_recorded()) return {std::move(sign), tensor<T>(std::move(y))};
  tensor<T> log = record(
      operation, std::move(y),
      [lu](const array<T>& dy, input_adjoint<T> da) {
        const std::size_t n = lu.order();
        pull_matrices(n * n, dy, da, [&](std::size_t i, T* slopes) {
          if (lu.zero_pivot(i) == n)
            inverse_turned(lu, i, slopes);
          else
            std::fill_n(slopes, n * n, T(std::numeric_limits<double>::quiet_NaN()));
        });
      },
      a);
  return {std::move(sign), std::move(log)};
}

}  // namespace

template <class T>
sign_and_log<T> sign_log_det(const tensor<T>& a) {
  static constexpr operation_rule rule{"sign_log_det", "y = log |det a|", "ā = ȳ a⁻ᵀ"};
  return sign_and_log_of(rule, a);
}

template <class T>
tensor<T> log_det(const tensor<T>& a) {
  static constexpr operation_rule rule{"log_det", "y = log |det a|", "ā = ȳ a⁻ᵀ"};
  return sign_and_log_of(rule, a).log;
}

#define INSTANTIATE(T)                                     \
  template tensor<T> determinant(const tensor<T>&);        \
  template sign_and_log<T> sign_log_det(const tensor<T>&); \
  template tensor<T> log_det(const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
