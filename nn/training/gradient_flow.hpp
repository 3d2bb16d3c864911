#pragma once
// How signals and gradients pass through the layers of a network, measured on some samples:
// vanishing and exploding gradients, and units that no gradient reaches.
//
//   std::vector<nn::flow> flows;
//   nn::train(net, data, {.on_epoch = [&](const nn::epoch_end&) {
//     flows.push_back(nn::gradient_flow(net, some.inputs, some.targets,
//     nn::softmax_cross_entropy));
//   }});
//
// Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
// networks (AISTATS 2010), who follow the same quantities.

#include <autodiff/tensor/tensor.hpp>

#include <nn/loss/loss.hpp>
#include <nn/network/network.hpp>

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nn {

/// Of many numbers: mean, standard deviation and root of the mean square.
struct spread {
  double mean = 0, deviation = 0, size = 0;
};
spread spread_of(std::span<const double> values);

struct layer_flow {
  std::string name = {};  ///< "1: 128 relu"; "3.1: 64 relu" in the residual block that is layer 3
  spread outputs = {};    ///< over units and samples, as inference has them
  /// Of the loss by the pre-activations of a dense layer, or by the outputs of another one.
  spread deltas = {};
  std::optional<spread> gradients = {};  ///< of the loss by its parameters, where it has some
  std::size_t units = 0;
  std::size_t dead = 0;  ///< units whose deltas are 0 for every sample
};

/// The layers from the input on; those of a residual block come before it, and its parameters are
/// theirs.
struct flow {
  std::size_t samples = 0;
  std::vector<layer_flow> layers = {};

  /// What is wrong, a sentence each, or nothing: deltas that vanish below a thousandth of those of
  /// the last layer or explode beyond a thousand times them, numbers that are not finite, dead
  /// units.
  std::vector<std::string> findings() const;
};

/// Inference and one sweep; the network stays as it is. Throws shape_error when the samples do not
/// fit the network or the loss.
template <class T>
flow gradient_flow(network<T>& net, const autodiff::tensor<T>& inputs,
                   const autodiff::tensor<T>& targets, const loss& e);

/// A table, a row for each layer, and the findings below it.
std::string to_string(const flow& measured);
std::ostream& operator<<(std::ostream& out, const flow& measured);

/// The size of each layer's deltas by epoch, on a logarithmic axis. Throws what plot_curves()
/// throws, and shape_error for flows of different networks.
void plot_gradient_flow(const std::filesystem::path& file, std::span<const flow> by_epoch);

}  // namespace nn
