// What a user writes without thinking about it: var, dual and expressions in the places of numbers.

#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <compare>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iomanip>
#include <limits>
#include <numeric>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ad = autodiff;
using ad::basic_var;
using ad::dual;
using ad::tape;
using ad::var;

using product = decltype(var() * var());
using sum = decltype(var() + var());

// A number type like any other.
static_assert(std::regular<var> && std::totally_ordered<var>);
static_assert(std::regular<dual<double>> && std::totally_ordered<dual<double>>);
static_assert(std::totally_ordered_with<var, double>);
static_assert(std::totally_ordered_with<var, product>);
static_assert(std::same_as<std::common_type_t<var, double>, var>);
static_assert(std::same_as<std::common_type_t<var, product>, var>);
static_assert(std::is_nothrow_move_constructible_v<var> && std::is_nothrow_swappable_v<var>);
static_assert(!std::is_default_constructible_v<std::hash<var>>, "equal values differ in place");

// A number becomes a var by itself; nothing becomes a number but by value().
template <class From, class To>
inline constexpr bool becomes =
    std::is_convertible_v<From, To> || std::is_constructible_v<To, From>;
static_assert(becomes<int, var> && becomes<float, var> && becomes<std::size_t, var>);
static_assert(becomes<long double, var> && becomes<product, var>);
static_assert(!becomes<var, double> && !becomes<var, float> && !becomes<var, int>);
static_assert(!becomes<product, double> && !becomes<dual<double>, double>);
static_assert(!becomes<var, bool> && !becomes<product, bool> && !becomes<dual<double>, bool>);
static_assert(!becomes<std::string, var> && !becomes<const char*, var>);
static_assert(!becomes<basic_var<float>, var> && !becomes<dual<double>, var>);

// The branches of a conditional need one type, of which var is one.
template <class A, class B>
concept branches = requires(bool condition, A a, B b) {
  condition ? a : b;
};
static_assert(branches<var, double> && branches<int, var>);
static_assert(branches<product, var> && branches<var, product>);
static_assert(!branches<product, sum> && !branches<product, double>);

namespace {

template <class T>
T generic(const T& x, const T& y) {
  using std::abs, std::exp, std::hypot, std::isnan, std::max, std::min, std::pow, std::sin,
      std::sqrt;
  if (isnan(x) || x > 100) return T(0);
  const auto bounded = max(min(x, T(2)), T(-2));
  return sin(bounded) * pow(y, 2) + sqrt(abs(x)) + exp(-hypot(x, y)) + pow(2, x) + pow(y, x);
}

auto squared(const var& x) { return x * x; }
double peek(const var& x) { return x.value(); }
struct particle {
  var position, velocity;
  std::array<var, 2> force;
};

}  // namespace

TEST_CASE("plain numbers of every type stand on either side of a var") {
  tape t;
  const var x = t.variable(4.0);
  const std::size_t two = 2;
  const var y = 2 * x + x * 2.0F - 1.0L / x + x / two - (x - 3) + two - x * 2U + 'a' * x * 0 + 7LL;
  CHECK(y.value() == 8 + 8 - 0.25 + 2 - 1 + 2 - 8 + 7);
  t.backward(y);
  CHECK(t.adjoint(x) == 2 + 2 + 1 / 16.0 + 0.5 - 1 - 2);
  const var power = pow(x, 2) + pow(2, x) + max(0, x) + min(x, 10U) + atan2(1, x) + hypot(x, 3.0F);
  t.backward(power);
  CHECK(t.adjoint(x) == Approx(8 + 16 * std::log(2.0) + 1 + 1 - 1 / 17.0 + 0.8));
}

