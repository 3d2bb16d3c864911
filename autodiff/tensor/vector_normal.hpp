#pragma once
// The error function and the normal distribution in a form for vector units (vector_forms.hpp).

#include <autodiff/tensor/vector_activations.hpp>
#include <autodiff/tensor/vector_exponential.hpp>

#include <cmath>
#include <concepts>
#include <numbers>

namespace autodiff::vector_forms {

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
  const T tail = size > gaussian_to<T> ? far_scaled_tail(size) : scaled_tail(size, T(1));
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

}  // namespace autodiff::vector_forms
