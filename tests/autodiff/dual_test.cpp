#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <sstream>
#include <type_traits>
#include <vector>

using autodiff::dual;
using autodiff::tape;
using autodiff::var;

static_assert(std::is_trivially_copyable_v<dual<double>>);
static_assert(sizeof(dual<double, 3>) == 4 * sizeof(double));
static_assert(!std::is_convertible_v<dual<double>, double>, "a derivative is not lost by accident");

TEST_CASE("a dual carries value and tangent through a function") {
  const dual<double> x(1.5, 1.0);
  const dual<double> y = sin(x) * exp(x) / (1.0 + square(x)) - x;
  const double s = std::sin(1.5), c = std::cos(1.5), e = std::exp(1.5), q = 3.25;
  CHECK(y.value() == Approx(s * e / q - 1.5).epsilon(1e-15));
  CHECK(y.tangent() == Approx((c + s) * e / q - s * e * 3 / (q * q) - 1).epsilon(1e-14));
}

TEST_CASE("the tangent is linear in the direction") {
  const auto f = [](const auto& x) { return atan2(x * x, cosh(x)); };
  const double slope = f(dual<double>(0.7, 1.0)).tangent();
  CHECK(f(dual<double>(0.7, -3.0)).tangent() == Approx(-3 * slope).epsilon(1e-15));
  CHECK(f(dual<double>(0.7, 0.0)).tangent() == 0);
  CHECK(f(dual<double>(0.7)).tangent() == 0);
}

TEST_CASE("several directions are carried at once") {
  using triple = dual<double, 3>;
  const std::array x{triple(2.0, {1.0, 0.0, 0.0}), triple(3.0, {0.0, 1.0, 0.0}),
                     triple(5.0, {0.0, 0.0, 1.0})};
  const triple y = x[0] * x[1] / x[2] + pow(x[0], x[1]) - 2.0 * x[2];
  CHECK(y.value() == Approx(6.0 / 5 + 8 - 10));
  CHECK(y.tangent(0) == Approx(0.6 + 12));
  CHECK(y.tangent(1) == Approx(0.4 + 8 * std::log(2.0)));
  CHECK(y.tangent(2) == Approx(-6.0 / 25 - 2));
  CHECK(y.tangents().size() == 3);
}

TEST_CASE("constants on either side have no tangent") {
  const dual<double> x(3.0, 1.0);
  CHECK((2.0 * x + x * 3 - 1.0F).tangent() == 5);
  CHECK((6 / x).tangent() == Approx(-6.0 / 9));
  CHECK((x / 4).tangent() == 0.25);
  CHECK((5 - x).tangent() == -1);
  CHECK((-x).tangent() == -1);
  CHECK((+x).tangent() == 1);
  CHECK(pow(2.0, x).tangent() == Approx(8 * std::log(2.0)));
  const dual<double> constant = 7;
  CHECK(constant.tangent() == 0);
  CHECK((constant * x).tangent() == 7);
}

TEST_CASE("compound assignment, with itself too") {
  dual<double> x(3.0, 1.0);
  const dual<double>& same = x;  // a compiler warns of x /= x
  x += same;
  x *= same;
  x -= 4.0;
  x /= 2;
  CHECK(x.value() == 16);
  CHECK(x.tangent() == 12);
  x /= same;
  CHECK(x.value() == 1);
  CHECK(x.tangent() == 0);
}

TEST_CASE("comparisons of duals are on values") {
  const dual<double> a(1.0, 5.0), b(2.0, -5.0);
  CHECK(a < b);
  CHECK(a == dual<double>(1.0, 0.0));
  CHECK(a == 1.0);
  CHECK(1 == a);
  CHECK(a != b);
  CHECK(b >= 2);
  CHECK(0 < a);
  const dual<double> undefined = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(undefined == undefined);
  CHECK_FALSE(undefined < a);
}

