#pragma once
// Every row of ops.def on tensors, with broadcasting, and the arithmetic operators. A number beside
// a tensor is a constant; a scalar variable beside a tensor is broadcast and gets its derivative.

#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/operand.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <concepts>

namespace autodiff {

/// y = f(x) for each element, by the loops of a unary rule.
template <class T>
tensor<T> elementwise(const unary_loops<T>& f, const tensor<T>& x);
/// y = f(a, b) with a and b broadcast. Throws shape_error when the shapes do not fit.
template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const tensor<T>& a, const tensor<T>& b);
template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const tensor<T>& a, const T& b);
template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const T& a, const tensor<T>& b);

#define UNARY(NAME, ...)                    \
  template <class T>                        \
  tensor<T> NAME(const tensor<T>& x) {      \
    return elementwise(loops<T>().NAME, x); \
  }
#define BINARY(NAME, ...)                                  \
  template <class T>                                       \
  tensor<T> NAME(const tensor<T>& a, const tensor<T>& b) { \
    return elementwise(loops<T>().NAME, a, b);             \
  }                                                        \
  template <class T, number_beside<T> U>                   \
  tensor<T> NAME(const tensor<T>& a, const U& b) {         \
    return elementwise(loops<T>().NAME, a, T(b));          \
  }                                                        \
  template <class T, number_beside<T> U>                   \
  tensor<T> NAME(const U& a, const tensor<T>& b) {         \
    return elementwise(loops<T>().NAME, T(a), b);          \
  }                                                        \
  template <std::floating_point T, recordable U>           \
  tensor<T> NAME(const tensor<T>& a, const U& b) {         \
    return NAME(a, to_tensor<T>(b));                       \
  }                                                        \
  template <std::floating_point T, recordable U>           \
  tensor<T> NAME(const U& a, const tensor<T>& b) {         \
    return NAME(to_tensor<T>(a), b);                       \
  }
#include <autodiff/ops.def>

#define AUTODIFF_TENSOR_OPERATOR(SYMBOL, NAME)                           \
  template <class T>                                                     \
  tensor<T> operator SYMBOL(const tensor<T>& a, const tensor<T>& b) {    \
    return NAME(a, b);                                                   \
  }                                                                      \
  template <class T, class U>                                            \
  requires(number_beside<U, T> || recordable<U>) tensor<T>               \
  operator SYMBOL(const tensor<T>& a, const U& b) { return NAME(a, b); } \
  template <class T, class U>                                            \
  requires(number_beside<U, T> || recordable<U>) tensor<T>               \
  operator SYMBOL(const U& a, const tensor<T>& b) { return NAME(a, b); }
AUTODIFF_TENSOR_OPERATOR(+, add)
AUTODIFF_TENSOR_OPERATOR(-, subtract)
AUTODIFF_TENSOR_OPERATOR(*, multiply)
AUTODIFF_TENSOR_OPERATOR(/, divide)
#undef AUTODIFF_TENSOR_OPERATOR

template <class T>
tensor<T> operator-(const tensor<T>& x) {
  return negate(x);
}
template <class T>
tensor<T> operator+(const tensor<T>& x) {
  return x;
}
template <class T, class U>
tensor<T>& operator+=(tensor<T>& a, const U& b) {
  return a = a + b;
}
template <class T, class U>
tensor<T>& operator-=(tensor<T>& a, const U& b) {
  return a = a - b;
}
template <class T, class U>
tensor<T>& operator*=(tensor<T>& a, const U& b) {
  return a = a * b;
}
template <class T, class U>
tensor<T>& operator/=(tensor<T>& a, const U& b) {
  return a = a / b;
}

}  // namespace autodiff
