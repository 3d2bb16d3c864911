// The conventions of ops.def at poles, at the ends of domains and at infinity, in every mode.

#include <tests/autodiff/conventions.hpp>
#include <tests/catch.hpp>
#include <tests/rows.hpp>

#include <array>
#include <cmath>
#include <limits>

using autodiff::basic_tape;
using autodiff::basic_var;
using namespace conventions;

TEST_CASE("sqrt has slope +inf at both zeros, and NaN below") {
  const auto f = [](const auto& x) { return sqrt(x); };
  check_slope(f, 0.0, infinity);
  check_slope(f, -0.0, infinity);
  check_slope(f, -1, undefined);
}

TEST_CASE("cbrt has slope +inf at both zeros") {
  check_slope([](const auto& x) { return cbrt(x); }, 0.0, infinity);
  check_slope([](const auto& x) { return cbrt(x); }, -0.0, infinity);
}

TEST_CASE("0 * sqrt(x) has slope 0 at 0") {
  check_slope([](const auto& x) { return 0.0 * sqrt(x); }, 0, 0);
  check_slope([](const auto& x) { return sqrt(x) * 0.0; }, 0, 0);
  check_slope([](const auto& x) { return 0.0 * (2.0 * sqrt(x)); }, 0, 0);
  check_slope([](const auto& x) { return x * sqrt(x); }, 0, 0);
  check_slope([](const auto& x) { return max(sqrt(x), 1.0); }, 0, 0);
  check_slope([](const auto& x) { return relu(-1.0 + sqrt(x)); }, 0, 0);
  // Across two statements.
  tape t;
  const var x = t.variable(0.0);
  const var root = sqrt(x);
  const var y = 0.0 * root;
  t.backward(y);
  CHECK(t.adjoint(x) == 0);
  // The price: a factor that is 0 by value hides the infinite slope.
  check_slope([](const auto& v) { return square(sqrt(v)); }, 0, 0);
}

TEST_CASE("a zero weight skips every other slope that is infinite or NaN") {
  check_slope([](const auto& x) { return 0.0 * cbrt(x); }, 0, 0);
  check_slope([](const auto& x) { return 0.0 * asin(x); }, 1, 0);
  check_slope([](const auto& x) { return 0.0 * acos(x); }, -1, 0);
  check_slope([](const auto& x) { return 0.0 * acosh(x); }, 1, 0);
  check_slope([](const auto& x) { return 0.0 * pow(x, 0.5); }, 0, 0);
  check_slopes([](const auto& a, const auto& b) { return 0.0 * atan2(a, b); }, 0, 0, 0, 0);
  check_slope([](const auto& x) { return 0.0 * digamma(x); }, 1e-200, 0);
  check_slope([](const auto& x) { return 0.0 * tgamma(x); }, 1e-200, 0);
  check_slopes([](const auto& a, const auto& b) { return 0.0 * fmod(a, b); }, 1, 1e-310, 0, 0);
  check_slopes([](const auto& a, const auto& b) { return 0.0 * lbeta(a, b); }, 1, 1e-310, 0, 0);
  // Slopes that overflow at small finite values, too, within one statement and across two.
  check_slope([](const auto& x) { return 0.0 * inverse(x); }, 1e-30, 0);
  for (const double x : {0.0, 1e-200}) {
    tape t;
    const var v = t.variable(x);
    t.backward(var(0.0 * min(inverse(v), 1.0)));
    CHECK(t.adjoint(v) == 0);
    t.backward(var(0.0 * min(3.0 / v, 1.0)));
    CHECK(t.adjoint(v) == 0);
    t.backward(var(0.0 * min(pow(v, -2.0), 1.0)));
    CHECK(t.adjoint(v) == 0);
    const var w = inverse(v);
    t.backward(var(0.0 * min(w, 1.0)));
    CHECK(t.adjoint(v) == 0);
    CHECK(min(inverse(dual<double>(x, 1.0)), 1.0).tangent() == 0);
  }
}

