#include <autodiff/autodiff.hpp>

#include <tests/autodiff/least_squares.hpp>
#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace ad = autodiff;
using reference::all_close;
using reference::close;
using reference::message;
using reference::says;

namespace {

std::vector<double> values(const ad::tensor<double>& x) {
  return {x.values().begin(), x.values().end()};
}

// The free energy of a mixture after Helmholtz, with h(s) = log((1 + c s) / (1 + d s)) / (e s):
// sum x_i log(x_i / (1 - b.x)) - x'Ax h(b.x)
// Source: Griewank and Walther, Evaluating Derivatives (2008), section 4.
struct helmholtz {
  static constexpr std::size_t n = 9;
  static inline const double c = 1 + std::sqrt(2.0), d = 1 - std::sqrt(2.0), e = std::sqrt(8.0);
  static double b(std::size_t i) { return 0.02 + 0.01 * double(i); }
  static double a(std::size_t i, std::size_t j) { return 1.0 / double(i + j + 1); }

  template <class X>
  auto operator()(const X& x) const {
    using T = typename X::value_type;
    T s = 0.0, quadratic = 0.0, entropy = 0.0;
    for (std::size_t i = 0; i < n; ++i) s += b(i) * x[i];
    for (std::size_t i = 0; i < n; ++i) {
      entropy += x[i] * log(x[i] / (1.0 - s));
      for (std::size_t j = 0; j < n; ++j) quadratic += a(i, j) * x[i] * x[j];
    }
    return T(entropy - quadratic * log((1.0 + c * s) / (1.0 + d * s)) / (e * s));
  }

  struct parts {
    double s = 0, quadratic = 0, total = 0, h, h1, h2;
    std::array<double, n> ax{};
    explicit parts(const std::vector<double>& x) {
      for (std::size_t i = 0; i < n; ++i) {
        s += b(i) * x[i];
        total += x[i];
        for (std::size_t j = 0; j < n; ++j) ax[i] += a(i, j) * x[j];
        quadratic += x[i] * ax[i];
      }
      const double up = 1 + c * s, low = 1 + d * s;
      const double l = std::log(up / low), l1 = c / up - d / low,
                   l2 = d * d / (low * low) - c * c / (up * up);
      h = l / (e * s);
      h1 = (l1 - l / s) / (e * s);
      h2 = (l2 - 2 * l1 / s + 2 * l / (s * s)) / (e * s);
    }
  };
  static double first(std::size_t i, const std::vector<double>& x) {
    const parts p(x);
    return std::log(x[i] / (1 - p.s)) + 1 + p.total * b(i) / (1 - p.s) - 2 * p.ax[i] * p.h -
           p.quadratic * p.h1 * b(i);
  }
  static double second(std::size_t i, std::size_t j, const std::vector<double>& x) {
    const parts p(x);
    const double free = 1 - p.s;
    return (i == j ? 1 / x[i] : 0) + (b(i) + b(j)) / free + p.total * b(i) * b(j) / (free * free) -
           2 * a(i, j) * p.h - 2 * p.h1 * (p.ax[i] * b(j) + p.ax[j] * b(i)) -
           p.quadratic * p.h2 * b(i) * b(j);
  }
};

const auto cubic = [](const auto& x) { return x[0] * x[0] * x[1]; };

}  // namespace

TEMPLATE_TEST_CASE("gradients and Hessians of published problems agree with their closed forms", "",
                   LEAST_SQUARES_PROBLEMS) {
  using objective = least_squares::sum_of_squares<TestType>;
  reference::random random(31);
  for (int trial = 0; trial < 3; ++trial) {
    INFO(TestType::name << ", trial " << trial);
    std::vector<double> x = TestType::start(), v;
    if (trial > 0) {
      for (double& one : x) one += random.uniform(-0.4, 0.4);
    }
    const auto [value, gradient, hessian] = ad::value_gradient_and_hessian(objective{}, x);
    if (trial == 0) CHECK(close(value, TestType::objective_at_start, 1e-14));
    const std::size_t n = x.size();
    REQUIRE(hessian.shape() == ad::shape{n, n});
    CHECK(reference::all_close(gradient, ad::gradient(objective{}, x), 1e-14));
    v = random.uniform(n, -1, 1);
    const std::vector<double> product = ad::hessian_vector_product(objective{}, x, v);
    for (std::size_t i = 0; i < n; ++i) {
      CHECK(close(gradient[i], objective::first(i, x), 1e-13));
      double expected = 0;
      for (std::size_t j = 0; j < n; ++j) {
        const double closed = objective::second(i, j, x);
        expected += closed * v[j];
        CHECK(close(hessian.value(i, j), closed, 1e-12));
        if (closed == 0) CHECK(hessian.value(i, j) == 0);
      }
      CHECK(close(product[i], expected, 1e-12));
    }
  }
}

