// ctest: --quick
// A network built, trained and asked: two interleaved spirals.

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <string_view>

namespace {

/// Points on two spirals that wind around each other, one per class.
nn::dataset<float> spirals(std::size_t n, nn::seed seed) {
  autodiff::generator random(seed.value);
  autodiff::tensor<float> points(autodiff::shape{n, 2});
  std::vector<std::size_t> labels(n);
  for (std::size_t i = 0; i < n; ++i) {
    labels[i] = i % 2;
    const double turn = random.uniform(0.25, 1.75);
    const double angle = 2 * std::numbers::pi * (turn + 0.5 * static_cast<double>(labels[i]));
    points.mutable_values()[2 * i] =
        static_cast<float>(turn * std::cos(angle) + random.uniform(-0.05, 0.05));
    points.mutable_values()[2 * i + 1] =
        static_cast<float>(turn * std::sin(angle) + random.uniform(-0.05, 0.05));
  }
  return {points, autodiff::one_hot<float>(labels, 2)};
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const auto data = spirals(2000, nn::seed{1}), test = spirals(500, nn::seed{2});

  nn::network<float> net(2, {nn::dense(32, nn::tanh), nn::dense(32, nn::tanh), nn::dense(2)},
                         nn::seed{42});
  auto history = nn::train(net, data,
                           {.loss = nn::softmax_cross_entropy,
                            .optimizer = nn::adam{.rate = 1e-2},
                            .epochs = quick ? std::size_t{30} : std::size_t{100},
                            .batch = 50});
  fmt::print("{}\nloss {:.4f}, accuracy on new points {:.1f} %\n", nn::to_string(net),
             history.back().loss, 100 * nn::accuracy(net(test.inputs), test.targets));
}