TEST_CASE("sqrt(x * x) is NaN at 0 in reverse: abs is the function to take") {
  tape t;
  const var x = t.variable(0.0);
  t.backward(sqrt(x * x));
  CHECK(std::isnan(t.adjoint(x)));
  const var product = x * x;
  t.backward(sqrt(product));
  CHECK(std::isnan(t.adjoint(x)));
  const tensor<double> u = t.variable(tensor<double>{0.0});
  t.backward(sqrt(u * u));
  CHECK(std::isnan(t.adjoint(u).item()));
}

TEST_CASE("pow of a constant exponent has its limits at x = 0") {
  const auto power = [](const auto& x, const auto& c) { return pow(x, c); };
  check_slope_beside_constant(power, 0, 3, 0);
  check_slope_beside_constant(power, 0, 2, 0);
  check_slope_beside_constant(power, 0, 1, 1);
  check_slope_beside_constant(power, 0, 0, 0);
  check_slope_beside_constant(power, 0, 0.5, infinity);
  check_slope_beside_constant(power, 0, -1, -infinity);
}

TEST_CASE("pow of a negative base takes whole constant exponents and never their logarithm") {
  const auto power = [](const auto& x, const auto& c) { return pow(x, c); };
  check_slope_beside_constant(power, -2, 3, 12);
  check_slope_beside_constant(power, -2, 2, -4);
  check_slope_beside_constant(power, -2, 1, 1);
  check_slope_beside_constant(power, -2, 0, 0);
  check_slope_beside_constant(power, -2, -1, -0.25);
  check_slope_beside_constant(power, -2, 0.5, undefined);
  check_slope([](const auto& x) { return pow(x, 3); }, -2, 12);
}

TEST_CASE("pow with both arguments variable has its limits, too") {
  const auto power = [](const auto& a, const auto& b) { return pow(a, b); };
  check_slopes(power, 0, 2, 0, 0);
  check_slopes(power, 0, 1, 1, 0);
  check_slopes(power, 0, 0, 0, 0);
  check_slopes(power, 0, -1, -infinity, -infinity);
  check_slopes(power, -2, 3, 12, undefined);
  check_slopes(power, 1, 5, 5, 0);
  // A constant base.
  check_slope([](const auto& y) { return pow(0.0, y); }, 2, 0);
  check_slope([](const auto& y) { return pow(0.0, y); }, 0, 0);
  check_slope([](const auto& y) { return pow(1.0, y); }, 3, 0);
}

TEST_CASE("the second derivative of pow(x, 2) at 0 is 2") {
  const auto check = [](double at, double c, double expected) {
    CAPTURE(at, c, expected);
    using twice = dual<dual<double>>;
    const twice y = pow(twice(dual<double>(at, 1.0), dual<double>(1.0, 0.0)), c);
    CHECK(y.tangent().tangent() == expected);
    tape inner;
    basic_tape<var> outer;
    const var x = inner.variable(at);
    const basic_var<var> outer_x = outer.variable(x);
    outer.backward(pow(outer_x, c));
    inner.backward(outer.adjoint(outer_x));
    CHECK(inner.adjoint(x) == expected);
    const dual<var> forward_over_reverse = pow(dual<var>(x, var(1.0)), c);
    inner.backward(forward_over_reverse.tangent());
    CHECK(inner.adjoint(x) == expected);
  };
  check(0, 2, 2);
  check(0, 3, 0);
  check(0, 1, 0);
  check(-2, 3, -12);
  check(-2, 2, 2);
}

TEST_CASE("pow that is 0 beside an infinite argument has slopes 0") {
  const auto power = [](const auto& a, const auto& b) { return pow(a, b); };
  check_slopes(power, 0, infinity, 0, 0);
  check_slopes(power, 0.5, infinity, 0, 0);
  check_slopes(power, 2, -infinity, 0, 0);
  check_slopes(power, infinity, -1, 0, 0);
}

