// Gradients of functions, without a tape in sight.

#include <autodiff/autodiff.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <tuple>
#include <vector>

namespace ad = autodiff;

template <class T>
struct camera {
  std::array<T, 3> rotation;
  T focal;
};
template <class T, class F>
auto map_numbers(const camera<T>& c, F&& f) {  // the same camera with f(x) for every x it holds
  using U = decltype(f(c.focal));
  return camera<U>{f(c.rotation), f(c.focal)};
}

int main() {
  {
    auto f = [](auto x, auto y) { return sin(x) * y + exp(x * y); };
    auto [value, gradient] =
        ad::value_and_gradient(f, 1.5, -0.3);  // gradient: std::array<double, 2>
    fmt::print("f = {}, gradient {}\n", value, gradient);
  }
  {
    auto rosenbrock = [](const auto& x) {
      return square(1.0 - x[0]) + 100.0 * square(x[1] - square(x[0]));
    };
    std::vector start{-1.2, 1.0}, direction{1.0, 0.0};

    auto [value, gradient] = ad::value_and_gradient(rosenbrock, start);  // a std::vector<double>
    auto along = ad::jvp(rosenbrock, start, direction);                  // forward mode, no tape
    ad::check_gradient(rosenbrock, start);  // throws a report if they differ
    fmt::print("rosenbrock = {}, gradient {}, first entry forward {}\n", value, gradient,
               along.tangent);
  }
  {
    auto circle = [](const auto& x) { return std::tuple(x[0] * cos(x[1]), x[0] * sin(x[1])); };
    auto energy = [](const auto& x) { return x[0] * x[0] * exp(x[1]); };
    std::vector x{2.0, 0.5}, v{1.0, -1.0};

    auto j = ad::jacobian(circle, x);  // tensor<double> [2, 2], forward or reverse by shape
    auto tangent = ad::jvp(circle, x, v).tangent;             // J v, a tuple as circle gives
    auto pulled = ad::vjp(circle, x, std::array{1.0, 0.0});   // circle(x), and J' w in .gradient
    auto h = ad::hessian(energy, x);                          // tensor<double> [2, 2]
    auto product = ad::hessian_vector_product(energy, x, v);  // H v, a std::vector<double>
    auto slope = [&](const auto& y) { return ad::gradient(energy, y)[0]; };
    auto third = ad::hessian(slope, x);  // drivers nest: second derivatives of a derivative
    fmt::print("J = {}, J v = {}, J' w = {}\nH = {}, H v = {}, of the slope {}\n", j, tangent,
               pulled.gradient, h, product, third);
  }
  {
    auto project = [](const auto& c) { return c.focal * sin(c.rotation[0]) + c.rotation[2]; };
    camera<double> c{{0.1, 0.2, 0.3}, 35.0};

    camera<double> g = ad::gradient(project, c);
    fmt::print("by rotation {}, by focal length {}\n", g.rotation, g.focal);
  }
}