TEST_CASE("plain numbers of every type stand on either side of a dual") {
  const dual<double> x(4.0, 1.0);
  const std::size_t two = 2;
  const auto y = 2 * x + x * 2.0F - 1.0L / x + x / two - (x - 3) + two - x * 2U + 7LL;
  CHECK(y.value() == 8 + 8 - 0.25 + 2 - 1 + 2 - 8 + 7);
  CHECK(y.tangent() == 2 + 2 + 1 / 16.0 + 0.5 - 1 - 2);
  CHECK((pow(x, 2) + max(0, x) + min(x, 10U)).tangent() == 10);
}

TEST_CASE("compound assignment takes numbers of every type") {
  const auto change = [](auto x) {
    x += 1;
    x -= 2.0F;
    x *= std::size_t{3};
    x /= 2.0L;
    x += x;
    x *= x * 2;
    return x;
  };
  tape t;
  const var x = t.variable(3.0), y = change(x);
  CHECK(y.value() == 72);  // 2 (3 (x - 1))^2
  t.backward(y);
  CHECK(t.adjoint(x) == 72);
  CHECK(change(dual<double>(3.0, 1.0)).tangent() == 72);
}

TEST_CASE("increments and decrements count by one and keep the derivative") {
  const auto count = [](auto x) {
    auto before = x++;
    auto again = ++x;
    auto high = x--;
    auto low = --x;
    return std::array{before, again, high, low};
  };
  tape t;
  const var x = t.variable(3.0);
  const auto y = count(x);
  const auto d = count(dual<double>(3.0, 1.0));
  const std::array expected{3.0, 5.0, 5.0, 3.0};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(y[i].value() == expected[i]);
    CHECK(d[i] == expected[i]);
    t.backward(y[i]);
    CHECK(t.adjoint(x) == 1);
    CHECK(d[i].tangent() == 1);
  }
  var moved = x;
  (++moved) *= 2.0;
  CHECK(moved.value() == 8);
}

TEST_CASE("signs are operators") {
  tape t;
  const var x = t.variable(3.0);
  const var y = -x * +x - (-(-x)) + -(x * x);
  t.backward(y);
  CHECK(t.adjoint(x) == -6 - 1 - 6);
  CHECK((+dual<double>(3.0, 1.0) - -dual<double>(3.0, 1.0)).tangent() == 2);
}

TEST_CASE("comparisons are on values, whatever stands on either side") {
  const auto compare = [](const auto& two, const auto& three) {
    CHECK((two < three && three > two && two <= three && three >= two && two != three));
    CHECK((two < 3 && 3 > two && two <= 2.0F && 2U >= two && two != 3 && 2 == two && two == 2.0L));
    CHECK((two + 1 == three && two * 1 < three * 1 && two + two > three && 4 == two + two));
    CHECK((two + two <= 4 && 4.5 > two + two && two * 2 != 5 && !(two == three)));
    CHECK((std::is_lt(two <=> three) && std::is_gt(three <=> two) && std::is_eq(two <=> 2)));
  };
  tape t;
  compare(t.variable(2.0), t.variable(3.0));
  compare(var(2), var(3));
  compare(dual<double>(2.0, 5.0), dual<double>(3.0, -5.0));
  compare(dual<var>(var(2)), dual<var>(var(3)));
  const var nan = std::nan("");
  CHECK_FALSE((nan == nan || nan < nan || nan >= 0 || 0 <= nan + 1));
  CHECK(nan != nan);
}

TEST_CASE("a conditional takes vars, numbers and one expression beside a var") {
  tape t;
  const var x = t.variable(2.0), y = t.variable(5.0);
  for (const bool condition : {true, false}) {
    const var a = condition ? x * y : x;
    const var b = condition ? x : 1;
    const var c = condition ? var(x * y) : var(x + y);
    t.backward(a + b + c);
    CHECK(t.adjoint(x) == (condition ? 5 + 1 + 5 : 1 + 0 + 1));
  }
}

