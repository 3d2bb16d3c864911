#pragma once
// The gradient of a function: one evaluation on a fresh tape, one sweep. A function is anything
// callable with the engine's number types, usually a generic lambda; argument.hpp says what its
// arguments may be. Over vars or duals the gradient is recorded or carried along itself, so drivers
// nest to derivatives of any order: inside a function that is differentiated, pass its variables to
// the inner driver as arguments, not by capture.

#include <autodiff/argument.hpp>
#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace autodiff {

template <class V, class G>
struct value_and_gradient_result {
  V value;
  G gradient;
};
template <class V, class G>
value_and_gradient_result(V, G) -> value_and_gradient_result<V, G>;

/// The arguments as variables of the tape. Throws tape_error, naming `operation`, for a tensor that
/// is recorded already: tensors have no tape of a higher order.
template <class T, class List>
auto variables_on(basic_tape<T>& t, const List& arguments, std::string_view operation) {
  return map_leaves(arguments, [&](const auto& leaf) {
    if constexpr (is_tensor<std::remove_cvref_t<decltype(leaf)>>) {
      if (leaf.is_recorded()) tensor_errors::recorded_argument(operation, leaf.shape());
      return t.variable(leaf);
    } else {
      return t.variable(T(leaf));
    }
  });
}

/// Their adjoints after a sweep; zeros where there was none.
template <class T, class Variables>
auto adjoints_on(const basic_tape<T>& t, const Variables& variables, bool swept) {
  return map_leaves(variables, [&](const auto& leaf) {
    using L = std::remove_cvref_t<decltype(leaf)>;
    if constexpr (is_tensor<L>)
      return swept ? t.adjoint(leaf) : zeros<typename L::value_type>(leaf.shape());
    else
      return swept ? t.adjoint(leaf) : T(0);
  });
}

/// What f returned, as one output on a tape of T.
template <class T, class Y>
auto single_output(const Y& y) {
  if constexpr (is_tensor<Y>) {
    return y;
  } else {
    static_assert(std::convertible_to<Y, basic_var<T>>,
                  "the function has to return one number: a var or an expression of its arguments, "
                  "a plain number, or a tensor with one element; for several there are jacobian "
                  "and vjp, and elements of tensors over duals are not recorded: sum() them");
    return basic_var<T>(y);
  }
}

/// The number in a scalar result.
template <class Y>
auto scalar_value(const Y& y) {
  if constexpr (is_tensor<Y>)
    return y.item();
  else
    return y.value();
}

/// f(args...) and its derivatives with respect to every argument, from one evaluation and one
/// sweep. f returns one number: a var, an expression, or a tensor with one element. The gradient of
/// numbers is a std::array<double, n>; that of one array, vector, span, tensor or struct has its
/// kind and size, over double; several such arguments, or one std::tuple of them, give a
/// std::tuple. A function that does not depend on its arguments has gradient 0. Over vars or duals
/// in the place of doubles the value and the gradient are of that type.
/// Throws shape_error when f returns a tensor with several elements, and whatever f throws.
template <class F, class... Args>
auto value_and_gradient(F&& f, const Args&... args) {
  using T = common_number<Args...>;
  basic_tape<T> t;
  const auto variables = variables_on(t, argument_list(args...), "gradient");
  const auto y = single_output<T>(std::apply(f, variables));
  if (y.is_recorded()) t.backward(y);
  return value_and_gradient_result{scalar_value(y),
                                   shaped_as<Args...>(adjoints_on(t, variables, y.is_recorded()))};
}

/// The gradient alone.
template <class F, class... Args>
auto gradient(F&& f, const Args&... args) {
  return value_and_gradient(std::forward<F>(f), args...).gradient;
}

}  // namespace autodiff
