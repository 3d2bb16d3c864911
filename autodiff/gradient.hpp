#pragma once
// Derivatives of functions. A function is anything callable with the engine's number types, usually
// a generic lambda; its arguments are numbers, std::array, std::vector or std::span of numbers,
// tensors, or a mix. gradient() evaluates it on a fresh tape and sweeps once; jvp() carries one
// direction along.

#include <autodiff/dual.hpp>
#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor.hpp>
#include <autodiff/var.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace autodiff {

/// How an argument of type A becomes variables, and gradients of them become a result. Specialise
/// it to pass a type of your own. Members: variable(tape, a), gradient(tape, variables), zeros(a),
/// and for jvp: directed(a, da).
template <class A>
struct argument;

template <class A>
requires std::is_arithmetic_v<A>
struct argument<A> {
  static var variable(tape& t, A x) { return t.variable(static_cast<double>(x)); }
  static double gradient(const tape& t, const var& x) { return t.adjoint(x); }
  static double zeros(A) { return 0; }
  static dual<double> directed(A x, double dx) { return {static_cast<double>(x), dx}; }
};

template <class A, std::size_t N>
requires std::is_arithmetic_v<A>
struct argument<std::array<A, N>> {
  static std::array<var, N> variable(tape& t, const std::array<A, N>& x) {
    std::array<var, N> variables;
    for (std::size_t i = 0; i < N; ++i) variables[i] = t.variable(static_cast<double>(x[i]));
    return variables;
  }
  static std::array<double, N> gradient(const tape& t, const std::array<var, N>& x) {
    return t.adjoint(x);
  }
  static std::array<double, N> zeros(const std::array<A, N>&) { return {}; }
  static std::array<dual<double>, N> directed(const std::array<A, N>& x,
                                              const std::array<A, N>& dx) {
    std::array<dual<double>, N> duals;
    for (std::size_t i = 0; i < N; ++i) {
      duals[i] = dual<double>(static_cast<double>(x[i]), static_cast<double>(dx[i]));
    }
    return duals;
  }
};

namespace gradient_errors {
[[noreturn]] void direction_size(std::size_t x, std::size_t dx);
[[noreturn]] void direction_shape(const shape& x, const shape& dx);
}  // namespace gradient_errors

template <class A, std::size_t Extent>
requires std::is_arithmetic_v<std::remove_const_t<A>>
struct argument<std::span<A, Extent>> {
  static std::vector<var> variable(tape& t, std::span<A, Extent> x) {
    std::vector<var> variables;
    variables.reserve(x.size());
    for (const A& value : x) variables.push_back(t.variable(static_cast<double>(value)));
    return variables;
  }
  static std::vector<double> gradient(const tape& t, const std::vector<var>& x) {
    return t.adjoint(x);
  }
  static std::vector<double> zeros(std::span<A, Extent> x) { return std::vector<double>(x.size()); }
  static std::vector<dual<double>> directed(std::span<A, Extent> x, std::span<const A> dx) {
    if (x.size() != dx.size()) gradient_errors::direction_size(x.size(), dx.size());
    std::vector<dual<double>> duals;
    duals.reserve(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      duals.emplace_back(static_cast<double>(x[i]), static_cast<double>(dx[i]));
    }
    return duals;
  }
};

template <class A>
requires std::is_arithmetic_v<A>
struct argument<std::vector<A>> : argument<std::span<const A>> {
};

template <class T>
struct argument<tensor<T>> {
  static tensor<T> variable(tape& t, const tensor<T>& x) { return t.variable(x.detached()); }
  static tensor<T> gradient(const tape& t, const tensor<T>& x) { return t.adjoint(x); }
  static tensor<T> zeros(const tensor<T>& x) { return tensor<T>(x.shape(), T(0)); }
  static tensor<dual<T>> directed(const tensor<T>& x, const tensor<T>& dx) {
    if (x.shape() != dx.shape()) gradient_errors::direction_shape(x.shape(), dx.shape());
    array<dual<T>> duals(x.shape());
    std::transform(x.values().begin(), x.values().end(), dx.values().begin(), duals.writable(),
                   [](const T& value, const T& tangent) { return dual<T>(value, tangent); });
    return tensor<dual<T>>(std::move(duals));
  }
};

template <class V, class G>
struct value_and_gradient_result {
  V value;
  G gradient;
};

template <class V, class D>
struct value_and_tangent_result {
  V value;
  D tangent;
};

