#pragma once
// Values of ops.def that <cmath> lacks or has too coarse. Each is computed in the next wider type
// and rounded once, so float and double results are good to about half a unit in the last place. No
// function here throws, exits or touches a global: a pole and a wrong argument give NaN.
//
// Only declarations: what these need (Boost.Math) is slow to compile, and stays in special.cpp.

namespace autodiff::special {

#define AUTODIFF_UNARY(NAME) \
  float NAME(float x);       \
  double NAME(double x);     \
  long double NAME(long double x);
#define AUTODIFF_BINARY(NAME)      \
  float NAME(float a, float b);    \
  double NAME(double a, double b); \
  long double NAME(long double a, long double b);

AUTODIFF_UNARY(cbrt)
/// exp(-x^2). The rounding of x^2 alone would cost x^2 units in the last place.
AUTODIFF_UNARY(gaussian)
AUTODIFF_UNARY(normal_pdf)
AUTODIFF_UNARY(normal_cdf)
AUTODIFF_UNARY(erfc)
AUTODIFF_UNARY(erfinv)
AUTODIFF_UNARY(sinpi)
AUTODIFF_UNARY(cospi)
AUTODIFF_UNARY(lgamma)
AUTODIFF_UNARY(tgamma)
AUTODIFF_UNARY(digamma)
AUTODIFF_UNARY(trigamma)
/// sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)), the factor of x in gelu_tanh.
AUTODIFF_UNARY(gelu_gate)

/// The derivative of order n of digamma; NaN where n is not a whole number from 0 on.
AUTODIFF_BINARY(polygamma)
/// exp(x^2) times the n-th repeated integral of erfc; n = 0 is erfcx. NaN for other than whole n.
AUTODIFF_BINARY(ierfcx)
AUTODIFF_BINARY(ldexp)
AUTODIFF_BINARY(lbeta)
/// digamma(a + b) - digamma(a) without cancellation, for positive arguments.
AUTODIFF_BINARY(digamma_difference)
AUTODIFF_BINARY(log_sum_exp)
AUTODIFF_BINARY(log_diff_exp)
/// exp(a) / (exp(a) + exp(b)), and 0 where both are -inf.
AUTODIFF_BINARY(softmax_share)
/// 1 / (exp(a - b) - 1), the mean occupation of Bose and Einstein.
AUTODIFF_BINARY(bose)

#undef AUTODIFF_UNARY
#undef AUTODIFF_BINARY

float hypot(float a, float b, float c);
double hypot(double a, double b, double c);
long double hypot(long double a, long double b, long double c);

}  // namespace autodiff::special