TEST_CASE("one template serves numbers, vars and duals with the functions of std") {
  const double plain = generic(0.5, 1.5), step = 1e-6;
  const double slope = (generic(0.5 + step, 1.5) - generic(0.5 - step, 1.5)) / (2 * step);
  tape t;
  const var x = t.variable(0.5), y = t.variable(1.5), z = generic(x, y);
  t.backward(z);
  CHECK(z.value() == Approx(plain).epsilon(1e-15));
  CHECK(t.adjoint(x) == Approx(slope).epsilon(1e-8));
  const auto d = generic(dual<double>(0.5, 1.0), dual<double>(1.5));
  CHECK(d.value() == Approx(plain).epsilon(1e-15));
  CHECK(d.tangent() == Approx(t.adjoint(x)).epsilon(1e-14));
  CHECK(generic(var(std::nan("")), y).value() == 0);
}

TEST_CASE("the functions of this library serve plain numbers, too") {
  using ad::sigmoid, ad::square;
  const var x = 3.0;
  CHECK(square(x.value()) == 9);
  CHECK(square(2.0F) == 4.0F);
  CHECK(sigmoid(0.0) == 0.5);
}

TEST_CASE("classification is on values, of vars, expressions and duals") {
  using std::isfinite, std::isinf, std::isnan, std::signbit;
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  const auto check = [&](const auto& number, const auto& infinite, const auto& undefined) {
    CHECK((isfinite(number) && !isfinite(infinite) && !isfinite(undefined)));
    CHECK((isinf(infinite) && !isinf(number) && !isinf(undefined)));
    CHECK((isnan(undefined) && !isnan(number) && !isnan(infinite)));
    CHECK((signbit(number) && !signbit(infinite)));
  };
  const double number = -0.0;
  check(number, inf, nan);
  check(var(number), var(inf), var(nan));
  check(var(number) * 2.0, var(inf) + 1.0, var(nan) - 1.0);
  check(dual<double>(number), dual<double>(inf), dual<double>(nan));
  check(dual<var>(var(number)), dual<var>(var(inf)), dual<var>(var(nan)));
  check(basic_var<dual<double>>(number), basic_var<dual<double>>(inf),
        basic_var<dual<double>>(nan));
}

TEST_CASE("limits are those of the number inside, however deep") {
  const auto check = [](const auto& x) {
    using number = std::remove_cvref_t<decltype(x)>;
    using limits = std::numeric_limits<number>;
    static_assert(limits::is_specialized && limits::is_iec559 && limits::has_infinity);
    static_assert(limits::digits == 53 && limits::epsilon() == 0x1p-52);
    const number largest = limits::max(), infinite = limits::infinity();
    CHECK(largest < infinite);
    CHECK(limits::lowest() < x);
  };
  check(var());
  check(dual<double>());
  check(dual<double, 4>());
  check(dual<var>());
  check(basic_var<var>());
  check(basic_var<dual<double>>());
  static_assert(std::numeric_limits<const basic_var<float>>::digits == 24);
}

