#pragma once
// How parameters move along their gradients.

#include <autodiff/error.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <variant>
#include <vector>

namespace nn {

/// w <- w - rate * g.
struct sgd {
  double rate = 0.01;
};

/// Source: Kingma and Ba, Adam: a method for stochastic optimization (ICLR 2015), algorithm 1.
struct adam {
  double rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

using optimizer = std::variant<sgd, adam>;

/// An optimizer at work on one model: its settings and what it remembers of each parameter.
template <class T>
class optimizer_state {
 public:
  /// Throws domain_error for a rate or epsilon that is not positive and finite, or betas outside
  /// [0, 1).
  explicit optimizer_state(const optimizer& settings);

  /// Moves every parameter of the model by its gradient, in the order of model.parameters(). Throws
  /// shape_error when the gradients are not those of this model or it is another model than before,
  /// tape_error while a parameter is recorded; no parameter has moved then.
  template <class Model>
  void update(Model& model, const std::vector<autodiff::tensor<T>>& gradients) {
    parameters_.clear();
    model.parameters([this](autodiff::tensor<T>& p) { parameters_.push_back(&p); });
    require_fit(gradients);
    if (const sgd* s = std::get_if<sgd>(&settings_))
      move(*s, gradients);
    else
      move(std::get<adam>(settings_), gradients);
  }

 private:
  using tensors = std::vector<autodiff::tensor<T>>;

  void require_fit(const tensors& gradients) const;
  void remember(const tensors& gradients);
  void move(const sgd& s, const tensors& gradients);
  void move(const adam& a, const tensors& gradients);

  optimizer settings_;
  std::size_t steps_ = 0;                         // of adam
  std::vector<autodiff::tensor<T>*> parameters_;  // during an update
  tensors first_moments_, second_moments_;
};

}  // namespace nn
