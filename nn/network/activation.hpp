#pragma once
// Activation functions as values that a layer can be given: a name, the function on tensors, and
// the initialisation that suits it. Those of the library are the rows of activation.def: identity,
// tanh, relu, ...

#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/network/init.hpp>

#include <concepts>
#include <span>
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

#define OPS_ROW(name, suits)                                                                    \
  inline constexpr activation name =                                                            \
      make_activation<&autodiff::loop_table<float>::name, &autodiff::loop_table<double>::name>( \
          #name, init::suits);
#define FUNCTION(name, suits, value) \
  inline constexpr activation name = \
      make_activation(#name, init::suits, [](const auto& a) { return value; });
#include <nn/network/activation.def>

inline bool activation::is_identity() const noexcept { return on_double == identity.on_double; }

/// The rows of activation.def.
std::span<const activation> activations() noexcept;

/// The one of this name, or null. Where no row of activation.def has it, a row of ops.def with one
/// argument serves, with the initialisation of Glorot: "sin", "gaussian", "square".
const activation* find_activation(std::string_view name) noexcept;

/// The same. Throws domain_error with the nearest name and all there are where there is none.
const activation& activation_named(std::string_view name);

}  // namespace nn
