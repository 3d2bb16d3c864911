#pragma once
// Exponentials in a form for vector units (vector_forms.hpp).

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

/// |y| with the sign of x, for y >= 0.
template <std::floating_point T>
[[gnu::always_inline]] inline T with_sign_of(T x, T y) {
  constexpr auto sign = bits_of<T>{1} << (sizeof(T) * 8 - 1);
  return std::bit_cast<T>((std::bit_cast<bits_of<T>>(x) & sign) | std::bit_cast<bits_of<T>>(y));
}

// exp(x) = (2^m)^2 exp(r) with x = 2 m log(2) + r: the square of a power of two reaches from the
// smallest subnormal number to infinity, and the power itself is always a normal one.

/// Two powers of two, their product 2^2m, and exp(r) - 1.
template <std::floating_point T>
struct exponential {
  T power, other, rest;
  [[gnu::always_inline]] T value() const { return (rest * power + power) * other; }
  /// 1 / (1 + exp(x)), multiplied above and below by 1 / power, where both are the same.
  [[gnu::always_inline]] T logistic() const {
    const auto inverse_bits =
        2 * std::bit_cast<bits_of<T>>(T(1)) - std::bit_cast<bits_of<T>>(power);
    const T inverse = std::bit_cast<T>(inverse_bits);
    return inverse / (inverse + (rest * power + power));
  }
  /// factor exp(x), rounded once where it is subnormal.
  [[gnu::always_inline]] T times(T factor) const {
    return (factor + factor * rest) * power * other;
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

/// exp(r) - 1 for |r| <= log(2) / 2.
template <std::floating_point T>
[[gnu::always_inline]] inline T short_growth(T r) {
  constexpr float c_float[] = {0.49999994f, 0.166665092f, 0.0416685268f, 0.00837013405f,
                               0.00138117024f};
  constexpr double c_double[] = {
      0.5000000000000013,    0.16666666666666358,    0.04166666666650726,    0.008333333333521846,
      0.001388888895040779,  0.00019841269464673626, 2.4801485456101826e-05, 2.7557608301270693e-06,
      2.763315498057537e-07, 2.4997940227959764e-08};
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
// afterwards costs no more than a limit before: compilers that have to let NaN pass make a
// comparison and a selection of either, and like to turn the one into the other.

template <std::floating_point T>
[[gnu::always_inline]] inline exponential<T> exponential_within(T x) {
  const T shifted = shifted_exponent(x), power = power_of_two(shifted);
  return {power, power, growth(without_exponent(x, shifted - exponent_shift<T>))};
}

/// exp(x + more) for a small `more`.
template <std::floating_point T>
[[gnu::always_inline]] inline exponential<T> exponential_within(T x, T more) {
  const T shifted = shifted_exponent(x + more), power = power_of_two(shifted);
  return {power, power, growth(without_exponent(x, shifted - exponent_shift<T>) + more)};
}

/// The same with r half as long, which halves what its rounding costs: m in units of 1/2 stands in
/// the last bits of `halves`, and the two powers differ where it is not whole.
template <std::floating_point T>
[[gnu::always_inline]] inline exponential<T> fine_exponential_within(T x, T more) {
  constexpr T half_shift =
      (sizeof(T) == 4 ? T(0x1.8p22) : T(0x1.8p51)) + T(std::numeric_limits<T>::max_exponent - 1);
  const T m = (x + more) * T(std::numbers::log2e / 2);
  const T shifted = m + exponent_shift<T>, halves = m + half_shift;
  const auto other = std::bit_cast<bits_of<T>>(halves) - std::bit_cast<bits_of<T>>(shifted);
  return {power_of_two(shifted), power_of_two(std::bit_cast<T>(other)),
          short_growth(without_exponent(x, halves - half_shift) + more)};
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
  const T power = power_of_two(shifted);
  const T y = exponential<T>{power, power, growth(r)}.value();
  const T above = x > to ? infinity<T> : y;
  return x < from ? T(0) : above;
}

/// (1 - exp(-2 s)) / 2 for |s| <= log(2) / 4.
template <std::floating_point T>
[[gnu::always_inline]] inline T half_decline(T s) {
  constexpr float c_float[] = {0.9999996501f, -0.6666606221f, 0.333364821f, -0.1339074539f,
                               0.04386190398f};
  constexpr double c_double[] = {1.000000000000000078,     -0.6666666666666377798,
                                 0.3333333333327863972,    -0.1333333333402507505,
                                 0.04444444457160703727,   -0.01269841213942992231,
                                 0.003174592841822645059,  -0.0007054856374698978654,
                                 0.0001414450349120184571, -0.00002546464907465642957};
  const T square = s * s;
  return s - square * polynomial(choose<T>(c_float, c_double), s, square);
}

/// h / (1 - h) with h = (1 - exp(-2 |x|)) / 2, which keeps the digits of a small x. With
/// |x| = s - m log(2) / 2 and the power 2^m it is h = (1 - 2^m) / 2 + 2^m (1 - exp(-2 s)) / 2. The
/// product m log(2) / 2 may be rounded: the further m, the smaller 2^m. A quotient of polynomials
/// would take fewer steps in float, but is off by 5 units in the last place near 1, and exceeds 1.
template <std::floating_point T>
[[gnu::always_inline]] inline T tanh(T x) {
  constexpr T one_from = sizeof(T) == 4 ? T(10) : T(20);  // where tanh is 1 in T
  const T size = std::fabs(x);
  const T shifted = size * T(-2 * std::numbers::log2e) + exponent_shift<T>;
  const T power = power_of_two(shifted);
  const T s = size + (shifted - exponent_shift<T>)*T(std::numbers::ln2 / 2);
  const T h = power * half_decline(s) + (T(0.5) - T(0.5) * power);
  return with_sign_of(x, size > one_from ? T(1) : h / (T(1) - h));
}

}  // namespace autodiff::vector_forms
