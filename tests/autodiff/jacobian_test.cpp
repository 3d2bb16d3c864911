#include <autodiff/autodiff.hpp>

#include <tests/autodiff/least_squares.hpp>
#include <tests/catch.hpp>
#include <tests/reference.hpp>

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
using reference::all_close;
using reference::close;
using reference::message;
using reference::says;

namespace {

// What each problem is tried at: its start and points around it.
template <class Problem>
std::vector<std::vector<double>> points() {
  reference::random random(30);
  std::vector<std::vector<double>> all{Problem::start()};
  for (int i = 0; i < 3; ++i) {
    all.push_back(Problem::start());
    for (double& x : all.back()) x += random.uniform(-0.4, 0.4);
  }
  return all;
}

std::vector<double> values(const ad::tensor<double>& x) {
  return {x.values().begin(), x.values().end()};
}

// m sums of products of n variables, none of which depend on all: [m, n] with m != n.
auto tall(std::size_t m) {
  return [m](const auto& x) {
    std::vector<std::remove_cvref_t<decltype(x[0])>> y;
    for (std::size_t i = 0; i < m; ++i) {
      const std::size_t j = i % x.size(), k = (3 * i + 1) % x.size();
      y.push_back(sin(x[j]) * x[k] + double(i));
    }
    return y;
  };
}
double tall_entry(std::size_t i, std::size_t column, const std::vector<double>& x) {
  const std::size_t j = i % x.size(), k = (3 * i + 1) % x.size();
  return (column == j ? std::cos(x[j]) * x[k] : 0) + (column == k ? std::sin(x[j]) : 0);
}

}  // namespace

TEMPLATE_TEST_CASE("Jacobians of published residuals agree with their closed forms, zeros included",
                   "", LEAST_SQUARES_PROBLEMS) {
  for (const std::vector<double>& x : points<TestType>()) {
    INFO(TestType::name);
    const std::size_t n = x.size(), m = TestType{}(x).size();
    const ad::tensor<double> j = ad::jacobian(TestType{}, x);
    REQUIRE(j.shape() == ad::shape{m, n});
    CHECK_FALSE(j.is_recorded());
    for (std::size_t row = 0; row < m; ++row) {
      for (std::size_t column = 0; column < n; ++column) {
        const double closed = TestType::first(row, column, x);
        CHECK(close(j.value(row, column), closed, 1e-13));
        if (closed == 0) CHECK(j.value(row, column) == 0);
      }
    }
  }
}

TEST_CASE("tall, wide and square Jacobians agree, whichever mode computes them") {
  reference::random random(7);
  for (const auto& [m, n] : std::vector<std::pair<std::size_t, std::size_t>>{{1, 1},
                                                                             {1, 7},
                                                                             {1, 8},
                                                                             {1, 9},
                                                                             {1, 100},
                                                                             {2, 40},
                                                                             {9, 8},
                                                                             {40, 3},
                                                                             {33, 33},
                                                                             {100, 1}}) {
    const auto x = random.uniform(n, -1, 1);
    const ad::tensor<double> j = ad::jacobian(tall(m), x);
    REQUIRE(j.shape() == ad::shape{m, n});
    for (std::size_t row = 0; row < m; ++row) {
      for (std::size_t column = 0; column < n; ++column) {
        CHECK(close(j.value(row, column), tall_entry(row, column, x), 1e-14));
      }
    }
  }
}

TEST_CASE("a function of vars alone has a Jacobian by rows, one of duals alone by columns") {
  const std::vector<double> x{0.5, -2.0};
  struct by_vars {
    std::vector<ad::var> operator()(const std::vector<ad::var>& v) const {
      return {v[0] * v[1], exp(v[0])};
    }
  };
  using eight = ad::dual<double, ad::jacobian_lanes>;
  struct by_duals {
    std::vector<eight> operator()(const std::vector<eight>& v) const {
      return {v[0] * v[1], exp(v[0])};
    }
  };
  const std::vector<double> closed{-2, 0.5, std::exp(0.5), 0};
  CHECK(all_close(values(ad::jacobian(by_vars{}, x)), closed, 1e-15));
  CHECK(all_close(values(ad::jacobian(by_duals{}, x)), closed, 1e-15));
}

