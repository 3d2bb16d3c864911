#pragma once

#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/network.hpp>
#include <nn/network/step.hpp>
#include <nn/optimizer/optimizer.hpp>

#include <bench/problems/training.hpp>

#include <cstddef>
#include <vector>

namespace bench::problems {

/// A training step through the public interface of nn, recorded anew each time.
class taped_training {
 public:
  explicit taped_training(const training& t) : net_(made(t)), steps_(chosen(t)) {
    const training_values v(t);
    input_ = tensor({t.batch, t.widths.front()}, v.input);
    targets_ = tensor({t.batch, t.widths.back()}, v.targets);
  }

  float step() {
    const float loss = nn::gradient_step(
        tape_, net_, [this] { return nn::softmax_cross_entropy(net_(input_), targets_); },
        gradients_);
    steps_.update(net_, gradients_);
    return loss;
  }

 private:
  using tensor = autodiff::tensor<float>;

  static nn::network<float> made(const training& t) {
    const training_values v(t);
    std::vector<nn::dense> layers;
    for (std::size_t l = 1; l < t.widths.size(); ++l) {
      const bool last = l + 1 == t.widths.size();
      const nn::activation& h = t.activation == hidden::relu ? nn::relu : nn::tanh;
      layers.emplace_back(t.widths[l], last ? nn::identity : h);
    }
    nn::network<float> net(t.widths.front(), layers, nn::seed{0});
    for (std::size_t l = 0; l < layers.size(); ++l) {
      net.layers()[l].dense().weights = tensor({t.widths[l], t.widths[l + 1]}, v.weights[l]);
      net.layers()[l].dense().bias = tensor({t.widths[l + 1]}, v.biases[l]);
    }
    return net;
  }
  static nn::optimizer chosen(const training& t) {
    if (t.update == update::adam) return nn::adam{.rate = learning_rate};
    return nn::sgd{learning_rate};
  }

  autodiff::tape tape_;
  nn::network<float> net_;
  nn::optimizer_state<float> steps_;
  std::vector<tensor> gradients_;
  tensor input_, targets_;
};

}  // namespace bench::problems
