#include <autodiff/check.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <ostream>

namespace autodiff {
namespace {

constexpr std::size_t shown_entries = 8;

double difference(const checked_derivative& d) {
  // Equal infinities agree; a NaN agrees with nothing but another NaN.
  if (d.by_tape == d.by_differences) return 0;
  if (std::isnan(d.by_tape) && std::isnan(d.by_differences)) return 0;
  const double apart = std::abs(d.by_tape - d.by_differences);
  if (std::isnan(apart)) return std::numeric_limits<double>::infinity();
  return apart / std::max(1.0, std::abs(d.by_differences));
}

bool agrees(const checked_derivative& d, double tolerance) {
  const double doubt = 10 * d.uncertainty / std::max(1.0, std::abs(d.by_differences));
  return difference(d) <= tolerance + doubt;
}

std::string line(const checked_derivative& d) {
  return fmt::format(
      "\n  argument {} entry {}: {:.17g} by the tape, {:.17g} by differences (+- {:.1e})",
      d.argument, d.entry, d.by_tape, d.by_differences, d.uncertainty);
}

}  // namespace

std::pair<double, double> derivative_by_differences(const std::function<double(double)>& f,
                                                    double x, double step) {
  constexpr std::size_t rounds = 12;
  constexpr double shrink = 1.4;
  std::array<std::array<double, rounds>, rounds> table{};
  double best = std::numeric_limits<double>::quiet_NaN();
  double uncertainty = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < rounds; ++i, step /= shrink) {
    // The step that was taken, not the one that was meant.
    const double above = x + step, below = x - step;
    table[0][i] = (f(above) - f(below)) / (above - below);
    if (i == 0) best = table[0][0];
    double factor = shrink * shrink;
    for (std::size_t j = 1; j <= i; ++j, factor *= shrink * shrink) {
      table[j][i] = (factor * table[j - 1][i] - table[j - 1][i - 1]) / (factor - 1);
      const double apart = std::max(std::abs(table[j][i] - table[j - 1][i]),
                                    std::abs(table[j][i] - table[j - 1][i - 1]));
      if (apart <= uncertainty) {
        uncertainty = apart;
        best = table[j][i];
      }
    }
    // Rounding has taken over once the diagonal drifts away again.
    if (i > 0 && std::abs(table[i][i] - table[i - 1][i - 1]) >= 2 * uncertainty) break;
  }
  return {best, std::isfinite(uncertainty) ? uncertainty : 0};
}

std::string to_string(const gradient_report& report) {
  std::vector<const checked_derivative*> order;
  for (const checked_derivative& d : report.derivatives) order.push_back(&d);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return difference(*a) > difference(*b); });
  std::string text = fmt::format("{} derivatives", order.size());
  if (!order.empty())
    text += fmt::format(", largest relative difference {:.2e}", difference(*order[0]));
  for (std::size_t i = 0; i < std::min(order.size(), shown_entries); ++i) text += line(*order[i]);
  if (order.size() > shown_entries) {
    text += fmt::format("\n  and {} that agree at least as well", order.size() - shown_entries);
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const gradient_report& report) {
  return out << to_string(report);
}

void require_agreement(const gradient_report& report, const check_options& options) {
  const auto wrong = std::count_if(report.derivatives.begin(), report.derivatives.end(),
                                   [&](const auto& d) { return !agrees(d, options.tolerance); });
  if (wrong == 0) return;
  throw domain_error(
      "check_gradient",
      fmt::format("{} of {} derivatives differ: {}", wrong, report.derivatives.size(),
                  to_string(report)),
      "look for a kink or a jump within the step, a value taken out with .value(), or a "
      "wrong slope");
}

}  // namespace autodiff
