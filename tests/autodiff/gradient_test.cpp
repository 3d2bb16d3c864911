#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace ad = autodiff;

namespace {

const auto rosenbrock = [](const auto& x) {
  using T = std::remove_cvref_t<decltype(x[0])>;
  T sum = 0.0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    sum += 100.0 * square(x[i + 1] - square(x[i])) + square(1.0 - x[i]);
  }
  return sum;
};

template <class Range>
std::vector<double> rosenbrock_gradient(const Range& x) {
  std::vector<double> g(x.size(), 0.0);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double gap = x[i + 1] - x[i] * x[i];
    g[i] += -400 * gap * x[i] - 2 * (1 - x[i]);
    g[i + 1] += 200 * gap;
  }
  return g;
}

// The energy of a mixed fluid after Helmholtz, the classic of the literature:
// sum x_i log(x_i / (1 - b.x)) - x'Ax / (sqrt(8) b.x) log((1 + (1 + sqrt 2) b.x) / (1 + (1 - sqrt
// 2) b.x))
constexpr std::size_t components = 8;
double b_at(std::size_t i) { return 0.02 + 0.01 * double(i); }
double a_at(std::size_t i, std::size_t j) { return 1.0 / double(i + j + 1); }

const auto helmholtz = [](const auto& x) {
  using T = std::remove_cvref_t<decltype(x[0])>;
  T bx = 0.0, xax = 0.0, entropy = 0.0;
  for (std::size_t i = 0; i < components; ++i) bx += b_at(i) * x[i];
  for (std::size_t i = 0; i < components; ++i) {
    entropy += x[i] * log(x[i] / (1.0 - bx));
    for (std::size_t j = 0; j < components; ++j) xax += a_at(i, j) * x[i] * x[j];
  }
  const double r = std::sqrt(2.0);
  return T(entropy -
           xax / (std::sqrt(8.0) * bx) * log((1.0 + (1 + r) * bx) / (1.0 + (1 - r) * bx)));
};

std::vector<double> helmholtz_gradient(const std::vector<double>& x) {
  double bx = 0, xax = 0, total = 0;
  std::vector<double> ax(components, 0.0);
  for (std::size_t i = 0; i < components; ++i) {
    bx += b_at(i) * x[i];
    total += x[i];
    for (std::size_t j = 0; j < components; ++j) ax[i] += a_at(i, j) * x[j];
    xax += x[i] * ax[i];
  }
  const double r = std::sqrt(2.0), s = std::sqrt(8.0);
  const double up = 1 + (1 + r) * bx, low = 1 + (1 - r) * bx, ratio = std::log(up / low);
  std::vector<double> g(components);
  for (std::size_t i = 0; i < components; ++i) {
    const double b = b_at(i);
    g[i] = std::log(x[i] / (1 - bx)) + 1 + total * b / (1 - bx);
    g[i] -= 2 * ax[i] / (s * bx) * ratio - xax * b / (s * bx * bx) * ratio +
            xax / (s * bx) * b * ((1 + r) / up - (1 - r) / low);
  }
  return g;
}

std::vector<double> mixture() {
  std::vector<double> x;
  for (std::size_t i = 0; i < components; ++i) x.push_back(0.3 + 0.05 * double(i * i % 5));
  return x;
}

}  // namespace

TEST_CASE("the gradient of a function of numbers is an array") {
  auto f = [](auto x, auto y) { return sin(x) * y + exp(x * y); };
  auto [value, gradient] = ad::value_and_gradient(f, 1.5, -0.3);
  static_assert(std::is_same_v<decltype(gradient), std::array<double, 2>>);
  static_assert(std::is_same_v<decltype(value), const double> ||
                std::is_same_v<decltype(value), double>);
  const double e = std::exp(-0.45);
  CHECK(value == Approx(std::sin(1.5) * -0.3 + e).epsilon(1e-15));
  CHECK(gradient[0] == Approx(std::cos(1.5) * -0.3 - 0.3 * e).epsilon(1e-15));
  CHECK(gradient[1] == Approx(std::sin(1.5) + 1.5 * e).epsilon(1e-15));
}

