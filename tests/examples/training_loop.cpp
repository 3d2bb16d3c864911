// Training by hand: any struct whose parameters(visit) hands out its tensors is a model.

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <vector>

namespace ad = autodiff;

struct parabola {
  ad::tensor<double> coefficients{0.0, 0.0, 0.0};

  auto operator()(const ad::tensor<double>& x) const {
    return coefficients[0] + coefficients[1] * x + coefficients[2] * square(x);
  }
  template <class Visitor>
  void parameters(Visitor&& visit) {
    visit(coefficients);
  }
};

int main() {
  const ad::tensor<double> x({-2.0, -1.0, 0.0, 1.0, 2.0}),
      t({9.0, 4.0, 1.0, 0.0, 1.0});  // (x - 1)^2

  parabola model;
  ad::tape tape;
  nn::optimizer_state<double> optimizer(nn::adam{.rate = 0.05});
  std::vector<ad::tensor<double>> gradients;
  for (int step = 0; step < 2000; ++step) {
    nn::gradient_step(
        tape, model, [&] { return nn::mean_squared_error(model(x), t); }, gradients);
    optimizer.update(model, gradients);
  }
  fmt::print("{}\n", model.coefficients);
}
