#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bench::problems {

/// The determinant of an n x n matrix by expansion along its first row and those of the minors, n!
/// products: a recursion without a loop to speak of. x: the matrix row by row; its gradient is the
/// matrix of cofactors. Source: Horn and Johnson, Matrix Analysis (2013), section 0.3.1.
struct det {
  static constexpr std::size_t n = 7;

  std::vector<double> start() const {
    std::vector<double> x(n * n);
    for (std::size_t i = 0; i < n * n; ++i) x[i] = std::sin(static_cast<double>(i * i));
    return x;
  }

  template <class T>
  T operator()(std::span<const T> x) const {
    return minor(x, 0, (1u << n) - 1);
  }

  /// An entry's share is its minor times the entries above that led there: what the recursion is
  /// given beside the minor.
  double hand(std::span<const double> x, std::span<double> gradient) const {
    for (double& g : gradient) g = 0;
    return minor(x, gradient, 0, (1u << n) - 1, 1.0);
  }

 private:
  /// Of the rows from `row` on and the columns whose bits are set, as many.
  template <class T>
  static T minor(std::span<const T> x, std::size_t row, unsigned columns) {
    T sum = 0.0;
    bool odd = false;
    for (std::size_t j = 0; j < n; ++j) {
      const unsigned bit = 1u << j;
      if (!(columns & bit)) continue;
      const T& entry = x[row * n + j];
      if (row + 1 == n) return entry;
      const T below = minor(x, row + 1, columns & ~bit);
      if (odd)
        sum -= entry * below;
      else
        sum += entry * below;
      odd = !odd;
    }
    return sum;
  }

  /// The same; adds weight times its derivatives to the gradient.
  static double minor(std::span<const double> x, std::span<double> gradient, std::size_t row,
                      unsigned columns, double weight) {
    double sum = 0, sign = 1;
    for (std::size_t j = 0; j < n; ++j) {
      const unsigned bit = 1u << j;
      if (!(columns & bit)) continue;
      const std::size_t at = row * n + j;
      if (row + 1 == n) {
        gradient[at] += weight;
        return x[at];
      }
      const double below = minor(x, gradient, row + 1, columns & ~bit, sign * weight * x[at]);
      sum += sign * x[at] * below;
      gradient[at] += sign * weight * below;
      sign = -sign;
    }
    return sum;
  }
};

}  // namespace bench::problems
