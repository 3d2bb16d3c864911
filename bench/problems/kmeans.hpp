#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bench::problems {

/// The cost of a clustering, sum_i min_k |p_i - c_k|^2 over points p [n, d] and centers c [k, d],
/// differentiated by the centers: x = c, row by row. The Hessian is diagonal, twice the number of
/// points of its center at each entry, so that one Hessian-vector product with a vector of ones is
/// that diagonal, and Newton's step is Lloyd's. Source: Bottou and Bengio, Convergence Properties
/// of the K-Means Algorithms, NIPS 7 (1995).
class kmeans {
 public:
  static constexpr std::size_t n = 1000, d = 8, k = 10;

  kmeans() : points_(n * d) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < d; ++j)
        points_[i * d + j] = center(i % k, j) + scatter(i * d + j);
    }
  }

  /// The centers are off by a little, as before the last steps of a clustering.
  std::vector<double> start() const {
    std::vector<double> x(k * d);
    for (std::size_t c = 0; c < k; ++c) {
      for (std::size_t j = 0; j < d; ++j) x[c * d + j] = center(c, j) + 0.1;
    }
    return x;
  }

  template <class T>
  T operator()(std::span<const T> x) const {
    T cost = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      T least = square_distance(i, &x[0]);
      for (std::size_t c = 1; c < k; ++c) {
        const T another = square_distance(i, &x[c * d]);
        if (another < least) least = another;
      }
      cost += least;
    }
    return cost;
  }

  double hand(std::span<const double> x, std::span<double> gradient) const {
    double cost = 0;
    for (double& g : gradient) g = 0;
    for_each_point(x, [&](const double* point, std::size_t c, double distance) {
      cost += distance;
      for (std::size_t j = 0; j < d; ++j) gradient[c * d + j] += 2.0 * (x[c * d + j] - point[j]);
    });
    return cost;
  }
  void hand_hessian_diagonal(std::span<const double> x, std::span<double> diagonal) const {
    for (double& h : diagonal) h = 0;
    for_each_point(x, [&](const double*, std::size_t c, double) {
      for (std::size_t j = 0; j < d; ++j) diagonal[c * d + j] += 2.0;
    });
  }

 private:
  static double center(std::size_t c, std::size_t j) {
    return 3.0 * std::sin(static_cast<double>(7 * c + 2 * j + 1));
  }
  static double scatter(std::size_t i) { return std::sin(static_cast<double>(i * i % 1009)); }

  template <class T>
  T square_distance(std::size_t i, const T* center) const {
    const double* point = points_.data() + i * d;
    T sum = 0.0;
    for (std::size_t j = 0; j < d; ++j) {
      const T difference = point[j] - center[j];
      sum += difference * difference;
    }
    return sum;
  }

  // visit(point, its center, their square distance)
  template <class Visit>
  void for_each_point(std::span<const double> x, const Visit& visit) const {
    for (std::size_t i = 0; i < n; ++i) {
      std::size_t nearest = 0;
      double least = square_distance(i, &x[0]);
      for (std::size_t c = 1; c < k; ++c) {
        const double another = square_distance(i, &x[c * d]);
        if (another < least) {
          least = another;
          nearest = c;
        }
      }
      visit(points_.data() + i * d, nearest, least);
    }
  }

  std::vector<double> points_;
};

}  // namespace bench::problems