/// The number in a scalar result.
template <class Y>
auto scalar_value(const Y& y) {
  if constexpr (std::is_arithmetic_v<Y>)
    return static_cast<double>(y);
  else if constexpr (requires { y.item(); })
    return y.item();
  else
    return y.value();
}

/// f(args...) and its derivatives with respect to every argument, from one evaluation and one
/// sweep. f returns one number: a var, an expression, or a tensor with one element. The gradient of
/// numbers is a std::array<double, n>; that of one array, vector, span or tensor has its kind and
/// size; several such arguments give a std::tuple. A function that does not depend on its arguments
/// has gradient 0. Throws shape_error when f returns a tensor with several elements, and whatever f
/// throws.
template <class F, class... Args>
auto value_and_gradient(F&& f, const Args&... args) {
  tape t;
  const auto variables = std::tuple(argument<Args>::variable(t, args)...);
  const auto y = [&] {
    const auto result = std::apply(f, variables);
    // An expression is recorded here, once.
    if constexpr (expression<std::remove_const_t<decltype(result)>>)
      return var(result);
    else
      return result;
  }();
  bool active = false;
  if constexpr (requires { y.is_recorded(); }) {
    active = y.is_recorded();
    if (active) t.backward(y);
  }
  const auto value = scalar_value(y);
  const auto read = [&](const auto&... x) {
    if constexpr ((std::is_arithmetic_v<Args> && ...)) {
      return std::array<double, sizeof...(Args)>{active ? t.adjoint(x) : 0.0 ...};
    } else if constexpr (sizeof...(Args) == 1) {
      return ((active ? argument<Args>::gradient(t, x) : argument<Args>::zeros(args)), ...);
    } else {
      return std::tuple(active ? argument<Args>::gradient(t, x) : argument<Args>::zeros(args)...);
    }
  };
  auto gradient = std::apply(read, variables);
  return value_and_gradient_result<std::remove_const_t<decltype(value)>, decltype(gradient)>{
      value, std::move(gradient)};
}

/// The gradient alone.
template <class F, class... Args>
auto gradient(F&& f, const Args&... args) {
  return value_and_gradient(std::forward<F>(f), args...).gradient;
}

/// Values and tangents of what f returned, taken apart. A number does not depend on the arguments.
inline value_and_tangent_result<double, double> split(double y) { return {y, 0.0}; }
template <class T>
value_and_tangent_result<T, T> split(const dual<T>& y) {
  return {y.value(), y.tangent()};
}
template <class T, std::size_t N>
value_and_tangent_result<std::array<T, N>, std::array<T, N>> split(
    const std::array<dual<T>, N>& y) {
  value_and_tangent_result<std::array<T, N>, std::array<T, N>> parts;
  for (std::size_t i = 0; i < N; ++i) {
    parts.value[i] = y[i].value();
    parts.tangent[i] = y[i].tangent();
  }
  return parts;
}
template <class T>
value_and_tangent_result<std::vector<T>, std::vector<T>> split(const std::vector<dual<T>>& y) {
  value_and_tangent_result<std::vector<T>, std::vector<T>> parts;
  for (const dual<T>& one : y) {
    parts.value.push_back(one.value());
    parts.tangent.push_back(one.tangent());
  }
  return parts;
}
template <class T>
value_and_tangent_result<tensor<T>, tensor<T>> split(const tensor<dual<T>>& y) {
  array<T> values(y.shape()), tangents(y.shape());
  T* value = values.writable();
  T* tangent = tangents.writable();
  for (const dual<T>& one : y.values()) {
    *value++ = one.value();
    *tangent++ = one.tangent();
  }
  return {tensor<T>(std::move(values)), tensor<T>(std::move(tangents))};
}

/// The Jacobian-vector product: f(x) and its derivative along dx, in one evaluation without a tape.
/// x and dx are numbers, arrays, vectors, spans or tensors of one size; for a function of several
/// arguments pass std::tuple of them. f returns a number, an array, a vector or a tensor.
/// Throws shape_error when x and dx differ in size.
template <class F, class A>
auto jvp(F&& f, const A& x, const A& dx) {
  return split(f(argument<A>::directed(x, dx)));
}
template <class F, class... Args>
auto jvp(F&& f, const std::tuple<Args...>& x, const std::tuple<Args...>& dx) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return split(f(argument<Args>::directed(std::get<I>(x), std::get<I>(dx))...));
  }
  (std::index_sequence_for<Args...>{});
}

}  // namespace autodiff
