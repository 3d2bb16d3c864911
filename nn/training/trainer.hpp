#pragma once
// A training at work; train() makes one and runs it.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/data/batch_source.hpp>
#include <nn/data/data.hpp>
#include <nn/network/model.hpp>
#include <nn/optimizer/moving_average.hpp>
#include <nn/optimizer/optimizer.hpp>
#include <nn/training/checkpoint.hpp>
#include <nn/training/csv_log.hpp>
#include <nn/training/history.hpp>
#include <nn/training/progress.hpp>
#include <nn/training/training.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nn {

/// What loss and metrics are measured on after every epoch.
template <class T>
using validation_data = std::variant<std::monostate, const dataset<T>*, batch_source<T>*>;

/// So that a history of the usual length allocates nothing on the way; epochs may be any number.
inline constexpr std::size_t most_epochs_reserved = 10'000;

template <class T>
class trainer {
 public:
  /// Everything passed is to outlive it. Throws domain_error for settings out of range.
  trainer(const model_view<T>& model, batch_source<T>& source, validation_data<T> validation,
          const training& how);

  history run();

 private:
  using tensor = autodiff::tensor<T>;

  // Work.
  verdict epoch();
  double step(const batch<T>& samples);
  void leave_out_frozen();
  void require_finite(double value, const char* what) const;
  void require_finite_weights(std::string_view when, std::size_t batch) const;
  moment now() const;
  void add_to_sums(double loss, const tensor& targets, std::size_t rows);
  bool has_validation() const { return validation_.index() > 0; }
  epoch_record blank_record() const;
  void close_epoch();
  void measure(epoch_record& record);
  void keep_if_best();
  bool has_stopped_early() const;
  void leave_best();

  // Files.
  void resume();
  void write();
  std::map<std::string, std::string> settings() const;
  checkpoint<T> snapshot();
  void restore(const checkpoint<T>& from);
  template <class Visitor>
  void tensors(Visitor&& visit);

  const model_view<T>& model_;
  batch_source<T>& source_;
  validation_data<T> validation_;
  const training& how_;
  const double base_rate_;
  bool has_constant_rate_, has_penalty_;

  // All that a checkpoint keeps.
  optimizer_state<T> optimizer_;
  std::optional<moving_average<T>> average_;
  std::size_t epoch_ = 0, batch_ = 0, step_ = 0;  // of the next step
  std::vector<double> sums_;                      // of this epoch so far: loss, metrics
  double samples_ = 0, seconds_ = 0;              // the same
  history past_;
  std::vector<tensor> best_;  // the model's state after its best epoch

  std::vector<double> plateau_, watched_;  // of past_: for the schedule, for early stopping
  std::optional<csv_log> log_;
  progress_bar bar_;
  batch<T> data_;
  autodiff::tape tape_;
  std::vector<tensor> gradients_;
  tensor outputs_;  // of the last step, where metrics ask for them
};

}  // namespace nn
