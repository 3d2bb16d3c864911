#pragma once
// The logistic function and the activation functions made of it, in a form for vector units
// (vector_forms.hpp).

#include <autodiff/tensor/vector_exponential.hpp>

#include <cmath>
#include <concepts>
#include <limits>

namespace autodiff::vector_forms {

template <std::floating_point T>
[[gnu::always_inline]] inline T sigmoid(T x) {
  const T y = exponential_within(-x).logistic();
  const T above = x > -exp_from<T> ? T(1) : y;
  return x < exp_from<T> ? T(0) : above;
}

template <std::floating_point T>
[[gnu::always_inline]] inline T logistic_pdf(T x) {
  const T e = decay(x);
  return e / (T(1) + e * (T(2) + e));
}

/// log(1 + e) for 0 <= e <= 1. With s = e / (2 + e) it is 2 atanh(s) = 2 s + s (c0 s^2 + ...).
template <std::floating_point T>
[[gnu::always_inline]] inline T log_one_plus(T e) {
  constexpr float c_float[] = {0.6666643874f, 0.4002050245f, 0.2801598863f, 0.2795067364f};
  constexpr double c_double[] = {
      0.6666666666667252352, 0.3999999999727504769,  0.2857142895229317438,
      0.2222219747801034251, 0.1818270200344881722,  0.1536592205448185897,
      0.1357245820734134818, 0.09966847677422941448, 0.1761588754860413274};
  const T s = e / (T(2) + e), square = s * s;
  // 2 s is e - s e, and e is exact.
  return e - s * (e - square * polynomial(choose<T>(c_float, c_double), square));
}

template <std::floating_point T>
[[gnu::always_inline]] inline T softplus(T x) {
  return (x > T(0) ? x : T(0)) + log_one_plus(decay(x));
}

template <std::floating_point T>
[[gnu::always_inline]] inline T log_sigmoid(T x) {
  return (x < T(0) ? x : T(0)) - log_one_plus(decay(x));
}

/// x, finite from below: a factor of it that is 0 at -inf wins.
template <std::floating_point T>
[[gnu::always_inline]] inline T bounded_below(T x) {
  return x < std::numeric_limits<T>::lowest() ? std::numeric_limits<T>::lowest() : x;
}

template <std::floating_point T>
[[gnu::always_inline]] inline T silu(T x) {
  return bounded_below(x) * sigmoid(x);
}

/// (w^2 + 2 w) / (w^2 + 2 w + 2) with w = exp(x), multiplied by e^2 where x is positive.
template <std::floating_point T>
[[gnu::always_inline]] inline T mish_gate(T x) {
  const T e = decay(x);
  const T part = x >= T(0) ? T(1) + T(2) * e : e * (e + T(2));
  return part / (part + (x >= T(0) ? T(2) * (e * e) : T(2)));
}

template <std::floating_point T>
[[gnu::always_inline]] inline T mish(T x) {
  return bounded_below(x) * mish_gate(x);
}

/// sigmoid(x t) with t = 2 sqrt(2 / pi) (1 + 0.044715 x^2). The rounding errors of both products
/// are carried along: all factors of an exact product are cut to half their digits.
template <std::floating_point T>
[[gnu::always_inline]] inline T gelu_gate(T x) {
  constexpr bool is_float = sizeof(T) == 4;
  constexpr T one_from = is_float ? T(11) : T(22);
  constexpr T k_upper = is_float ? T(1.595703125) : T(1.5957691073417663574);
  constexpr T k_lower = is_float ? T(0.000065996605730711759784) : T(1.426396435433790924e-8);
  constexpr T c_upper = is_float ? T(0.07135009765625) : T(0.071354815736413002014);
  constexpr T c_lower = is_float ? T(4.7186163502487763388e-6) : T(5.3618724676217859603e-10);
  const T x_upper = first_digits<2>(x), x_lower = x - x_upper;
  const T square = x_upper * x_upper, square_upper = first_digits<2>(square);
  const T square_lower = (square - square_upper) + x_lower * (x + x_upper);
  const T part = square_upper * c_upper;
  const T part_lower = square_upper * c_lower + square_lower * (c_upper + c_lower);
  const T t = (k_upper + k_lower) + (part + part_lower), t_upper = first_digits<2>(t);
  const T t_lower = ((k_upper - t_upper) + part) + (k_lower + part_lower);
  const T y =
      exponential_within(-(x_upper * t_upper), -(x_upper * t_lower + x_lower * t)).logistic();
  const T above = x > one_from ? T(1) : y;
  return x < -one_from ? T(0) : above;
}

template <std::floating_point T>
[[gnu::always_inline]] inline T gelu_tanh(T x) {
  return bounded_below(x) * gelu_gate(x);
}

}  // namespace autodiff::vector_forms
