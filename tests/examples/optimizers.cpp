// What stands between the sweep and the weights: a schedule of the rate, clipped gradients, groups
// of parameters, averages of the weights; and L-BFGS, which needs none of them.

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace ad = autodiff;

int main() {
  constexpr std::size_t samples = 64, steps = 2000;
  ad::tensor<double> x(ad::shape{samples, 1}), t(ad::shape{samples, 1});
  for (std::size_t i = 0; i < samples; ++i) {
    const double at = 2 * (static_cast<double>(i) + 0.5) / samples - 1;
    x.mutable_values()[i] = at;
    t.mutable_values()[i] = std::sin(5 * at);
  }
  const auto start = [] {
    return nn::network<double>(1, {nn::dense(16, nn::tanh), nn::dense(1)}, nn::seed{1});
  };

  auto net = start();
  const auto is_bias = [](const nn::parameter_place& p) { return p.shape.rank() == 1; };
  nn::optimizer_state<double> optimizer(nn::adamw{.rate = 0.02},
                                        {{.holds = is_bias, .weight_decay = 0.0}});
  const nn::schedule schedule = nn::warm_up{.length = 50, .then = nn::cosine_annealing{}};
  nn::moving_average<double> averages(net, {.decay = 0.99});

  ad::tape tape;
  std::vector<ad::tensor<double>> gradients;
  for (std::size_t step = 0; step < steps; ++step) {
    optimizer.rate(nn::rate_at(schedule, 0.02, {.step = step, .steps_per_epoch = steps}));
    nn::gradient_step(
        tape, net, [&] { return nn::mean_squared_error(net(x), t); }, gradients);
    nn::clip_norm(gradients, 1.0);
    optimizer.update(net, gradients);
    averages.update(net);
  }
  {
    const nn::averaged in_place(net, averages);  // until the end of this block
    fmt::print("adamw:  {:.1e} after {} steps\n", nn::mean_squared_error(net(x), t).item(), steps);
  }

  auto other = start();
  const nn::lbfgs_result result =
      nn::minimise(other, [&] { return nn::mean_squared_error(other(x), t); });
  fmt::print("L-BFGS: {:.1e} after {} evaluations: {}\n", result.value, result.evaluations,
             to_string(result.reason));
  return result.value < 1e-3 ? 0 : 1;
}