TEST_CASE("a tape in the open gives the same") {
  ad::tape tape;
  ad::var x = tape.variable(1.5), y = tape.variable(-0.3);
  auto z = sin(x) * y + exp(x * y);
  tape.backward(z);
  const double dz_dx = tape.adjoint(x);
  CHECK(dz_dx ==
        ad::gradient([](auto a, auto b) { return sin(a) * b + exp(a * b); }, 1.5, -0.3)[0]);
  auto mark = tape.mark();
  z = sin(x) * y + exp(x * y);
  tape.rewind(mark);
  CHECK(tape.adjoint(x) == dz_dx);
}

TEST_CASE("the gradient of one number is an array of one") {
  const auto [value, g] = ad::value_and_gradient([](const auto& x) { return x * x; }, 3.0);
  CHECK(value == 9);
  CHECK(g == std::array{6.0});
}

TEST_CASE("whole numbers are arguments, too") {
  const auto [value, g] =
      ad::value_and_gradient([](const auto& x, const auto& y) { return x / y; }, 1, 4U);
  CHECK(value == 0.25);
  CHECK(g == std::array{0.25, -1.0 / 16});
  CHECK(ad::gradient([](const auto& x) { return x[0] * x[1]; }, std::vector{3, 5}) ==
        std::vector<double>{5, 3});
  CHECK(ad::gradient([](const auto& x) { return x[0] * x[1]; }, std::array{3, 5}) ==
        std::array{5.0, 3.0});
}

TEST_CASE("Rosenbrock's gradient agrees with the closed form for every kind of argument") {
  const auto [v, g] = ad::value_and_gradient(rosenbrock, std::vector{-1.2, 1.0});
  CHECK(v == Approx(24.2).epsilon(1e-15));
  CHECK(g[0] == Approx(-215.6).epsilon(1e-15));
  CHECK(g[1] == Approx(-88.0).epsilon(1e-15));
  static_assert(std::is_same_v<decltype(g), const std::vector<double>> ||
                std::is_same_v<decltype(g), std::vector<double>>);

  std::vector<double> x;
  for (int i = 0; i < 100; ++i) x.push_back(std::sin(i));
  const std::vector<double> closed = rosenbrock_gradient(x);
  const auto compare = [&](const auto& gradient) {
    for (std::size_t i = 0; i < x.size(); ++i)
      CHECK(gradient[i] == Approx(closed[i]).epsilon(1e-13));
  };
  compare(ad::gradient(rosenbrock, x));
  compare(ad::gradient(rosenbrock, std::span<const double>(x)));
  compare(ad::gradient(rosenbrock, std::span<double>(x)));
  std::array<double, 100> fixed;
  std::copy(x.begin(), x.end(), fixed.begin());
  const auto by_array = ad::gradient(rosenbrock, fixed);
  static_assert(std::is_same_v<decltype(by_array), const std::array<double, 100>>);
  compare(by_array);
  compare(ad::gradient(rosenbrock, std::span<const double, 100>(fixed)));
  // Element by element from a tensor.
  const auto over_tensor = [](const ad::tensor<double>& t) { return rosenbrock(ad::elements(t)); };
  const ad::tensor<double> tx(ad::shape{100}, std::span<const double>(x));
  const ad::tensor<double> by_tensor = ad::gradient(over_tensor, tx);
  CHECK(by_tensor.shape() == tx.shape());
  compare(by_tensor.values());
}

TEST_CASE("Helmholtz' energy agrees with its closed-form gradient") {
  const std::vector<double> x = mixture(), closed = helmholtz_gradient(x);
  const auto [value, g] = ad::value_and_gradient(helmholtz, x);
  CHECK(value == helmholtz(std::vector<ad::var>(x.begin(), x.end())).value());
  for (std::size_t i = 0; i < components; ++i) CHECK(g[i] == Approx(closed[i]).epsilon(1e-13));
}

