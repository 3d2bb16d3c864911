#pragma once
// The error function and the normal distribution in a form for vector units (vector_forms.hpp).

#include <autodiff/tensor/vector_activations.hpp>
#include <autodiff/tensor/vector_exponential.hpp>

#include <cmath>
#include <concepts>
#include <numbers>

namespace autodiff::vector_forms {

// The normal distribution. exp(-x^2) would magnify the rounding error of x^2 by x^2.

/// The digits of x that stand before a fixed place, at most half of all for |x| <= normal_to: sums
/// of two such numbers are exact, and so is a product.
template <std::floating_point T>
[[gnu::always_inline]] inline T on_grid(T x) {
  constexpr T shift = sizeof(T) == 4 ? T(0x1.8p15) : T(0x1.8p32);
  return (x + shift) - shift;
}

/// exp(-factor x^2) for a factor of 1, -1 or 1/2, where it is not 0.
template <std::floating_point T>
[[gnu::always_inline]] inline exponential<T> bell_within(T factor, T x) {
  const T upper = on_grid(x);
  const T square = upper * upper, more = (x - upper) * (x + upper);
  return fine_exponential_within(-factor * square, -factor * more);
}

/// From here on exp(-x^2) is 0, and exp(-x^2 / 2).
template <std::floating_point T>
constexpr T gaussian_to = sizeof(T) == 4 ? T(10.5) : T(27.5);
template <std::floating_point T>
constexpr T normal_to = sizeof(T) == 4 ? T(14.5) : T(39);

/// scale (1 + more).
template <std::floating_point T>
struct tail_form {
  T scale, more;
  [[gnu::always_inline]] T value() const { return scale + scale * more; }
  [[gnu::always_inline]] T times(const exponential<T>& e) const {
    const T both = (more + e.rest) + more * e.rest;
    return (scale + scale * both) * e.power * e.other;
  }
};

/// factor / (x + k) times 1 + a polynomial in t = (x - k) / (x + k). In this form t is exact near
/// -1, where the polynomial is steep, and for a large x what the rounding of the inverse does to it
/// and to the factor cancels: a tail is then nearly a multiple of 1 / x, whatever k is.
template <std::size_t N, std::floating_point T>
[[gnu::always_inline]] inline tail_form<T> tail_quotient(T x, T k, T factor, const T (&c)[N]) {
  const T inverse = T(1) / (x + k);
  return {factor * inverse, polynomial(c, T(2) * (x * inverse) - T(1))};
}

/// exp(x^2) erfc(x) for x from 0 to gaussian_to.
template <std::floating_point T>
[[gnu::always_inline]] inline tail_form<T> scaled_tail(T x) {
  constexpr float c_float[] = {0.0398926586f,   -0.751959145f,  0.371517867f,     -0.101206549f,
                               -0.00361601193f, 0.011629059f,   -0.000778911868f, -0.00154284236f,
                               6.88246291e-05f, 0.000163914985f};
  constexpr double c_double[] = {
      0.07400690708833971,     -0.8833944531698836,    0.5902283571040995,
      -0.3104672619005738,     0.1195277612874353,     -0.02682723462431201,
      -0.0012124166305995153,  0.0030340619990892707,  -0.0005483096515065262,
      -0.0002767778297667922,  0.0001075612110064859,  3.039806977976736e-05,
      -1.7469403790807287e-05, -4.748831424833797e-06, 2.7622846158604982e-06,
      9.977047373886212e-07,   -4.027208133160894e-07, -2.3109192913251944e-07,
      4.070438938896637e-08,   4.7435889663357575e-08, 1.898613041926374e-09,
      -5.994117332404105e-09,  -1.4043004383384507e-09};
  constexpr bool is_float = sizeof(T) == 4;
  return tail_quotient(x, T(is_float ? 2.25 : 3), T(1), choose<T>(c_float, c_double));
}

/// exp(x^2 / 2) normal_cdf(-x) for x from 0 to normal_to.
template <std::floating_point T>
[[gnu::always_inline]] inline tail_form<T> scaled_normal_tail(T x) {
  constexpr float c_float[] = {0.413313329f,     -0.867384017f,   0.263973922f,   0.0184717793f,
                               -0.0327720642f,   -0.00320193311f, 0.00504658371f, 0.00136868714f,
                               -0.000621729414f, -0.000314532837f};
  constexpr double c_double[] = {
      0.48883215087187626,     -1.131123632107558,      0.6308499397759041,
      -0.2321018574281569,     0.03481566520414125,     0.012952437839746186,
      -0.006378202097470278,   -0.0008900259000532942,  0.0009533142108351602,
      0.0001340664624921715,   -0.00015116934932282228, -3.757778752674717e-05,
      2.3013327366344016e-05,  1.130380424711621e-05,   -2.330110314635014e-06,
      -2.9582970074350297e-06, -2.864543490530865e-07,  5.887774836271045e-07,
      2.479742582847824e-07,   -6.020135057081676e-08,  -7.28133270578137e-08,
      -7.752079130008962e-09,  9.86471181599035e-09,    2.9940722351464816e-09};
  constexpr bool is_float = sizeof(T) == 4;
  return tail_quotient(x, T(is_float ? 2.5 : 3.5), T(0.5), choose<T>(c_float, c_double));
}

template <std::floating_point T>
[[gnu::always_inline]] inline T gaussian(T x) {
  const T y = bell_within(T(1), x).value();
  return std::fabs(x) > gaussian_to<T> ? T(0) : y;
}

/// erfc(|x|).
template <std::floating_point T>
[[gnu::always_inline]] inline T upper_tail(T x) {
  const T y = scaled_tail(std::fabs(x)).times(bell_within(T(1), x));
  return std::fabs(x) > gaussian_to<T> ? T(0) : y;
}

template <std::floating_point T>
[[gnu::always_inline]] inline T erfc(T x) {
  const T tail = upper_tail(x);
  return x < T(0) ? T(2) - tail : tail;
}

/// exp(x^2) erfc(x) for x >= gaussian_to, by its asymptotic series: 1 / (x sqrt(pi)) times the sum
/// of (2 n - 1)!! (-1 / (2 x^2))^n.
template <std::floating_point T>
[[gnu::always_inline]] inline T far_scaled_tail(T x) {
  constexpr float c_float[] = {1, -0.5f, 0.75f, -1.875f, 6.5625f};
  constexpr double c_double[] = {1, -0.5, 0.75, -1.875, 6.5625, -29.53125, 162.421875};
  const T inverse = T(1) / x;
  return inverse * T(std::numbers::inv_sqrtpi) *
         polynomial(choose<T>(c_float, c_double), inverse * inverse);
}

/// exp(x^2) erfc(x), by reflection where x is negative.
template <std::floating_point T>
[[gnu::always_inline]] inline T erfcx(T x) {
  constexpr T infinite_from = sizeof(T) == 4 ? T(9.5) : T(26.75);
  const T size = std::fabs(x);
  const T tail = size > gaussian_to<T> ? far_scaled_tail(size) : scaled_tail(size).value();
  const T reflected = bell_within(T(-1), size).times(T(2)) - tail;
  const T below = x < -infinite_from ? infinity<T> : reflected;
  return x < T(0) ? below : tail;
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
  const T y = scaled_normal_tail(std::fabs(x)).times(bell_within(T(0.5), x));
  const T tail = std::fabs(x) > normal_to<T> ? T(0) : y;
  return x < T(0) ? tail : T(1) - tail;
}

template <std::floating_point T>
[[gnu::always_inline]] inline T gelu(T x) {
  return bounded_below(x) * normal_cdf(x);
}

}  // namespace autodiff::vector_forms