TEST_CASE("rows and columns follow the order of results and arguments, whatever holds them") {
  const auto f = [](const auto& a, const auto& v) {
    return std::tuple(a * v[1], std::array{v[0], v[1]}, 7.0, std::pair(a + v[0], -a));
  };
  const auto j = ad::jacobian(f, 2.0, std::array{3.0, 5.0});
  REQUIRE(j.shape() == ad::shape{6, 3});
  const std::vector<double> closed{5, 0, 2, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, -1, 0, 0};
  CHECK(values(j) == closed);
  // One tuple stands for the list of arguments.
  CHECK(values(ad::jacobian(f, std::tuple(2.0, std::array{3.0, 5.0}))) == closed);
  const auto number = ad::jacobian([](const auto& x) { return x * x; }, 3);
  CHECK(number.shape() == ad::shape{1, 1});
  CHECK(number.item() == 6);
}

TEST_CASE("tensors have Jacobians row by row") {
  const ad::tensor<double> x({{1.0, 2.0}, {3.0, 4.0}}), v{5.0, 6.0};
  const auto j = ad::jacobian([](const auto& a, const auto& b) { return matmul(a, b); }, x, v);
  REQUIRE(j.shape() == ad::shape{2, 6});
  CHECK(values(j) == std::vector<double>{5, 6, 0, 0, 1, 2, 0, 0, 5, 6, 3, 4});
  const auto mixed = ad::jacobian(
      [](const auto& s, const auto& t) { return std::tuple(s * s, s * t, t[0]); }, 3.0, v);
  CHECK(values(mixed) == std::vector<double>{6, 0, 0, 5, 3, 0, 6, 0, 3, 0, 1, 0});
  const auto single = ad::jacobian([](const auto& t) { return t * t; }, ad::tensor<float>{3.0F});
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(single)>, ad::tensor<double>>);
  CHECK(single.item() == 6);
}

TEST_CASE("empty arguments and empty results have Jacobians without columns or rows") {
  const auto constant = [](const auto&) { return std::array{1.0, 2.0}; };
  CHECK(ad::jacobian(constant, std::vector<double>{}).shape() == ad::shape{2, 0});
  const auto nothing = [](const auto&) { return std::vector<double>{}; };
  CHECK(ad::jacobian(nothing, std::vector{1.0, 2.0, 3.0}).shape() == ad::shape{0, 3});
  CHECK(values(ad::jacobian(constant, 3.0)) == std::vector<double>{0, 0});
}

TEST_CASE("a function that returns now more, now fewer numbers is refused") {
  std::size_t calls = 0;
  const auto f = [&calls](const auto& x) { return std::vector(40 + calls++, x[0] * x[1]); };
  const std::string text = message<ad::shape_error>([&] { ad::jacobian(f, std::vector(20, 1.0)); });
  CHECK(says(text, "jacobian: ", "40", "41"));
}

TEST_CASE("vjp is the gradient of the results weighted by the cotangent") {
  const auto f = [](const auto& x) { return std::tuple{x[0] * x[1], sin(x[0]), 3.0, x[1]}; };
  const std::vector<double> x{0.5, 2.0};
  const auto [value, gradient] = ad::vjp(f, x, std::array{2.0, -1.0, 100.0, 4.0});
  CHECK(value == std::tuple{1.0, std::sin(0.5), 3.0, 2.0});
  CHECK(all_close(gradient, std::vector{4 - std::cos(0.5), 1 + 4.0}, 1e-15));

  const auto twice = [](const auto& a) { return std::array{a, a}; };  // one place, two results
  CHECK(ad::vjp(twice, 3.0, std::array{1.0, 10.0}).gradient == std::array{11.0});
  const auto passive = ad::vjp([](const auto&) { return std::vector{1.0}; }, x, std::vector{5.0});
  CHECK(passive.value == std::vector{1.0});
  CHECK(passive.gradient == std::vector{0.0, 0.0});

  const auto mixed =
      ad::vjp([](const auto& s, const auto& v) { return s * v[0]; }, std::tuple(2.0, x), 10.0);
  CHECK(mixed.gradient == std::tuple(5.0, std::vector{20.0, 0.0}));

  const ad::tensor<double> t({{1.0, 2.0}}), w({{10.0, 100.0}});
  const auto by_tensor = ad::vjp([](const auto& a) { return a * a; }, t, w);
  CHECK(values(by_tensor.value) == std::vector<double>{1, 4});
  CHECK(values(by_tensor.gradient) == std::vector<double>{20, 400});
}

