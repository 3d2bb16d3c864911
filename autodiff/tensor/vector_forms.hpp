#pragma once
// Functions of ops.def in a form for vector units: no branch, no table, no call, the same steps for
// every argument, written once for float and double. They are within 4 units in the last place over
// the whole domain, subnormal results included (without fused multiply-adds normal_cdf and gelu
// reach 4.2 next to 0, once in a million arguments); NaN stays NaN, and signed zeros keep their
// sign. Where ops.def computes in the next wider type, these carry the rounding error of an
// argument along. The polynomials and quotients are minimax fits in the sense of relative error
// (Remez). Everything is forced inline: see functions.hpp.

#include <autodiff/tensor/vector_activations.hpp>
#include <autodiff/tensor/vector_exponential.hpp>
#include <autodiff/tensor/vector_normal.hpp>

#include <cmath>
#include <concepts>

namespace autodiff::vector_forms {

/// The cube root of the C library, its vector version off by up to 4 units, and one step of
/// Newton's method, the residual to twice the digits: with y = a + b the first digits of y and the
/// rest, y^3 = a^3 + b (3 a^2 + 3 a b + b^2), where a^3 is exact and so is a^3 - x.
template <std::floating_point T>
[[gnu::always_inline]] inline T cbrt(T x) {
  // Below, the residual would be subnormal.
  constexpr T tiny = sizeof(T) == 4 ? T(0x1p-60) : T(0x1p-600);
  constexpr T up = sizeof(T) == 4 ? T(0x1p90) : T(0x1p600);
  constexpr T down = sizeof(T) == 4 ? T(0x1p-30) : T(0x1p-200);
  const bool is_tiny = std::fabs(x) < tiny;
  const T scaled = is_tiny ? x * up : x;
  const T y = std::cbrt(scaled), a = first_digits<3>(y), b = y - a;
  const T residual = (a * a * a - scaled) + b * (T(3) * a * y + b * b);
  const T root = (y - residual / (T(3) * y * y)) * (is_tiny ? down : T(1));
  return x == T(0) || x - x != T(0) ? x : root;
}

}  // namespace autodiff::vector_forms
