#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bench::problems {

/// log sum_i exp(x_i), shifted by the largest x. Source: Blanchard, Higham and Higham, Accurately
/// computing the log-sum-exp and softmax functions, IMA J. Numer. Anal. 41 (2021), algorithm 3.1.
template <class T>
T log_sum_exp(std::span<const T> x) {
  using std::exp, std::log;
  const T* largest = &x[0];
  for (const T& one : x) largest = *largest < one ? &one : largest;
  T sum = 0.0;
  for (const T& one : x) sum += exp(one - *largest);
  return log(sum) + *largest;
}

/// The same as a problem; its gradient is the softmax of x.
struct lse {
  std::size_t n = 1000;

  std::vector<double> start() const {
    std::vector<double> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = 5.0 * std::sin(static_cast<double>(3 * i + 1));
    return x;
  }

  template <class T>
  T operator()(std::span<const T> x) const {
    return log_sum_exp(x);
  }

  double hand(std::span<const double> x, std::span<double> gradient) const {
    const double* largest = &x[0];
    for (const double& one : x) largest = *largest < one ? &one : largest;
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += gradient[i] = std::exp(x[i] - *largest);
    for (double& g : gradient) g /= sum;
    return std::log(sum) + *largest;
  }
};

}  // namespace bench::problems
