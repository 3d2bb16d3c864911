// Minima that are known, and the conditions that every step of the line search has to meet.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/network.hpp>
#include <nn/optimizer/lbfgs.hpp>
#include <nn/optimizer/line_search.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;

struct point {
  tensor<double> a{autodiff::shape{}, -1.2}, b{autodiff::shape{}, 1.0};

  void parameters(auto&& visit) {
    visit(a);
    visit(b);
  }
};

/// Source: Rosenbrock, An automatic method for finding the greatest or least value of a function,
/// Computer J. 3 (1960).
tensor<double> rosenbrock(const point& p) {
  return 100.0 * square(p.b - square(p.a)) + square(1.0 - p.a);
}

double rosenbrock(std::span<const double> x, std::span<double> g) {
  const double u = x[1] - x[0] * x[0], v = 1 - x[0];
  g[0] = -400 * x[0] * u - 2 * v;
  g[1] = 200 * u;
  return 100 * u * u + v * v;
}

/// Ends of a line search from step 0, tested by their definition.
void check_strong_wolfe(const std::function<nn::line_point(double)>& phi, double first,
                        const nn::wolfe_conditions& conditions, std::size_t most) {
  CAPTURE(first);
  std::size_t calls = 0;
  const nn::line_point start = phi(0);
  const nn::line_search_result found = nn::strong_wolfe(
      [&](double step) {
        ++calls;
        return phi(step);
      },
      start, first, 100, 0, conditions);
  CHECK(found.holds);
  CHECK(found.evaluations == calls);
  CHECK(calls <= most);
  CHECK(found.at.step > 0);
  const nn::line_point at = phi(found.at.step);
  CHECK(at.value == found.at.value);
  CHECK(at.value <= start.value + conditions.decrease * at.step * start.slope + conditions.noise);
  CHECK(std::fabs(at.slope) <= conditions.curvature * std::fabs(start.slope));
}

std::string refusal(const nn::lbfgs& how) {
  std::vector<double> x{-1.2, 1};
  return reference::message<autodiff::domain_error>([&] {
    nn::minimise_function(
        x, [](auto at, auto g) { return rosenbrock(at, g); }, how);
  });
}

}  // namespace

TEST_CASE("the valley of Rosenbrock is followed to its end") {
  std::vector<double> x{-1.2, 1};
  const nn::lbfgs_result result =
      nn::minimise_function(x, [](auto at, auto g) { return rosenbrock(at, g); },
                            {.tolerance_gradient = 1e-10, .tolerance_change = 0});
  CHECK(result.reason == nn::lbfgs_stop::gradient);
  CHECK(std::fabs(x[0] - 1) < 1e-9);
  CHECK(std::fabs(x[1] - 1) < 1e-9);
  CHECK(result.gradient <= 1e-10);
  CHECK(result.value < 1e-18);
  CHECK(result.iterations <= 50);
  CHECK(result.evaluations <= 65);
}

TEST_CASE("a quadratic of n variables takes about n iterations") {
  constexpr std::size_t n = 10;
  std::vector<double> x(n, 1.0);
  const nn::lbfgs_result result =
      nn::minimise_function(x,
                            [](std::span<const double> at, std::span<double> g) {
                              double f = 0;
                              for (std::size_t i = 0; i < n; ++i) {
                                const double a = static_cast<double>(i + 1), apart = at[i] - 2 * a;
                                f += a * apart * apart / 2;
                                g[i] = a * apart;
                              }
                              return f;
                            },
                            {.tolerance_gradient = 1e-9, .tolerance_change = 0});
  CHECK(result.reason == nn::lbfgs_stop::gradient);
  CHECK(result.iterations <= 2 * n);
  for (std::size_t i = 0; i < n; ++i)
    CHECK(std::fabs(x[i] - 2 * static_cast<double>(i + 1)) < 1e-8);
}

TEST_CASE("a history of one pair still arrives") {
  std::vector<double> x{-1.2, 1};
  const nn::lbfgs_result result =
      nn::minimise_function(x, [](auto at, auto g) { return rosenbrock(at, g); },
                            {.tolerance_gradient = 1e-8, .tolerance_change = 0, .history = 1});
  CHECK(result.reason == nn::lbfgs_stop::gradient);
  CHECK(std::fabs(x[0] - 1) < 1e-6);
}