TEST_CASE("atan2 has NaN slopes at the origin, and finite ones on its cut") {
  const auto f = [](const auto& a, const auto& b) { return atan2(a, b); };
  check_slopes(f, 0, 0, undefined, undefined);
  check_slopes(f, 0, -2, -0.5, 0);
  check_slopes(f, 0, 2, 0.5, 0);
  check_slopes(f, 3, 0, 0, -1.0 / 3);
  // Neither overflow nor underflow on the way.
  check_slopes(f, 1e200, 1e200, 5e-201, -5e-201);
  check_slopes(f, 0, 1e-310, infinity, 0);
}

TEST_CASE("logarithms have slope +inf at zero and NaN below") {
  const auto check = [](auto f, double zero, double below) {
    check_slope(f, zero, infinity);
    check_slope(f, below, undefined);
  };
  check([](const auto& x) { return log(x); }, 0.0, -1);
  check([](const auto& x) { return log(x); }, -0.0, -1e-30);
  check([](const auto& x) { return log2(x); }, 0.0, -1);
  check([](const auto& x) { return log2(x); }, -0.0, -1e-30);
  check([](const auto& x) { return log10(x); }, 0.0, -1);
  check([](const auto& x) { return log10(x); }, -0.0, -1e-30);
  check([](const auto& x) { return log1p(x); }, -1, -1.5);
}

TEST_CASE("inverse functions have infinite slopes at the ends of their domain and NaN outside") {
  const auto check = [](auto f, double end, double at_end, double outside) {
    check_slope(f, end, at_end);
    check_slope(f, outside, undefined);
  };
  check([](const auto& x) { return asin(x); }, 1, infinity, 1.5);
  check([](const auto& x) { return asin(x); }, -1, infinity, -1.5);
  check([](const auto& x) { return acos(x); }, 1, -infinity, 1.5);
  check([](const auto& x) { return acos(x); }, -1, -infinity, -1.5);
  check([](const auto& x) { return acosh(x); }, 1, infinity, 0.5);
  check([](const auto& x) { return acosh(x); }, 1, infinity, -2);
  check([](const auto& x) { return atanh(x); }, 1, infinity, 1.5);
  check([](const auto& x) { return atanh(x); }, -1, infinity, -1.5);
}

TEST_CASE("arithmetic with infinities is IEEE's") {
  check_slope([](const auto& x) { return x * 0.0; }, infinity, 0);
  check_slopes([](const auto& a, const auto& b) { return a * b; }, 0, infinity, infinity, 0);
  check_slope([](const auto& x) { return infinity * x; }, 0, infinity);
  check_slope([](const auto& x) { return x - x; }, infinity, 0);
  check_slope([](const auto& x) { return exp(x); }, 800, infinity);
  check_slope([](const auto& x) { return inverse(x); }, 0, -infinity);
}

TEST_CASE("a value that is NaN has slopes that are NaN, in every row but plain arithmetic") {
  const std::array hard{0.0,  -0.0,  1.0,   -1.0,   0.5,      -1.5,      2.0,
                        -3.0, 800.0, 1e300, -1e300, infinity, -infinity, undefined};
  using unary = rows::row<double(double), dual<double>(dual<double>), var(var)>;
  for (const auto& row : rows::unary<unary>()) {
    for (const double x : hard) {
      if (!std::isnan(row(x)) || row.name == "negate") continue;
      CAPTURE(row.name, x);
      CHECK(std::isnan(row(dual<double>(x, 1.0)).tangent()));
      tape t;
      const var v = t.variable(x);
      t.backward(row(v));
      CHECK(std::isnan(t.adjoint(v)));
    }
  }
  using binary = rows::row<double(double, double), var(var, var)>;
  for (const auto& row : rows::binary<binary>()) {
    if (row.name == "add" || row.name == "subtract" || row.name == "multiply" ||
        row.name == "divide")
      continue;
    for (const double a : hard) {
      for (const double b : hard) {
        if (!std::isnan(row(a, b))) continue;
        CAPTURE(row.name, a, b);
        tape t;
        const var x = t.variable(a), y = t.variable(b);
        t.backward(row(x, y));
        CHECK(std::isnan(t.adjoint(x)));
        CHECK(std::isnan(t.adjoint(y)));
      }
    }
  }
}

