#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bench::problems {

/// Potential energy of three particles in the plane with Lennard-Jones pairs,
/// 4 sum (r_ij^-12 - r_ij^-6), in a Gaussian well -exp(-c^2 / 2) across the x-axis, c the sum of
/// the particles' x. Some forty operations, all but one plain arithmetic: the smallest primal that
/// a tape can be held against. x = [x0, y0, x1, y1, x2, y2], in units of the pair's zero of energy.
/// Source: Frenkel and Smit, Understanding Molecular Simulation (2002), eq. (3.2.4).
struct tiny_arithmetic {
  std::vector<double> start() const { return {0.1, 0.05, 1.2, 0.1, 0.5, 1.15}; }

  template <class T>
  T operator()(std::span<const T> x) const {
    using std::exp;
    T energy = pair(x[0], x[1], x[2], x[3]);
    energy += pair(x[0], x[1], x[4], x[5]);
    energy += pair(x[2], x[3], x[4], x[5]);
    const T c = x[0] + x[2] + x[4];
    return 4.0 * energy - exp(-0.5 * c * c);
  }

  /// The gradient by the chain rule, written out.
  double hand(std::span<const double> x, std::span<double> gradient) const {
    double energy = 0;
    for (double& g : gradient) g = 0;
    constexpr std::array<std::array<std::size_t, 2>, 3> pairs{{{0, 1}, {0, 2}, {1, 2}}};
    for (const auto& [i, j] : pairs) {
      const double dx = x[2 * i] - x[2 * j], dy = x[2 * i + 1] - x[2 * j + 1];
      const double inverse = 1.0 / (dx * dx + dy * dy);
      const double sixth = inverse * inverse * inverse;
      energy += sixth * sixth - sixth;
      // d(s^2 - s) = (2 s - 1) 3 r^-4 d(r^-2), d(r^-2) = -r^-4 d(r^2), d(r^2) = 2 (dx, dy).
      const double weight = -24.0 * (2.0 * sixth - 1.0) * sixth * inverse;
      gradient[2 * i] += weight * dx;
      gradient[2 * i + 1] += weight * dy;
      gradient[2 * j] -= weight * dx;
      gradient[2 * j + 1] -= weight * dy;
    }
    const double c = x[0] + x[2] + x[4], well = std::exp(-0.5 * c * c);
    for (const std::size_t i : {0, 2, 4}) gradient[i] += c * well;
    return 4.0 * energy - well;
  }

 private:
  template <class T>
  static T pair(const T& xi, const T& yi, const T& xj, const T& yj) {
    const T dx = xi - xj, dy = yi - yj;
    const T inverse = 1.0 / (dx * dx + dy * dy);
    const T sixth = inverse * inverse * inverse;
    return sixth * sixth - sixth;
  }
};

}  // namespace bench::problems
