#include <tests/catch.hpp>
#include <tests/tensors.hpp>

#include <autodiff/error.hpp>
#include <autodiff/random.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/layer.hpp>
#include <nn/network/network.hpp>
#include <nn/network/step.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace {

using autodiff::generator;
using autodiff::shape;
using tensor = autodiff::tensor<double>;
using tensors::drawn;

bool close(double a, double b, double tolerance = 1e-13) {
  return std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b));
}

/// Mean and sums of squared distances from it, per column.
std::pair<std::vector<double>, std::vector<double>> moments(const tensor& x) {
  const std::size_t n = x.shape()[0], k = x.shape()[1];
  std::vector<double> mean(k), squares(k);
  for (std::size_t j = 0; j < k; ++j) {
    for (std::size_t i = 0; i < n; ++i) mean[j] += x.value(i, j) / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) squares[j] += std::pow(x.value(i, j) - mean[j], 2);
  }
  return {mean, squares};
}

}  // namespace

TEST_CASE("batch_norm trains on the moments of the batch and follows them with its averages") {
  nn::network<double> net(3, {nn::batch_norm{.momentum = 0.25, .epsilon = 1e-3}}, nn::seed{1});
  auto& layer = *net.layers()[0].get_if<nn::batch_norm_layer<double>>();
  layer.gain = tensor({2.0, -1.0, 0.5});
  layer.bias = tensor({0.25, 0.0, -3.0});
  std::vector<double> average(3, 0.0), variance(3, 1.0);
  generator random(5);
  for (std::size_t step = 0; step < 3; ++step) {
    const tensor x = drawn<double>({5, 3}, 10 + step);
    const auto [mean, squares] = moments(x);
    const tensor y = net(x, random);
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t i = 0; i < 5; ++i) {
        const double z = (x.value(i, j) - mean[j]) / std::sqrt(squares[j] / 5 + 1e-3);
        CHECK(close(y.value(i, j), layer.gain.value(j) * z + layer.bias.value(j)));
      }
      average[j] = 0.75 * average[j] + 0.25 * mean[j];
      variance[j] = 0.75 * variance[j] + 0.25 * squares[j] / 4;  // unbiased: n - 1
      CHECK(close(layer.running_mean.value(j), average[j]));
      CHECK(close(layer.running_variance.value(j), variance[j]));
    }
  }
  // Inference takes the averages, one sample or many, and moves nothing.
  const tensor x = drawn<double>({4, 3}, 99);
  const tensor y = std::as_const(net)(x),
               first = net(autodiff::tensor<double>(shape{3}, x.values().first(3)));
  for (std::size_t j = 0; j < 3; ++j) {
    for (std::size_t i = 0; i < 4; ++i) {
      const double z = (x.value(i, j) - average[j]) / std::sqrt(variance[j] + 1e-3);
      CHECK(close(y.value(i, j), layer.gain.value(j) * z + layer.bias.value(j)));
    }
    CHECK(first.value(j) == y.value(std::size_t{0}, j));
    CHECK(close(layer.running_mean.value(j), average[j]));
  }
}

TEST_CASE("layer_norm brings every sample to mean 0 and variance 1, in training and inference") {
  nn::network<double> net(4, {nn::layer_norm{.epsilon = 1e-4}}, nn::seed{1});
  auto& layer = *net.layers()[0].get_if<nn::layer_norm_layer<double>>();
  layer.gain = tensor({1.0, 2.0, 3.0, -4.0});
  layer.bias = tensor({0.0, 0.5, 0.0, 1.0});
  const tensor x = drawn<double>({3, 4}, 4), y = net(x);
  for (std::size_t i = 0; i < 3; ++i) {
    double mean = 0, variance = 0;
    for (std::size_t j = 0; j < 4; ++j) mean += x.value(i, j) / 4;
    for (std::size_t j = 0; j < 4; ++j) variance += std::pow(x.value(i, j) - mean, 2) / 4;
    for (std::size_t j = 0; j < 4; ++j) {
      const double z = (x.value(i, j) - mean) / std::sqrt(variance + 1e-4);
      CHECK(close(y.value(i, j), layer.gain.value(j) * z + layer.bias.value(j)));
    }
  }
  generator random(1);
  const tensor trained = net(x, random);
  CHECK(std::equal(y.values().begin(), y.values().end(), trained.values().begin()));
}

