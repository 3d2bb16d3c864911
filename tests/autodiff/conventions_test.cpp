// The conventions of ops.def at kinks and jumps, a test a line, in every mode.

#include <tests/autodiff/conventions.hpp>
#include <tests/catch.hpp>

#include <array>
#include <cmath>
#include <limits>

using autodiff::basic_tape;
using autodiff::basic_var;
using namespace conventions;

TEST_CASE("abs, relu, sign and heaviside have slope 0 at 0") {
  for (const double zero : {0.0, -0.0}) {
    check_slope([](const auto& x) { return abs(x); }, zero, 0);
    check_slope([](const auto& x) { return relu(x); }, zero, 0);
    check_slope([](const auto& x) { return sign(x); }, zero, 0);
    check_slope([](const auto& x) { return heaviside(x); }, zero, 0);
  }
  check_slope([](const auto& x) { return abs(x); }, -2, -1);
  check_slope([](const auto& x) { return relu(x); }, -2, 0);
  check_slope([](const auto& x) { return relu(x); }, 1e-30, 1);
  CHECK(autodiff::sign(-3.0) == -1);
  CHECK(autodiff::sign(0.0) == 0);
  CHECK(autodiff::heaviside(0.0) == 0);
  CHECK(autodiff::heaviside(1e-300) == 1);
}

TEST_CASE("floor and ceil are flat everywhere, at their jumps too") {
  for (const double x : {-1.5, -1.0, 0.0, 0.5, 2.0, 1e300}) {
    check_slope([](const auto& v) { return floor(v); }, x, 0);
    check_slope([](const auto& v) { return ceil(v); }, x, 0);
  }
}

TEST_CASE("a NaN argument gives NaN values and slopes to functions with flat parts") {
  const auto check = [](auto f) {
    CHECK(std::isnan(f(undefined)));
    check_slope(f, undefined, undefined);
  };
  check([](const auto& x) { return autodiff::abs(x); });
  check([](const auto& x) { return autodiff::relu(x); });
  check([](const auto& x) { return autodiff::sign(x); });
  check([](const auto& x) { return autodiff::heaviside(x); });
  check([](const auto& x) { return autodiff::floor(x); });
  check([](const auto& x) { return autodiff::ceil(x); });
  check([](const auto& x) { return autodiff::sigmoid(x); });
  check([](const auto& x) { return autodiff::log_sigmoid(x); });
  check([](const auto& x) { return autodiff::softplus(x); });
  check([](const auto& x) { return autodiff::tanh(x); });
}

TEST_CASE("max and min take the argument that wins") {
  const auto larger = [](const auto& a, const auto& b) { return max(a, b); };
  const auto smaller = [](const auto& a, const auto& b) { return min(a, b); };
  check_slopes(larger, 2, 1, 1, 0);
  check_slopes(larger, 1, 2, 0, 1);
  check_slopes(smaller, 2, 1, 0, 1);
  check_slopes(smaller, 1, 2, 1, 0);
}

TEST_CASE("max and min share a tie of two variables in halves") {
  const auto larger = [](const auto& a, const auto& b) { return max(a, b); };
  const auto smaller = [](const auto& a, const auto& b) { return min(a, b); };
  for (const double x : {1.5, 0.0, -3.0, infinity}) {
    check_slopes(larger, x, x, 0.5, 0.5);
    check_slopes(smaller, x, x, 0.5, 0.5);
  }
  check_slopes(larger, 0.0, -0.0, 0.5, 0.5);
  // The same whichever side is an expression.
  check_slopes([](const auto& a, const auto& b) { return max(a * 1.0, b); }, 2, 2, 0.5, 0.5);
  check_slopes([](const auto& a, const auto& b) { return min(a, b + 0.0); }, 2, 2, 0.5, 0.5);
  check_slopes([](const auto& a, const auto& b) { return max(a * 1.0, b + 0.0); }, 2, 2, 0.5, 0.5);
}

TEST_CASE("a variable at a tie with an equal constant has slope 0, whichever side it is on") {
  check_slope_beside_constant([](const auto& x, const auto& c) { return max(x, c); }, 2, 2, 0);
  check_slope_beside_constant([](const auto& x, const auto& c) { return max(c, x); }, 2, 2, 0);
  check_slope_beside_constant([](const auto& x, const auto& c) { return min(x, c); }, 2, 2, 0);
  check_slope_beside_constant([](const auto& x, const auto& c) { return min(c, x); }, 2, 2, 0);
  check_slope_beside_constant([](const auto& x, const auto& c) { return max(x * 3.0, c); }, 2, 6,
                              0);
  check_slope_beside_constant([](const auto& x, const auto& c) { return max(c, x); }, 2.5, 2, 1);
  check_slope_beside_constant([](const auto& x, const auto& c) { return min(c, x); }, 2.5, 2, 0);
}