TEST_CASE("Helmholtz' energy has the gradient and Hessian of its closed form") {
  std::vector<double> x;
  for (std::size_t i = 0; i < helmholtz::n; ++i) x.push_back(0.3 + 0.05 * double(i * i % 5));
  const auto [value, gradient, hessian] = ad::value_gradient_and_hessian(helmholtz{}, x);
  CHECK(value == Approx(helmholtz{}(x)).epsilon(1e-14));
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK(close(gradient[i], helmholtz::first(i, x), 1e-13));
    for (std::size_t j = 0; j < x.size(); ++j) {
      CHECK(close(hessian.value(i, j), helmholtz::second(i, j, x), 1e-12));
    }
  }
}

TEST_CASE("Hessians follow the order of the arguments, whatever holds them") {
  const auto f = [](const auto& a, const auto& v) { return a * a * v[0] + v[0] * v[1]; };
  const std::vector<double> closed{6, 4, 0, 4, 0, 1, 0, 1, 0};
  const auto h = ad::hessian(f, 2.0, std::array{3.0, 5.0});
  CHECK(values(h) == closed);
  CHECK(values(ad::hessian(f, std::tuple(2.0, std::array{3.0, 5.0}))) == closed);
  CHECK(ad::hessian([](const auto& x) { return x * x * x; }, 2).item() == 12);
  CHECK(ad::hessian_vector_product(f, std::tuple(2.0, std::array{3.0, 5.0}),
                                   std::tuple(1.0, std::array{10.0, 100.0})) ==
        std::tuple(46.0, std::array{104.0, 10.0}));
  CHECK(ad::hessian_vector_product([](const auto& x) { return x * x * x; }, 2.0, 0.5) ==
        std::array{6.0});
  const auto both = ad::value_gradient_and_hessian(f, 2.0, std::array{3.0, 5.0});
  CHECK(both.value == 27);
  CHECK(both.gradient == std::tuple(12.0, std::array{9.0, 3.0}));
}

TEST_CASE("functions of tensors have Hessians of all their elements") {
  const ad::tensor<double> x({{1.0, 2.0}, {3.0, 4.0}}), v({{1.0, 0.0}, {0.0, -1.0}});
  const auto f = [](const auto& t) { return sum(t * t * t); };
  const auto h = ad::hessian(f, x);
  REQUIRE(h.shape() == ad::shape{4, 4});
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) CHECK(h.value(i, j) == (i == j ? 6.0 * double(i + 1) : 0));
  }
  const ad::tensor<double> product = ad::hessian_vector_product(f, x, v);
  CHECK(product.shape() == x.shape());
  CHECK(values(product) == std::vector<double>{6, 0, 0, -24});
  const auto outer = [](const auto& a, const auto& b) { return sum(matmul(a, b)); };
  const auto mixed = ad::hessian(outer, x, ad::tensor<double>{5.0, 6.0});
  REQUIRE(mixed.shape() == ad::shape{6, 6});
  CHECK(mixed.value(0, 4) == 1);
  CHECK(mixed.value(4, 2) == 1);
  CHECK(mixed.value(0, 0) == 0);
  CHECK(ad::hessian(f, ad::tensor<float>{2.0F}).item() == 12);
}

TEST_CASE("linear, constant and empty functions have a Hessian of zeros") {
  const std::vector<double> x{1.0, 2.0};
  CHECK(values(ad::hessian([](const auto& v) { return v[0] - 3.0 * v[1]; }, x)) ==
        std::vector<double>(4, 0));
  const auto constant = ad::value_gradient_and_hessian([](const auto&) { return 42; }, x);
  CHECK(constant.value == 42);
  CHECK(constant.gradient == std::vector<double>{0, 0});
  CHECK(values(constant.hessian) == std::vector<double>(4, 0));
  CHECK(ad::hessian([](const auto&) { return 1.0; }, std::vector<double>{}).shape() ==
        ad::shape{0, 0});
}