TEST_CASE("dropout is at work in training only, and by the generator that is passed") {
  nn::network<double> net(1000, {nn::dropout(0.25)}, nn::seed{1});
  const tensor x(shape{8, 1000}, 3.0);
  const tensor inferred = std::as_const(net)(x);
  for (double v : inferred.values()) CHECK(v == 3.0);
  generator one(7), same(7), other(8);
  const tensor y = net(x, one), again = net(x, same), another = net(x, other);
  std::size_t dropped = 0;
  for (double v : y.values()) {
    CHECK((v == 0.0 || v == 4.0));
    dropped += v == 0;
  }
  // Of 8,000 a quarter is 2,000, with a standard deviation of 39.
  CHECK(std::abs(static_cast<double>(dropped) - 2000) < 5 * 39);
  CHECK(std::equal(y.values().begin(), y.values().end(), again.values().begin()));
  CHECK_FALSE(std::equal(y.values().begin(), y.values().end(), another.values().begin()));
}

TEST_CASE("a residual block adds its input to what its layers make of it") {
  nn::network<double> net(3, {nn::residual({nn::dense(5, nn::tanh), nn::dense(3)})}, nn::seed{3});
  const auto& block = *net.layers()[0].get_if<nn::residual_layer<double>>();
  const tensor x = drawn<double>({4, 3}, 2);
  const tensor inside = block.layers[1](block.layers[0](x)), y = net(x);
  for (std::size_t i = 0; i < 12; ++i) CHECK(y.values()[i] == x.values()[i] + inside.values()[i]);
}

TEST_CASE("a block may stand in a block, alone or beside others") {
  const nn::residual inner({nn::dense(2)});
  CHECK(to_string(nn::residual({inner})) == "residual (residual (2 identity))");
  CHECK(to_string(nn::residual({inner, inner})) ==
        "residual (residual (2 identity) -> residual (2 identity))");
  CHECK(to_string(nn::residual({inner, nn::dense(2)})) ==
        "residual (residual (2 identity) -> 2 identity)");
  CHECK(to_string(nn::residual({})) == "residual ()");
  CHECK(to_string(nn::residual(inner)) == "residual (2 identity)");

  const nn::network<double> net(2, {nn::residual({nn::residual({nn::dense(2)})})}, nn::seed{1});
  const nn::network<double> linear(2, {nn::dense(2)}, nn::seed{1});
  const tensor x({{1.0, -2.0}});
  const tensor found = net(x), expected = x + (x + linear(x));
  for (std::size_t i = 0; i < 2; ++i) CHECK(found.value(0, i) == expected.value(0, i));
}

TEST_CASE("flatten makes rows of images, a batch of them or one") {
  nn::network<double> net({2, 3}, {nn::flatten(), nn::dense(2)}, nn::seed{3});
  const tensor images = drawn<double>({4, 2, 3}, 2);
  const tensor y = net(images);
  const auto& d = net.layers()[1].dense();
  REQUIRE(y.shape() == shape{4, 2});
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t k = 0; k < 2; ++k) {
      double a = 0;
      for (std::size_t j = 0; j < 6; ++j) a += images.values()[6 * i + j] * d.weights.value(j, k);
      CHECK(close(y.value(i, k), a));
    }
  }
  CHECK(net(tensor(shape{2, 3}, images.values().first(6))).shape() == shape{2});
  CHECK(net.inputs() == 6);
  CHECK_THROWS_WITH(net(drawn<double>({4, 3, 2}, 1)),
                    Catch::Contains("flatten: [4, 3, 2] for samples [2, 3]"));
}

