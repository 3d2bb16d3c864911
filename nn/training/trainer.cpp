#include <nn/training/trainer.hpp>

#include <autodiff/error.hpp>
#include <autodiff/random.hpp>
#include <autodiff/tensor/elementwise.hpp>

#include <nn/loss/penalty.hpp>
#include <nn/network/step.hpp>
#include <nn/optimizer/clip.hpp>
#include <nn/optimizer/schedule.hpp>
#include <nn/training/early_stopping.hpp>
#include <nn/training/predict.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <utility>
#include <variant>

namespace nn {
namespace {

double as_double(std::size_t count) { return static_cast<double>(count); }

/// What a model draws in this step. The streams of orders of samples are those of the epochs;
/// these are far from them.
autodiff::generator generator_of(seed seed, std::size_t step) {
  return autodiff::generator(seed.value, (std::uint64_t{1} << 63) + step);
}

/// The first number that is not finite.
template <class T>
std::optional<T> not_finite(const autodiff::tensor<T>& t) {
  const auto values = t.values();
  const auto found = std::ranges::find_if_not(values, [](T v) { return std::isfinite(v); });
  return found == values.end() ? std::nullopt : std::optional(*found);
}

void require_unique(std::vector<std::string> names) {
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice == names.end()) return;
  throw autodiff::domain_error("train", fmt::format("two measures have the name {}", *twice),
                               "give each metric a name of its own, other than the loss and rate");
}

void require_settings(const training& how) {
  if (how.loss.how() == reduction::none) {
    throw autodiff::domain_error("train", fmt::format("the loss {} gives no number", how.loss.name),
                                 "use its mean or its sum: .reduced(nn::reduction::mean)");
  }
  for (const auto& [name, most] :
       {std::pair{"clip_value", how.clip_value}, {"clip_norm", how.clip_norm}}) {
    if (!most || *most > 0) continue;
    throw autodiff::domain_error("train", fmt::format("{} is {}", name, *most),
                                 "it must be positive");
  }
  if (how.early_stopping) best_of({}, *how.early_stopping);
  require_strengths(how.penalty);
  if (how.checkpoint && how.checkpoint->every_epochs == 0) {
    throw autodiff::domain_error("train", "a checkpoint after every 0 epochs", "use at least 1");
  }
}

}  // namespace

template <class T>
trainer<T>::trainer(const model_view<T>& model, batch_source<T>& source,
                    validation_data<T> validation, const training& how)
    : model_(model),
      source_(source),
      validation_(std::move(validation)),
      how_(how),
      base_rate_(rate_of(how.optimizer)),
      has_constant_rate_(std::holds_alternative<constant_rate>(how.schedule)),
      has_penalty_(how.penalty.l1 != 0 || how.penalty.l2 != 0),
      optimizer_(how.optimizer, how.groups),
      sums_(1 + how.metrics.size()),
      bar_(how.progress, how.epochs, source.batches()) {
  require_settings(how);
  if (how.average) average_.emplace(model, *how.average);
  if (how.early_stopping && how.early_stopping->restore_best)
    model.state([&](const std::string&, tensor& t) { best_.push_back(t); });
  require_unique(blank_record().names());
  if (how.early_stopping) blank_record().value(how.early_stopping->monitor);
  past_.reserve(std::min(how.epochs, most_epochs_reserved));
  plateau_.reserve(std::min(how.epochs, most_epochs_reserved));
}

template <class T>
history trainer<T>::run() {
  resume();
  rate_at(how_.schedule, base_rate_, now());  // throws now for settings out of range
  if (!how_.csv_log.empty()) log_.emplace(how_.csv_log, past_);
  while (epoch_ < how_.epochs && !has_stopped_early() && epoch() == verdict::go_on) {
  }
  if (average_) average_->swap(model_);
  leave_best();
  return std::move(past_);
}

