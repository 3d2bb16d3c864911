// Gradients of functions, without a tape in sight.

#include <autodiff/autodiff.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace ad = autodiff;

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
}