TEST_CASE("functions that level off have slope 0 at infinity") {
  const auto check = [](auto f, double x) { check_slope(f, x, 0); };
  for (const double x : {infinity, -infinity}) {
    check([](const auto& v) { return tanh(v); }, x);
    check([](const auto& v) { return sigmoid(v); }, x);
    check([](const auto& v) { return atan(v); }, x);
    check([](const auto& v) { return erf(v); }, x);
    check([](const auto& v) { return gaussian(v); }, x);
    check([](const auto& v) { return normal_pdf(v); }, x);
    check([](const auto& v) { return normal_cdf(v); }, x);
    check([](const auto& v) { return softsign(v); }, x);
    check([](const auto& v) { return hard_tanh(v); }, x);
    check([](const auto& v) { return asinh(v); }, x);
  }
  check([](const auto& v) { return silu(v); }, -infinity);
  check([](const auto& v) { return mish(v); }, -infinity);
  check([](const auto& v) { return gelu(v); }, -infinity);
  check([](const auto& v) { return gelu_tanh(v); }, -infinity);
  check([](const auto& v) { return softplus(v); }, -infinity);
  check([](const auto& v) { return elu(v); }, -infinity);
  check([](const auto& v) { return log(v); }, infinity);
  for (const double x : {infinity, 1e308}) {
    check_slope([](const auto& v) { return silu(v); }, x, 1);
    check_slope([](const auto& v) { return softplus(v); }, x, 1);
  }
  check_slope([](const auto& v) { return gelu(v); }, infinity, 1);
  check_slope([](const auto& v) { return mish(v); }, infinity, 1);
  check_slope([](const auto& v) { return gelu_tanh(v); }, infinity, 1);
  CHECK(autodiff::silu(-infinity) == 0);
  CHECK(autodiff::gelu(-infinity) == 0);
  CHECK(autodiff::softsign(-infinity) == -1);
}

TEST_CASE("gamma functions give NaN at their poles and never end the process") {
  for (const double pole : {0.0, -0.0, -1.0, -2.0, -1e15, -1e300, -infinity}) {
    CHECK(std::isnan(autodiff::tgamma(pole)));
    CHECK(std::isnan(autodiff::lgamma(pole)));
    CHECK(std::isnan(autodiff::digamma(pole)));
    CHECK(std::isnan(autodiff::trigamma(pole)));
    CHECK(std::isnan(autodiff::polygamma(3, pole)));
    check_slope([](const auto& x) { return lgamma(x); }, pole, undefined);
    check_slope([](const auto& x) { return tgamma(x); }, pole, undefined);
    check_slope([](const auto& x) { return digamma(x); }, pole, undefined);
  }
  CHECK(autodiff::tgamma(200.0) == infinity);
  CHECK(autodiff::lgamma(infinity) == infinity);
  CHECK(autodiff::digamma(infinity) == infinity);
  CHECK(autodiff::trigamma(infinity) == 0);
  CHECK(std::isnan(autodiff::polygamma(1.5, 2.0)));
  CHECK(std::isnan(autodiff::polygamma(-1, 2.0)));
  CHECK(autodiff::polygamma(0, 2.5) == autodiff::digamma(2.5));
  CHECK(std::isnan(autodiff::lbeta(-1.0, 2.0)));
}

TEST_CASE("xlogy and xlog1py are 0 where the factor is") {
  CHECK(autodiff::xlogy(0.0, 0.0) == 0);
  CHECK(autodiff::xlog1py(0.0, -1.0) == 0);
  const auto f = [](const auto& a, const auto& b) { return xlogy(a, b); };
  const auto g = [](const auto& a, const auto& b) { return xlog1py(a, b); };
  check_slopes(f, 0, 0, -infinity, 0);
  check_slopes(f, 0, 2, std::log(2.0), 0);
  check_slopes(f, 2, 0, -infinity, infinity);
  check_slopes(f, 2, -1, undefined, undefined);
  check_slopes(g, 0, -1, -infinity, 0);
  check_slopes(g, 2, -1, -infinity, infinity);
  check_slope([](const auto& x) { return 0.0 * xlogy(2.0, x); }, 0, 0);
}