TEST_CASE("vjp and jvp are transposes of each other") {
  const auto problem = least_squares::broyden_tridiagonal{};
  reference::random random(11);
  const auto x = random.uniform(problem.n, -1, 1), dx = random.uniform(problem.n, -1, 1),
             w = random.uniform(problem.n, -1, 1);
  const auto forward = ad::jvp(problem, x, dx).tangent;
  const auto reverse = ad::vjp(problem, x, w).gradient;
  double left = 0, right = 0;
  for (std::size_t i = 0; i < problem.n; ++i) {
    left += w[i] * forward[i];
    right += reverse[i] * dx[i];
  }
  CHECK(left == Approx(right).epsilon(1e-14));
}

TEST_CASE("vjp and jvp refuse directions that do not fit, naming the sizes") {
  const std::vector<double> x{1.0, 2.0};
  const auto f = [](const auto& v) { return std::vector{v[0] * v[1]}; };
  CHECK(says(message<ad::shape_error>([&] {
               ad::vjp(f, x, std::vector{1.0, 2.0});
             }),
             "vjp: ", "result [1]", "cotangent [2]"));
  CHECK(says(message<ad::shape_error>([&] { ad::vjp(f, x, std::tuple(1.0, 2.0, 3.0)); }),
             "of 1 numbers", "of 3"));
  CHECK(says(message<ad::shape_error>([&] { ad::jvp(f, x, std::vector{1.0}); }),
             "jvp: ", "argument [2]", "direction [1]"));
  const auto nested = [](const auto& a, const auto&) { return a[0]; };
  CHECK(says(message<ad::shape_error>([&] {
               ad::jvp(nested, std::tuple(x, std::vector{1.0}), std::tuple(std::vector{1.0}, x));
             }),
             "argument [2]", "direction [1]"));
}

TEST_CASE("several outputs are swept together, each with its cotangent") {
  ad::tape tape;
  const ad::var x = tape.variable(3.0);
  const std::vector<ad::var> y{x * x, ad::var(5.0), x};
  tape.backward(y, std::vector{1.0, 7.0, 10.0});
  CHECK(tape.adjoint(x) == 16);
  CHECK(says(message<ad::shape_error>([&] { tape.backward(y, std::vector{1.0}); }),
             "backward: ", "3 outputs", "1 cotangents"));
  CHECK(tape.adjoint(x) == 16);
  ad::tape other;
  CHECK_THROWS_AS(other.backward(y, std::vector{1.0, 1.0, 1.0}), ad::tape_error);
}

TEST_CASE("Jacobians and products of vars are recorded: second derivatives by nesting") {
  // m(x) = [x1, x0; 2 x0 x1, x0^2], the Jacobian of [x0 x1, x0^2 x1].
  const auto f = [](const auto& x) { return std::tuple{x[0] * x[1], x[0] * x[0] * x[1]}; };
  const std::vector<double> x{2.0, 3.0};
  const auto squared_norm = [&](const auto& v) {
    const auto j = ad::jacobian(f, v);
    return sum(j * j);
  };
  CHECK(all_close(ad::gradient(squared_norm, x),
                  std::vector<double>{2 * 2 + 8 * 2 * 9 + 4 * 8, 2 * 3 + 8 * 4 * 3}, 1e-14));
  const auto pulled = [&](const auto& v) {
    return ad::vjp(f, v, std::array{1.0, 1.0}).gradient[0];  // x1 + 2 x0 x1
  };
  CHECK(all_close(ad::gradient(pulled, x), std::vector<double>{6, 5}, 1e-15));
  const auto pushed = [&](const auto& v) {
    return std::get<1>(ad::jvp(f, v, std::array{0.0, 1.0}).tangent);  // x0^2
  };
  CHECK(all_close(ad::gradient(pushed, x), std::vector<double>{4, 0}, 1e-15));
  // Directions and cotangents may be recorded, too: d(dx . grad)/dx = grad.
  const auto turned = [&](const auto& dx) { return std::get<0>(ad::jvp(f, x, dx).tangent); };
  CHECK(all_close(ad::gradient(turned, x), std::vector<double>{3, 2}, 1e-15));
  const auto weighed = [&](const auto& w) { return ad::vjp(f, x, w).gradient[1]; };
  CHECK(all_close(ad::gradient(weighed, x), std::vector<double>{2, 4}, 1e-15));
  const auto second = ad::jvp(
      [](const auto& a) {
        return ad::jvp([](const auto& b) { return b * b * b; }, a, 1.0).tangent;
      },
      2.0, 1.0);
  CHECK(second.value == 12);
  CHECK(second.tangent == 12);
}
