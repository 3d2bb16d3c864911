#pragma once
// One step of training, for any model whose parameters(visit) hands out its tensors: record, sweep,
// read. The model's parameters are variables of the tape only while the objective is evaluated.

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
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
  /// The same; sweeps put the adjoint of each into the tensor of its place in `adjoints`, which are
  /// to live until the tape is rewound.
  template <class T>
  recorded_parameters(Model& model, autodiff::tape& tape,
                      std::vector<autodiff::tensor<T>>& adjoints)
      : recorded_parameters(model) {
    std::size_t count = 0;
    model_.parameters([&](const auto&) { ++count; });
    adjoints.resize(count);
    autodiff::tensor<T>*adjoint = adjoints.data(), *const end = adjoint + count;
    autodiff::attach<T>(tape, count, [&](auto&& attach_one) {
      model_.parameters([&](auto& p) {
        if (adjoint == end) refuse_more(count);
        attach_one(p, *adjoint++);
      });
    });
  }
  ~recorded_parameters() {
    model_.parameters([](auto& p) { p.detach(); });
  }
  recorded_parameters(const recorded_parameters&) = delete;
  recorded_parameters& operator=(const recorded_parameters&) = delete;

 private:
  explicit recorded_parameters(Model& model) : model_(model) {}
  [[noreturn]] static void refuse_more(std::size_t count) {
    throw autodiff::tape_error(
        "gradient_step",
        "parameters() handed out " + std::to_string(count) + " tensors, and then another one",
        "it has to hand out the same ones whenever it is called");
  }

  Model& model_;
};

/// A tape that begins and ends empty, also when an exception passes.
class rewound_tape {
 public:
  explicit rewound_tape(autodiff::tape& tape) : tape_(tape) { tape_.rewind(); }
  ~rewound_tape() { tape_.rewind(); }
  rewound_tape(const rewound_tape&) = delete;
  rewound_tape& operator=(const rewound_tape&) = delete;

 private:
  autodiff::tape& tape_;
};

/// Evaluates the objective, which returns a tensor with one element, and sweeps: puts its gradient
/// by every parameter, in the order of parameters(), into `gradients` and returns its value. The
/// tape is rewound before and after, so that a loop of steps allocates nothing once it is warm.
/// Throws what the objective throws, and tape_error when it rewinds the parameters or these are
/// more from one call of parameters() to the next.
template <class T, class Model, class Objective>
T gradient_step(autodiff::tape& tape, Model& model, Objective&& objective,
                std::vector<autodiff::tensor<T>>& gradients) {
  // Of this function alone until the tape forgets them: the objective may do with `gradients` as it
  // likes.
  std::vector<autodiff::tensor<T>> adjoints = std::exchange(gradients, {});
  T value;
  {
    const rewound_tape rewound(tape);
    const recorded_parameters recorded(model, tape, adjoints);
    const autodiff::tag_type youngest = tape.operation_tag();
    const std::uint32_t serial = tape.serial();
    const autodiff::tensor<T> e = objective();
    value = e.item();
    tape.backward(e, autodiff::leaves_only);
    if (!adjoints.empty()) tape.operation_at(youngest, serial, "gradient_step");
  }
  for (autodiff::tensor<T>& adjoint : adjoints) {
    // The objective does not depend on this parameter.
    if (!adjoint.stored().has_storage()) adjoint = autodiff::tensor<T>(adjoint.shape(), T(0));
  }
  gradients = std::move(adjoints);
  return value;
}

}  // namespace nn