TEST_CASE("functions of tensors give tensors of the same shape") {
  const ad::tensor<double> w({{0.1, 0.2}, {0.3, 0.4}, {0.5, 0.6}}), x{1.0, -2.0};
  const auto f = [](const ad::tensor<double>& a, const ad::tensor<double>& b) {
    return 0.5 * sum(square(tanh(matmul(a, b))));
  };
  const auto [value, gradients] = ad::value_and_gradient(f, w, x);
  const auto& [dw, dx] = gradients;
  CHECK(dw.shape() == w.shape());
  CHECK(dx.shape() == x.shape());
  std::array<double, 2> expected_dx{};
  double expected = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double a = std::tanh(w.value(i, 0) - 2 * w.value(i, 1)), delta = a * (1 - a * a);
    expected += 0.5 * a * a;
    for (std::size_t j = 0; j < 2; ++j) {
      CHECK(dw.value(i, j) == Approx(delta * x.value(j)).epsilon(1e-13));
      expected_dx[j] += delta * w.value(i, j);
    }
  }
  CHECK(value == Approx(expected).epsilon(1e-14));
  for (std::size_t j = 0; j < 2; ++j) CHECK(dx.value(j) == Approx(expected_dx[j]).epsilon(1e-13));
}

TEST_CASE("single-precision tensors give single-precision gradients") {
  const ad::tensor<float> x{1.0F, 2.0F, 3.0F};
  const auto [value, g] = ad::value_and_gradient([](const auto& v) { return sum(v * v); }, x);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(g)>, ad::tensor<float>>);
  CHECK(value == 14.0F);
  CHECK(g.value(2) == 6);
}

TEST_CASE("a mix of arguments gives a tuple of their kinds") {
  const auto f = [](const auto& s, const auto& v, const auto& a, const auto& t) {
    return s * v[1] * a[0] + sum(t * s)() + v[0];
  };
  const ad::tensor<double> t({{1.0, 2.0}, {3.0, 4.0}});
  const auto [value, g] = ad::value_and_gradient(f, 2.0, std::vector{3.0, 5.0}, std::array{7.0}, t);
  CHECK(value == 2 * 5 * 7 + 20 + 3);
  CHECK(std::get<0>(g) == 35 + 10);
  CHECK(std::get<1>(g) == std::vector<double>{1, 14});
  CHECK(std::get<2>(g) == std::array{10.0});
  CHECK(std::get<3>(g).shape() == t.shape());
  for (const double slope : std::get<3>(g).values()) CHECK(slope == 2);
}

TEST_CASE("a function may return an expression, a var, a number or a tensor with one element") {
  CHECK(ad::gradient([](const auto& x) { return x * x; }, 3.0)[0] == 6);
  CHECK(ad::gradient([](const auto& x) { return ad::var(x * x); }, 3.0)[0] == 6);
  CHECK(ad::gradient([](const auto& x) { return x; }, 3.0)[0] == 1);
  CHECK(ad::gradient([](const auto& x) { return +x; }, 3.0)[0] == 1);
  const ad::tensor<double> t{1.0, 2.0};
  CHECK(ad::gradient([](const auto& x) { return sum(x * x); }, t).value(1) == 4);
  CHECK(ad::gradient([](const auto& x) { return reshape(sum(x * x), {1, 1}); }, t).value(1) == 4);
  CHECK(ad::gradient([](const auto& x) { return x[1] * x[1]; }, t).value(1) == 4);
  // Named first, returned later: expressions own what they refer to.
  CHECK(ad::gradient(
            [](const auto& x) {
              const ad::var local = x * x;
              auto e = local * local;
              return e;
            },
            2.0)[0] == 32);
}

