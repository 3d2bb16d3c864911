#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace ad = autodiff;

// A user's types, in a user's namespace.
namespace optics {

template <class T>
struct camera {
  std::array<T, 3> rotation;
  T focal;
  int id;  // no argument: stays as it is
};
template <class T, class F>
auto map_numbers(const camera<T>& c, F&& f) {
  using U = decltype(f(c.focal));
  return camera<U>{f(c.rotation), f(c.focal), c.id};
}

template <class T, std::size_t N>
struct polynomial {
  std::array<T, N> coefficients;
  T operator()(const T& x) const {
    T y = 0.0;
    for (std::size_t i = N; i-- > 0;) y = y * x + coefficients[i];
    return y;
  }
};
template <class T, std::size_t N, class F>
auto map_numbers(const polynomial<T, N>& p, F&& f) {
  using U = decltype(f(p.coefficients[0]));
  return polynomial<U, N>{f(p.coefficients)};
}

template <class T>
struct scene {
  std::vector<camera<T>> cameras;
  polynomial<T, 3> distortion;
  std::pair<T, T> centre;
};
template <class T, class F>
auto map_numbers(const scene<T>& s, F&& f) {
  using U = decltype(f(s.centre.first));
  return scene<U>{f(s.cameras), f(s.distortion), f(s.centre)};
}

}  // namespace optics

namespace {

const auto focal_power = [](const auto& c) {
  return c.rotation[0] * c.rotation[1] * c.rotation[2] / c.focal;
};

optics::scene<double> sample() {
  return {{{{1.0, 2.0, 3.0}, 4.0, 7}, {{0.5, 0.25, 2.0}, 8.0, 9}}, {{1.0, -2.0, 0.5}}, {3.0, 5.0}};
}
const auto brightness = [](const auto& s) {
  auto sum = s.distortion(s.centre.first * s.centre.second);
  for (const auto& c : s.cameras) sum += focal_power(c);
  return sum;
};

}  // namespace

static_assert(std::is_same_v<ad::number_in<int>, double>);
static_assert(std::is_same_v<ad::number_in<const ad::var&>, ad::var>);
static_assert(std::is_same_v<ad::number_in<std::vector<std::array<ad::var, 2>>>, ad::var>);
static_assert(std::is_same_v<ad::number_in<optics::scene<ad::dual<double>>>, ad::dual<double>>);
static_assert(std::is_same_v<ad::number_in<optics::polynomial<ad::var, 4>>, ad::var>);
static_assert(std::is_same_v<ad::number_in<std::span<const float>>, double>);
static_assert(std::is_same_v<ad::common_number<double, ad::var>, ad::var>);
static_assert(std::is_same_v<ad::common_number<std::tuple<ad::var, ad::basic_var<ad::var>>, int>,
                             ad::basic_var<ad::var>>);
static_assert(std::is_same_v<ad::number_in<std::tuple<std::nullptr_t>>, ad::no_number>);
static_assert(std::is_same_v<typename ad::deepest_number<ad::var, ad::dual<double>>::type,
                             ad::numbers_that_do_not_mix>);

TEST_CASE("the gradient of a user's struct is that struct over double") {
  const optics::camera<double> c{{1.0, 2.0, 3.0}, 4.0, 7};
  const auto [value, gradient] = ad::value_and_gradient(focal_power, c);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(gradient)>, optics::camera<double>>);
  CHECK(value == 1.5);
  CHECK(gradient.rotation == std::array{1.5, 0.75, 0.5});
  CHECK(gradient.focal == -0.375);
  CHECK(gradient.id == 7);
}

TEST_CASE("structs nest in containers and in each other") {
  const auto [value, g] = ad::value_and_gradient(brightness, sample());
  const double u = 15;
  CHECK(value == 1 - 2 * u + 0.5 * u * u + 1.5 + 0.25 / 8);
  REQUIRE(g.cameras.size() == 2);
  CHECK(g.cameras[1].rotation == std::array{0.0625, 0.125, 0.015625});
  CHECK(g.distortion.coefficients == std::array{1.0, u, u * u});
  CHECK(g.centre == std::pair((-2 + u) * 5.0, (-2 + u) * 3.0));
}

