#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using autodiff::basic_tape;
using autodiff::basic_var;
using autodiff::tape;
using autodiff::var;

static_assert(sizeof(var) == 16);
static_assert(std::is_trivially_copyable_v<var>);
static_assert(std::is_trivially_destructible_v<var>);
static_assert(std::is_convertible_v<double, var>);
static_assert(std::is_convertible_v<int, var>);
static_assert(!std::is_convertible_v<var, double>, "a derivative is not lost by accident");
static_assert(std::numeric_limits<var>::is_specialized);
static_assert(std::numeric_limits<var>::epsilon() == std::numeric_limits<double>::epsilon());

TEST_CASE("a var without a tape is a number") {
  const var nothing, one = 1, half = 0.5F;
  CHECK(nothing.value() == 0);
  CHECK_FALSE(nothing.is_recorded());
  const var sum = one + half * 2.0;
  CHECK(sum.value() == 2);
  CHECK_FALSE(sum.is_recorded());
}

TEST_CASE("copies and moves share a place and record nothing") {
  tape t;
  const var x = t.variable(2.0);
  const var copy = x;
  var assigned;
  assigned = copy;
  const var moved = std::move(assigned);
  std::vector<var> many(10, moved);
  many.insert(many.begin(), x);
  CHECK(t.statistics().statements == 0);
  var sum = 0.0;
  for (const var& one : many) sum += one;
  t.backward(sum);
  CHECK(t.adjoint(x) == 11);
  CHECK(t.adjoint(copy) == 11);
  CHECK(t.adjoint(many.back()) == 11);
}

TEST_CASE("a copy keeps what it was when the original changes") {
  tape t;
  var x = t.variable(2.0);
  const var before = x;
  x = x * x;
  x *= 10.0;
  t.backward(x + 7.0 * before);
  CHECK(x.value() == 40);
  CHECK(before.value() == 2);
  CHECK(t.adjoint(before) == 10 * 4 + 7);
  CHECK(t.adjoint(x) == 1);
}

TEST_CASE("self-reference in an assignment uses the old value") {
  tape t;
  const var start = t.variable(1.5);
  var x = start;
  x = x * x;
  x = x * x + x;
  x = sin(x) + x / x;
  t.backward(x);
  const double s = 1.5 * 1.5, q = s * s + s;
  CHECK(x.value() == Approx(std::sin(q) + 1));
  CHECK(t.adjoint(start) == Approx(std::cos(q) * (2 * s + 1) * 2 * 1.5).epsilon(1e-14));
}

TEST_CASE("compound assignment with itself uses the old value on both sides") {
  tape t;
  const var start = t.variable(3.0);
  var x = start;
  const var& same = x;  // a compiler warns of x -= x
  x += same;
  x *= same;
  CHECK(x.value() == 36);
  t.backward(x);
  CHECK(t.adjoint(start) == 24);
  x /= same;
  CHECK(x.value() == 1);
  t.backward(x);
  CHECK(t.adjoint(start) == 0);
  x -= same;
  t.backward(x);
  CHECK(x.value() == 0);
  CHECK(t.adjoint(start) == 0);
}

TEST_CASE("compound assignment takes numbers, variables and expressions") {
  tape t;
  const var x = t.variable(2.0), y = t.variable(5.0);
  var z = x;
  z += 1;
  z *= y;
  z -= x * y;
  z /= 2.0;
  z += sin(x) * y;
  z -= 0.5F;
  CHECK(z.value() == Approx(2.5 + 5 * std::sin(2.0) - 0.5));
  t.backward(z);
  CHECK(t.adjoint(x) == Approx(5 * std::cos(2.0)));
  CHECK(t.adjoint(y) == Approx(0.5 + std::sin(2.0)));
  (z += x) *= y;
  t.backward(z);
  CHECK(t.adjoint(x) == Approx(5 * (5 * std::cos(2.0) + 1)));
}

TEST_CASE("swap exchanges places") {
  tape t;
  var x = t.variable(2.0), y = t.variable(3.0);
  const var old_x = x, old_y = y;
  std::swap(x, y);
  CHECK(x.value() == 3);
  t.backward(x * x * y);
  CHECK(t.adjoint(old_y) == 12);
  CHECK(t.adjoint(old_x) == 9);
  CHECK(t.adjoint(x) == 12);
}

TEST_CASE("a variable made passive by assignment loses its derivative") {
  tape t;
  const var x = t.variable(2.0);
  var y = x * x;
  y = 3.0;
  CHECK_FALSE(y.is_recorded());
  y = y * x;
  y = var(y.value()) + x;
  t.backward(y);
  CHECK(t.adjoint(x) == 1);
}