TEST_CASE("a function that does not depend on an argument has gradient 0 there") {
  const auto one = [](const auto& x, const auto&) { return x * x; };
  CHECK(ad::gradient(one, 3.0, 4.0) == std::array{6.0, 0.0});
  const auto number = [](const auto&) { return 42.0; };
  const auto [value, g] = ad::value_and_gradient(number, 3.0);
  CHECK(value == 42);
  CHECK(g == std::array{0.0});
  CHECK(ad::gradient(number, std::vector{1.0, 2.0}) == std::vector<double>{0, 0});
  CHECK(ad::gradient([](const auto&) { return 7; }, std::array{1.0, 2.0}) == std::array{0.0, 0.0});
  CHECK(ad::gradient([](const auto&) { return ad::var(1.0); }, 1.0) == std::array{0.0});
  CHECK(ad::gradient([](const auto&) { return ad::var(1.0) * 2.0; }, 1.0) == std::array{0.0});
  const ad::tensor<double> t({{1.0, 2.0}});
  const auto passive = ad::gradient([](const auto& x) { return sum(x.detached()); }, t);
  CHECK(passive.shape() == t.shape());
  CHECK(passive.value(0, 1) == 0);
  const auto mixed = ad::gradient([](const auto&, const auto& v) { return sum(v); }, 1.0, t);
  CHECK(std::get<0>(mixed) == 0);
  CHECK(std::get<1>(mixed).value(0, 0) == 1);
}

TEST_CASE("empty arguments have empty gradients") {
  CHECK(ad::gradient([](const auto&, const auto& x) { return x * x; }, std::vector<double>{},
                     3.0) == std::tuple(std::vector<double>{}, 6.0));
  CHECK(ad::gradient([](const auto&) { return 1.0; }, std::vector<double>{}).empty());
}

TEST_CASE("a function with several outputs is refused with its shape") {
  const ad::tensor<double> t{1.0, 2.0};
  try {
    ad::gradient([](const auto& x) { return x * x; }, t);
    FAIL("nothing was thrown");
  } catch (const ad::shape_error& e) {
    CHECK(std::string(e.what()).find("[2]") != std::string::npos);
    CHECK(e.operation() == "backward");
  }
}

TEST_CASE("gradients nest and leave an outer tape as it was") {
  ad::tape tape;
  const ad::var x = tape.variable(2.0);
  const ad::var y = x * x;
  const auto before = tape.statistics();
  const double slope = ad::gradient(
      [](const auto& u) {
        // A gradient inside a function of a gradient: the inner one is a number here.
        const double inner = ad::gradient([](const auto& v) { return v * v * v; }, 2.0)[0];
        return u * inner;
      },
      1.0)[0];
  CHECK(slope == 12);
  CHECK(tape.statistics().bytes == before.bytes);
  tape.backward(y * slope);
  CHECK(tape.adjoint(x) == 48);
}

TEST_CASE("an exception from the function passes through, and gradients work afterwards") {
  const auto f = [](const auto& x) -> ad::var {
    if (x < 0) throw std::invalid_argument("negative");
    return sqrt(x);
  };
  CHECK_THROWS_AS(ad::gradient(f, -1.0), std::invalid_argument);
  CHECK(ad::gradient(f, 4.0)[0] == 0.25);
}

TEST_CASE("a variable captured from an outer tape is refused") {
  ad::tape tape;
  const ad::var outside = tape.variable(2.0);
  CHECK_THROWS_AS(ad::gradient([&](const auto& x) { return x * outside; }, 1.0), ad::tape_error);
  CHECK(ad::gradient([&](const auto& x) { return x * outside.value(); }, 1.0)[0] == 2);
}

TEST_CASE("jvp is the gradient times the direction") {
  const std::vector<double> x = mixture(), closed = helmholtz_gradient(x);
  std::vector<double> dx;
  double expected = 0;
  for (std::size_t i = 0; i < components; ++i) {
    dx.push_back(std::cos(double(i)));
    expected += closed[i] * dx[i];
  }
  const auto [value, tangent] = ad::jvp(helmholtz, x, dx);
  CHECK(value == Approx(ad::value_and_gradient(helmholtz, x).value).epsilon(1e-15));
  CHECK(tangent == Approx(expected).epsilon(1e-13));
}

