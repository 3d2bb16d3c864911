#pragma once
// First values of weights: random, scaled so that activations and deltas keep their spread from
// layer to layer.

#include <autodiff/random.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <cstdint>

namespace nn {

/// The seed of everything random in what it is passed to.
struct seed {
  std::uint64_t value;
};

enum class init {
  /// Uniform in +-sqrt(6 / (fan_in + fan_out)), for tanh, sigmoid, softmax and identity.
  /// Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
  /// networks (AISTATS 2010), eq. (16).
  glorot,
  /// Uniform in +-sqrt(6 / fan_in), for relu.
  /// Source: He, Zhang, Ren, Sun, Delving deep into rectifiers (ICCV 2015), eq. (10).
  he,
};

/// Weights [fan_in, fan_out].
template <class T>
autodiff::tensor<T> initial_weights(init how, std::size_t fan_in, std::size_t fan_out,
                                    autodiff::generator& random);

}  // namespace nn