TEST_CASE("the numeric algorithms of the standard library work on vars and duals") {
  const auto check = [](const auto& x, const auto& slope_of_first) {
    using T = typename std::remove_cvref_t<decltype(x)>::value_type;
    // x = 2, 3, 5
    CHECK(slope_of_first(std::accumulate(x.begin(), x.end(), T(0))) == 1);
    CHECK(slope_of_first(std::accumulate(x.begin(), x.end(), T(1), std::multiplies<>())) == 15);
    CHECK(slope_of_first(std::inner_product(x.begin(), x.end(), x.begin(), T(0))) == 4);
    CHECK(slope_of_first(std::transform_reduce(x.begin(), x.end(), x.begin(), T(0))) == 4);
    CHECK(slope_of_first(std::reduce(x.begin(), x.end())) == 1);
    std::vector<T> y(x.size());
    std::partial_sum(x.begin(), x.end(), y.begin());
    CHECK(y[2] == 10);
    CHECK(slope_of_first(y[2]) == 1);
    std::adjacent_difference(x.begin(), x.end(), y.begin());
    CHECK(y[1] == 1);
    CHECK(slope_of_first(y[1]) == -1);
    std::transform(x.begin(), x.end(), y.begin(), [](const T& one) { return one * one; });
    CHECK(slope_of_first(y[0]) == 4);
    std::iota(y.begin(), y.end(), x[0]);
    CHECK(y[2] == 4);
    CHECK(slope_of_first(y[2]) == 1);
    std::sort(y.begin(), y.end(), std::greater<>());
    CHECK(y.front() == 4);
    CHECK(slope_of_first(std::min(x[0], x[1])) == 1);
    CHECK(slope_of_first(std::max({x[0], x[1], x[2]})) == 0);
    CHECK(slope_of_first(std::clamp(x[0], T(0), T(3))) == 1);
    CHECK(slope_of_first(std::exchange(y[0], x[0])) == 1);
    std::swap(y[0], y[1]);
    CHECK(slope_of_first(y[1]) == 1);
  };
  tape t;
  const std::vector<var> x = t.variable(std::vector{2.0, 3.0, 5.0});
  check(x, [&](const var& y) {
    t.backward(y);
    return t.adjoint(x[0]);
  });
  check(std::vector<dual<double>>{{2.0, 1.0}, 3.0, 5.0},
        [](const dual<double>& y) { return y.tangent(); });
}

TEST_CASE("expressions go wherever a var is expected") {
  tape t;
  const var x = t.variable(2.0), y = t.variable(5.0);
  CHECK(peek(x * y) == 10);
  std::vector<var> many{x * y, x};
  many.insert(many.end(), x + y);
  many.emplace_back(x - y);
  many.resize(5, x / y);
  const std::array<var, 2> two{x * x, sin(x)};
  const std::function<var(var)> doubled = [](const var& one) { return 2.0 * one; };
  const particle p{x * y, x, {x + y, doubled(x * y)}}, copy = p;
  t.backward(many[0] + many[2] + many[3] + many[4] + two[0] + copy.position + copy.force[1]);
  CHECK(t.adjoint(x) == Approx(5 + 1 + 1 + 0.2 + 4 + 5 + 10));
}

TEST_CASE("expressions returned, captured and named by auto stay whole") {
  tape t;
  const var x = t.variable(2.0), y = t.variable(5.0);
  const auto& bound = squared(x) * y;  // extends the life of all of it
  const auto twice = [e = squared(y)](const auto& other) { return e + other; };
  const auto nested = [](const auto& a) {
    const auto local = a * a;
    return [=](const auto& b) { return local * b; };
  }(x);
  t.backward(bound + twice(bound) + nested(y));
  CHECK(t.adjoint(x) == 3 * (2 * 2 * 5));
  CHECK(t.adjoint(y) == 3 * 4 + 10);
}

TEST_CASE("vars, expressions and duals stream and format as their numbers") {
  const var x = 1.5;
  std::ostringstream out;
  out << std::fixed << std::setprecision(2) << x << ' ' << x * 2.0 << ' '
      << dual<double, 2>(1.0, {2.0, 3.0});
  CHECK(out.str() == "1.50 3.00 (1.00, 2.00, 3.00)");
  CHECK(fmt::format("{} {:.3f} {:>8.2e}", x, x * 2.0, x) == "1.5 3.000 1.50e+00");
  CHECK(fmt::format("{} {:.2f}", dual<double>(1.5, 0.25), dual<double, 2>(1.0, {2.0, 3.0})) ==
        "(1.5, 0.25) (1.00, 2.00, 3.00)");
  CHECK(fmt::format("{:.1f}", dual<dual<double>>({1.0, 2.0}, {3.0, 4.0})) ==
        "((1.0, 2.0), (3.0, 4.0))");
  CHECK(fmt::format("{:.1f} {:+}", basic_var<var>(x), dual<var>(x)) == "1.5 (+1.5, +0)");
}