TEST_CASE("beside a number a dual has slope 0 at a tie, beside a dual without tangents half") {
  const dual<double> x(2.0, 1.0);
  CHECK(max(x, 2.0).tangent() == 0);
  CHECK(max(2.0, x).tangent() == 0);
  CHECK(min(x, 2.0).tangent() == 0);
  CHECK(fmax(x, 2.0).tangent() == 0);
  CHECK(max(x, dual<double>(2.0)).tangent() == 0.5);
}

TEST_CASE("max and min propagate NaN from either side") {
  for (const auto& [a, b] :
       {std::array{undefined, 1.0}, std::array{1.0, undefined}, std::array{undefined, undefined}}) {
    CHECK(std::isnan(autodiff::max(a, b)));
    CHECK(std::isnan(autodiff::min(a, b)));
    check_slopes([](const auto& x, const auto& y) { return max(x, y); }, a, b, undefined,
                 undefined);
    check_slopes([](const auto& x, const auto& y) { return min(x, y); }, a, b, undefined,
                 undefined);
  }
}

TEST_CASE("hypot has slopes 0 at the origin") {
  const auto f = [](const auto& a, const auto& b) { return hypot(a, b); };
  check_slopes(f, 0, 0, 0, 0);
  check_slopes(f, -0.0, 0, 0, 0);
  check_slopes(f, 0, 2, 0, 1);
  check_slopes(f, -3, 0, -1, 0);
  check_slope_beside_constant(f, 0, 0, 0);
}

TEST_CASE("of an infinite argument hypot and atan2 have the limits of their slopes") {
  const auto length = [](const auto& a, const auto& b) { return hypot(a, b); };
  for (const double one : {0.0, 1.0, -1e300}) {
    check_slopes(length, infinity, one, 1, 0);
    check_slopes(length, one, -infinity, 0, -1);
  }
  check_slopes(length, infinity, -infinity, undefined, undefined);
  check_slopes(length, infinity, undefined, 1, undefined);
  const auto angle = [](const auto& a, const auto& b) { return atan2(a, b); };
  for (const double far : {infinity, -infinity}) {
    check_slopes(angle, far, infinity, 0, 0);
    check_slopes(angle, -infinity, far, 0, 0);
    check_slopes(angle, far, 1, 0, 0);
    check_slopes(angle, 1, far, 0, 0);
  }
}

TEST_CASE("round and trunc are flat everywhere, at their jumps too") {
  for (const double x : {-1.5, -1.0, 0.0, 0.5, 2.0, 2.5, 1e300}) {
    check_slope([](const auto& v) { return round(v); }, x, 0);
    check_slope([](const auto& v) { return trunc(v); }, x, 0);
  }
  CHECK(autodiff::round(2.5) == 3);
  CHECK(autodiff::round(-2.5) == -3);
  CHECK(autodiff::trunc(-2.9) == -2);
}

TEST_CASE("fmax and fmin share ties as max and min do") {
  const auto larger = [](const auto& a, const auto& b) { return fmax(a, b); };
  const auto smaller = [](const auto& a, const auto& b) { return fmin(a, b); };
  check_slopes(larger, 2, 1, 1, 0);
  check_slopes(smaller, 2, 1, 0, 1);
  for (const double x : {1.5, 0.0, -3.0, infinity}) {
    check_slopes(larger, x, x, 0.5, 0.5);
    check_slopes(smaller, x, x, 0.5, 0.5);
  }
  check_slope_beside_constant(larger, 2, 2, 0);
  check_slope_beside_constant(smaller, 2, 2, 0);
  check_slope_beside_constant([](const auto& x, const auto& c) { return fmax(c, x); }, 2, 2, 0);
}

TEST_CASE("fmax and fmin ignore a NaN: the number has slope 1") {
  const auto larger = [](const auto& a, const auto& b) { return fmax(a, b); };
  const auto smaller = [](const auto& a, const auto& b) { return fmin(a, b); };
  CHECK(autodiff::fmax(undefined, 1.0) == 1);
  CHECK(autodiff::fmin(1.0, undefined) == 1);
  check_slopes(larger, undefined, 1, 0, 1);
  check_slopes(larger, 1, undefined, 1, 0);
  check_slopes(smaller, undefined, 1, 0, 1);
  check_slopes(smaller, 1, undefined, 1, 0);
  check_slopes(larger, undefined, undefined, undefined, undefined);
  check_slopes(smaller, undefined, undefined, undefined, undefined);
  check_slope_beside_constant(larger, 1, undefined, 1);
  check_slope_beside_constant(larger, undefined, 1, 0);
}

