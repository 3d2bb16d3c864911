#pragma once
// How far to go along a direction in which a function descends.

#include <cstddef>
#include <functional>

namespace nn {

/// A function of one variable at one place.
struct line_point {
  double step, value, slope;
};

/// The strong Wolfe conditions at a step a: phi(a) <= phi(0) + decrease a phi'(0) and
/// |phi'(a)| <= curvature |phi'(0)|. Values that differ by less than `noise` are the same.
struct wolfe_conditions {
  double decrease = 1e-4;
  double curvature = 0.9;
  double noise = 0;
};

struct line_search_result {
  line_point at;  ///< where the conditions hold, else the lowest value seen
  bool holds;
  std::size_t evaluations;
};

/// Evaluates phi at `first` and then where interpolation sends it, until the conditions hold, or
/// `evaluations` are spent, or the interval in question is shorter than `shortest`. phi may be
/// infinite or NaN where it must not be evaluated: such steps are too long.
/// Source: Nocedal and Wright, Numerical optimization (2nd edition, 2006), algorithms 3.5 and 3.6,
/// cubic interpolation by equation (3.59).
line_search_result strong_wolfe(const std::function<line_point(double)>& phi,
                                const line_point& start, double first, std::size_t evaluations,
                                double shortest, const wolfe_conditions& conditions);

}  // namespace nn
