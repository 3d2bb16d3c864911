#pragma once

#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/network.hpp>
#include <nn/network/step.hpp>

#include <vector>

namespace bench::problems {

/// Forward and backward pass of a network by the tape, under half the squared error.
class taped_deltas {
 public:
  using tensor = autodiff::tensor<double>;

  taped_deltas(const nn::network<double>& net, const tensor& x, const tensor& t)
      : net_(net), swept_net_(net), x_(x), t_(t) {}

  /// The sweep alone, over one record.
  void backward() { swept_.backward(error_, autodiff::leaves_only); }
  /// Record and sweep.
  double step() {
    return nn::gradient_step(
        tape_, net_, [this] { return nn::half_squared_error(net_(x_), t_); }, gradients_);
  }
  /// Weights before bias, layer by layer, of the last step or sweep.
  std::vector<double> gradient() const { return joined(gradients_); }
  std::vector<double> swept_gradient() const { return joined(adjoints_); }

 private:
  static std::vector<double> joined(const std::vector<tensor>& tensors) {
    std::vector<double> all;
    for (const tensor& g : tensors) all.insert(all.end(), g.values().begin(), g.values().end());
    return all;
  }

  nn::network<double> net_, swept_net_;
  tensor x_, t_;
  std::vector<tensor> adjoints_, gradients_;
  autodiff::tape swept_;
  nn::recorded_parameters<nn::network<double>> recorded_{swept_net_, swept_, adjoints_};
  tensor error_ = nn::half_squared_error(swept_net_(x_), t_);
  autodiff::tape tape_;  // the younger one records
};

}  // namespace bench::problems
