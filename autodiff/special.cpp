#include <autodiff/special.hpp>

#include <boost/math/policies/policy.hpp>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/polygamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>

#include <math.h>  // NOLINT(modernize-deprecated-headers): lgamma_r is POSIX's, not C++'s

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

// The functions below are templates over the type that they compute in: the wider one of their
// argument. The overloads of special.hpp stand at the end.

namespace autodiff::special {
namespace {

namespace policies = boost::math::policies;
using quiet = policies::policy<policies::domain_error<policies::ignore_error>,
                               policies::pole_error<policies::ignore_error>,
                               policies::overflow_error<policies::ignore_error>,
                               policies::underflow_error<policies::ignore_error>,
                               policies::denorm_error<policies::ignore_error>,
                               policies::rounding_error<policies::ignore_error>,
                               policies::evaluation_error<policies::ignore_error>,
                               policies::promote_float<false>, policies::promote_double<false>>;

template <class W>
constexpr W infinity = std::numeric_limits<W>::infinity();
template <class W>
constexpr W undefined = std::numeric_limits<W>::quiet_NaN();

template <class W>
bool is_pole(W x) {
  return x <= 0 && x == std::floor(x);
}

/// f at x, with the limits of f at -inf and +inf where x is infinite.
template <class W, class F>
W with_limits(W x, W at_minus, W at_plus, F&& f) {
  return std::isinf(x) ? (x < 0 ? at_minus : at_plus) : f(x);
}

template <class W>
W gaussian_in(W x) {
  const W square = x * x;
  const W rest = std::fma(x, x, -square);  // square + rest is x^2 exactly
  const W power = std::exp(-square);
  return power == 0 ? power : power - power * rest;
}

template <class W>
W normal_pdf_in(W x) {
  constexpr W factor = std::numbers::inv_sqrtpi_v<W> / std::numbers::sqrt2_v<W>;
  const W square = x * x;
  const W rest = std::fma(x, x, -square);
  const W power = std::exp(-square / 2);
  return power == 0 ? power : factor * (power - power * rest / 2);
}

template <class W>
W erfc_in(W x) {
  return std::erfc(x);
}

template <class W>
W normal_cdf_in(W x) {
  return std::erfc(-x / std::numbers::sqrt2_v<W>) / 2;
}

template <class W>
W erfinv_in(W x) {
  if (!(std::fabs(x) < 1)) return std::fabs(x) == 1 ? std::copysign(infinity<W>, x) : undefined<W>;
  return boost::math::erf_inv(x, quiet());
}

/// Reduced exactly to |r| <= 1/2 first: pi is multiplied with what is left.
template <class W>
W sinpi_in(W x) {
  W r = std::remainder(x, W(2));
  if (std::fabs(r) > W(0.5)) r = std::copysign(W(1), r) - r;
  constexpr W pi = std::numbers::pi_v<W>;
  if (std::fabs(r) <= W(0.25)) return r == 0 ? std::copysign(W(0), x) : std::sin(pi * r);
  return std::copysign(std::cos(pi * (W(0.5) - std::fabs(r))), r);
}

template <class W>
W cospi_in(W x) {
  const W r = std::fabs(std::remainder(x, W(2)));
  constexpr W pi = std::numbers::pi_v<W>;
  if (r <= W(0.25)) return std::cos(pi * r);
  if (r < W(0.75)) return std::sin(pi * (W(0.5) - r));
  return -std::cos(pi * (W(1) - r));
}

double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}
long double log_gamma(long double x) {
  int sign = 0;
  return ::lgammal_r(x, &sign);
}

template <class W>
W lgamma_in(W x) {
  return is_pole(x) ? undefined<W> : log_gamma(x);
}

template <class W>
W tgamma_in(W x) {
  return is_pole(x) ? undefined<W> : std::tgamma(x);
}

template <class W>
W digamma_in(W x) {
  if (std::isnan(x) || is_pole(x)) return undefined<W>;
  return with_limits(x, undefined<W>, infinity<W>,
                     [](W at) { return boost::math::digamma(at, quiet()); });
}

template <class W>
W trigamma_in(W x) {
  if (std::isnan(x) || is_pole(x)) return undefined<W>;
  return with_limits(x, undefined<W>, W(0),
                     [](W at) { return boost::math::trigamma(at, quiet()); });
}

template <class W>
W polygamma_in(W n, W x) {
  constexpr W most = 1000;
  if (!(n >= 0 && n <= most) || n != std::floor(n) || std::isnan(x) || is_pole(x))
    return undefined<W>;
  if (n == 0) return digamma_in(x);
  return with_limits(x, undefined<W>, W(0), [n](W at) {
    return boost::math::polygamma(static_cast<int>(n), at, quiet());
  });
}

template <class W>
W gelu_gate_in(W x) {
  constexpr W slope = 2 * std::numbers::sqrt2_v<W> * std::numbers::inv_sqrtpi_v<W>;
  return 1 / (1 + std::exp(-slope * (x + W(0.044715L) * x * x * x)));
}

/// E[n], upwards: 2 n E[n] = E[n-2] - 2 x E[n-1], E[-1] = 2 / sqrt(pi), which loses
/// digits where x is positive. There E is the minimal solution and a continued fraction gives the
/// ratio of neighbours. Source: Gautschi, Recursive computation of the repeated integrals of the
/// error function, Math. Comp. 15 (1961).
template <class W>
W ierfcx_in(W n, W x) {
  constexpr W most = 1000;
  if (!(n >= 0 && n <= most) || n != std::floor(n) || std::isnan(x)) return undefined<W>;
  const int order = static_cast<int>(n);
  constexpr W first = 2 * std::numbers::inv_sqrtpi_v<W>;
  if (x < W(0.5)) {
    const W square = x * x, rest = std::fma(x, x, -square);
    const W power = std::exp(square);
    W before = first, now = (std::isinf(power) ? power : power + power * rest) * std::erfc(x);
    for (int i = 1; i <= order; ++i) {
      const W next = (before - 2 * x * now) / (2 * W(i));
      before = now;
      now = next;
    }
    return now;
  }
  // ratio(i) = E[i] / E[i-1] = 1 / (2 x + 2 (i + 1) ratio(i + 1)), from far above downwards.
  const int start = order + 40 + static_cast<int>(450 / std::min(x * x, W(450)));
  W ratio = 0, product = 1;
  for (int i = start; i >= 0; --i) {
    ratio = W(0.5) / (x + W(i + 1) * ratio);
    if (i <= order) product *= ratio;
  }
  return first * product;
}

template <class W>
W ldexp_in(W a, W n) {
  if (!std::isfinite(n)) return a * std::exp2(n);
  constexpr W far = 40000;
  const W whole = std::floor(n);
  return std::ldexp(a * std::exp2(n - whole), static_cast<int>(std::clamp(whole, -far, far)));
}

/// log(Gamma(x)) - ((x - 1/2) log(x) - x + log(2 pi) / 2) for x >= 10.
template <class W>
W stirling_rest(W x) {
  // Bernoulli numbers B[2k] / (2k (2k - 1)), from k = 1 on.
  constexpr W terms[] = {W(1) / 12,
                         W(-1) / 360,
                         W(1) / 1260,
                         W(-1) / 1680,
                         W(1) / 1188,
                         W(-691.0L) / 360360,
                         W(1) / 156,
                         W(-3617.0L) / 122400,
                         W(43867.0L) / 244188,
                         W(-174611.0L) / 125400};
  const W inverse = 1 / x, square = inverse * inverse;
  W sum = 0;
  for (int i = std::size(terms) - 1; i >= 0; --i) sum = sum * square + terms[i];
  return sum * inverse;
}

/// Source: DiDonato and Morris, Algorithm 708: significant digit computation of the incomplete beta
/// function ratios, ACM TOMS 18 (1992), for the cases; the terms are those of Stirling's series.
template <class W>
W lbeta_in(W a, W b) {
  if (std::isnan(a) || std::isnan(b) || a <= 0 || b <= 0) return undefined<W>;
  const W large = std::max(a, b), small = std::min(a, b);
  constexpr W from = 10;
  if (std::isinf(large)) return -infinity<W>;
  if (large < from) return log_gamma(small) + log_gamma(large) - log_gamma(a + b);
  const W rests = stirling_rest(large) - stirling_rest(large + small);
  const W shrink = std::log1p(small / large);
  if (small < from)
    return log_gamma(small) - small * std::log(large) - (large + small - W(0.5)) * shrink + small +
           rests;
  return (std::log(2 * std::numbers::pi_v<W>) - std::log(small)) / 2 + stirling_rest(small) +
         rests - (large - W(0.5)) * shrink - small * std::log1p(large / small);
}

/// Upwards by digamma(x + 1) = digamma(x) + 1 / x, then the asymptotic series, term by term.
template <class W>
W digamma_difference_in(W a, W b) {
  if (!(a > 0) || !(b >= 0)) return undefined<W>;
  if (std::isinf(b)) return std::isinf(a) ? undefined<W> : b;
  if (std::isinf(a)) return 0;
  constexpr W from = 20;
  W sum = 0;
  for (; a < from; a += 1) sum += b / a / (a + b);
  // Bernoulli numbers B[2k] / 2k, from k = 1 on; the first term is 1 / (2 x).
  constexpr W terms[] = {W(1) / 12,  W(-1) / 120,        W(1) / 252, W(-1) / 240,
                         W(1) / 132, W(-691.0L) / 32760, W(1) / 12,  W(-3617.0L) / 8160};
  const W ratio = std::log1p(b / a);
  const auto shrinkage = [&](int power) { return -std::expm1(-W(power) * ratio); };
  W series = shrinkage(1) / (2 * a), scale = 1;
  for (int k = 1; k <= static_cast<int>(std::size(terms)); ++k) {
    scale /= a * a;
    series += terms[k - 1] * scale * shrinkage(2 * k);
  }
  return sum + ratio + series;
}

template <class W>
W log_sum_exp_in(W a, W b) {
  if (a == b) return a + std::numbers::ln2_v<W>;
  return std::fmax(a, b) + std::log1p(std::exp(-std::fabs(a - b)));
}

template <class W>
W log_diff_exp_in(W a, W b) {
  if (a == b) return a == infinity<W> ? undefined<W> : -infinity<W>;
  const W down = b - a;
  return a + (down > -std::numbers::ln2_v<W> ? std::log(-std::expm1(down))
                                             : std::log1p(-std::exp(down)));
}

template <class W>
W softmax_share_in(W a, W b) {
  if (a == b) return a == -infinity<W> ? W(0) : W(0.5);
  return 1 / (1 + std::exp(b - a));
}

template <class W>
W bose_in(W a, W b) {
  return 1 / std::expm1(a - b);
}

template <class W>
W hypot_in(W a, W b, W c) {
  return std::hypot(a, b, c);
}

}  // namespace