TEST_CASE("the gradients of a network of all layers are those of differences") {
  nn::network<double> net(
      {2, 3},
      {nn::flatten(), nn::dense(5, nn::identity, nn::bias::without), nn::batch_norm(), nn::tanh,
       nn::dropout(0.3),
       nn::residual({nn::layer_norm(), nn::dense(4, nn::softplus), nn::batch_norm(), nn::dense(5)}),
       nn::dense(2)},
      nn::seed{11});
  const tensor x = drawn<double>({6, 2, 3}, 5), t = drawn<double>({6, 2}, 6);
  const auto e = [&] {
    generator random(77);
    return nn::mean_squared_error(net(x, random), t);
  };
  autodiff::tape tape;
  std::vector<tensor> gradients;
  nn::gradient_step(tape, net, e, gradients);
  std::size_t i = 0;
  net.parameters([&](tensor& p) {
    for (std::size_t at = 0; at < p.size(); ++at) {
      // Richardson: (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h, error h^4.
      const double w = p.values()[at], h = 1e-3;
      const auto f = [&](double step) {
        p.mutable_values()[at] = w + step;
        return e().item();
      };
      const double slope = (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
      p.mutable_values()[at] = w;
      INFO("parameter " << i << ", entry " << at);
      CHECK(std::abs(gradients[i].values()[at] - slope) < 1e-8);
    }
    ++i;
  });
  CHECK(i == gradients.size());
}

TEST_CASE("state names every tensor that belongs into a file, parameters those that train") {
  nn::network<double> net(3,
                          {nn::dense(4, nn::relu), nn::batch_norm(), nn::dropout(0.1),
                           nn::residual({nn::layer_norm(), nn::dense(4)})},
                          nn::seed{1});
  std::vector<std::string> names;
  std::size_t parameters = 0;
  net.state([&](const std::string& name, const tensor&) { names.push_back(name); });
  net.parameters([&](const tensor&) { ++parameters; });
  CHECK(names == std::vector<std::string>{"layers.0.weights", "layers.0.bias", "layers.1.gain",
                                          "layers.1.bias", "layers.1.running_mean",
                                          "layers.1.running_variance", "layers.3.layers.0.gain",
                                          "layers.3.layers.0.bias", "layers.3.layers.1.weights",
                                          "layers.3.layers.1.bias"});
  CHECK(parameters == 8);
  CHECK(to_string(net) ==
        "3 -> 4 relu -> batch_norm -> dropout 0.1 -> residual (layer_norm -> 4 identity), "
        "52 parameters");
}

TEST_CASE("a network made from its own architecture has the same layers") {
  const nn::network<float> net(
      {4, 4},
      {nn::flatten(), nn::dense(8, nn::gelu, nn::bias::without),
       nn::residual({nn::batch_norm{.momentum = 0.5}, nn::silu}), nn::dropout(0.5), nn::dense(2)},
      nn::seed{1});
  const nn::network<float> again(net.input_shape(), net.architecture(), nn::seed{2});
  CHECK(to_string(again) == to_string(net));
  const auto& block = *again.layers()[2].get_if<nn::residual_layer<float>>();
  CHECK(block.layers[0].get_if<nn::batch_norm_layer<float>>()->description().momentum == 0.5);
}

TEST_CASE("layers that do not fit are refused with what to do") {
  const auto made = [](const shape& inputs, const std::vector<nn::layer>& layers) {
    return nn::network<float>(inputs, layers, nn::seed{1});
  };
  CHECK_THROWS_WITH(made({3}, {nn::residual({nn::dense(4)})}),
                    "residual: samples [3] become [4] in (4 identity); end the block with as many "
                    "units as came in: the input is added to its output");
  CHECK_THROWS_WITH(made({3, 3}, {nn::batch_norm()}),
                    "batch_norm: samples [3, 3]; put a flatten before it: samples are [features]");
  CHECK_THROWS_WITH(made({3}, {nn::batch_norm{.momentum = 0}}),
                    "batch_norm: the momentum is 0; it must be in (0, 1]");
  CHECK_THROWS_WITH(made({3}, {nn::batch_norm{.epsilon = 0}}),
                    "batch_norm: epsilon is 0; it must be positive");
  CHECK_THROWS_WITH(made({3}, {nn::layer_norm{.epsilon = -1}}),
                    "layer_norm: epsilon is -1; it must be positive");
  CHECK_THROWS_WITH(made({3}, {nn::dropout(1)}),
                    "dropout: the probability is 1; it must be in [0, 1)");
  auto net = made({3}, {nn::dropout(0.5), nn::batch_norm()});
  CHECK_THROWS_WITH(net.layers()[0].dense(),
                    "layer: it is dropout 0.5, not dense; ask for dense() of dense layers, or use "
                    "get_if");
  generator random(1);
  CHECK_THROWS_WITH(
      net(autodiff::tensor<float>(shape{1, 3}, 1.0f), random),
      "batch_norm: training on [1, 3]; pass at least two samples, [n, features]: one "
      "alone has no variance; where it is the last batch of an epoch, leave it out by "
      "drop_last");
}