TEST_CASE("nested duals give third derivatives") {
  using second = dual<dual<double>>;
  using third = dual<second>;
  const double at = 0.8;
  const third x(second(dual<double>(at, 1.0), dual<double>(1.0, 0.0)),
                second(dual<double>(1.0, 0.0), dual<double>(0.0, 0.0)));
  const third y = exp(sin(x));
  const double s = std::sin(at), c = std::cos(at), e = std::exp(s);
  CHECK(y.value().value().value() == Approx(e));
  CHECK(y.tangent().value().value() == Approx(c * e));
  CHECK(y.tangent().tangent().value() == Approx((c * c - s) * e).epsilon(1e-14));
  CHECK(y.tangent().tangent().tangent() == Approx((c * c * c - 3 * s * c - c) * e).epsilon(1e-14));
}

TEST_CASE("a dual of variables gives Hessian-vector products") {
  // f = x^2 y + sin(y z); H v along v = (1, -2, 0.5).
  const auto f = [](const auto& x) { return x[0] * x[0] * x[1] + sin(x[1] * x[2]); };
  const std::array at{1.2, -0.7, 2.0}, v{1.0, -2.0, 0.5};
  tape t;
  const std::array<var, 3> x = t.variable(at);
  std::array<dual<var>, 3> moved;
  for (std::size_t i = 0; i < 3; ++i) moved[i] = dual<var>(x[i], var(v[i]));
  const dual<var> y = f(moved);
  t.backward(y.tangent());
  const double s = std::sin(-1.4), c = std::cos(-1.4);
  CHECK(t.adjoint(x[0]) == Approx(2 * -0.7 * v[0] + 2 * 1.2 * v[1]));
  CHECK(t.adjoint(x[1]) == Approx(2 * 1.2 * v[0] - 4 * s * v[1] + (c + 1.4 * s) * v[2]));
  CHECK(t.adjoint(x[2]) == Approx((c + 1.4 * s) * v[1] - 0.49 * s * v[2]));
  // The gradient comes from the value part.
  t.backward(y.value());
  CHECK(t.adjoint(x[0]) == Approx(2 * 1.2 * -0.7));
}

TEST_CASE("a zero slope stops even an infinite tangent") {
  const dual<double> x(0.0, 1.0);
  CHECK((0.0 * sqrt(x)).tangent() == 0);
  CHECK((sqrt(x) * x).tangent() == 0);
  CHECK(max(sqrt(x), 1.0).tangent() == 0);
  CHECK(min(1.0, cbrt(x) - 5.0).tangent() == std::numeric_limits<double>::infinity());
  const dual<dual<double>> xx(dual<double>(0.0, 1.0), dual<double>(1.0, 0.0));
  CHECK(max(sqrt(xx), 1.0).tangent().tangent() == 0);
}

TEST_CASE("a direction that does not move an argument takes nothing from its infinite slope") {
  using both = dual<double, 2>;
  const both x(0.0, {1.0, 0.0}), y(3.0, {0.0, 1.0});
  const both z = sqrt(x) + square(y);
  CHECK(z.tangent(0) == std::numeric_limits<double>::infinity());
  CHECK(z.tangent(1) == 6);
  // A tangent that cancelled to 0 cannot be told from one that never was: here the reverse sweep
  // gives NaN and forward mode 0.
  CHECK(sqrt(dual<double>(0.0, 1.0) * dual<double>(0.0, 1.0)).tangent() == 0);
}

TEST_CASE("a dual is zero when its value and all its tangents are") {
  CHECK(is_zero(dual<double>(0.0, 0.0)));
  CHECK_FALSE(is_zero(dual<double>(0.0, 1.0)));
  CHECK_FALSE(is_zero(dual<double, 2>(0.0, {0.0, 1.0})));
  CHECK_FALSE(is_zero(dual<double>(1.0, 0.0)));
}

TEST_CASE("a dual prints its value and tangents") {
  std::ostringstream out;
  out << dual<double, 2>(1.5, {2.0, -0.25});
  CHECK(out.str() == "(1.5, 2, -0.25)");
}
