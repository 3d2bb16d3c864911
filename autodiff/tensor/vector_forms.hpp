#pragma once
// Functions of ops.def in a form for vector units: no branch, no table, no call, the same steps for
// every argument, written once for float and double. They are within 4 units in the last place over
// the whole domain (normal_cdf and gelu within 4.5), subnormal results included; NaN stays NaN, and
// signed zeros keep their sign.
// Where ops.def computes in the next wider type, these carry the rounding error of an argument
// along. The polynomials and quotients are minimax fits in the sense of relative error (Remez).
// Everything is forced inline: see functions.hpp.

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <type_traits>

namespace autodiff::vector_forms {

template <std::floating_point T>
using bits_of = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// The coefficients of float or of double.
template <std::floating_point T, std::size_t N, std::size_t M>
[[gnu::always_inline]] constexpr decltype(auto) choose(const float (&of_float)[N],
                                                       const double (&of_double)[M]) {
  if constexpr (sizeof(T) == 4)
    return (of_float);
  else
    return (of_double);
}

/// c[I] + c[I + 1] x + c[I + 2] x^2 + ... by Horner's rule in x^2, its terms linear in x: a chain
/// of half the length, for a machine that starts several operations before one has ended.
template <std::size_t I = 0, std::size_t N, std::floating_point T>
[[gnu::always_inline]] inline T polynomial(const T (&c)[N], T x, T square) {
  if constexpr (I + 1 == N)
    return c[I];
  else if constexpr (I + 2 == N)
    return c[I] + c[I + 1] * x;
  else
    return (c[I] + c[I + 1] * x) + polynomial<I + 2>(c, x, square) * square;
}
template <std::size_t N, std::floating_point T>
[[gnu::always_inline]] inline T polynomial(const T (&c)[N], T x) {
  return polynomial(c, x, x * x);
}

/// The first digits of x, at most one part in `parts` of them: the product of so many is exact.
template <int parts, std::floating_point T>
[[gnu::always_inline]] inline T first_digits(T x) {
  constexpr int digits = std::numeric_limits<T>::digits, cut = digits - digits / parts;
  return std::bit_cast<T>(std::bit_cast<bits_of<T>>(x) & (~bits_of<T>{0} << cut));
}

// exp(x) = (2^m)^2 exp(r) with x = 2 m log(2) + r: the square of a power of two reaches from the
// smallest subnormal number to infinity, and the power itself is always a normal one.

/// 2^m, exp(r) - 1.
template <std::floating_point T>
struct exponential {
  T power, rest;
  [[gnu::always_inline]] T value() const { return (T(1) + rest) * power * power; }
  /// factor exp(x), rounded once where it is subnormal.
  [[gnu::always_inline]] T times(T factor) const {
    return (factor + factor * rest) * power * power;
  }
};

/// m in units of 1, and 2^m: added to this number, m stands in its last bits, as an exponent.
template <std::floating_point T>
constexpr T exponent_shift = (sizeof(T) == 4 ? T(0x1.8p23) : T(0x1.8p52)) +
                             T(std::numeric_limits<T>::max_exponent - 1);

template <std::floating_point T>
[[gnu::always_inline]] inline T power_of_two(T shifted) {
  return std::bit_cast<T>(std::bit_cast<bits_of<T>>(shifted)
                          << (std::numeric_limits<T>::digits - 1));
}

/// exp(r) - 1 for |r| <= log(2).
template <std::floating_point T>
[[gnu::always_inline]] inline T growth(T r) {
  constexpr float c_float[] = {0.5000003244f,   0.1666661422f,   0.04166141673f,
                               0.008336134375f, 0.001410223092f, 0.0001960397873f};
  constexpr double c_double[] = {
      0.4999999999999994456,     0.1666666666666691243,   0.04166666666669750738,
      0.008333333333273211721,   0.001388888888399614009, 0.000198412698914013936,
      0.00002480159066036999281, 2.755730080372151054e-6, 2.755618944683050569e-7,
      2.505505529432843572e-8,   2.106015579646081955e-9, 1.593158840417604226e-10};
  const T square = r * r;
  return r + square * polynomial(choose<T>(c_float, c_double), r, square);
}

/// x in units of 2 log(2), its nearest whole number in the last bits.
template <std::floating_point T>
[[gnu::always_inline]] inline T shifted_exponent(T x) {
  return x * T(std::numbers::log2e / 2) + exponent_shift<T>;
}

/// x - 2 m log(2). The constant is in two parts, of which the first times m is exact.
template <std::floating_point T>
[[gnu::always_inline]] inline T without_exponent(T x, T m) {
  constexpr T upper = sizeof(T) == 4 ? T(1.3863525390625) : T(1.386294361120235407724977);
  constexpr T lower =
      sizeof(T) == 4 ? T(-0.000058177942609381165536) : T(-3.4478889051229669546e-13);
  return (x - m * upper) - m * lower;
}

// The two below take any x and mean it only where exp(x) is neither 0 nor infinite. A selection
// afterwards costs less than a limit before, which the compiler turns into several.

template <std::floating_point T>
[[gnu::always_inline]] inline exponential<T> exponential_within(T x) {
  const T shifted = shifted_exponent(x);
  return {power_of_two(shifted), growth(without_exponent(x, shifted - exponent_shift<T>))};
}

/// exp(x + more) for a small `more`.
template <std::floating_point T>
[[gnu::always_inline]] inline exponential<T> exponential_within(T x, T more) {
  const T shifted = shifted_exponent(x + more);
  return {power_of_two(shifted), growth(without_exponent(x, shifted - exponent_shift<T>) + more)};
}

template <std::floating_point T>
constexpr T infinity = std::numeric_limits<T>::infinity();

/// Below, exp is 0; above, infinite.
template <std::floating_point T>
constexpr T exp_from = sizeof(T) == 4 ? T(-104) : T(-746);
template <std::floating_point T>
constexpr T exp_to = sizeof(T) == 4 ? T(89) : T(710);

template <std::floating_point T>
[[gnu::always_inline]] inline T exp(T x) {
  const T y = exponential_within(x).value();
  const T above = x > exp_to<T> ? infinity<T> : y;
  return x < exp_from<T> ? T(0) : above;
}

/// exp(-|x|).
template <std::floating_point T>
[[gnu::always_inline]] inline T decay(T x) {
  const T y = exponential_within(-std::fabs(x)).value();
  return std::fabs(x) > -exp_from<T> ? T(0) : y;
}

template <std::floating_point T>
[[gnu::always_inline]] inline T exp10(T x) {
  constexpr T upper = sizeof(T) == 4 ? T(0.60205078125) : T(0.6020599913281330373138189);
  constexpr T lower = sizeof(T) == 4 ? T(9.2100779623904274778e-6) : T(-1.706468863411421306e-13);
  constexpr T from = sizeof(T) == 4 ? T(-46) : T(-324), to = sizeof(T) == 4 ? T(39) : T(309);
  const T shifted = x * T(std::numbers::ln10 * std::numbers::log2e / 2) + exponent_shift<T>;
  const T m = shifted - exponent_shift<T>;
  const T r = ((x - m * upper) - m * lower) * T(std::numbers::ln10);
  const T y = exponential<T>{power_of_two(shifted), growth(r)}.value();
  const T above = x > to ? infinity<T> : y;
  return x < from ? T(0) : above;
}

/// -e / (2 + e) with e = exp(-2 |x|) - 1, which keeps the digits of a small x. A quotient of
/// polynomials would be a sixth faster in float, but loses 6 units in the last place below 1.
template <std::floating_point T>
[[gnu::always_inline]] inline T tanh(T x) {
  constexpr T one_from = sizeof(T) == 4 ? T(10) : T(20);  // where tanh is 1 in T
  const auto [power, rest] = exponential_within(T(-2) * std::fabs(x));
  const T square = power * power;
  const T e = rest * square + (square - T(1));
  return std::copysign(std::fabs(x) > one_from ? T(1) : e / (T(2) + e), x);
}

// The logistic function and what is made of it, in e = exp(-|x|).

template <std::floating_point T>
[[gnu::always_inline]] inline T sigmoid(T x) {
  const T e = decay(x);
  return (x >= T(0) ? T(1) : e) / (T(1) + e);
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

// The normal distribution. exp(-x^2) would magnify the rounding error of x^2 by x^2.

/// exp(-factor x^2) for a factor of 1 or 1/2, where it is not 0.
template <std::floating_point T>
[[gnu::always_inline]] inline exponential<T> bell_within(T factor, T x) {
  const T upper = first_digits<2>(x);
  const T square = upper * upper, more = (x - upper) * (x + upper);
  return exponential_within(-factor * square, -factor * more);
}

/// From here on exp(-x^2) is 0, and exp(-x^2 / 2).
template <std::floating_point T>
constexpr T gaussian_to = sizeof(T) == 4 ? T(10.5) : T(27.5);
template <std::floating_point T>
constexpr T normal_to = sizeof(T) == 4 ? T(14.5) : T(39);

/// factor^2 exp(z^2) erfc(z) for z = factor * x from 0 to gaussian_to. It is factor^2 / (z + k)
/// times a polynomial in (z - k) / (z + k), whose first term is the largest; the factor stands
/// where it costs no rounding of z.
template <std::floating_point T>
[[gnu::always_inline]] inline T scaled_tail(T x, T factor) {
  constexpr float c_float[] = {1.021582717f,      -0.6871609389f,  0.2794713272f,   -0.03643564077f,
                               -0.02150068372f,   0.006434535033f, 0.003035152629f, -0.00072838688f,
                               -0.0005201245799f, -4.113543979e-5f};
  constexpr double c_double[] = {
      1.054031820305717955,      -0.8046518494391488067,    0.4539141166480803545,
      -0.1712511452460475883,    0.02836155013284348475,    0.008393044302398434097,
      -0.004818785541154483086,  -0.0004392082650869274276, 0.0007026939191201797978,
      0.00005830777839540220058, -0.0001126060821365790465, -0.00001953200601639817488,
      0.00001824941475956844297, 6.753445361895253726e-6,   -2.345566323430660429e-6,
      -1.960838285006915245e-6,  1.708362699362401975e-8,   4.45976815620971773e-7,
      1.120301008479180188e-7,   -6.890855191420197575e-8,  -3.456347009070518258e-8,
      4.968845420707611223e-9,   3.987515453967875164e-9};
  const T k = (sizeof(T) == 4 ? T(2) : T(2.5)) / factor;
  const T scale = factor / (x + k);
  // The second form of the quotient is the exact one near -1, where the polynomial is steep.
  const T t =
      x > T(0.5) * k ? (x - k) * (scale * (T(1) / factor)) : T(2) / factor * (x * scale) - T(1);
  return scale * polynomial(choose<T>(c_float, c_double), t);
}

template <std::floating_point T>
[[gnu::always_inline]] inline T gaussian(T x) {
  const T y = bell_within(T(1), x).value();
  return std::fabs(x) > gaussian_to<T> ? T(0) : y;
}

/// erfc(|x|).
template <std::floating_point T>
[[gnu::always_inline]] inline T upper_tail(T x) {
  const T y = bell_within(T(1), x).times(scaled_tail(std::fabs(x), T(1)));
  return std::fabs(x) > gaussian_to<T> ? T(0) : y;
}

template <std::floating_point T>
[[gnu::always_inline]] inline T erfc(T x) {
  const T tail = upper_tail(x);
  return x < T(0) ? T(2) - tail : tail;
}

/// erf(x) for |x| <= 1.
template <std::floating_point T>
[[gnu::always_inline]] inline T erf_near_0(T x) {
  constexpr float c_float[] = {1.128379166f,    -0.3761262582f,    0.1128358515f,  -0.02685381189f,
                               0.005188327544f, -0.0008010191832f, 7.853853724e-5f};
  constexpr double c_double[] = {
      1.128379167095512566,     -0.3761263890318351951,     0.1128379167094418304,
      -0.02686617064311117041,  0.00522397760611602427,     -0.0008548325929200552348,
      0.0001205529357363993643, -0.00001492471224235314005, 1.64471308705579094e-6,
      -1.620630864188326773e-7, 1.371095924497672362e-8,    -7.779430645448323562e-10};
  return x * polynomial(choose<T>(c_float, c_double), x * x);
}

template <std::floating_point T>
[[gnu::always_inline]] inline T erf(T x) {
  const T near = erf_near_0(x), far = std::copysign(T(1) - upper_tail(x), x);
  return std::fabs(x) < T(1) ? near : far;
}

template <std::floating_point T>
[[gnu::always_inline]] inline T normal_pdf(T x) {
  const T y = bell_within(T(0.5), x).times(T(std::numbers::inv_sqrtpi / std::numbers::sqrt2));
  return std::fabs(x) > normal_to<T> ? T(0) : y;
}

template <std::floating_point T>
[[gnu::always_inline]] inline T normal_cdf(T x) {
  const T y = bell_within(T(0.5), x).times(scaled_tail(std::fabs(x), T(1 / std::numbers::sqrt2)));
  const T tail = std::fabs(x) > normal_to<T> ? T(0) : y;
  const T sum = x < T(0) ? tail : T(1) - tail;
  if constexpr (sizeof(T) == 4) return sum;
  // The longer polynomial of double is too coarse here.
  const T near = T(0.5) + T(0.5) * erf_near_0(x * T(1 / std::numbers::sqrt2));
  return std::fabs(x) < T(0.5) ? near : sum;
}

template <std::floating_point T>
[[gnu::always_inline]] inline T gelu(T x) {
  return bounded_below(x) * normal_cdf(x);
}

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
