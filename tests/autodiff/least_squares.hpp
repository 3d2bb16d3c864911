#pragma once
// Test problems of optimisation with derivatives in closed form, worked out by hand from their
// definitions: residuals r(x), dr_i/dx_j, and d2r_i/dx_j dx_k. The objective is the sum of squares.
// Numbers in parentheses are those of the source.
// Source: More, Garbow, Hillstrom, Testing Unconstrained Optimization Software, ACM TOMS 7 (1981).

#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace least_squares {

using point = std::vector<double>;
template <class X>
using number_of = typename X::value_type;

inline double is(std::size_t i, std::size_t j) { return i == j ? 1 : 0; }

/// (1)
struct rosenbrock {
  static constexpr const char* name = "Rosenbrock";
  static point start() { return {-1.2, 1.0}; }
  static constexpr double objective_at_start = 24.2;
  template <class X>
  std::vector<number_of<X>> operator()(const X& x) const {
    return {10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]};
  }
  static double first(std::size_t i, std::size_t j, const point& x) {
    if (i == 0) return j == 0 ? -20 * x[0] : 10;
    return j == 0 ? -1 : 0;
  }
  static double second(std::size_t i, std::size_t j, std::size_t k, const point&) {
    return i == 0 && j == 0 && k == 0 ? -20 : 0;
  }
};

/// (7) The angle jumps where x[0] changes its sign.
struct helical_valley {
  static constexpr const char* name = "helical valley";
  static point start() { return {-1.0, 0.0, 0.0}; }
  static constexpr double objective_at_start = 2500;
  template <class X>
  std::vector<number_of<X>> operator()(const X& x) const {
    const double turn = x[0] < 0.0 ? 0.5 : 0.0;
    const number_of<X> angle = atan(x[1] / x[0]) / (2 * std::numbers::pi) + turn;
    return {10.0 * (x[2] - 10.0 * angle), 10.0 * (sqrt(x[0] * x[0] + x[1] * x[1]) - 1.0), x[2]};
  }
  static double first(std::size_t i, std::size_t j, const point& x) {
    if (i == 2 || j == 2) return i == 2 ? is(j, 2) : i == 0 ? 10 : 0;
    const double s = x[0] * x[0] + x[1] * x[1];
    if (i == 1) return 10 * x[j] / std::sqrt(s);
    return (j == 0 ? x[1] : -x[0]) * 50 / (std::numbers::pi * s);
  }
  static double second(std::size_t i, std::size_t j, std::size_t k, const point& x) {
    if (i == 2 || j == 2 || k == 2) return 0;
    const double s = x[0] * x[0] + x[1] * x[1];
    if (i == 1) return 10 * (is(j, k) / std::sqrt(s) - x[j] * x[k] / (s * std::sqrt(s)));
    const double scale = 50 / (std::numbers::pi * s * s);
    if (j != k) return scale * (x[0] * x[0] - x[1] * x[1]);
    return scale * 2 * x[0] * x[1] * (j == 0 ? -1 : 1);
  }
};

/// (13)
struct powell_singular {
  static constexpr const char* name = "Powell singular";
  static point start() { return {3.0, -1.0, 0.0, 1.0}; }
  static constexpr double objective_at_start = 215;
  template <class X>
  std::vector<number_of<X>> operator()(const X& x) const {
    const number_of<X> inner = x[1] - 2.0 * x[2], outer = x[0] - x[3];
    return {x[0] + 10.0 * x[1], std::sqrt(5.0) * (x[2] - x[3]), inner * inner,
            std::sqrt(10.0) * outer * outer};
  }
  static double first(std::size_t i, std::size_t j, const point& x) {
    if (i == 0) return is(j, 0) + 10 * is(j, 1);
    if (i == 1) return std::sqrt(5.0) * (is(j, 2) - is(j, 3));
    if (i == 2) return 2 * (x[1] - 2 * x[2]) * (is(j, 1) - 2 * is(j, 2));
    return 2 * std::sqrt(10.0) * (x[0] - x[3]) * (is(j, 0) - is(j, 3));
  }
  static double second(std::size_t i, std::size_t j, std::size_t k, const point&) {
    if (i == 2) return 2 * (is(j, 1) - 2 * is(j, 2)) * (is(k, 1) - 2 * is(k, 2));
    if (i == 3) return 2 * std::sqrt(10.0) * (is(j, 0) - is(j, 3)) * (is(k, 0) - is(k, 3));
    return 0;
  }
};