TEST_CASE("every driver takes structs") {
  const optics::camera<double> c{{1.0, 2.0, 3.0}, 4.0, 7}, dc{{0.5, 0.0, 0.0}, 1.0, 0};
  CHECK(ad::jvp(focal_power, c, dc).tangent == 0.5 * 1.5 - 0.375);
  const auto h = ad::hessian(focal_power, c);
  REQUIRE(h.shape() == ad::shape{4, 4});
  CHECK(h.value(0, 1) == 0.75);
  CHECK(h.value(3, 3) == 0.1875);
  CHECK(h.value(2, 2) == 0);
  const auto hv = ad::hessian_vector_product(focal_power, c, dc);
  CHECK(hv.rotation == std::array{-0.375, 0.375 - 0.1875, 0.25 - 0.125});
  // Results may be structs, too, and then a cotangent is one or holds as many numbers.
  const auto doubled = [](const auto& x) {
    using T = std::remove_cvref_t<decltype(x.focal)>;
    return optics::camera<T>{{T(2.0 * x.rotation[0]), x.focal, x.focal}, T(x.focal * x.focal), 0};
  };
  const auto along = ad::jvp(doubled, c, dc);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(along.value)>, optics::camera<double>>);
  CHECK(along.tangent.focal == 8);
  CHECK(ad::vjp(doubled, c, dc).gradient.focal == 8);
  CHECK(ad::vjp(doubled, c, std::array{1.0, 0.0, 0.0, 0.0}).gradient.rotation[0] == 2);
  CHECK(ad::jacobian(doubled, c).shape() == ad::shape{4, 4});
  CHECK(ad::check_gradient(brightness, sample()).derivatives.size() == 13);
}

TEST_CASE("a struct of vars is differentiated on their tape") {
  ad::tape tape;
  const ad::var f = tape.variable(4.0);
  const optics::camera<ad::var> c{{1.0, 2.0, 3.0}, f, 7};
  const auto g = ad::gradient(focal_power, c);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(g)>, optics::camera<ad::var>>);
  tape.backward(g.focal);
  CHECK(tape.adjoint(f) == 2 * 6 / 64.0);
}

TEST_CASE("vectors of arrays, tuples and pairs are arguments") {
  const auto f = [](const auto& v) { return v[0][0] * v[1][1]; };
  const std::vector<std::array<double, 2>> x{{2.0, 3.0}, {5.0, 7.0}};
  const auto g = ad::gradient(f, x);
  CHECK(g == std::vector<std::array<double, 2>>{{7, 0}, {0, 2}});
  const auto h = [](const auto& pair) { return std::get<0>(pair.first) * pair.second; };
  CHECK(ad::gradient(h, std::pair(std::tuple(3.0, 1), 4.0F)) ==
        std::pair(std::tuple(4.0, 0.0), 3.0));
  CHECK(ad::gradient([](const auto& v) { return v[0] * v[0]; }, std::vector{true})[0] == 2);
}

TEST_CASE("one tuple stands for the list of arguments, in every driver") {
  const auto f = [](const auto& a, const auto& b) { return a * b * b; };
  CHECK(ad::gradient(f, std::tuple(2.0, 3.0)) == std::tuple(9.0, 12.0));
  CHECK(ad::jvp(f, std::tuple(2.0, 3.0), std::tuple(1.0, 0.0)).tangent == 9);
  CHECK(ad::vjp(f, std::tuple(2.0, 3.0), 1.0).gradient == std::tuple(9.0, 12.0));
  CHECK(ad::jacobian(f, std::tuple(2.0, 3.0)).shape() == ad::shape{1, 2});
}

TEST_CASE("an expression is an argument as the var that it makes") {
  ad::tape tape;
  const ad::var x = tape.variable(2.0);
  const auto g = ad::gradient([](const auto& y) { return y * y * y; }, x * x);
  tape.backward(g[0]);  // 3 x^4
  CHECK(g[0].value() == 48);
  CHECK(tape.adjoint(x) == 96);
}

TEST_CASE("numbers of the same argument list meet in the deepest type") {
  ad::tape tape;
  const ad::var x = tape.variable(2.0);
  const auto g = ad::gradient([](const auto& a, const auto& b) { return a * a * b; }, x, 5);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(g)>, std::array<ad::var, 2>>);
  tape.backward(g[0]);
  CHECK(tape.adjoint(x) == 10);
}
