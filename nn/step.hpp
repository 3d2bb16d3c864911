#pragma once
// One step of training, for any model whose parameters(visit) hands out its tensors: record, sweep,
// read. The model's parameters are variables of the tape only while the objective is evaluated.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <vector>

namespace nn {

/// While it lives, the parameters of the model are leaves of the tape; afterwards they are
/// constants again, also when an exception passes.
template <class Model>
class recorded_parameters {
 public:
  recorded_parameters(Model& model, autodiff::tape& tape) : recorded_parameters(model) {
    // Constructed by now: should the tape refuse a parameter, the destructor frees those before it.
    model_.parameters([&](auto& p) { attach(tape, p); });
  }
  ~recorded_parameters() {
    model_.parameters([](auto& p) { p.detach(); });
  }
  recorded_parameters(const recorded_parameters&) = delete;
  recorded_parameters& operator=(const recorded_parameters&) = delete;

 private:
  explicit recorded_parameters(Model& model) : model_(model) {}

  Model& model_;
};

/// Evaluates the objective, which returns a tensor with one element, and sweeps: puts its gradient
/// by every parameter, in the order of parameters(), into `gradients` and returns its value. The
/// tape is rewound before and after, so that a loop of steps allocates nothing once it is warm.
template <class T, class Model, class Objective>
T gradient_step(autodiff::tape& tape, Model& model, Objective&& objective,
                std::vector<autodiff::tensor<T>>& gradients) {
  tape.rewind();
  // Their memory serves those of this step.
  gradients.clear();
  T value;
  {
    const recorded_parameters recorded(model, tape);
    const autodiff::tensor<T> e = objective();
    value = e.item();
    tape.backward(e, autodiff::leaves_only);
    model.parameters(
        [&](const autodiff::tensor<T>& p) { gradients.push_back(take_adjoint(tape, p)); });
  }
  tape.rewind();
  return value;
}

}  // namespace nn
