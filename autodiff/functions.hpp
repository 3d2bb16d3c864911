#pragma once
// The functions of ops.def on plain numbers, and the words that its slopes are written with. Forced
// inline: kernels.cpp compiles them for several instruction sets, and a shared out-of-line copy
// could carry the wrong one.

#include <autodiff/special.hpp>

#include <cmath>
#include <concepts>
#include <limits>
#include <numbers>
#include <type_traits>

namespace autodiff {

/// What arithmetic on numbers of these types gives, where whole numbers count as double.
template <class... U>
using floating_type = std::common_type_t<std::conditional_t<std::is_integral_v<U>, double, U>...>;
/// Plain numbers, not all of one floating-point type: pow(2.0, 3), max(1, 2.5F).
template <class U, class... Others>
concept mixed_numbers = std::is_arithmetic_v<U> &&(std::is_arithmetic_v<Others>&&...) &&
                        !(std::is_floating_point_v<U> && (std::is_same_v<U, Others> && ...));

// Classification of plain numbers; that of dual and var is on values.
using std::isfinite, std::isinf, std::isnan, std::signbit;

/// The slope of sigmoid at x from e = exp(-|x|), so that one exponential is enough.
template <std::floating_point T>
[[gnu::always_inline]] inline T logistic_density(T e) {
  return e / ((T(1) + e) * (T(1) + e));
}

// The functions on plain numbers.
#define UNARY(NAME, VALUE, ...)               \
  template <std::floating_point T>            \
  [[gnu::always_inline]] inline T NAME(T x) { \
    return VALUE;                             \
  }                                           \
  template <std::integral U>                  \
  double NAME(U x) {                          \
    return NAME(static_cast<double>(x));      \
  }
#define BINARY(NAME, VALUE, ...)                                    \
  template <std::floating_point T>                                  \
  [[gnu::always_inline]] inline T NAME(T a, T b) {                  \
    return VALUE;                                                   \
  }                                                                 \
  template <class A, class B>                                       \
  requires mixed_numbers<A, B> floating_type<A, B> NAME(A a, B b) { \
    using T = floating_type<A, B>;                                  \
    return NAME(static_cast<T>(a), static_cast<T>(b));              \
  }
#define TERNARY(NAME, VALUE, ...)                                              \
  template <std::floating_point T>                                             \
  [[gnu::always_inline]] inline T NAME(T a, T b, T c) {                        \
    return VALUE;                                                              \
  }                                                                            \
  template <class A, class B, class C>                                         \
  requires mixed_numbers<A, B, C> floating_type<A, B, C> NAME(A a, B b, C c) { \
    using T = floating_type<A, B, C>;                                          \
    return NAME(static_cast<T>(a), static_cast<T>(b), static_cast<T>(c));      \
  }
#include <autodiff/ops.def>

/// The number b in the type of a plain number a; beside other types it stays a double.
template <class A>
constexpr auto beside(double b) {
  if constexpr (std::floating_point<A>)
    return static_cast<A>(b);
  else
    return b;
}

// A second argument that may be left out, for every type that the row serves.
#define DEFAULT(NAME, B)                                                                  \
  template <class A>                                                                      \
  requires(!std::is_integral_v<A>) [[gnu::always_inline]] constexpr auto NAME(const A& a) \
      ->decltype(NAME(a, B), NAME(a, beside<A>(B))) {                                     \
    return NAME(a, beside<A>(B));                                                         \
  }
#include <autodiff/ops.def>

/// 0 where x is a number, NaN where it is not.
template <class X>
requires requires(const X& x) { x == x; }
[[gnu::always_inline]] constexpr X flat(const X& x) { return x == x ? X(0) : x; }

/// s where y is a number, NaN where it is not: a NaN value has a NaN slope.
template <class Y, class S>
requires requires(const Y& y, const S& s) {
  y == y;
  Y(s);
}
[[gnu::always_inline]] constexpr Y defined(const Y& y, const S& s) { return y == y ? Y(s) : y; }

/// Whether x is a number of full precision: neither zero, subnormal, infinite nor NaN.
template <class X>
[[gnu::always_inline]] constexpr bool is_normal(const X& x) {
  if constexpr (std::floating_point<X>) {
    const X size = x < X(0) ? -x : x;
    return size >= std::numeric_limits<X>::min() && size <= std::numeric_limits<X>::max();
  } else {
    return is_normal(x.value());
  }
}

/// x / y, where y is the length of the vector of x and the others; 0 at the origin. An infinite
/// one has the direction to itself; of two there is none.
template <class X, class... Others>
requires requires(const X& x, const Others&... others) { hypot(x, others...) / x; }
[[gnu::always_inline]] inline X component(const X& x, const X& y, const Others&... others) {
  if (y == X(0)) return X(0);
  if (!is_normal(y)) {
    const bool others_infinite = (isinf(others) || ...);
    if (isinf(x) != others_infinite) return others_infinite ? flat(x) : X(sign(x));
    // The length overflowed, or lost its digits below the smallest normal number.
    const X scale(y > X(1) ? 0x1p-100 : 0x1p100);
    return X(x * scale / X(hypot(X(x * scale), X(others * scale)...)));
  }
  if constexpr (!std::floating_point<X>) {
    // The derivative of x / y, (1 - (x / y)^2) / y, would cancel where x is nearly all of y.
    const X rest(hypot(X(0), X(others)...));
    if (abs(x) > rest) return X(sign(x) / hypot(X(1), X(rest / x)));
  }
  return X(x / y);
}

/// 1 - x^2 for |x| <= 1 with all its digits, and those of its derivative -2 x.
template <class X>
requires requires(const X& x) { x* x; }
[[gnu::always_inline]] inline X one_minus_square(const X& x) {
  return abs(x) < X(0.5) ? X(X(1.0) - square(x)) : X((X(1.0) - x) * (X(1.0) + x));
}

/// 2 sqrt(2 / pi) (x + 0.044715 x^3), of which gelu_gate is the sigmoid.
template <class X>
requires requires(const X& x) { x* x; }
[[gnu::always_inline]] inline X gelu_argument(const X& x) {
  return X(X(2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi) * x *
           (X(1.0) + X(0.044715) * square(x)));
}

/// The slope of gelu_argument where gelu_gate has one, constant beyond.
template <class X>
requires requires(const X& x) { x* x; }
[[gnu::always_inline]] inline X gelu_rate(const X& x) {
  const X within(min(abs(x), X(100.0)));
  return X(X(2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi) *
           (X(1.0) + X(3 * 0.044715) * square(within)));
}

}  // namespace autodiff