TEST_CASE("standard algorithms work on variables") {
  tape t;
  const std::vector<var> x = t.variable(std::vector{3.0, -1.0, 2.0, 0.5});
  const var sum = std::accumulate(x.begin(), x.end(), var(0.0));
  const var squares = std::inner_product(x.begin(), x.end(), x.begin(), var(0.0));
  std::vector<var> sorted = x;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted.front().value() == -1);
  const var largest = *std::max_element(x.begin(), x.end());
  t.backward(sum + squares + 100.0 * sorted.front() + 1000.0 * largest);
  const std::vector<double> slopes = t.adjoint(x);
  CHECK(slopes == std::vector<double>{1 + 6 + 1000, 1 - 2 + 100, 1 + 4, 1 + 1});
}

TEST_CASE("variables come in vectors, arrays and spans") {
  tape t;
  const std::vector<double> values{1, 2, 3};
  const std::vector<var> v = t.variable(values);
  const std::vector<var> s = t.variable(std::span<const double>(values).subspan(1));
  const std::array<var, 2> a = t.variable(std::array{4.0, 5.0});
  const std::vector<var> none = t.variable(std::vector<double>{});
  CHECK(v.size() == 3);
  CHECK(s.size() == 2);
  CHECK(none.empty());
  t.backward(v[0] * s[0] + v[2] * s[1] + a[0] * a[1]);
  CHECK(t.adjoint(v) == std::vector<double>{2, 0, 3});
  CHECK(t.adjoint(s) == std::vector<double>{1, 3});
  CHECK(t.adjoint(a) == std::array{5.0, 4.0});
  CHECK(t.adjoint(none).empty());
}

TEST_CASE("single-precision variables have a tape of their own beside the double one") {
  tape t;
  basic_tape<float> single;
  const var x = t.variable(2.0);
  const basic_var<float> y = single.variable(3.0F);
  const var a = x * x * double(y.value());
  const basic_var<float> b = y * y;
  t.backward(a);
  single.backward(b);
  CHECK(t.adjoint(x) == 12);
  CHECK(single.adjoint(y) == 6);
  static_assert(std::is_same_v<decltype(single.adjoint(y)), float>);
}

TEST_CASE("only a passive zero is structurally zero") {
  tape t;
  const var x = t.variable(0.0);
  CHECK(is_zero(var(0.0)));
  CHECK_FALSE(is_zero(x));
  CHECK_FALSE(is_zero(var(1.0)));
}

TEST_CASE("the adjoints of many variables are those of each, in any order") {
  // Blocks of neighbours and strangers, a few and several hundred of them.
  for (const std::size_t count : {1u, 15u, 16u, 17u, 511u, 512u, 513u, 1500u}) {
    std::vector<double> values(count);
    std::iota(values.begin(), values.end(), 1.0);
    tape t;
    std::vector<var> x = t.variable(values);
    var y = 0.0;
    for (const var& one : x) y += one * one;
    t.backward(y);
    const auto require_twice_the_values = [&] {
      std::vector<double> adjoints(count);
      t.adjoints(std::span<const var>(x), std::span(adjoints));
      for (std::size_t i = 0; i < count; ++i) REQUIRE(adjoints[i] == 2 * x[i].value());
    };
    require_twice_the_values();
    std::swap(x[count / 2], x[count / 3]);
    require_twice_the_values();
    std::reverse(x.begin(), x.end());
    require_twice_the_values();
    x.back() = x.front();
    require_twice_the_values();
  }
}

TEST_CASE("of many variables, one without an adjoint is refused") {
  tape t;
  std::vector<var> x = t.variable(std::vector<double>(600, 1.0));
  std::vector<double> adjoints(x.size());
  const auto read = [&] { t.adjoints(std::span<const var>(x), std::span(adjoints)); };
  REQUIRE_THROWS_AS(read(), autodiff::tape_error);
  t.backward(x[0] * x[1]);
  REQUIRE_NOTHROW(read());
  SECTION("a passive one") { x[599] = 1.0; }
  SECTION("one in the middle") { x[300] = 1.0; }
  SECTION("the places after the sweep") { x = t.variable(std::vector<double>(600, 1.0)); }
  REQUIRE_THROWS_AS(read(), autodiff::tape_error);
}

TEST_CASE("many variables and their adjoints are made and read in ranges of one size") {
  tape t;
  const std::vector<double> values(3, 1.0);
  std::vector<var> x(2);
  CHECK_THROWS_WITH(t.variables(values, std::span(x)),
                    "variables: 3 numbers or variables for 2; pass two ranges of one size");
  std::vector<double> adjoints(3);
  CHECK_THROWS_WITH(t.adjoints(std::span<const var>(x), std::span(adjoints)),
                    "adjoints: 2 numbers or variables for 3; pass two ranges of one size");
}
