#pragma once
// Activation functions as values that a layer can be given: a name, the function on tensors, and
// the initialisation that suits it.

#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/init.hpp>

#include <string_view>

namespace nn {

struct activation {
  std::string_view name;
  init suits;
  autodiff::tensor<float> (*on_float)(const autodiff::tensor<float>&);
  autodiff::tensor<double> (*on_double)(const autodiff::tensor<double>&);

  autodiff::tensor<float> operator()(const autodiff::tensor<float>& a) const { return on_float(a); }
  autodiff::tensor<double> operator()(const autodiff::tensor<double>& a) const {
    return on_double(a);
  }
};

/// An activation from a function that takes tensors of both types: a generic lambda.
template <class F>
constexpr activation make_activation(std::string_view name, init suits, F f) {
  return {name, suits, f, f};
}

inline constexpr activation identity =
    make_activation("identity", init::glorot, [](const auto& a) { return a; });
inline constexpr activation tanh =
    make_activation("tanh", init::glorot, [](const auto& a) { return autodiff::tanh(a); });
inline constexpr activation sigmoid =
    make_activation("sigmoid", init::glorot, [](const auto& a) { return autodiff::sigmoid(a); });
inline constexpr activation relu =
    make_activation("relu", init::he, [](const auto& a) { return autodiff::relu(a); });
/// Along the last axis. For training prefer identity here and a loss on logits.
inline constexpr activation softmax =
    make_activation("softmax", init::glorot, [](const auto& a) { return autodiff::softmax(a); });

}  // namespace nn