/// The rest of an epoch, from its next batch on.
template <class T>
verdict trainer<T>::epoch() {
  using clock = std::chrono::steady_clock;
  auto start = clock::now();
  const double seconds_before = seconds_;
  const std::size_t batches = source_.batches(), epoch = epoch_;
  verdict asked = verdict::go_on;
  source_.begin(epoch_, batch_);
  while (source_.next(data_)) {
    const double loss = step(data_);
    const step_end event{epoch_, batch_, step_, batches, loss, optimizer_.rate()};
    bar_.advance(epoch_, batch_, sums_[0] / samples_, data_.inputs.shape()[0]);
    ++batch_;
    ++step_;
    asked = how_.on_step(event);
    seconds_ = seconds_before + std::chrono::duration<double>(clock::now() - start).count();
    if (batch_ == batches) continue;
    const bool stops = asked == verdict::stop;
    if (how_.checkpoint && (stops || (how_.checkpoint->every_steps > 0 &&
                                      step_ % how_.checkpoint->every_steps == 0))) {
      require_finite_weights("after", batch_);
      write();
    }
    if (stops) return asked;
  }
  if (samples_ == 0) {
    throw autodiff::shape_error("train", fmt::format("epoch {} has no batches", epoch_ + 1),
                                "pass a source with at least one sample, and with drop_last at "
                                "least one whole batch");
  }
  close_epoch();
  if (log_) log_->add(past_.back());
  if (how_.on_epoch({epoch, past_}) == verdict::stop) asked = verdict::stop;
  if (how_.checkpoint && (asked == verdict::stop || has_stopped_early() || epoch_ == how_.epochs ||
                          epoch_ % how_.checkpoint->every_epochs == 0))
    write();
  return asked;
}

/// One step of the optimizer; returns the loss of the batch.
template <class T>
double trainer<T>::step(const batch<T>& samples) {
  autodiff::generator random = generator_of(how_.seed, step_);
  double loss = 0;
  const auto objective = [&] {
    const tensor y = model_(samples.inputs, random);
    const tensor e = how_.loss(y, samples.targets);
    loss = static_cast<double>(e.item());
    if (!how_.metrics.empty()) outputs_ = y.detached();
    return has_penalty_ ? e + weight_penalty<T>(model_, how_.penalty) : e;
  };
  require_finite(gradient_step(tape_, model_, objective, gradients_), "loss");
  if (how_.clip_value) clip_value(gradients_, *how_.clip_value);
  if (how_.clip_norm) {
    leave_out_frozen();
    require_finite(clip_norm(gradients_, *how_.clip_norm), "norm of the gradients");
  }
  if (!has_constant_rate_) optimizer_.rate(rate_at(how_.schedule, base_rate_, now()));
  optimizer_.update(model_, gradients_);
  if (average_) average_->update(model_);
  add_to_sums(loss, samples.targets, samples.inputs.shape()[0]);
  return loss;
}

/// The norm of the gradients is that of what moves.
template <class T>
void trainer<T>::leave_out_frozen() {
  if (how_.groups.empty()) return;
  optimizer_.prepare(model_);
  const auto groups = optimizer_.groups();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i] < how_.groups.size() && how_.groups[groups[i]].frozen)
      std::ranges::fill(gradients_[i].mutable_values(), T(0));
  }
}

template <class T>
void trainer<T>::require_finite(double value, const char* what) const {
  if (std::isfinite(value)) return;
  require_finite_weights("before", batch_ + 1);
  throw autodiff::domain_error(
      "train",
      fmt::format("the {} is {} in epoch {}, batch {}", what, value, epoch_ + 1, batch_ + 1),
      "lower the rate, or look for values that are not finite in the data");
}

