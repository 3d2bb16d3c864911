#pragma once
// What can be trained, saved and summarised: any struct with a call operator and parameters(visit).
// A network is one, and so is a struct of layers of your own.

#include <autodiff/random.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nn {

/// A model computes outputs from inputs and hands out its parameters, the same ones in the same
/// order at every call, each of them once. It may also have
/// - operator()(x, random): the pass of training, where that differs from inference (dropout,
///   batch_norm), drawing from the autodiff::generator;
/// - state(visit): visit(name, tensor) for every tensor that belongs into a file, parameters and
///   what else training changes. Without it the parameters are kept as "parameters.0", ...
/// - description(): a text that tells it from models that compute something else with tensors of
///   the same names and shapes. A checkpoint keeps it.
template <class Model, class T>
concept model = requires(Model& m, const Model& inferring, const autodiff::tensor<T>& x) {
  { inferring(x) } -> std::convertible_to<autodiff::tensor<T>>;
  m.parameters([](autodiff::tensor<T>&) {});
};

/// A model whose type is forgotten. Refers to the model, which is to outlive it.
template <class T>
class model_view {
 public:
  using tensor = autodiff::tensor<T>;
  using state_visitor = std::function<void(const std::string& name, tensor& t)>;

  template <model<T> Model>
  requires(!std::same_as<Model, model_view>) model_view(
      Model& m)  // NOLINT(google-explicit-constructor): an argument of train(), save(), ...
      : model_(std::addressof(m)), calls_(&calls_of<Model>) {}

  /// Inference.
  tensor operator()(const tensor& x) const { return calls_->infer(model_, x); }
  /// The pass of training.
  tensor operator()(const tensor& x, autodiff::generator& random) const {
    return calls_->train(model_, x, random);
  }

  template <class Visitor>
  void parameters(Visitor&& visit) const {
    // The buffer is of this thread and keeps its memory: a step asks several times.
    thread_local std::vector<tensor*> found;
    std::vector<tensor*> all = std::exchange(found, {});
    all.clear();
    calls_->collect(model_, all);
    for (tensor* p : all) visit(*p);
    found = std::move(all);
  }
  void state(const state_visitor& visit) const { calls_->state(model_, visit); }
  /// Empty for a model without.
  std::string description() const { return calls_->describe(model_); }

 private:
  struct calls {
    tensor (*infer)(const void* model, const tensor& x);
    tensor (*train)(void* model, const tensor& x, autodiff::generator& random);
    void (*collect)(void* model, std::vector<tensor*>& into);
    void (*state)(void* model, const state_visitor& visit);
    std::string (*describe)(const void* model);
  };

  template <class Model>
  static tensor train(void* model, const tensor& x, autodiff::generator& random) {
    Model& m = *static_cast<Model*>(model);
    if constexpr (requires { m(x, random); })
      return m(x, random);
    else
      return m(x);
  }
  template <class Model>
  static void visit_state(void* model, const state_visitor& visit) {
    Model& m = *static_cast<Model*>(model);
    if constexpr (requires { m.state(visit); }) {
      m.state(visit);
    } else {
      std::size_t i = 0;
      m.parameters([&](tensor& p) { visit("parameters." + std::to_string(i++), p); });
    }
  }
  template <class Model>
  static std::string describe(const void* model) {
    if constexpr (requires { static_cast<const Model*>(model)->description(); })
      return static_cast<const Model*>(model)->description();
    else
      return {};
  }
  template <class Model>
  static constexpr calls calls_of{
      [](const void* model, const tensor& x) -> tensor {
        return (*static_cast<const Model*>(model))(x);
      },
      &train<Model>,
      [](void* model, std::vector<tensor*>& into) {
        static_cast<Model*>(model)->parameters([&](tensor& p) { into.push_back(&p); });
      },
      &visit_state<Model>, &describe<Model>};

  void* model_;
  const calls* calls_;
};

}  // namespace nn
