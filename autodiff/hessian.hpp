#pragma once
// Second derivatives, forward over reverse: the gradient of a function over duals carries its own
// derivative along each direction of the duals.
// Source: Griewank and Walther, Evaluating Derivatives (2008), section 5.1.

#include <autodiff/argument.hpp>
#include <autodiff/direction.hpp>
#include <autodiff/gradient.hpp>
#include <autodiff/jacobian.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace autodiff {

/// H v: the derivative along v of the gradient of f at x, from one evaluation and one sweep. v has
/// the kind and size of x, and so has the result; for several arguments x and v are std::tuples. f
/// is called with variables over dual<double>; of a tensor argument it gets a tensor<dual<double>>,
/// whose elements are not recorded one by one.
/// Throws shape_error when x and v differ in size.
template <class F, class A, class V>
auto hessian_vector_product(F&& f, const A& x, const V& v) {
  using T = common_number<A, V>;
  return tangents_of<T>(gradient(f, along_direction<T>("hessian_vector_product", x, v)));
}

template <class V, class G, class H>
struct value_gradient_and_hessian_result {
  V value;
  G gradient;
  H hessian;
};
template <class V, class G, class H>
value_gradient_and_hessian_result(V, G, H) -> value_gradient_and_hessian_result<V, G, H>;

/// Columns of a Hessian that one evaluation and sweep compute.
inline constexpr std::size_t hessian_lanes = 8;

/// f at its arguments with the gradient (of the kind that gradient() gives) and the matrix [n, n]
/// of second derivatives by the n numbers of the arguments in order, tensors row by row. One
/// evaluation and sweep for hessian_lanes columns, for one column where there are tensors. The
/// matrix is a passive tensor<double>; for arguments that are vars themselves a recorded one. f is
/// called as by hessian_vector_product.
template <class F, class... Args>
auto value_gradient_and_hessian(F&& f, const Args&... args) {
  using T = common_number<Args...>;
  constexpr std::size_t lanes = (holds_tensor<Args> || ...) ? 1 : hessian_lanes;
  const auto& arguments = argument_list(args...);
  const std::size_t n = flattened<T>(arguments).numbers.size();
  std::vector<T> entries(n * n);
  const auto columns_from = [&](std::size_t first) {
    auto block = value_and_gradient(f, along_units<T, lanes>("hessian", arguments, first));
    for (std::size_t k = 0; k < lanes && first + k < n; ++k) {
      const std::vector<T> column = flattened<T>(tangents_of<T>(block.gradient, k)).numbers;
      for (std::size_t i = 0; i < n; ++i) entries[i * n + first + k] = column[i];
    }
    return block;
  };
  const auto block = columns_from(0);
  for (std::size_t first = lanes; first < n; first += lanes) columns_from(first);
  return value_gradient_and_hessian_result{block.value.value(),
                                           shaped_as<Args...>(values_of<T>(block.gradient)),
                                           matrix_of(entries, n, n)};
}

/// The Hessian alone.
template <class F, class... Args>
auto hessian(F&& f, const Args&... args) {
  return value_gradient_and_hessian(std::forward<F>(f), args...).hessian;
}

}  // namespace autodiff
