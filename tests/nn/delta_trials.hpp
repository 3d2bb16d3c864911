#pragma once
// Networks to compare formulas and tape on: drawn at random, and a small one for faults.

#include <tests/reference.hpp>

#include <autodiff/tensor/tensor.hpp>
#include <nn/delta/compare_deltas.hpp>
#include <nn/delta/matrix.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace delta_trials {

using autodiff::shape, autodiff::tensor;

template <class T>
tensor<T> drawn(const shape& s, double from, double to, reference::random& random) {
  return {s, std::span<const T>(random.uniform<T>(s.size(), from, to))};
}

/// A network with something in its biases, and data for it.
template <class T>
struct trial {
  nn::network<T> net;
  tensor<T> x, t;

  trial(std::size_t inputs, const std::vector<nn::dense>& layers, std::size_t batch,
        std::uint64_t seed)
      : net(inputs, layers, nn::seed{seed}) {
    reference::random random(seed);
    for (nn::any_layer<T>& any : net.layers()) {
      nn::dense_layer<T>& l = any.dense();
      if (l.has_bias()) l.bias = drawn<T>(l.bias.shape(), -0.5, 0.5, random);
    }
    x = drawn<T>({batch, inputs}, -1, 1, random);
    t = drawn<T>({batch, net.outputs()}, 0.05, 0.95, random);
  }

  nn::delta_report compare(const nn::loss& e) const { return nn::compare_deltas(net, x, t, e); }
};

struct architecture {
  std::size_t inputs;
  std::vector<nn::dense> layers;
  const nn::loss* e;
  std::size_t batch;
};

inline architecture drawn_architecture(std::uint64_t seed) {
  reference::random random(seed);
  const std::size_t depth = 2 + random.below(19), inputs = 1 + random.below(24);
  const std::span<const nn::activation> all = nn::activations();
  std::vector<nn::dense> layers;
  for (std::size_t l = 0; l < depth; ++l) {
    layers.emplace_back(2 + random.below(23), all[random.below(all.size())],
                        random.below(3) == 0 ? nn::bias::without : nn::bias::with);
  }
  const nn::loss* const losses[] = {&nn::half_squared_error,
                                    &nn::mean_squared_error,
                                    &nn::binary_cross_entropy,
                                    &nn::softmax_cross_entropy,
                                    &nn::binary_cross_entropy_of_probabilities,
                                    &nn::cross_entropy_of_probabilities};
  const nn::loss* e = losses[random.below(6)];
  if (e == losses[4]) layers.back().activation = nn::sigmoid;
  if (e == losses[5]) layers.back().activation = nn::softmax;
  return {inputs, layers, e, 1 + random.below(7)};
}

/// The 3-4-4-2 network of the planted faults.
inline trial<double> small_trial() {
  return {3, {nn::dense(4, nn::sigmoid), nn::dense(4, nn::tanh), nn::dense(2)}, 3, 11};
}

template <class Formulas>
nn::delta_report compare_with(const trial<double>& tr, const Formulas& formulas) {
  return nn::compare_deltas(tr.net, tr.x, tr.t, nn::half_squared_error, formulas);
}

/// The transpose.
inline nn::matrix<double> turned(const nn::matrix<double>& m) {
  nn::matrix<double> other(m.columns, m.rows);
  for (std::size_t i = 0; i < m.rows; ++i) {
    for (std::size_t j = 0; j < m.columns; ++j) other(j, i) = m(i, j);
  }
  return other;
}

/// "layer 2, delta"
inline std::string where(const nn::delta_report& report) {
  const auto d = report.first_disagreement();
  return d ? "layer " + std::to_string(d->layer) + ", " + nn::to_string(d->quantity) : "nowhere";
}

}  // namespace delta_trials
