#pragma once
// The rows of ops.def with three arguments on tensors: fma, clamp, hypot. All three are broadcast,
// and each may be a tensor, a number or a scalar variable: clamp(x, 0.0, 1.0).

#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/operand.hpp>
#include <autodiff/tensor/tensor.hpp>

namespace autodiff {

/// y = f(a, b, c) for each element, by the loops of a ternary rule, with a, b and c broadcast.
/// Throws shape_error when the shapes do not fit.
template <class T>
tensor<T> elementwise(const ternary_loops<T>& f, const tensor_or_number<T>& a,
                      const tensor_or_number<T>& b, const tensor_or_number<T>& c);

#define TERNARY(NAME, ...)                                                               \
  template <class A, class B, class C>                                                   \
  requires tensor_operands<A, B, C>                                                      \
  auto NAME(const A& a, const B& b, const C& c) {                                        \
    using T = tensor_number_of<A, B, C>;                                                 \
    return elementwise<T>(loops<T>().NAME##_ternary, as_operand<T>(a), as_operand<T>(b), \
                          as_operand<T>(c));                                             \
  }                                                                                      \
  /* Beats std::clamp(const X&, const X&, const X&) after `using std::clamp`. */         \
  template <class T>                                                                     \
  tensor<T> NAME(const tensor<T>& a, const tensor<T>& b, const tensor<T>& c) {           \
    return elementwise<T>(loops<T>().NAME##_ternary, a, b, c);                           \
  }
#include <autodiff/ops.def>

}  // namespace autodiff
