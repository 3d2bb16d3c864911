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
/// constants again, also when an exception passes. Throws tape_error for a parameter that is a
/// variable already and for one that parameters(visit) hands out twice.
template <class Model>
class recorded_parameters {
 public:
  recorded_parameters(Model& model, autodiff::tape& tape)
      : recorded_parameters(model, constants_of(model)) {
    // Constructed by now: should the tape refuse a parameter, the destructor frees those before it.
    std::size_t index = 0;
    model_.parameters([&](auto& p) {
      if (p.is_recorded()) refuse_twice(index);
      attach(tape, p);
      ++index;
    });
  }
  /// The same; sweeps put the adjoint of each into the tensor of its place in `adjoints`, which are
  /// to live until the tape is rewound.
  template <class T>
  recorded_parameters(Model& model, autodiff::tape& tape,
                      std::vector<autodiff::tensor<T>>& adjoints)
      : recorded_parameters(model, constants_of(model)) {
    adjoints.resize(count_);
    autodiff::tensor<T>*adjoint = adjoints.data(), *const end = adjoint + count_;
    autodiff::attach<T>(tape, count_, [&](auto&& attach_one) {
      model_.parameters([&](auto& p) {
        if (adjoint == end) refuse_more(count_);
        if (p.is_recorded()) refuse_twice(static_cast<std::size_t>(adjoint - adjoints.data()));
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
  recorded_parameters(Model& model, std::size_t count) : model_(model), count_(count) {}

  /// How many there are. A parameter that another tape records is refused before there is anything
  /// to take back.
  static std::size_t constants_of(Model& model) {
    std::size_t count = 0;
    model.parameters([&](const auto& p) {
      if (p.is_recorded()) {
        throw autodiff::tape_error(
            "gradient_step",
            "parameter " + std::to_string(count) + " is a variable of a tape already",
            "end what records it, or detach() it");
      }
      ++count;
    });
    return count;
  }
  [[noreturn]] static void refuse_twice(std::size_t index) {
    throw autodiff::tape_error(
        "gradient_step",
        "parameters() handed out a tensor twice, the second time as number " +
            std::to_string(index),
        "visit it once, however often the model uses it");
  }
  [[noreturn]] static void refuse_more(std::size_t count) {
    throw autodiff::tape_error(
        "gradient_step",
        "parameters() handed out " + std::to_string(count) + " tensors, and then another one",
        "it has to hand out the same ones whenever it is called");
  }

  Model& model_;
  std::size_t count_;
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
/// Throws what the objective throws, and tape_error when it depends on no parameter or rewinds
/// them, when these are more from one call of parameters() to the next, and as recorded_parameters
/// does.
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
    if (!e.is_recorded()) {
      throw autodiff::tape_error("gradient_step", "the objective depends on no parameter",
                                 "compute it from the model itself, not from a copy of it, and see "
                                 "that parameters() hands them out");
    }
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
