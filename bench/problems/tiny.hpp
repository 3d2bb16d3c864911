#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bench::problems {

/// Potential energy of three atoms in a row, in the plane and in reduced units: a FENE bond between
/// the first two, -k log(1 - (r/R)^2); a Morse bond between the last two, D (1 - exp(a (b - r)))^2;
/// screened repulsion exp(-r) / r of the ends; the cosine of the bond angle held at c; a standing
/// wave sin(x_0) cos(y_2) around them. Some forty operations, eight of them elementary functions:
/// what one call of a small function costs, tape and all. x = [x0, y0, x1, y1, x2, y2].
/// Sources: Kremer and Grest, Dynamics of entangled linear polymer melts, J. Chem. Phys. 92 (1990),
/// eq. (4); Morse, Diatomic Molecules According to the Wave Mechanics II (1929); Yukawa, On the
/// Interaction of Elementary Particles I (1935).
struct tiny {
  static constexpr double fene = 33.75, reach = 2.25;                // k, R^2
  static constexpr double depth = 4.5, steepness = 1.9, bond = 1.1;  // D, a, b
  static constexpr double straight = 0.6;                            // c

  std::vector<double> start() const { return {0.1, 0.05, 1.2, 0.1, 1.5, 1.15}; }

  template <class T>
  T operator()(std::span<const T> x) const {
    using std::cos, std::exp, std::log, std::sin, std::sqrt;
    const T ax = x[2] - x[0], ay = x[3] - x[1], bx = x[4] - x[2], by = x[5] - x[3];
    const T ex = x[4] - x[0], ey = x[5] - x[1];
    const T aa = ax * ax + ay * ay, bb = bx * bx + by * by;
    const T end = sqrt(ex * ex + ey * ey);
    const T stretch = 1.0 - exp(steepness * (bond - sqrt(bb)));
    const T bend = (ax * bx + ay * by) / sqrt(aa * bb) - straight;
    return depth * stretch * stretch - fene * log(1.0 - aa / reach) + exp(-end) / end +
           bend * bend + sin(x[0]) * cos(x[5]);
  }

  /// The same energy; its gradient by the chain rule, written out.
  double hand(std::span<const double> x, std::span<double> gradient) const {
    const double ax = x[2] - x[0], ay = x[3] - x[1], bx = x[4] - x[2], by = x[5] - x[3];
    const double ex = x[4] - x[0], ey = x[5] - x[1];
    const double aa = ax * ax + ay * ay, bb = bx * bx + by * by;
    const double root = std::sqrt(bb), end = std::sqrt(ex * ex + ey * ey);
    const double decay = std::exp(steepness * (bond - root)), stretch = 1.0 - decay;
    const double norm = 1.0 / std::sqrt(aa * bb), cosine = (ax * bx + ay * by) * norm;
    const double bend = cosine - straight, left = 1.0 - aa / reach;
    const double repulsion = std::exp(-end) / end;
    const double sine = std::sin(x[0]), wave = std::cos(x[5]);

    // Adjoints of aa, bb and of the inner product; that of end over end.
    const double inner = 2.0 * bend * norm;
    const double of_aa = fene / (reach * left) - bend * cosine / aa;
    const double of_bb = depth * stretch * decay * steepness / root - bend * cosine / bb;
    const double of_end = -repulsion * (1.0 + 1.0 / end) / end;
    const double gax = 2.0 * of_aa * ax + inner * bx, gay = 2.0 * of_aa * ay + inner * by;
    const double gbx = 2.0 * of_bb * bx + inner * ax, gby = 2.0 * of_bb * by + inner * ay;
    const double gex = of_end * ex, gey = of_end * ey;
    gradient[0] = -gax - gex + std::cos(x[0]) * wave;
    gradient[1] = -gay - gey;
    gradient[2] = gax - gbx;
    gradient[3] = gay - gby;
    gradient[4] = gbx + gex;
    gradient[5] = gby + gey - sine * std::sin(x[5]);
    return depth * stretch * stretch - fene * std::log(left) + repulsion + bend * bend +
           sine * wave;
  }
};

}  // namespace bench::problems