/// (14)
struct wood {
  static constexpr const char* name = "Wood";
  static point start() { return {-3.0, -1.0, -3.0, -1.0}; }
  static constexpr double objective_at_start = 19192;
  template <class X>
  std::vector<number_of<X>> operator()(const X& x) const {
    return {10.0 * (x[1] - x[0] * x[0]),
            1.0 - x[0],
            std::sqrt(90.0) * (x[3] - x[2] * x[2]),
            1.0 - x[2],
            std::sqrt(10.0) * (x[1] + x[3] - 2.0),
            (x[1] - x[3]) / std::sqrt(10.0)};
  }
  static double first(std::size_t i, std::size_t j, const point& x) {
    if (i == 0) return 10 * (is(j, 1) - 2 * x[0] * is(j, 0));
    if (i == 1) return -is(j, 0);
    if (i == 2) return std::sqrt(90.0) * (is(j, 3) - 2 * x[2] * is(j, 2));
    if (i == 3) return -is(j, 2);
    if (i == 4) return std::sqrt(10.0) * (is(j, 1) + is(j, 3));
    return (is(j, 1) - is(j, 3)) / std::sqrt(10.0);
  }
  static double second(std::size_t i, std::size_t j, std::size_t k, const point&) {
    if (i == 0) return -20 * is(j, 0) * is(k, 0);
    if (i == 2) return -2 * std::sqrt(90.0) * is(j, 2) * is(k, 2);
    return 0;
  }
};

/// (27) with 10 variables.
struct brown_almost_linear {
  static constexpr const char* name = "Brown almost linear";
  static constexpr std::size_t n = 10;
  static point start() { return point(n, 0.5); }
  // 9 residuals of 1/2 + 5 - 11 and one of 2^-10 - 1.
  static constexpr double objective_at_start = 9 * 5.5 * 5.5 + 1023.0 * 1023 / (1024.0 * 1024);
  template <class X>
  std::vector<number_of<X>> operator()(const X& x) const {
    number_of<X> sum = -(double(n) + 1), product = 1.0;
    for (std::size_t i = 0; i < n; ++i) {
      sum += x[i];
      product *= x[i];
    }
    std::vector<number_of<X>> r;
    for (std::size_t i = 0; i + 1 < n; ++i) r.push_back(x[i] + sum);
    r.push_back(product - 1.0);
    return r;
  }
  static double product_without(std::size_t j, std::size_t k, const point& x) {
    double product = 1;
    for (std::size_t i = 0; i < n; ++i) product *= i == j || i == k ? 1 : x[i];
    return product;
  }
  static double first(std::size_t i, std::size_t j, const point& x) {
    return i + 1 < n ? 1 + is(i, j) : product_without(j, j, x);
  }
  static double second(std::size_t i, std::size_t j, std::size_t k, const point& x) {
    return i + 1 < n || j == k ? 0 : product_without(j, k, x);
  }
};

/// (30) with 30 variables; neighbours alone depend on each other.
struct broyden_tridiagonal {
  static constexpr const char* name = "Broyden tridiagonal";
  static constexpr std::size_t n = 30;
  static point start() { return point(n, -1.0); }
  // 28 residuals of -1, one of -2, one of -3.
  static constexpr double objective_at_start = 28 + 4 + 9;
  template <class X>
  std::vector<number_of<X>> operator()(const X& x) const {
    std::vector<number_of<X>> r;
    for (std::size_t i = 0; i < n; ++i) {
      number_of<X> one = (3.0 - 2.0 * x[i]) * x[i] + 1.0;
      if (i > 0) one -= x[i - 1];
      if (i + 1 < n) one -= 2.0 * x[i + 1];
      r.push_back(one);
    }
    return r;
  }
  static double first(std::size_t i, std::size_t j, const point& x) {
    return is(i, j) * (3 - 4 * x[i]) - is(i, j + 1) - 2 * is(i + 1, j);
  }
  static double second(std::size_t i, std::size_t j, std::size_t k, const point&) {
    return -4 * is(i, j) * is(i, k);
  }
};

/// The objective of a problem.
template <class Problem>
struct sum_of_squares {
  template <class X>
  number_of<X> operator()(const X& x) const {
    number_of<X> sum = 0.0;
    for (const auto& r : Problem{}(x)) sum += r * r;
    return sum;
  }
  /// 2 J' r
  static double first(std::size_t j, const point& x) {
    const point r = Problem{}(x);
    double sum = 0;
    for (std::size_t i = 0; i < r.size(); ++i) sum += 2 * r[i] * Problem::first(i, j, x);
    return sum;
  }
  /// 2 (J' J + sum r_i r_i'')
  static double second(std::size_t j, std::size_t k, const point& x) {
    const point r = Problem{}(x);
    double sum = 0;
    for (std::size_t i = 0; i < r.size(); ++i) {
      sum += 2 * (Problem::first(i, j, x) * Problem::first(i, k, x) +
                  r[i] * Problem::second(i, j, k, x));
    }
    return sum;
  }
};

}  // namespace least_squares

#define LEAST_SQUARES_PROBLEMS                                                              \
  least_squares::rosenbrock, least_squares::helical_valley, least_squares::powell_singular, \
      least_squares::wood, least_squares::brown_almost_linear, least_squares::broyden_tridiagonal
