#include <nn/optimizer/lbfgs.hpp>

#include <autodiff/error.hpp>

#include <nn/optimizer/line_search.hpp>

#include <fmt/format.h>

#include <cmath>
#include <deque>
#include <numeric>
#include <optional>
#include <utility>

namespace nn {
namespace {

using vector = std::vector<double>;

double dot(const vector& a, const vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}
double largest(const vector& a) {
  double most = 0;
  for (const double x : a) most = std::max(most, std::fabs(x));
  return most;
}
void add(double factor, const vector& a, vector& to) {
  for (std::size_t i = 0; i < a.size(); ++i) to[i] += factor * a[i];
}
vector difference(const vector& a, const vector& b) {
  vector d = a;
  add(-1, b, d);
  return d;
}

void require(bool holds, std::string_view what, double value, std::string_view remedy) {
  if (holds) return;
  throw autodiff::domain_error("lbfgs", fmt::format("{} is {}", what, value), remedy);
}

void require_range(const lbfgs& how) {
  require(how.rate > 0 && std::isfinite(how.rate), "the rate", how.rate, "it must be positive");
  require(how.tolerance_gradient >= 0, "tolerance_gradient", how.tolerance_gradient,
          "it must be 0 or positive");
  require(how.tolerance_change >= 0, "tolerance_change", how.tolerance_change,
          "it must be 0 or positive");
  require(how.history > 0, "the history", 0, "it must be at least 1");
  require(how.iterations > 0, "the number of iterations", 0, "it must be at least 1");
}

/// The last steps s and changes y of the gradient: an approximation of the inverse Hessian.
class curvature {
 public:
  explicit curvature(std::size_t most) : most_(most) {}

  /// Leaves out a pair that no positive definite matrix could have.
  void remember(vector s, vector y) {
    const double sy = dot(s, y), yy = dot(y, y);
    if (!(sy > std::numeric_limits<double>::epsilon() * yy) || !std::isfinite(yy)) return;
    if (pairs_.size() == most_) pairs_.pop_front();
    pairs_.push_back({std::move(s), std::move(y), sy});
    scale_ = sy / yy;  // (7.20)
  }
  void forget() { pairs_.clear(); }
  bool is_empty() const { return pairs_.empty(); }

  /// -H g by the recursion of algorithm 7.4.
  vector direction(const vector& g) const {
    vector q = g, alpha(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      alpha[i] = dot(pairs_[i].s, q) / pairs_[i].sy;
      add(-alpha[i], pairs_[i].y, q);
    }
    const double scale = is_empty() ? 1 : scale_;
    for (double& x : q) x *= scale;
    for (std::size_t i = 0; i < pairs_.size(); ++i)
      add(alpha[i] - dot(pairs_[i].y, q) / pairs_[i].sy, pairs_[i].s, q);
    for (double& x : q) x = -x;
    return q;
  }

 private:
  struct pair {
    vector s, y;
    double sy;
  };
  std::size_t most_;
  std::deque<pair> pairs_;
  double scale_ = 1;
};

using function = std::function<double(std::span<const double>, std::span<double>)>;

/// Algorithm 7.5.
class minimisation {
 public:
  minimisation(vector& x, const function& f, const lbfgs& how, double precision)
      : x_(x),
        f_(f),
        how_(how),
        precision_(precision),
        most_(how.evaluations > 0 ? how.evaluations : how.iterations * 5 / 4 + 1),
        g_(x.size()),
        hessian_(how.history) {}

  lbfgs_result run() {
    value_ = f_(x_, g_);
    evaluations_ = 1;
    require_finite();
    if (largest(g_) <= how_.tolerance_gradient) return ended(lbfgs_stop::gradient);
    while (iterations_ < how_.iterations) {
      if (evaluations_ >= most_) return ended(lbfgs_stop::evaluations);
      ++iterations_;
      if (const auto reason = iterate()) return ended(*reason);
    }
    return ended(lbfgs_stop::iterations);
  }

