#pragma once
// An exponential moving average of a model's parameters, which often generalises better than the
// parameters themselves.
// Source: Polyak and Juditsky, Acceleration of stochastic approximation by averaging, SIAM J.
// Control Optim. 30 (1992); exponential: Tarvainen and Valpola, Mean teachers are better role
// models (NeurIPS 2017).

#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nn {

/// average <- decay average + (1 - decay) parameter. The first update makes the average the
/// parameters as they are then; corrected, early ones weigh no more for coming first:
/// average_t = (1 - decay) sum_k decay^(t - k) w_k / (1 - decay^t).
struct averaging {
  double decay = 0.999;
  bool corrected = false;
};

template <class T>
class moving_average {
 public:
  /// Until the first update the averages are the parameters of now. Throws domain_error for a decay
  /// outside [0, 1) and for a model that hands out a tensor twice.
  template <class Model>
  explicit moving_average(Model& model, const averaging& how = {})
      : moving_average(parameters_of(model), how) {}

  /// After a step of the optimizer. Throws shape_error for another model, domain_error while the
  /// averages are swapped in.
  template <class Model>
  void update(Model& model) {
    update(parameters_of(model));
  }

  /// Exchanges the parameters of the model and their averages: in, to measure or to save them, and
  /// out again. Copies nothing. Throws shape_error for another model, tape_error for recorded
  /// parameters.
  template <class Model>
  void swap(Model& model) {
    swap(parameters_of(model));
  }
  bool is_swapped_in() const noexcept { return is_swapped_in_; }

  /// Calls visit(name, tensor) for every average, named "average.0" and on; a visitor may restore
  /// them. Together with steps() they are all that is remembered.
  template <class Visitor>
  void state(Visitor&& visit) {
    for (std::size_t i = 0; i < averages_.size(); ++i)
      visit(std::string_view("average." + std::to_string(i)), averages_[i]);
  }
  std::size_t steps() const noexcept { return steps_; }
  void steps(std::size_t count) noexcept { steps_ = count; }

 private:
  using tensor = autodiff::tensor<T>;
  using parameters = std::vector<tensor*>;

  template <class Model>
  static parameters parameters_of(Model& model) {
    parameters all;
    model.parameters([&](tensor& p) { all.push_back(&p); });
    return all;
  }

  moving_average(const parameters& model, const averaging& how);
  void update(const parameters& model);
  void swap(const parameters& model);
  void require_fit(const parameters& model) const;

  averaging how_;
  std::size_t steps_ = 0;
  bool is_swapped_in_ = false;
  std::vector<tensor> averages_;
};

/// While it lives, the model has its averages for parameters.
template <class T, class Model>
class averaged {
 public:
  averaged(Model& model, moving_average<T>& averages) : model_(model), averages_(averages) {
    averages_.swap(model_);
  }
  ~averaged() { averages_.swap(model_); }
  averaged(const averaged&) = delete;
  averaged& operator=(const averaged&) = delete;

 private:
  Model& model_;
  moving_average<T>& averages_;
};

}  // namespace nn