#define AUTODIFF_UNARY(NAME)                                                       \
  float NAME(float x) { return static_cast<float>(NAME##_in<double>(x)); }         \
  double NAME(double x) { return static_cast<double>(NAME##_in<long double>(x)); } \
  long double NAME(long double x) { return NAME##_in(x); }
#define AUTODIFF_BINARY(NAME)                                                                   \
  float NAME(float a, float b) { return static_cast<float>(NAME##_in<double>(a, b)); }          \
  double NAME(double a, double b) { return static_cast<double>(NAME##_in<long double>(a, b)); } \
  long double NAME(long double a, long double b) { return NAME##_in(a, b); }

AUTODIFF_UNARY(normal_cdf)
AUTODIFF_UNARY(erfc)
AUTODIFF_UNARY(erfinv)
AUTODIFF_UNARY(sinpi)
AUTODIFF_UNARY(cospi)
AUTODIFF_UNARY(lgamma)
AUTODIFF_UNARY(tgamma)
AUTODIFF_UNARY(digamma)
AUTODIFF_UNARY(trigamma)
AUTODIFF_UNARY(gelu_gate)
AUTODIFF_BINARY(polygamma)
AUTODIFF_BINARY(ierfcx)
AUTODIFF_BINARY(ldexp)
AUTODIFF_BINARY(lbeta)
AUTODIFF_BINARY(digamma_difference)
AUTODIFF_BINARY(log_sum_exp)
AUTODIFF_BINARY(log_diff_exp)
AUTODIFF_BINARY(softmax_share)
AUTODIFF_BINARY(bose)

float cbrt(float x) { return static_cast<float>(std::cbrt(static_cast<double>(x))); }
double cbrt(double x) {
  constexpr double tiny = 1e-200;  // below, the residual of a root would be subnormal
  if (x == 0 || !std::isfinite(x)) return x;
  if (std::fabs(x) < tiny) return 0x1p-100 * cbrt(0x1p300 * x);
  // The C library is off by up to 4 units; one step of Newton's method, its residual in full.
  const double y = std::cbrt(x), square = y * y, rest = std::fma(y, y, -square);
  return y - (std::fma(square, y, -x) + rest * y) / (3 * square);
}
long double cbrt(long double x) { return std::cbrt(x); }
// In double these are short enough to split the square there.
float gaussian(float x) { return static_cast<float>(gaussian_in<double>(x)); }
double gaussian(double x) { return gaussian_in(x); }
long double gaussian(long double x) { return gaussian_in(x); }
float normal_pdf(float x) { return static_cast<float>(normal_pdf_in<double>(x)); }
double normal_pdf(double x) { return normal_pdf_in(x); }
long double normal_pdf(long double x) { return normal_pdf_in(x); }

float hypot(float a, float b, float c) { return static_cast<float>(hypot_in<double>(a, b, c)); }
double hypot(double a, double b, double c) {
  return static_cast<double>(hypot_in<long double>(a, b, c));
}
long double hypot(long double a, long double b, long double c) { return hypot_in(a, b, c); }

}  // namespace autodiff::special
