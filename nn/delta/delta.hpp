#pragma once
// Backpropagation as it is derived by hand, in matrices and loops, without a tape: the other side
// of a comparison (nn/delta/compare_deltas.hpp), and the formulas to read first. Samples are rows.
//
// Source: Santi, A Primer on Backpropagation with a Numerical Example, Diagrams and Python Code
// (2025); equation numbers in brackets are those of this document. It has no biases, one sample and
// half the squared error; a bias has the slope da_k/db_k = 1 beside (1), samples add up, and other
// losses change dE/dy alone.
//
// T is float, double or long double. Every function throws shape_error for matrices that do not fit
// each other.

#include <nn/delta/activations.hpp>
#include <nn/delta/losses.hpp>
#include <nn/delta/matrix.hpp>

#include <span>
#include <vector>

namespace nn::textbook {

/// a = W z + b and z = h(a), the z on the right being the outputs of the layer before.
template <class T>
struct layer {
  matrix<T> weights;      ///< W[K, M]: w(k, m) leads from unit m of the layer before to unit k
  std::vector<T> biases;  ///< [K], or empty
  activation h = activation::identity;
};

/// All that forward and backward pass compute; index l - 1 is layer l.
template <class T>
struct backpropagation {
  std::vector<matrix<T>> a, z;     ///< [n, K]
  T error = 0;                     ///< E
  std::vector<matrix<T>> delta;    ///< [n, K], delta = dE/da, eq. (6)
  std::vector<matrix<T>> dw;       ///< [K, M], dE/dW, summed over the samples
  std::vector<std::vector<T>> db;  ///< [K], dE/db, or empty
};

/// a = W z + b of every sample: z [n, M] -> a [n, K].
template <class T>
matrix<T> preactivation(const layer<T>& layer, const matrix<T>& z);

/// What the delta of the last layer is.
enum class output_rule {
  chain_rule,
  /// dE/dy whatever the activation. A text that states y - t "for both sigmoid and linear units"
  /// says this; for a sigmoid f under a squared error it leaves out the factor f (1 - f).
  as_if_linear,
};

/// The delta of the last layer: dE/dy through its activation, [n, K]. Under half the squared error
/// and without activation, y - t: eq. (5). For probabilities from a sigmoid or a softmax under the
/// cross-entropy that belongs to it, the activation cancels out as well: (y - t) / count.
/// Source: Bishop and Bishop, Deep Learning, section 5.4.6, canonical link functions.
template <class T>
matrix<T> output_delta(loss e, activation h, const matrix<T>& a, const matrix<T>& y,
                       const matrix<T>& t);

/// What the deltas of a layer are by its inputs: dE/dz_m = sum_k w(k, m) delta_k, the sum in (7).
/// delta [n, K] -> [n, M].
template <class T>
matrix<T> through_weights(const layer<T>& layer, const matrix<T>& delta);

/// The delta of the layer below, eq. (7): delta_m = h'(a_m) sum_k w(k, m) delta_k, where w and
/// delta are those `above`; h, a and z those of the layer itself.
template <class T>
matrix<T> hidden_delta(const layer<T>& above, const matrix<T>& delta_above, activation h,
                       const matrix<T>& a, const matrix<T>& z);

/// dE/dw(k, m) = delta_k z_m by (1) and (6), summed over the samples: delta^T z, where z are the
/// inputs of the layer. [n, K], [n, M] -> [K, M].
template <class T>
matrix<T> weight_gradient(const matrix<T>& delta, const matrix<T>& z);

/// dE/db_k = delta_k, summed over the samples.
template <class T>
std::vector<T> bias_gradient(const matrix<T>& delta);

/// Throws shape_error in the name of the operation when the layers, the inputs x [n, M] and the
/// targets t [n, K] do not fit each other, or there are no layers or samples.
template <class T>
void require_fit(const char* operation, std::span<const layer<T>> layers, const matrix<T>& x,
                 const matrix<T>& t);

/// The forward pass, then (7) from the last layer to the first. Throws as require_fit().
template <class T>
backpropagation<T> backpropagate(std::span<const layer<T>> layers, const matrix<T>& x,
                                 const matrix<T>& t, loss e,
                                 output_rule output = output_rule::chain_rule);
template <class T>
backpropagation<T> backpropagate(const std::vector<layer<T>>& layers, const matrix<T>& x,
                                 const matrix<T>& t, loss e,
                                 output_rule output = output_rule::chain_rule) {
  return backpropagate(std::span<const layer<T>>(layers), x, t, e, output);
}

}  // namespace nn::textbook
