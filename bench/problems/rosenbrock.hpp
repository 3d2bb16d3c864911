#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace bench::problems {

/// The chained Rosenbrock function, sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2.
/// Source: Rosenbrock, An Automatic Method for Finding the Greatest or Least Value of a Function
/// (1960); chained as in Toint, Test problems for partially separable optimization (1983).
struct rosenbrock {
  std::size_t n = 1'000'000;

  std::vector<double> start() const {
    std::vector<double> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = i % 2 == 0 ? -1.2 : 1.0;
    return x;
  }

  template <class T>
  T operator()(std::span<const T> x) const {
    T sum = 0.0;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
      const T a = x[i + 1] - x[i] * x[i];
      const T b = 1.0 - x[i];
      sum += 100.0 * a * a + b * b;
    }
    return sum;
  }

  double hand(std::span<const double> x, std::span<double> gradient) const {
    double sum = 0, carried = 0;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
      const double a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
      sum += 100.0 * a * a + b * b;
      gradient[i] = carried - 400.0 * a * x[i] - 2.0 * b;
      carried = 200.0 * a;
    }
    gradient[x.size() - 1] = carried;
    return sum;
  }
};

}  // namespace bench::problems
