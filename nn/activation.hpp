#pragma once
// Activation functions as values that a layer can be given: a name, the function on tensors, and
// the initialisation that suits it.

#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/init.hpp>

#include <concepts>
#include <string_view>

namespace nn {

/// A row of ops.def, as a member of the tables of loops.
template <class T>
using row = autodiff::unary_loops<T> autodiff::loop_table<T>::*;

struct activation {
  std::string_view name;
  init suits;
  autodiff::tensor<float> (*on_float)(const autodiff::tensor<float>&);
  autodiff::tensor<double> (*on_double)(const autodiff::tensor<double>&);
  /// Where the activation is a row of ops.def: this row, which a layer joins to its product.
  row<float> float_row = nullptr;
  row<double> double_row = nullptr;

  autodiff::tensor<float> operator()(const autodiff::tensor<float>& a) const { return on_float(a); }
  autodiff::tensor<double> operator()(const autodiff::tensor<double>& a) const {
    return on_double(a);
  }
  bool is_identity() const noexcept;
  template <class T>
  row<T> elementwise() const noexcept {
    if constexpr (std::same_as<T, float>)
      return float_row;
    else
      return double_row;
  }
};

/// An activation from a function that takes tensors of both types: a generic lambda.
template <class F>
constexpr activation make_activation(std::string_view name, init suits, F f) {
  return {name, suits, f, f};
}

inline constexpr activation identity =
    make_activation("identity", init::glorot, [](const auto& a) { return a; });
inline bool activation::is_identity() const noexcept { return on_double == identity.on_double; }
/// An activation from a row of ops.def.
template <row<float> on_float, row<double> on_double>
constexpr activation make_activation(std::string_view name, init suits) {
  using autodiff::tensor, autodiff::loops;
  return {
      name,
      suits,
      [](const tensor<float>& a) { return autodiff::elementwise(loops<float>().*on_float, a); },
      [](const tensor<double>& a) { return autodiff::elementwise(loops<double>().*on_double, a); },
      on_float,
      on_double};
}
inline constexpr activation tanh =
    make_activation<&autodiff::loop_table<float>::tanh, &autodiff::loop_table<double>::tanh>(
        "tanh", init::glorot);
inline constexpr activation sigmoid =
    make_activation<&autodiff::loop_table<float>::sigmoid, &autodiff::loop_table<double>::sigmoid>(
        "sigmoid", init::glorot);
inline constexpr activation relu =
    make_activation<&autodiff::loop_table<float>::relu, &autodiff::loop_table<double>::relu>(
        "relu", init::he);
inline constexpr activation selu =
    make_activation<&autodiff::loop_table<float>::selu, &autodiff::loop_table<double>::selu>(
        "selu", init::glorot);
inline constexpr activation gelu =
    make_activation<&autodiff::loop_table<float>::gelu, &autodiff::loop_table<double>::gelu>(
        "gelu", init::he);
inline constexpr activation gelu_tanh =
    make_activation<&autodiff::loop_table<float>::gelu_tanh,
                    &autodiff::loop_table<double>::gelu_tanh>("gelu_tanh", init::he);
inline constexpr activation silu =
    make_activation<&autodiff::loop_table<float>::silu, &autodiff::loop_table<double>::silu>(
        "silu", init::he);
inline constexpr activation mish =
    make_activation<&autodiff::loop_table<float>::mish, &autodiff::loop_table<double>::mish>(
        "mish", init::he);
inline constexpr activation softplus =
    make_activation<&autodiff::loop_table<float>::softplus,
                    &autodiff::loop_table<double>::softplus>("softplus", init::he);
inline constexpr activation softsign =
    make_activation<&autodiff::loop_table<float>::softsign,
                    &autodiff::loop_table<double>::softsign>("softsign", init::glorot);
inline constexpr activation hard_tanh =
    make_activation<&autodiff::loop_table<float>::hard_tanh,
                    &autodiff::loop_table<double>::hard_tanh>("hard_tanh", init::glorot);
inline constexpr activation log_sigmoid =
    make_activation<&autodiff::loop_table<float>::log_sigmoid,
                    &autodiff::loop_table<double>::log_sigmoid>("log_sigmoid", init::glorot);
/// 0.01 a where a is not positive.
inline constexpr activation leaky_relu =
    make_activation("leaky_relu", init::he, [](const auto& a) { return autodiff::leaky_relu(a); });
/// exp(a) - 1 where a is not positive.
inline constexpr activation elu =
    make_activation("elu", init::he, [](const auto& a) { return autodiff::elu(a); });
/// Along the last axis. For training prefer identity here and a loss on logits.
inline constexpr activation softmax =
    make_activation("softmax", init::glorot, [](const auto& a) { return autodiff::softmax(a); });

}  // namespace nn
