// Layers beyond dense ones, in a list and in a struct of one's own.

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

namespace ad = autodiff;

namespace {

/// y = sin(3 x1) + x2^2 on [-1, 1]^2.
nn::dataset<double> samples(std::size_t n, nn::seed seed) {
  ad::generator random(seed.value);
  ad::tensor<double> x(ad::shape{n, 2}), y(ad::shape{n, 1});
  for (double& v : x.mutable_values()) v = random.uniform(-1, 1);
  for (std::size_t i = 0; i < n; ++i)
    y.mutable_values()[i] = std::sin(3 * x.value(i, 0)) + std::pow(x.value(i, 1), 2);
  return {x, y};
}

struct wide_and_deep {
  nn::any_layer<double> wide, deep, narrow;

  explicit wide_and_deep(ad::generator random)
      : wide({2}, nn::dense(1), random),
        deep({2}, nn::dense(24, nn::tanh), random),
        narrow({24}, nn::dense(1), random) {}

  ad::tensor<double> operator()(const ad::tensor<double>& x) const {
    return wide(x) + narrow(deep(x));
  }
  template <class Visitor>
  void parameters(Visitor&& visit) {
    for (auto* layer : {&wide, &deep, &narrow}) layer->parameters(visit);
  }
};

}  // namespace

int main() {
  nn::network<double> net(
      2,
      {nn::dense(24, nn::identity, nn::bias::without), nn::batch_norm(), nn::silu,
       nn::residual({nn::dense(24, nn::silu), nn::dense(24)}), nn::dropout(0.02), nn::dense(1)},
      nn::seed{1});
  const auto data = samples(512, nn::seed{2}), test = samples(128, nn::seed{3});

  ad::tape tape;
  nn::optimizer_state<double> optimizer(nn::adam{.rate = 0.01});
  std::vector<ad::tensor<double>> gradients;
  for (std::size_t step = 0; step < 400; ++step) {
    ad::generator random(7, step);
    nn::gradient_step(
        tape, net, [&] { return nn::mean_squared_error(net(data.inputs, random), data.targets); },
        gradients);
    optimizer.update(net, gradients);
  }
  fmt::print("{}\nerror on new points {:.4f}\n", nn::to_string(net),
             nn::mean_squared_error(net(test.inputs), test.targets).item());

  wide_and_deep own{ad::generator(4)};
  nn::optimizer_state<double> own_optimizer(nn::adam{.rate = 0.01});
  for (std::size_t step = 0; step < 1000; ++step) {
    nn::gradient_step(
        tape, own, [&] { return nn::mean_squared_error(own(data.inputs), data.targets); },
        gradients);
    own_optimizer.update(own, gradients);
  }
  fmt::print("a struct of layers: {:.4f}\n",
             nn::mean_squared_error(own(test.inputs), test.targets).item());
}