TEST_CASE("log_sum_exp weighs equal and infinite arguments") {
  const auto f = [](const auto& a, const auto& b) { return log_sum_exp(a, b); };
  check_slopes(f, 800, 800, 0.5, 0.5);
  check_slopes(f, infinity, infinity, 0.5, 0.5);
  check_slopes(f, -infinity, -infinity, 0, 0);
  check_slopes(f, infinity, 1, 1, 0);
  check_slopes(f, -infinity, 1, 0, 1);
  check_slopes(f, undefined, 1, undefined, undefined);
  CHECK(autodiff::log_sum_exp(-infinity, -infinity) == -infinity);
  CHECK(autodiff::log_sum_exp(-infinity, 3.0) == 3);
}

TEST_CASE("log_diff_exp of equal arguments is -inf, and NaN where the first is less") {
  const auto f = [](const auto& a, const auto& b) { return log_diff_exp(a, b); };
  CHECK(autodiff::log_diff_exp(2.0, 2.0) == -infinity);
  check_slopes(f, 2, 2, infinity, -infinity);
  check_slopes(f, 1, 2, undefined, undefined);
  check_slopes(f, 1, -infinity, 1, 0);
  check_slopes(f, infinity, 1, 1, 0);
  CHECK(autodiff::log_diff_exp(1.0, -infinity) == 1);
  check_slope([](const auto& x) { return 0.0 * log_diff_exp(x, x); }, 2, 0);
}

TEST_CASE("inverse error function and reciprocal root have infinite slopes at their ends") {
  check_slope([](const auto& x) { return erfinv(x); }, 1, infinity);
  check_slope([](const auto& x) { return erfinv(x); }, -1, infinity);
  check_slope([](const auto& x) { return erfinv(x); }, 1.5, undefined);
  check_slope([](const auto& x) { return rsqrt(x); }, 0, -infinity);
  check_slope([](const auto& x) { return rsqrt(x); }, -1, undefined);
  CHECK(autodiff::erfinv(1.0) == infinity);
  CHECK(autodiff::erfinv(-1.0) == -infinity);
}

TEST_CASE("hypot of three has slopes 0 at the origin and none that overflow") {
  using all = dual<double, 3>;
  const auto slopes = [](double a, double b, double c) {
    return hypot(all(a, {1.0, 0.0, 0.0}), all(b, {0.0, 1.0, 0.0}), all(c, {0.0, 0.0, 1.0}))
        .tangents();
  };
  CHECK(slopes(0, 0, 0) == std::array{0.0, 0.0, 0.0});
  CHECK(slopes(0, -2, 0) == std::array{0.0, -1.0, 0.0});
  CHECK(slopes(1.7e308, 1.7e308, 0)[0] == Approx(std::sqrt(0.5)));
  CHECK(autodiff::hypot(1e308, 1e308, 1e-308) == Approx(std::sqrt(2.0) * 1e308));
}

TEST_CASE("ldexp is exact for whole exponents") {
  CHECK(autodiff::ldexp(1.0, -1074) == 5e-324);
  CHECK(autodiff::ldexp(5e-324, 2097.0) == std::ldexp(1.0, 1023));
  CHECK(autodiff::ldexp(3.0, 1e300) == infinity);
  CHECK(autodiff::ldexp(3.0, -1e300) == 0);
  const auto f = [](const auto& a, const auto& n) { return ldexp(a, n); };
  check_slopes(f, 3, 2, 4, 12 * std::log(2.0));
}

TEST_CASE("sinpi and cospi are exact at halves and wholes") {
  CHECK(autodiff::sinpi(1e15) == 0);
  CHECK(autodiff::sinpi(2.5) == 1);
  CHECK(autodiff::cospi(0.5) == 0);
  CHECK(autodiff::cospi(1e15 + 1) == -1);
  CHECK(std::isnan(autodiff::sinpi(infinity)));
}
