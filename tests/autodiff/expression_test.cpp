#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

using autodiff::basic_tape;
using autodiff::basic_var;
using autodiff::dual;
using autodiff::tape;
using autodiff::var;

namespace {

auto product(const var& x, const var& y) { return x * y; }

auto shadowed(var x) {
  // x and the temporary leave with this function; the expression owns copies of them.
  const var twice = 2.0 * x;
  return sin(twice) + x * var(3.0);
}

template <class F>
auto twice(F f) {
  return [f](const auto& x) { return f(f(x)); };
}

}  // namespace

TEST_CASE("an expression keeps the variables that it was built from") {
  tape t;
  var x = t.variable(2.0), y = t.variable(3.0);
  const var old_x = x;
  const auto e = x * y;
  x = 5.0;
  y = x;
  const var z = e;
  CHECK(z.value() == 6);
  t.backward(z);
  CHECK(t.adjoint(old_x) == 3);
}

TEST_CASE("an expression may be copied, assigned from and recorded twice") {
  tape t;
  const var x = t.variable(2.0);
  const auto e = x * x + 1.0;
  const auto copy = e;
  const var a = e, b = copy;
  CHECK(t.statistics().statements == 2);
  t.backward(a + 3.0 * b);
  CHECK(t.adjoint(x) == 16);
  CHECK(t.adjoint(a) == 1);
  CHECK(t.adjoint(b) == 3);
}

TEST_CASE("expressions returned from functions own their operands") {
  tape t;
  const var x = t.variable(0.4), y = t.variable(3.0);
  const auto p = product(x, y);
  const auto s = shadowed(x);
  const auto lambda = [](const var& a) {
    const var local = a * a;
    return local * exp(local);
  };
  const auto l = lambda(x);
  // Something else on the stack meanwhile.
  std::vector<double> noise(1000, 1.0);
  CHECK(std::accumulate(noise.begin(), noise.end(), 0.0) == 1000);
  t.backward(p + s + l);
  const double e = std::exp(0.16);
  CHECK(t.adjoint(x) ==
        Approx(3 + 2 * std::cos(0.8) + 3 + 2 * 0.4 * e * (1 + 0.16)).epsilon(1e-14));
  CHECK(t.adjoint(y) == Approx(0.4));
}

TEST_CASE("expressions live in containers and closures") {
  tape t;
  const var x = t.variable(2.0);
  using element = std::remove_cvref_t<decltype(x * 1.0)>;
  std::vector<element> terms;
  {
    var factor = x;
    for (int i = 0; i < 100; ++i) {
      terms.push_back(factor * double(i));
      if (i % 2) factor = var(factor * 1.0);
    }
  }
  std::function<var()> late = [e = x * x + sin(x)] { return e; };
  var sum = 0.0;
  for (const auto& term : terms) sum += term;
  sum += late();
  t.backward(sum);
  CHECK(t.adjoint(x) == Approx(4950 + 4 + std::cos(2.0)));
}

TEST_CASE("one statement is one record with at most one argument per leaf") {
  tape t;
  const var x = t.variable(0.5), y = t.variable(1.5);
  const auto e = sin(x) * y + exp(x * y) / (1.0 + square(x));
  static_assert(std::remove_cvref_t<decltype(e)>::leaves == 5);
  const var z = e;
  CHECK(t.statistics().statements == 1);
  CHECK(t.statistics().arguments <= 5);
  CHECK(t.statistics().arguments >= 2);
  t.backward(z);
  const double ex = std::exp(0.75), q = 1.25;
  CHECK(t.adjoint(x) ==
        Approx(std::cos(0.5) * 1.5 + 1.5 * ex / q - ex * 2 * 0.5 / (q * q)).epsilon(1e-14));
  CHECK(t.adjoint(y) == Approx(std::sin(0.5) + 0.5 * ex / q).epsilon(1e-14));
}

TEST_CASE("signs pass through sums, differences and negations exactly") {
  tape t;
  const var a = t.variable(1.0), b = t.variable(2.0), c = t.variable(4.0), d = t.variable(8.0);
  const var y = -(a - (b - (c - -(-d)))) - (-(+a) + 3.0) + (5.0 - (-b));
  CHECK(y.value() == -(1 - (2 - (4 - 8))) - (-1 + 3) + (5 + 2));
  t.backward(y);
  CHECK(t.adjoint(a) == 0);
  CHECK(t.adjoint(b) == 2);
  CHECK(t.adjoint(c) == -1);
  CHECK(t.adjoint(d) == 1);
}

TEST_CASE("numbers of any arithmetic type stand beside variables as constants") {
  tape t;
  const var x = t.variable(3.0);
  const var y = 2 * x + x * 2.0F - 1U + x / 4L + pow(x, 2) + max(x, 7) + hypot(4, x);
  CHECK(y.value() == 6 + 6 - 1 + 0.75 + 9 + 7 + 5);
  CHECK(t.statistics().arguments <= 6);
  t.backward(y);
  CHECK(t.adjoint(x) == Approx(2 + 2 + 0.25 + 6 + 0 + 0.6));
}

