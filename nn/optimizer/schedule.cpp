#include <nn/optimizer/schedule.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>

namespace nn {
namespace {

/// A moment whose training may begin and end within an epoch: after a warm-up.
struct clock {
  std::size_t step, epoch, steps, epochs, steps_per_epoch;
  std::span<const double> monitored;

  std::size_t now(time_unit unit) const { return unit == time_unit::step ? step : epoch; }
  std::size_t whole(time_unit unit) const { return unit == time_unit::step ? steps : epochs; }
};

void require(bool holds, std::string_view schedule, std::string_view what, double value,
             std::string_view remedy) {
  if (holds) return;
  throw autodiff::domain_error(schedule, fmt::format("{} is {}", what, value), remedy);
}
void require_factor(std::string_view schedule, double factor) {
  require(factor > 0 && factor <= 1, schedule, "the factor", factor, "it must be in (0, 1]");
}
void require_not_negative(std::string_view schedule, std::string_view what, double value) {
  require(value >= 0 && std::isfinite(value), schedule, what, value, "it must be 0 or positive");
}
void require_positive(std::string_view schedule, std::string_view what, double value) {
  require(value > 0 && std::isfinite(value), schedule, what, value, "it must be positive");
}

constexpr std::size_t longest = std::numeric_limits<std::size_t>::max();

double as_double(std::size_t count) { return static_cast<double>(count); }

double length_of(std::string_view schedule, std::size_t length, time_unit unit, const clock& c) {
  if (length == 0) length = c.whole(unit);
  if (length > 0) return as_double(length);
  throw autodiff::domain_error(schedule, "neither it nor the training has a length",
                               "set its length, or steps_per_epoch and epochs of the moment");
}

/// From one rate to another, at a part in [0, 1] of the way.
double between(double from, double to, annealing shape, double part) {
  if (shape == annealing::linear) return from + (to - from) * part;
  return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * part));
}

double rate_of(const constant_rate&, double base, const clock&) { return base; }

double rate_of(const step_decay& s, double base, const clock& c) {
  require(s.every > 0, "step_decay", "every", as_double(s.every), "it must be at least 1");
  require_factor("step_decay", s.factor);
  return base * std::pow(s.factor, as_double(c.now(s.unit) / s.every));
}

double rate_of(const multi_step_decay& s, double base, const clock& c) {
  require_factor("multi_step_decay", s.factor);
  const auto past = std::count_if(s.at.begin(), s.at.end(),
                                  [t = c.now(s.unit)](std::size_t at) { return at <= t; });
  return base * std::pow(s.factor, static_cast<double>(past));
}

double rate_of(const exponential_decay& s, double base, const clock& c) {
  require_factor("exponential_decay", s.factor);
  return base * std::pow(s.factor, as_double(c.now(s.unit)));
}

double rate_of(const polynomial_decay& s, double base, const clock& c) {
  require_not_negative("polynomial_decay", "the power", s.power);
  const double length = length_of("polynomial_decay", s.length, s.unit, c);
  const double past = std::min(as_double(c.now(s.unit)), length);
  return base * std::pow(1 - past / length, s.power);
}

double rate_of(const cosine_annealing& s, double base, const clock& c) {
  require_not_negative("cosine_annealing", "lowest", s.lowest);
  const double length = length_of("cosine_annealing", s.length, s.unit, c);
  return between(base, s.lowest, annealing::cosine, as_double(c.now(s.unit)) / length);
}

double rate_of(const cosine_restarts& s, double base, const clock& c) {
  require(s.length > 0, "cosine_restarts", "the length", as_double(s.length),
          "it must be at least 1");
  require(s.growth > 0, "cosine_restarts", "the growth", as_double(s.growth),
          "it must be at least 1");
  require_not_negative("cosine_restarts", "lowest", s.lowest);
  std::size_t past = c.now(s.unit), length = s.length;
  if (s.growth == 1) past %= length;
  while (past >= length) {
    past -= length;
    length = s.growth > longest / length ? longest : length * s.growth;
  }
  return between(base, s.lowest, annealing::cosine, as_double(past) / as_double(length));
}