TEST_CASE("a model is moved to the minimum of an objective, and back when that throws") {
  point p;
  const auto result = nn::minimise(p, [&] { return rosenbrock(p); },
                                   {.tolerance_gradient = 1e-9, .tolerance_change = 0});
  CHECK(result.reason == nn::lbfgs_stop::gradient);
  CHECK(std::fabs(p.a.item() - 1) < 1e-8);
  CHECK(std::fabs(p.b.item() - 1) < 1e-8);

  p = point();
  int calls = 0;
  const auto failing = [&] {
    if (++calls == 5) throw std::runtime_error("no more");
    return rosenbrock(p);
  };
  CHECK(reference::message<std::runtime_error>([&] { nn::minimise(p, failing); }) == "no more");
  CHECK(p.a.item() == -1.2);
  CHECK(p.b.item() == 1);
  CHECK(!p.a.is_recorded());
}

TEMPLATE_TEST_CASE("least squares by a linear network end at the solution", "", float, double) {
  using T = TestType;
  // y = 2 a - 3 b + 0.5, without noise.
  const tensor<T> x({{T(1), T(0)}, {T(0), T(1)}, {T(1), T(1)}, {T(2), T(-1)}});
  const tensor<T> t({{T(2.5)}, {T(-2.5)}, {T(-0.5)}, {T(7.5)}});
  nn::network<T> net(2, {nn::dense(1)}, nn::seed{3});
  const auto result = nn::minimise(net, [&] { return nn::mean_squared_error(net(x), t); });
  CAPTURE(std::string(to_string(result.reason)), result.iterations);
  const double tolerance = sizeof(T) == 4 ? 1e-3 : 1e-4;
  std::vector<double> found;
  net.parameters(
      [&](const tensor<T>& p) { found.insert(found.end(), p.values().begin(), p.values().end()); });
  CHECK(reference::all_close(found, std::vector{2.0, -3.0, 0.5}, tolerance));
  CHECK(result.iterations < 20);
}

TEST_CASE("the reason to stop is the one that holds") {
  const auto run = [](const nn::lbfgs& how) {
    std::vector<double> x{-1.2, 1};
    return nn::minimise_function(
        x, [](auto at, auto g) { return rosenbrock(at, g); }, how);
  };
  const auto by_count = run({.iterations = 3, .evaluations = 100});
  CHECK(by_count.reason == nn::lbfgs_stop::iterations);
  CHECK(by_count.iterations == 3);
  const auto by_evaluations = run({.evaluations = 7});
  CHECK(by_evaluations.reason == nn::lbfgs_stop::evaluations);
  CHECK(by_evaluations.evaluations <= 8);
  CHECK(run({.tolerance_gradient = 0, .tolerance_change = 1e-3}).reason == nn::lbfgs_stop::change);
  CHECK(run({.tolerance_gradient = 1e3}).iterations == 0);
  CHECK(run({.tolerance_gradient = 1e3}).reason == nn::lbfgs_stop::gradient);

  // A gradient that points the wrong way: no step leads lower.
  std::vector<double> x{1};
  const auto lost = nn::minimise_function(x, [](auto at, auto g) {
    g[0] = -2 * at[0];
    return at[0] * at[0];
  });
  CHECK(lost.reason == nn::lbfgs_stop::line_search);
  CHECK(x[0] == 1);
  CHECK(to_string(lost.reason) == "no step along the gradient leads lower");
  CHECK(to_string(nn::lbfgs_stop::gradient) == "the gradient is within its tolerance");
}

TEST_CASE("evaluations are at most as many as were allowed, and the end is the one reported") {
  // Of one variable with many valleys: line searches that are cut off go back to a step before.
  const auto f = [](std::span<const double> x, std::span<double> g) {
    g[0] = 3 * std::cos(3 * x[0]) + 0.2 * x[0];
    g[1] = 0.02 * x[1];
    return std::sin(3 * x[0]) + 0.1 * x[0] * x[0] + 0.01 * x[1] * x[1];
  };
  for (std::size_t most = 1; most <= 12; ++most) {
    for (const double rate : {1.0, 10.0, 1000.0}) {
      CAPTURE(most, rate);
      std::size_t calls = 0;
      std::vector<double> x{-1.2, 1};
      const nn::lbfgs_result result = nn::minimise_function(x,
                                                            [&](auto at, auto g) {
                                                              ++calls;
                                                              return f(at, g);
                                                            },
                                                            {.rate = rate, .evaluations = most});
      CHECK(calls == result.evaluations);
      CHECK(calls <= most);
      std::vector<double> g(2);
      CHECK(result.value == f(x, g));
      CHECK(result.gradient == std::max(std::fabs(g[0]), std::fabs(g[1])));
    }
  }
}

