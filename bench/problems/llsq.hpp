#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bench::problems {

/// Linear least squares, half |A x - b|^2 with A [rows, columns], entry by entry in plain loops: a
/// trigonometric polynomial through noisy samples. Its gradient is A' (A x - b). Source: Golub and
/// Van Loan, Matrix Computations (2013), section 5.3.
class llsq {
 public:
  static constexpr std::size_t rows = 200, columns = 50;

  llsq() : a_(rows * columns), b_(rows) {
    for (std::size_t i = 0; i < rows; ++i) {
      const double t = static_cast<double>(i) / static_cast<double>(rows);
      for (std::size_t j = 0; j < columns; ++j) {
        a_[i * columns + j] = std::cos(3.0 * static_cast<double>(j) * t);
      }
      b_[i] = t * t + 0.1 * std::sin(1000.0 * t);
    }
  }

  std::vector<double> start() const {
    std::vector<double> x(columns);
    for (std::size_t j = 0; j < columns; ++j) x[j] = 1.0 / static_cast<double>(j + 1);
    return x;
  }

  template <class T>
  T operator()(std::span<const T> x) const {
    T sum = 0.0;
    for (std::size_t i = 0; i < rows; ++i) {
      T residual = -b_[i];
      for (std::size_t j = 0; j < columns; ++j) residual += a_[i * columns + j] * x[j];
      sum += residual * residual;
    }
    return 0.5 * sum;
  }

  double hand(std::span<const double> x, std::span<double> gradient) const {
    double sum = 0;
    for (double& g : gradient) g = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      const double* row = a_.data() + i * columns;
      double residual = -b_[i];
      for (std::size_t j = 0; j < columns; ++j) residual += row[j] * x[j];
      sum += residual * residual;
      for (std::size_t j = 0; j < columns; ++j) gradient[j] += residual * row[j];
    }
    return 0.5 * sum;
  }

 private:
  std::vector<double> a_, b_;
};

}  // namespace bench::problems
