#include <nn/train.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/indexing.hpp>

#include <nn/metrics.hpp>
#include <nn/step.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace nn {
namespace {

template <class T>
void require_fit(const network<T>& net, const dataset<T>& data) {
  const auto &x = data.inputs.shape(), &t = data.targets.shape();
  const bool fits = x.rank() == 2 && t.rank() == 2 && x[0] == t[0] && x[0] > 0 &&
                    x[1] == net.inputs() && t[1] == net.outputs();
  if (fits) return;
  throw autodiff::shape_error(
      "train",
      fmt::format("inputs {} and targets {} for a network {} -> {}", autodiff::to_string(x),
                  autodiff::to_string(t), net.inputs(), net.outputs()),
      "pass inputs [n, in] and targets [n, out] with at least one sample");
}

/// Mean loss of a batch as a sum over its samples, so that batches of unequal size can be added up.
double times_samples(double loss, std::size_t samples) {
  return loss * static_cast<double>(samples);
}

template <class T>
class trainer {
 public:
  trainer(network<T>& net, const dataset<T>& data, const training& how)
      : net_(net),
        data_(data),
        how_(how),
        steps_(how.optimizer),
        batches_(data.size(), how.batch, how.shuffle),
        bar_(how.progress, how.epochs, batches_.count()) {}

  /// Mean loss over the epoch.
  double epoch(std::size_t epoch) {
    batches_.shuffle(epoch);
    double total = 0;
    std::size_t samples = 0;
    for (std::size_t b = 0; b < batches_.count(); ++b) {
      const auto rows = batches_[b];
      const double e = step(rows);
      if (!std::isfinite(e)) {
        throw autodiff::domain_error(
            "train", fmt::format("the loss is {} in epoch {}, batch {}", e, epoch + 1, b + 1),
            "lower the rate, or look for values that are not finite in the data");
      }
      steps_.update(net_, gradients_);
      total += times_samples(e, rows.size());
      samples += rows.size();
      bar_.advance(epoch, b, total / static_cast<double>(samples), rows.size());
    }
    return total / static_cast<double>(samples);
  }

 private:
  double step(std::span<const std::size_t> rows) {
    const auto x = autodiff::take_rows(data_.inputs, rows),
               t = autodiff::take_rows(data_.targets, rows);
    return static_cast<double>(gradient_step(
        tape_, net_, [&] { return how_.loss(net_(x), t); }, gradients_));
  }

  network<T>& net_;
  const dataset<T>& data_;
  const training& how_;
  optimizer_state<T> steps_;
  batches batches_;
  progress_bar bar_;
  autodiff::tape tape_;
  std::vector<autodiff::tensor<T>> gradients_;
};

template <class T>
history train_epochs(network<T>& net, const dataset<T>& data, const dataset<T>* validation,
                     const training& how) {
  require_fit(net, data);
  if (validation) require_fit(net, *validation);
  trainer<T> at_work(net, data, how);
  history past;
  past.reserve(how.epochs);
  for (std::size_t e = 0; e < how.epochs; ++e) {
    const auto start = std::chrono::steady_clock::now();
    epoch_record record{};
    record.loss = at_work.epoch(e);
    record.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (validation) {
      const auto y = net(validation->inputs);
      record.validation_loss = static_cast<double>(how.loss(y, validation->targets).item());
      if (net.outputs() > 1) record.validation_accuracy = accuracy(y, validation->targets);
    }
    past.push_back(record);
  }
  return past;
}

}  // namespace

template <class T>
history train(network<T>& net, const dataset<T>& data, const training& how) {
  return train_epochs<T>(net, data, nullptr, how);
}

template <class T>
history train(network<T>& net, const dataset<T>& data, const dataset<T>& validation,
              const training& how) {
  return train_epochs<T>(net, data, &validation, how);
}

#define INSTANTIATE(T)                                                     \
  template history train(network<T>&, const dataset<T>&, const training&); \
  template history train(network<T>&, const dataset<T>&, const dataset<T>&, const training&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