TEST_CASE("a gradient of a gradient is a Hessian") {
  const std::vector<double> x{2.0, 3.0};
  const auto steepness = [](const auto& v) {
    const auto g = ad::gradient(cubic, v);  // 2 x0 x1, x0^2
    return g[0] * g[1];                     // 2 x0^3 x1
  };
  CHECK(all_close(ad::gradient(steepness, x), std::vector<double>{72, 16}, 1e-15));
  CHECK(all_close(values(ad::hessian(steepness, x)), std::vector<double>{72, 24, 24, 0}, 1e-15));
  CHECK(all_close(values(ad::jacobian([](const auto& v) { return ad::gradient(cubic, v); }, x)),
                  values(ad::hessian(cubic, x)), 1e-15));
  // trace of the Hessian, 2 x1, and its gradient
  const auto laplacian = [](const auto& v) {
    const auto h = ad::hessian(cubic, v);
    return h(0, 0) + h(1, 1);
  };
  CHECK(all_close(ad::gradient(laplacian, x), std::vector<double>{0, 2}, 1e-15));
}

TEST_CASE("derivatives nest to the third order and further") {
  const auto first = [](const auto& x) {
    return ad::gradient([](const auto& y) { return sin(2.0 * y); }, x)[0];
  };
  const auto second = [&](const auto& x) { return ad::gradient(first, x)[0]; };
  const auto third = [&](const auto& x) { return ad::gradient(second, x)[0]; };
  CHECK(ad::gradient(second, 0.3)[0] == Approx(-8 * std::cos(0.6)).epsilon(1e-15));
  CHECK(ad::gradient(third, 0.3)[0] == Approx(16 * std::sin(0.6)).epsilon(1e-15));
  CHECK(ad::jvp(second, 0.3, 1.0).tangent == Approx(-8 * std::cos(0.6)).epsilon(1e-15));
  CHECK(ad::hessian(first, 0.3).item() == Approx(-8 * std::cos(0.6)).epsilon(1e-15));
  CHECK(ad::hessian_vector_product(second, 0.3, 2.0)[0] ==
        Approx(2 * 16 * std::sin(0.6)).epsilon(1e-15));
}

TEST_CASE("drivers inside a recorded function take its variables, passive ones cost nothing") {
  ad::tape tape;
  const std::vector<ad::var> x = tape.variable(std::vector{2.0, 3.0});
  const auto inner = ad::gradient(cubic, x);
  static_assert(std::is_same_v<decltype(inner), const std::vector<ad::var>>);
  tape.backward(inner[0]);
  CHECK(tape.adjoint(x) == std::vector<double>{6, 4});
  const auto before = tape.statistics().statements;
  const std::vector<ad::var> passive{2.0, 3.0};
  CHECK_FALSE(ad::gradient(cubic, passive)[0].is_recorded());
  CHECK(tape.statistics().statements == before);
}

TEST_CASE("a tensor that is recorded already is refused as an argument") {
  ad::tape tape;
  const ad::tensor<double> x = tape.variable(ad::tensor<double>({{1.0, 2.0}}));
  const std::string text =
      message<ad::tape_error>([&] { ad::gradient([](const auto& t) { return sum(t * t); }, x); });
  CHECK(says(text, "gradient: ", "[1, 2]", "elements"));
  const auto square = [](const auto& t) { return sum(t * t); };
  CHECK_THROWS_AS(ad::jvp(square, x, x.detached()), ad::tape_error);
  CHECK_THROWS_AS(ad::jacobian(square, x), ad::tape_error);
  CHECK_THROWS_AS(ad::hessian(square, x), ad::tape_error);
  CHECK(ad::gradient([](const auto& t) { return sum(t * t); }, x.detached()).value(0, 1) == 4);
}

TEST_CASE("a direction that does not fit is refused, naming the sizes") {
  const std::string text = message<ad::shape_error>([&] {
    ad::hessian_vector_product(cubic, std::vector{1.0, 2.0}, std::vector{1.0, 2.0, 3.0});
  });
  CHECK(says(text, "hessian_vector_product: ", "[2]", "[3]"));
}