TEST_CASE("jvp takes numbers, arrays, spans, tensors and tuples of them") {
  const auto cube = [](const auto& x) { return x * x * x; };
  CHECK(ad::jvp(cube, 2.0, 0.5).tangent == 6);
  CHECK(ad::jvp(cube, 2, 1).value == 8);
  const auto product = [](const auto& x) { return x[0] * x[1]; };
  CHECK(ad::jvp(product, std::array{3.0, 5.0}, std::array{1.0, 2.0}).tangent == 11);
  const std::vector<double> x{3.0, 5.0}, dx{1.0, 2.0};
  CHECK(ad::jvp(product, std::span<const double>(x), std::span<const double>(dx)).tangent == 11);
  const ad::tensor<double> t{3.0, 5.0}, dt{1.0, 2.0};
  const auto by_tensor = ad::jvp([](const auto& v) { return sum(v * v); }, t, dt);
  CHECK(by_tensor.value.item() == 34);
  CHECK(by_tensor.tangent.item() == 2 * (3 + 10));
  const auto mixed = [](const auto& s, const auto& v) { return s * v[0] - v[1]; };
  const auto along = ad::jvp(mixed, std::tuple(2.0, x), std::tuple(0.5, dx));
  CHECK(along.value == 1);
  CHECK(along.tangent == 0.5 * 3 + 2 * 1 - 2);
}

TEST_CASE("jvp of a function with many outputs gives one tangent each") {
  const auto f = [](const auto& x) { return std::vector{x[0] * x[1], sin(x[0]), 1.0 * x[1]}; };
  const auto [values, tangents] = ad::jvp(f, std::vector{0.5, 2.0}, std::vector{1.0, -1.0});
  CHECK(values == std::vector<double>{1.0, std::sin(0.5), 2.0});
  CHECK(tangents == std::vector<double>{1.5, std::cos(0.5), -1.0});
  const auto g = [](const auto& x) { return std::array{x[0] + x[1], x[0] - x[1]}; };
  CHECK(ad::jvp(g, std::array{1.0, 2.0}, std::array{3.0, 4.0}).tangent == std::array{7.0, -1.0});
  const ad::tensor<double> t({{1.0, 2.0}}), dt({{1.0, -1.0}});
  const auto h = ad::jvp([](const auto& v) { return exp(v); }, t, dt);
  CHECK(h.tangent.shape() == t.shape());
  CHECK(h.tangent.value(0, 1) == Approx(-std::exp(2.0)));
}

TEST_CASE("jvp refuses a direction of another size, naming both") {
  const auto f = [](const auto& x) { return x[0]; };
  try {
    ad::jvp(f, std::vector{1.0, 2.0}, std::vector{1.0, 2.0, 3.0});
    FAIL("nothing was thrown");
  } catch (const ad::shape_error& e) {
    const std::string what = e.what();
    CHECK(what.find("jvp") != std::string::npos);
    CHECK(what.find('2') != std::string::npos);
    CHECK(what.find('3') != std::string::npos);
  }
  const auto g = [](const auto& x) { return sum(x); };
  try {
    ad::jvp(g, ad::tensor<double>{1.0, 2.0}, ad::tensor<double>({{1.0, 2.0}}));
    FAIL("nothing was thrown");
  } catch (const ad::shape_error& e) {
    const std::string what = e.what();
    CHECK(what.find("[2]") != std::string::npos);
    CHECK(what.find("[1, 2]") != std::string::npos);
  }
}

TEST_CASE("jvp of a function that does not depend on its argument is 0") {
  const auto constant = ad::jvp([](const auto&) { return 3.5; }, 1.0, 2.0);
  CHECK(constant.value == 3.5);
  CHECK(constant.tangent == 0);
}