TEST_CASE("steps to where the objective is not finite are shortened") {
  // -log(x) - log(1 - x): infinite outside of (0, 1), least at 1/2.
  std::vector<double> x{1e-3};
  const auto result =
      nn::minimise_function(x,
                            [](auto at, auto g) {
                              g[0] = -1 / at[0] + 1 / (1 - at[0]);
                              return -std::log(at[0]) - std::log(1 - at[0]);
                            },
                            {.rate = 100, .tolerance_gradient = 1e-9, .tolerance_change = 0});
  CHECK(result.reason == nn::lbfgs_stop::gradient);
  CHECK(std::fabs(x[0] - 0.5) < 1e-9);
}

TEST_CASE(
    "the line search meets the strong Wolfe conditions on the functions of More and Thuente") {
  // Source: More and Thuente, Line search algorithms with guaranteed sufficient decrease, ACM TOMS
  // 20 (1994), section 5, with their conditions and first steps.
  const auto first_function = [](double a) {
    const double q = a * a + 2;
    return nn::line_point{a, -a / q, (a * a - 2) / (q * q)};
  };
  const auto second_function = [](double a) {
    const double q = a + 0.004;
    return nn::line_point{a, std::pow(q, 5) - 2 * std::pow(q, 4),
                          5 * std::pow(q, 4) - 8 * std::pow(q, 3)};
  };
  const auto yanai = [](double b1, double b2) {
    return [b1, b2](double a) {
      const auto gamma = [](double b) { return std::sqrt(1 + b * b) - b; };
      const double p = std::hypot(1 - a, b2), q = std::hypot(a, b1);
      return nn::line_point{a, gamma(b1) * p + gamma(b2) * q,
                            -gamma(b1) * (1 - a) / p + gamma(b2) * a / q};
    };
  };
  for (const double first : {1e-3, 1e-1, 1e1, 1e3}) {
    check_strong_wolfe(first_function, first, {.decrease = 1e-3, .curvature = 0.1}, 25);
    // Where the slope is as small as that, values no longer differ.
    check_strong_wolfe(second_function, first, {.decrease = 0.1, .curvature = 0.1, .noise = 1e-15},
                       25);
    check_strong_wolfe(yanai(1e-3, 1e-3), first, {.decrease = 1e-3, .curvature = 1e-3}, 25);
    check_strong_wolfe(yanai(1e-2, 1e-3), first, {.decrease = 1e-3, .curvature = 1e-3}, 40);
    check_strong_wolfe(yanai(1e-3, 1e-2), first, {.decrease = 1e-3, .curvature = 1e-3}, 40);
  }
}

TEST_CASE("settings of lbfgs out of range are refused by name, value and range") {
  CHECK(refusal({.rate = 0}) == "lbfgs: the rate is 0; it must be positive");
  CHECK(refusal({.tolerance_gradient = -1}) ==
        "lbfgs: tolerance_gradient is -1; it must be 0 or positive");
  CHECK(refusal({.tolerance_change = -1}) ==
        "lbfgs: tolerance_change is -1; it must be 0 or positive");
  CHECK(refusal({.history = 0}) == "lbfgs: the history is 0; it must be at least 1");
  CHECK(refusal({.iterations = 0}) ==
        "lbfgs: the number of iterations is 0; it must be at least 1");
  CHECK(refusal({}) == "nothing was thrown");
}

TEST_CASE("a start without a finite objective or gradient is refused") {
  const auto from = [](double value, double slope) {
    return reference::message<autodiff::domain_error>([&] {
      std::vector<double> x{0, 0};
      nn::minimise_function(x, [&](auto, auto g) {
        g[0] = 1;
        g[1] = slope;
        return value;
      });
    });
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(from(infinity, 1) ==
        "lbfgs: the objective is inf at the start; start where the objective and its gradient are "
        "finite");
  CHECK(from(0, -infinity) ==
        "lbfgs: entry 1 of the gradient is -inf at the start; start where the objective and its "
        "gradient are finite");
}
