#include <nn/optimizer/line_search.hpp>

#include <algorithm>
#include <cmath>

namespace nn {
namespace {

/// The minimum of the cubic through two points with their slopes, NaN where it has none.
double cubic_minimum(const line_point& a, const line_point& b) {
  const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step);
  const double d2 = std::copysign(std::sqrt(d1 * d1 - a.slope * b.slope), b.step - a.step);
  return b.step - (b.step - a.step) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
}

/// A number within [low, high], the middle where there is none.
double within(double low, double high, double x) {
  return std::isfinite(x) ? std::clamp(x, low, high) : low + (high - low) / 2;
}

class search {
 public:
  search(const std::function<line_point(double)>& phi, const line_point& start,
         std::size_t evaluations, double shortest, const wolfe_conditions& conditions)
      : phi_(phi),
        start_(start),
        left_(evaluations),
        shortest_(shortest),
        conditions_(conditions) {}

  /// Algorithm 3.5.
  line_search_result bracket(double step) {
    line_point before = start_;
    while (left_ > 0) {
      const line_point now = evaluate(step);
      if (is_too_long(now) || (before.step > 0 && !(now.value < before.value)))
        return zoom(before, now);
      if (is_flat(now)) return {now, true, spent_};
      if (now.slope >= 0) return zoom(now, before);
      const double apart = now.step - before.step;
      step = within(now.step + 0.01 * apart, 10 * now.step, cubic_minimum(before, now));
      before = now;
    }
    return {before, false, spent_};
  }

 private:
  line_point evaluate(double step) {
    --left_;
    ++spent_;
    return phi_(step);
  }
  bool is_too_long(const line_point& p) const {
    const double allowed =
        start_.value + conditions_.decrease * p.step * start_.slope + conditions_.noise;
    return !(p.value <= allowed) || !std::isfinite(p.value) || !std::isfinite(p.slope);
  }
  bool is_flat(const line_point& p) const {
    return std::fabs(p.slope) <= -conditions_.curvature * start_.slope;
  }

  /// Algorithm 3.6. `low` has the lowest value so far that is not too long, and descends towards
  /// `high`.
  line_search_result zoom(line_point low, line_point high) {
    while (left_ > 0 && std::fabs(high.step - low.step) > shortest_) {
      const line_point now = evaluate(inside(low, high));
      if (is_too_long(now) || !(now.value < low.value + conditions_.noise)) {
        high = now;
        continue;
      }
      if (is_flat(now)) return {now, true, spent_};
      if (now.slope * (high.step - low.step) >= 0) high = low;
      low = now;
    }
    return {low, false, spent_};
  }

  /// Not so near to an end of the interval that it would hardly become shorter.
  static double inside(const line_point& low, const line_point& high) {
    const double a = std::min(low.step, high.step), b = std::max(low.step, high.step);
    const double margin = 0.1 * (b - a);
    return within(a + margin, b - margin, cubic_minimum(low, high));
  }

  const std::function<line_point(double)>& phi_;
  const line_point start_;
  std::size_t left_, spent_ = 0;
  double shortest_;
  wolfe_conditions conditions_;
};

}  // namespace

line_search_result strong_wolfe(const std::function<line_point(double)>& phi,
                                const line_point& start, double first, std::size_t evaluations,
                                double shortest, const wolfe_conditions& conditions) {
  return search(phi, start, evaluations, shortest, conditions).bracket(first);
}

}  // namespace nn
