#pragma once

#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/network.hpp>
#include <nn/network/step.hpp>
#include <nn/optimizer/optimizer.hpp>

#include <bench/problems/small_net.hpp>

#include <vector>

namespace bench::problems {

/// The same step through the public interface of nn.
class taped_small_net {
 public:
  double step(autodiff::tape& tape) {
    const double error = nn::gradient_step(
        tape, net_, [this] { return nn::half_squared_error(net_(input_), target_); }, gradients_);
    steps_.update(net_, gradients_);
    return error;
  }

 private:
  using tensor = autodiff::tensor<double>;

  static nn::network<double> made() {
    using namespace small_net;
    nn::network<double> net(2, {nn::dense(3, nn::tanh), nn::dense(2)}, nn::seed{0});
    net.layers()[0].dense().weights = tensor({2, 3}, w1);
    net.layers()[0].dense().bias = tensor({3}, b1);
    net.layers()[1].dense().weights = tensor({3, 2}, w2);
    net.layers()[1].dense().bias = tensor({2}, b2);
    return net;
  }

  nn::network<double> net_ = made();
  nn::optimizer_state<double> steps_{nn::sgd{small_net::rate}};
  std::vector<tensor> gradients_;
  tensor input_{{2}, small_net::input}, target_{{2}, small_net::target};
};

}  // namespace bench::problems
