#pragma once
// Backpropagation neuron by neuron, one record at a time: the form in which a first text teaches
// it. Every neuron holds its weights, its output and the partial derivatives of the online error J
// by them; there is no matrix and no tape.
//
// For a network whose last layers are k, k + 1 and k + 2, with x_0 = 1 in every layer,
//
//   z_l(k+1) = sum_i w_l,i(k+1) x_i(k)   x_l(k+1) = f(z_l(k+1))
//
// and the derivatives come in parts: dJ/dw_l,i = dJ/dz_l dz_l/dw_l,i, where the second factor is
// x_i (part 2), and the first (part 1) at the output is -(y - f) times what online_error says, and
// in any other layer
//
//   dJ/dz_l(k+1) = sum_k dJ/dz_k(k+2) w_k,l(k+2)   (part 3)   times   f'(z_l(k+1))   (part 4).
//
// nn/delta/delta.hpp has the same formulas in matrices. Mind the letters: its a is z here, and its
// z is x.

#include <nn/delta/activations.hpp>
#include <nn/delta/delta.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace nn {

/// The error J of one record with desired outputs y and outputs f. A text may state dJ/dz = -(y -
/// f) for both sigmoid and linear outputs. For linear ones that is the squared error. For a sigmoid
/// it is the cross-entropy, whose 1 / (f (1 - f)) cancels against the slope f (1 - f); under the
/// squared error the slope remains, and a unit that is wrong with confidence hardly learns.
enum class online_error {
  squared,        ///< 1/2 sum (y - f)^2: dJ/dz = -(y - f) f'(z)
  cross_entropy,  ///< -sum (y log f + (1 - y) log(1 - f)), f of sigmoids: dJ/dz = -(y - f)
};

struct neuron {
  std::vector<double> weights;  ///< w_0 is the bias, w_i belongs to unit i of the layer before
  textbook::activation f = textbook::activation::identity;

  double z = 0;                         ///< sum_i w_i x_i
  double output = 0;                    ///< f(z): x of the layer after
  double partial_z = 0;                 ///< dJ/dz
  std::vector<double> partial_weights;  ///< dJ/dw_i
};

class neuron_network {
 public:
  /// The neurons of these layers; a layer without biases gets biases of 0, which learn. Throws
  /// shape_error when the layers do not fit each other, domain_error for softmax, which is no
  /// function of one neuron, and for the cross-entropy over other outputs than sigmoids.
  neuron_network(const std::vector<textbook::layer<double>>& layers, online_error j);

  /// Outputs of a record x, without x_0; they stay here for back_prop().
  std::vector<double> forward_pass(std::span<const double> x);
  /// The partial derivatives of J by every z and weight, for the record of the last forward pass.
  /// Returns J.
  double back_prop(std::span<const double> y);
  /// w <- w - eta dJ/dw, every weight.
  void update_weights(double eta);
  /// All three for one record; returns J.
  double train(std::span<const double> x, std::span<const double> y, double eta);

  /// layers()[k][l] is neuron l of layer k, without a neuron for x_0.
  const std::vector<std::vector<neuron>>& layers() const noexcept { return layers_; }
  /// The weights as nn/delta/delta.hpp has them.
  std::vector<textbook::layer<double>> textbook_layers() const;

 private:
  std::vector<std::vector<neuron>> layers_;
  std::vector<std::vector<double>> inputs_;  // of each layer, x_0 = 1 in front
  online_error j_;
};

/// The desired outputs of a record of class `label`: 1 there and 0 elsewhere. Throws shape_error
/// when there is no such class.
std::vector<double> desired_values(std::size_t label, std::size_t classes);

}  // namespace nn
