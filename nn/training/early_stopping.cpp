#include <nn/training/early_stopping.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <cmath>

namespace nn {

best_value best_of(std::span<const double> values, const early_stopping& how) {
  if (how.patience == 0) {
    throw autodiff::domain_error("early_stopping", "a patience of 0 epochs", "use at least 1");
  }
  if (!(how.min_delta >= 0 && std::isfinite(how.min_delta))) {
    throw autodiff::domain_error("early_stopping", fmt::format("min_delta is {}", how.min_delta),
                                 "it must be 0 or positive");
  }
  const double sign = how.aim == aim::lower ? 1 : -1;
  best_value best;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool better = best.at ? sign * values[i] < sign * values[*best.at] - how.min_delta
                                : !std::isnan(values[i]);
    if (better)
      best = {i, 0};
    else
      ++best.since;
  }
  return best;
}

}  // namespace nn