double rate_of(const one_cycle& s, double base, const clock& c) {
  const bool can_rise =
      s.three_phases ? s.rising > 0 && s.rising <= 0.5 : s.rising > 0 && s.rising < 1;
  require(can_rise, "one_cycle", "rising", s.rising,
          s.three_phases ? "in three phases it must be in (0, 0.5]" : "it must be in (0, 1)");
  require_positive("one_cycle", "start_divisor", s.start_divisor);
  require_positive("one_cycle", "end_divisor", s.end_divisor);
  const double length = length_of("one_cycle", s.length, s.unit, c);
  const double now = std::min(as_double(c.now(s.unit)), length - 1);
  const double start = base / s.start_divisor, end = start / s.end_divisor;
  // Where the phases end, counted in steps: PyTorch's own times.
  const double top = s.rising * length - 1;
  const auto part = [now](double from, double to) {
    return to > from ? (now - from) / (to - from) : 1;
  };
  if (now <= top) return between(start, base, s.shape, part(0, top));
  if (!s.three_phases) return between(base, end, s.shape, part(top, length - 1));
  const double mirrored = 2 * s.rising * length - 2;
  if (now <= mirrored) return between(base, start, s.shape, part(top, mirrored));
  return between(start, end, s.shape, part(mirrored, length - 1));
}

bool is_better(const reduce_on_plateau& s, double value, double best) {
  const bool is_relative = s.margin == margin::relative;
  if (s.aim == aim::lower)
    return value < (is_relative ? best * (1 - s.threshold) : best - s.threshold);
  return value > (is_relative ? best * (1 + s.threshold) : best + s.threshold);
}

double rate_of(const reduce_on_plateau& s, double base, const clock& c) {
  require(s.factor > 0 && s.factor < 1, "reduce_on_plateau", "the factor", s.factor,
          "it must be in (0, 1)");
  require_not_negative("reduce_on_plateau", "the threshold", s.threshold);
  require_not_negative("reduce_on_plateau", "lowest", s.lowest);
  require_not_negative("reduce_on_plateau", "least_change", s.least_change);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double rate = base, best = s.aim == aim::lower ? infinity : -infinity;
  std::size_t not_better = 0, cooling = 0;
  for (const double value : c.monitored) {
    not_better = is_better(s, value, best) ? 0 : not_better + 1;
    if (not_better == 0) best = value;
    if (cooling > 0) {
      --cooling;
      not_better = 0;
    }
    if (not_better <= s.patience) continue;
    const double reduced = std::max(rate * s.factor, s.lowest);
    if (rate - reduced > s.least_change) rate = reduced;
    cooling = s.cooldown;
    not_better = 0;
  }
  return rate;
}

std::size_t less(std::size_t a, std::size_t b) { return a > b ? a - b : 0; }

/// What is left of a whole length, 0 if there is none. As the last epoch of what is left may be one
/// in part, something is left of any length.
std::size_t left(std::size_t whole, std::size_t past) {
  return whole == 0 ? 0 : std::max(less(whole, past), std::size_t{1});
}

/// The clock that begins after so many steps, or epochs.
clock after(std::size_t length, time_unit unit, const clock& c) {
  clock rest = c;
  const bool is_in_steps = unit == time_unit::step;
  const std::size_t steps = is_in_steps ? length : length * c.steps_per_epoch;
  rest.step = less(c.step, steps);
  rest.steps = left(c.steps, steps);
  if (is_in_steps && c.steps_per_epoch > 0) {
    rest.epoch = rest.step / c.steps_per_epoch;
    rest.epochs = (rest.steps + c.steps_per_epoch - 1) / c.steps_per_epoch;
  } else if (!is_in_steps) {
    rest.epoch = less(c.epoch, length);
    rest.epochs = left(c.epochs, length);
  }
  return rest;
}

double rate_of(const warm_up& s, double base, const clock& c) {
  require(s.from >= 0 && s.from <= 1, "warm_up", "from", s.from, "it must be in [0, 1]");
  const clock rest = after(s.length, s.unit, c);
  // Asked from the beginning on, so that its settings are not refused in the middle of training.
  const double later =
      std::visit([&](const auto& then) { return rate_of(then, base, rest); }, s.then);
  const std::size_t past = c.now(s.unit);
  if (past >= s.length) return later;
  return base * (s.from + (1 - s.from) * as_double(past) / as_double(s.length));
}

}  // namespace

double rate_at(const schedule& s, double base, const moment& now) {
  require_not_negative("schedule", "the rate", base);
  const clock c{now.step,   now.epoch,           now.steps_per_epoch * now.epochs,
                now.epochs, now.steps_per_epoch, now.monitored};
  return std::visit([&](const auto& settings) { return rate_of(settings, base, c); }, s);
}

}  // namespace nn