TEST_CASE("clamp has slope 1 on the closed interval and 0 beyond") {
  const auto check = [](double x, double low, double high, std::array<double, 3> expected) {
    CAPTURE(x, low, high);
    tape t;
    const std::array v{t.variable(x), t.variable(low), t.variable(high)};
    t.backward(clamp(v[0], v[1], v[2]));
    using all = dual<double, 3>;
    const all y =
        clamp(all(x, {1.0, 0.0, 0.0}), all(low, {0.0, 1.0, 0.0}), all(high, {0.0, 0.0, 1.0}));
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(i);
      CHECK(same(t.adjoint(v[i]), expected[i]));
      CHECK(same(y.tangent(i), expected[i]));
    }
    const var w = t.variable(x);
    t.backward(clamp(w, low, high));
    CHECK(same(t.adjoint(w), expected[0]));
    t.backward(clamp(w * 1.0, low, high));
    CHECK(same(t.adjoint(w), expected[0]));
    CHECK(same(clamp(dual<double>(x, 1.0), low, high).tangent(), expected[0]));
  };
  check(0.5, 0, 1, {1, 0, 0});
  check(0, 0, 1, {1, 0, 0});
  check(1, 0, 1, {1, 0, 0});
  check(-0.5, 0, 1, {0, 1, 0});
  check(1.5, 0, 1, {0, 0, 1});
  check(2, 2, 2, {0, 0, 0});
  check(undefined, 0, 1, {undefined, undefined, undefined});
  check(-infinity, 0, 1, {0, 1, 0});
}

TEST_CASE("copysign goes by the sign bits, of zeros too") {
  const auto f = [](const auto& a, const auto& b) { return copysign(a, b); };
  check_slopes(f, 2, 3, 1, 0);
  check_slopes(f, 2, -3, -1, 0);
  check_slopes(f, -2, 3, -1, 0);
  check_slopes(f, -2, -3, 1, 0);
  check_slopes(f, 2, -0.0, -1, 0);
  check_slopes(f, 0.0, -1, -1, 0);
  check_slopes(f, -0.0, -1, 1, 0);
  check_slopes(f, undefined, 1, undefined, undefined);
  check_slope_beside_constant(f, -2, 3, -1);
}

TEST_CASE("fmod and remainder have slope 1 and minus the quotient, for negative numbers too") {
  const auto mod = [](const auto& a, const auto& b) { return fmod(a, b); };
  const auto rem = [](const auto& a, const auto& b) { return remainder(a, b); };
  check_slopes(mod, 5.3, 2, 1, -2);
  check_slopes(mod, -5.3, 2, 1, 2);
  check_slopes(mod, 5.3, -2, 1, 2);
  check_slopes(mod, -5.3, -2, 1, -2);
  check_slopes(mod, 6, 2, 1, -3);
  check_slopes(mod, 1, infinity, 1, 0);
  check_slopes(rem, 5.3, 2, 1, -3);
  check_slopes(rem, -5.3, 2, 1, 3);
  check_slopes(rem, 5, 2, 1, -2);
  for (const auto& [a, b] :
       {std::array{1.0, 0.0}, {infinity, 2.0}, {undefined, 2.0}, {2.0, undefined}}) {
    check_slopes(mod, a, b, undefined, undefined);
    check_slopes(rem, a, b, undefined, undefined);
  }
  // A quotient that rounds up to a whole number is not the number of times that b goes into a.
  const double below = std::nextafter(6.0, 0.0);
  check_slopes(mod, below, 2, 1, -2);
}

TEST_CASE("activations take one of their slopes at the kink") {
  check_slope([](const auto& x) { return leaky_relu(x, 0.25); }, 0, 0.25);
  check_slope([](const auto& x) { return leaky_relu(x, 0.25); }, -0.0, 0.25);
  check_slope([](const auto& x) { return elu(x, 0.5); }, 0, 0.5);
  check_slope([](const auto& x) { return elu(x); }, 0, 1);
  check_slope([](const auto& x) { return hard_tanh(x); }, 1, 0);
  check_slope([](const auto& x) { return hard_tanh(x); }, -1, 0);
  check_slope([](const auto& x) { return hard_tanh(x); }, 0.5, 1);
  check_slope([](const auto& x) { return hard_tanh(x); }, undefined, undefined);
  check_slope([](const auto& x) { return softsign(x); }, 0, 1);
  CHECK(dual<double>(selu(dual<double>(0.0, 1.0))).tangent() == 1.0507009873554804934);
}