 private:
  struct trial {
    double step;
    vector gradient;
  };

  void require_finite() const {
    const std::string_view remedy = "start where the objective and its gradient are finite";
    if (!std::isfinite(value_)) {
      throw autodiff::domain_error("lbfgs", fmt::format("the objective is {} at the start", value_),
                                   remedy);
    }
    const auto entry =
        std::find_if(g_.begin(), g_.end(), [](double x) { return !std::isfinite(x); });
    if (entry == g_.end()) return;
    throw autodiff::domain_error(
        "lbfgs",
        fmt::format("entry {} of the gradient is {} at the start", entry - g_.begin(), *entry),
        remedy);
  }
  lbfgs_result ended(lbfgs_stop reason) const {
    return {value_, largest(g_), iterations_, evaluations_, reason};
  }

  std::optional<lbfgs_stop> iterate() {
    const vector d = hessian_.direction(g_);
    const double slope = dot(g_, d);
    if (!(slope < 0)) return restart(lbfgs_stop::line_search);
    // Without a Hessian the gradient has no scale: the first step is at most 1 long altogether.
    double sum = 0;
    for (const double x : g_) sum += std::fabs(x);
    const double first = hessian_.is_empty() ? std::min(1.0, 1 / sum) * how_.rate : how_.rate;

    vector x(x_.size());
    std::vector<trial> trials;  // the search may end at any of them
    const auto phi = [&](double step) {
      x = x_;
      add(step, d, x);
      vector& g = trials.emplace_back(trial{step, vector(x.size())}).gradient;
      const double value = f_(x, g);
      return line_point{step, value, dot(g, d)};
    };
    const double noise = 4 * precision_ * std::fabs(value_);
    const line_search_result found =
        strong_wolfe(phi, {0, value_, slope}, first, most_ - evaluations_,
                     how_.tolerance_change / largest(d), {.noise = noise});
    evaluations_ += found.evaluations;
    if (found.at.step == 0) {
      return evaluations_ >= most_ ? lbfgs_stop::evaluations : restart(lbfgs_stop::line_search);
    }
    vector g = std::find_if(trials.begin(), trials.end(), [&](const trial& t) {
                 return t.step == found.at.step;
               })->gradient;
    x = x_;
    add(found.at.step, d, x);

    const double before = value_;
    vector s = difference(x, x_);
    const double moved = largest(s);
    hessian_.remember(std::move(s), difference(g, g_));
    x_ = std::move(x);
    g_ = std::move(g);
    value_ = found.at.value;
    if (largest(g_) <= how_.tolerance_gradient) return lbfgs_stop::gradient;
    if (moved <= how_.tolerance_change) return lbfgs_stop::change;
    if (std::fabs(value_ - before) < how_.tolerance_change) return lbfgs_stop::change;
    return std::nullopt;
  }

  /// A direction that leads nowhere may be the fault of what is remembered; the gradient's is not.
  std::optional<lbfgs_stop> restart(lbfgs_stop otherwise) {
    if (hessian_.is_empty()) return otherwise;
    hessian_.forget();
    return std::nullopt;
  }

  vector& x_;
  const function& f_;
  const lbfgs& how_;
  const double precision_;
  const std::size_t most_;
  vector g_;
  curvature hessian_;
  double value_ = 0;
  std::size_t iterations_ = 0, evaluations_ = 0;
};

}  // namespace

std::string_view to_string(lbfgs_stop reason) noexcept {
  switch (reason) {
    case lbfgs_stop::gradient: return "the gradient is within its tolerance";
    case lbfgs_stop::change: return "the last step changed less than its tolerance";
    case lbfgs_stop::iterations: return "all iterations are used up";
    case lbfgs_stop::evaluations: return "all evaluations are used up";
    default: return "no step along the gradient leads lower";
  }
}

lbfgs_result minimise_function(std::vector<double>& x, const function& f, const lbfgs& how,
                               double precision) {
  require_range(how);
  return minimisation(x, f, how, precision).run();
}

}  // namespace nn
