#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bench::problems {

/// One long chain: n steps of Euler's method for x' = sin(x) from time 0 to 1. Each step waits for
/// the one before, and the derivative of the end by the start stays near the exact sin(x(1)) /
/// sin(x(0)), so nothing underflows however long the chain. Source: Hairer, Norsett and Wanner,
/// Solving Ordinary Differential Equations I (1993), eq. (I.7.3).
struct chain {
  std::size_t steps = 100'000;

  std::vector<double> start() const { return {0.7}; }

  template <class T>
  T operator()(std::span<const T> x0) const {
    using std::sin;
    const double h = 1.0 / static_cast<double>(steps);
    T x = x0[0];
    for (std::size_t i = 0; i < steps; ++i) x += h * sin(x);
    return x;
  }

  /// The adjoint needs the states, last first: they are stored on the way.
  double hand(std::span<const double> x0, std::span<double> gradient) const {
    static thread_local std::vector<double> slopes;
    slopes.resize(steps);
    const double h = 1.0 / static_cast<double>(steps);
    double x = x0[0];
    for (std::size_t i = 0; i < steps; ++i) {
      slopes[i] = 1.0 + h * std::cos(x);
      x += h * std::sin(x);
    }
    double adjoint = 1;
    for (std::size_t i = steps; i-- > 0;) adjoint *= slopes[i];
    gradient[0] = adjoint;
    return x;
  }
};

}  // namespace bench::problems
