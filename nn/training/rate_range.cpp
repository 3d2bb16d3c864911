#include <nn/training/rate_range.hpp>

#include <autodiff/error.hpp>
#include <autodiff/random.hpp>
#include <autodiff/tape.hpp>

#include <nn/data/batch_source.hpp>
#include <nn/network/step.hpp>
#include <nn/optimizer/optimizer.hpp>
#include <nn/training/plot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace nn {
namespace {

/// Puts the state of a model back when it goes.
template <class T>
class restored_state {
 public:
  explicit restored_state(const model_view<T>& model) : model_(model) {
    model_.state([&](const std::string&, autodiff::tensor<T>& t) { before_.push_back(t); });
  }
  ~restored_state() {
    std::size_t i = 0;
    model_.state([&](const std::string&, autodiff::tensor<T>& t) { t = before_[i++]; });
  }
  restored_state(const restored_state&) = delete;
  restored_state& operator=(const restored_state&) = delete;

 private:
  const model_view<T>& model_;
  std::vector<autodiff::tensor<T>> before_;
};

void require_sweep(const rate_sweep& sweep) {
  if (!(sweep.from > 0 && sweep.to > sweep.from && std::isfinite(sweep.to))) {
    throw autodiff::domain_error("rate_range",
                                 fmt::format("rates from {} to {}", sweep.from, sweep.to),
                                 "let them be positive and rising");
  }
  if (sweep.steps < 3) {
    throw autodiff::domain_error("rate_range", fmt::format("{} steps", sweep.steps),
                                 "use at least 3");
  }
}

/// The rate at the steepest fall: the least difference between the neighbours of a point, as the
/// logarithms of the rates lie evenly. What rounding takes off is no fall.
double steepest(const rate_curve& found) {
  const std::vector<double>& values = found.smoothed;
  double fall = 0, rate = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 1; i + 1 < values.size(); ++i) {
    const double here = values[i - 1] - values[i + 1];
    if (here <= fall || here <= 1e-6 * std::abs(values[i])) continue;
    fall = here;
    rate = found.rates[i];
  }
  return rate;
}

/// Whether the average has gone up too far.
bool has_risen(double average, double lowest, double first) {
  constexpr double most = 4;  // times the lowest, where that is a measure
  return lowest > 0 ? average > most * lowest : average > first;
}

}  // namespace

template <class T>
rate_curve rate_range(const std::type_identity_t<model_view<T>>& model, const dataset<T>& data,
                      const training& how, const rate_sweep& sweep) {
  require_sweep(sweep);
  constexpr double share = 0.1;  // of the newest loss in the average
  const restored_state<T> restored(model);
  memory_source<T> source(data, how.batch, how.seed, how.drop_last);
  if (source.batches() == 0) {
    throw autodiff::shape_error("rate_range", "the data has no batches",
                                "pass at least one sample, and with drop_last at least one whole "
                                "batch");
  }
  optimizer_state<T> optimizer(how.optimizer, how.groups);
  autodiff::tape tape;
  std::vector<autodiff::tensor<T>> gradients;
  batch<T> samples;
  rate_curve found{};
  const double ratio = std::log(sweep.to / sweep.from) / static_cast<double>(sweep.steps - 1);
  double average = 0, lowest = 0;
  for (std::size_t step = 0, epoch = 0; step < sweep.steps; ++step) {
    while (!source.next(samples)) source.begin(++epoch);
    const double rate = sweep.from * std::exp(ratio * static_cast<double>(step));
    autodiff::generator random(how.seed.value, (std::uint64_t{1} << 63) + step);
    const auto loss = static_cast<double>(gradient_step(
        tape, model, [&] { return how.loss(model(samples.inputs, random), samples.targets); },
        gradients));
    if (!std::isfinite(loss)) break;
    average += share * (loss - average);
    // Corrected for its beginning at 0, as the moments of adam are.
    const double smoothed = average / (1 - std::pow(1 - share, static_cast<double>(step + 1)));
    if (step > 0 && has_risen(smoothed, lowest, found.smoothed.front())) break;
    lowest = step == 0 ? smoothed : std::min(lowest, smoothed);
    found.rates.push_back(rate);
    found.losses.push_back(loss);
    found.smoothed.push_back(smoothed);
    optimizer.rate(rate);
    optimizer.update(model, gradients);
  }
  if (found.rates.size() < 3) {
    throw autodiff::domain_error(
        "rate_range",
        fmt::format("the loss goes up or is not finite after {} steps", found.rates.size()),
        "begin with a lower rate, or look for values that are not finite in the data");
  }
  found.suggestion = steepest(found);
  return found;
}

void plot_rate_curve(const std::filesystem::path& file, const rate_curve& found) {
  const auto [least, most] = std::minmax_element(found.losses.begin(), found.losses.end());
  std::vector<curve> curves{{"loss of the batch", found.rates, found.losses},
                            {"smoothed", found.rates, found.smoothed}};
  if (std::isfinite(found.suggestion)) {
    curves.push_back({fmt::format("suggestion: {:.2g}", found.suggestion),
                      {found.suggestion, found.suggestion},
                      {*least, *most}});
  }
  plot_curves(file, {.x_label = "rate", .y_label = "loss", .log_y = *least > 0, .log_x = true},
              curves);
}

template rate_curve rate_range(const model_view<float>&, const dataset<float>&, const training&,
                               const rate_sweep&);
template rate_curve rate_range(const model_view<double>&, const dataset<double>&, const training&,
                               const rate_sweep&);

}  // namespace nn