TEST_CASE("min and max are ours after using std::max") {
  using std::max;
  using std::min;
  tape t;
  const var x = t.variable(2.0), y = t.variable(2.0);
  t.backward(max(x, y));
  CHECK(t.adjoint(x) == 0.5);
  CHECK(t.adjoint(y) == 0.5);
  t.backward(min(x * 3.0, y * 3.0));
  CHECK(t.adjoint(x) == 1.5);
  CHECK(t.adjoint(y) == 1.5);
  t.backward(max(max(x, 1.0), y + 0.0));
  CHECK(t.adjoint(x) == 0.5);
  CHECK(max(dual<double>(1.0, 1.0), dual<double>(1.0, 3.0)).tangent() == 2);
  CHECK(max(1.0, 2.0) == 2);
}

TEST_CASE("functions of the table are found after using their std names") {
  using std::abs, std::exp, std::pow, std::sin, std::sqrt, std::hypot;
  const auto f = [](const auto& x) {
    return exp(sin(x)) + sqrt(abs(x)) * pow(x, 3.0) + hypot(x, x);
  };
  tape t;
  const var x = t.variable(0.3);
  t.backward(f(x));
  const double slope = f(dual<double>(0.3, 1.0)).tangent();
  const double closed =
      std::cos(0.3) * std::exp(std::sin(0.3)) + 3.5 * std::pow(0.3, 2.5) + std::sqrt(2.0);
  CHECK(t.adjoint(x) == Approx(closed).epsilon(1e-14));
  CHECK(slope == Approx(closed).epsilon(1e-14));
  CHECK(f(0.3) == Approx(std::exp(std::sin(0.3)) + std::pow(0.3, 3.5) + 0.3 * std::sqrt(2.0)));
}

TEST_CASE("generic compositions nest") {
  tape t;
  const var x = t.variable(0.2);
  const auto f = twice(twice([](const auto& v) { return sin(v) + v * 0.5; }));
  t.backward(f(x));
  double value = 0.2, slope = 1;
  for (int i = 0; i < 4; ++i) {
    slope *= std::cos(value) + 0.5;
    value = std::sin(value) + 0.5 * value;
  }
  CHECK(t.adjoint(x) == Approx(slope).epsilon(1e-14));
}

TEST_CASE("comparisons are on values, record nothing and mix with numbers") {
  tape t;
  const var x = t.variable(1.0), y = t.variable(2.0);
  CHECK(x < y);
  CHECK(x <= y);
  CHECK(y > x);
  CHECK(x != y);
  CHECK(x == 1.0);
  CHECK(1 == x);
  CHECK(x + y == 3.0);
  CHECK(x * 2.0 == y);
  CHECK(2 * x >= y + 0.0);
  CHECK(0.5 < x);
  CHECK_FALSE(sin(x) > 1);
  const var undefined = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(undefined == undefined);
  CHECK(undefined != undefined);
  CHECK_FALSE(undefined < x);
  CHECK_FALSE(undefined >= x);
  CHECK(t.statistics().statements == 0);
  // A branch decided by values is differentiated as taken.
  const auto f = [](const var& v) { return v > 1.5 ? var(v * v) : var(-v); };
  t.backward(f(y) + f(x));
  CHECK(t.adjoint(x) == -1);
  CHECK(t.adjoint(y) == 4);
}

TEST_CASE("classification looks at values and records nothing") {
  tape t;
  const var zero = t.variable(0.0), one = t.variable(1.0);
  CHECK(isinf(one / zero));
  CHECK(isnan(zero / zero));
  CHECK(isfinite(one));
  CHECK_FALSE(isfinite(one / zero));
  CHECK_FALSE(isnan(one));
  CHECK(t.statistics().statements == 0);
}

TEST_CASE("a variable of an inner level stands in an outer expression as a constant") {
  tape inner;
  basic_tape<var> outer;
  const var p = inner.variable(3.0);
  const basic_var<var> x = outer.variable(var(2.0));
  const basic_var<var> y = x * p + (p * p) * x - sin(p) / x;
  outer.backward(y);
  const var slope = outer.adjoint(x);
  CHECK(slope.value() == Approx(3 + 9 + std::sin(3.0) / 4));
  inner.backward(slope);
  CHECK(inner.adjoint(p) == Approx(1 + 6 + std::cos(3.0) / 4));
}

TEST_CASE("a statement that fails records nothing") {
  tape outer;
  const var foreign = outer.variable(1.0);
  tape t;
  const var x = t.variable(1.0);
  var y = x * 2.0;
  const auto before = t.statistics();
  CHECK_THROWS_AS(y = x * foreign, autodiff::tape_error);
  CHECK_THROWS_AS(y += foreign, autodiff::tape_error);
  CHECK(t.statistics().bytes == before.bytes);
  CHECK(t.statistics().places == before.places);
  CHECK(y.value() == 2);
  t.backward(y);
  CHECK(t.adjoint(x) == 2);
}