/// A step can leave the finite numbers though its loss was one. The next loss tells, but behind the
/// last batch of an epoch there is none, and a checkpoint of such weights would help nobody.
template <class T>
void trainer<T>::require_finite_weights(std::string_view when, std::size_t batch) const {
  std::size_t i = 0;
  model_.parameters([&](const tensor& p) {
    if (const std::optional<T> value = not_finite(p)) {
      throw autodiff::domain_error("train",
                                   fmt::format("parameter {} holds {} {} epoch {}, batch {}", i,
                                               *value, when, epoch_ + 1, batch),
                                   "lower the rate, or clip the gradients");
    }
    ++i;
  });
}

template <class T>
moment trainer<T>::now() const {
  return {step_, epoch_, source_.batches(), how_.epochs, plateau_};
}

/// As sums over the samples, so that batches of unequal size can be added up.
template <class T>
void trainer<T>::add_to_sums(double loss, const tensor& targets, std::size_t rows) {
  const double n = as_double(rows);
  sums_[0] += how_.loss.how() == reduction::sum ? loss : loss * n;
  for (std::size_t m = 0; m < how_.metrics.size(); ++m)
    sums_[m + 1] += how_.metrics[m](outputs_, targets) * n;
  samples_ += n;
}

/// All that is measured, without values.
template <class T>
epoch_record trainer<T>::blank_record() const {
  epoch_record record;
  for (const metric& m : how_.metrics) record.metrics.push_back({m.name, 0});
  if (!has_validation()) return record;
  record.validation_loss = 0;
  for (const metric& m : how_.metrics) record.metrics.push_back({"validation_" + m.name, 0});
  return record;
}

template <class T>
void trainer<T>::close_epoch() {
  require_finite_weights("after", batch_);
  epoch_record record = blank_record();
  record.loss = sums_[0] / samples_;
  for (std::size_t m = 0; m < how_.metrics.size(); ++m)
    record.metrics[m].value = sums_[m + 1] / samples_;
  record.rate = optimizer_.rate();
  record.seconds = seconds_;
  {
    std::optional<averaged<T, const model_view<T>>> measured_model;
    if (average_) measured_model.emplace(model_, *average_);
    if (has_validation()) measure(record);
    past_.push_back(std::move(record));
    plateau_.push_back(past_.back().validation_loss.value_or(past_.back().loss));
    if (how_.early_stopping) keep_if_best();
  }
  ++epoch_;
  batch_ = 0;
  sums_.assign(sums_.size(), 0);
  samples_ = seconds_ = 0;
}

/// On the validation data, all at once: not every measure is a mean over samples.
template <class T>
void trainer<T>::measure(epoch_record& record) {
  predictions<T> all;
  if (const auto* const data = std::get_if<const dataset<T>*>(&validation_)) {
    all.outputs = predict<T>(model_, (*data)->inputs);
    all.targets = (*data)->targets;
  } else {
    all = predict<T>(model_, *std::get<batch_source<T>*>(validation_));
  }
  const auto& [y, t, samples] = all;
  const auto e = static_cast<double>(how_.loss(y, t).item());
  record.validation_loss = how_.loss.how() == reduction::sum ? e / as_double(t.shape()[0]) : e;
  for (std::size_t m = 0; m < how_.metrics.size(); ++m)
    record.metrics[how_.metrics.size() + m].value = how_.metrics[m](y, t);
}

template <class T>
void trainer<T>::keep_if_best() {
  watched_.push_back(past_.back().value(how_.early_stopping->monitor));
  if (best_.empty() || best_of(watched_, *how_.early_stopping).at != watched_.size() - 1) return;
  std::size_t i = 0;
  model_.state([&](const std::string&, tensor& t) { best_[i++] = t; });
}

template <class T>
bool trainer<T>::has_stopped_early() const {
  return how_.early_stopping &&
         best_of(watched_, *how_.early_stopping).since >= how_.early_stopping->patience;
}

template <class T>
void trainer<T>::leave_best() {
  if (best_.empty() || past_.empty()) return;
  std::size_t i = 0;
  model_.state([&](const std::string&, tensor& t) { t = best_[i++]; });
}

template class trainer<float>;
template class trainer<double>;

}  // namespace nn
