#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/network/network.hpp>
#include <nn/training/gradient_flow.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;

tensor<double> drawn(std::size_t n, std::size_t k) {
  return tensor<double>(autodiff::shape{n, k},
                        std::span<const double>(reference::random(5).uniform(n * k, -1, 1)));
}

/// So many layers of 8 units, with weights times `factor`.
nn::network<double> deep(std::size_t layers, const nn::activation& h, double factor) {
  nn::network<double> net(8, std::vector<nn::dense>(layers, nn::dense(8, h)), nn::seed{1});
  for (auto& l : net.layers())
    for (double& w : l.dense().weights.mutable_values()) w *= factor;
  return net;
}

}  // namespace

TEST_CASE("a spread is mean, standard deviation and root mean square") {
  const std::vector<double> values{1, 2, 3, 6};
  const nn::spread s = nn::spread_of(values);
  CHECK(s.mean == 3);
  CHECK(s.deviation == Approx(std::sqrt(14.0 / 4)));
  CHECK(s.size == Approx(std::sqrt(50.0 / 4)));
  CHECK(nn::spread_of({}).size == 0);
}

TEST_CASE("the flow of a small network is that of the formulas by hand") {
  // z1 = tanh(2 x), y = 3 z1, E = (y - t)^2 / 2 summed over two samples.
  nn::network<double> net(1, {nn::dense(1, nn::tanh), nn::dense(1)}, nn::seed{1});
  net.layers()[0].dense().weights = tensor<double>({{2.0}});
  net.layers()[1].dense().weights = tensor<double>({{3.0}});
  const tensor<double> x({{0.5}, {-1.0}}), t({{1.0}, {0.0}});
  const nn::flow flow = nn::gradient_flow(net, x, t, nn::half_squared_error);
  const double z[] = {std::tanh(1.0), std::tanh(-2.0)};
  const double delta2[] = {3 * z[0] - 1, 3 * z[1]};
  const double delta1[] = {3 * delta2[0] * (1 - z[0] * z[0]), 3 * delta2[1] * (1 - z[1] * z[1])};
  REQUIRE(flow.layers.size() == 2);
  CHECK(flow.samples == 2);
  const nn::layer_flow &first = flow.layers[0], &second = flow.layers[1];
  CHECK(first.name == "1: 1 tanh");
  CHECK(first.outputs.mean == Approx((z[0] + z[1]) / 2).epsilon(1e-14));
  CHECK(first.outputs.deviation == Approx(std::abs(z[0] - z[1]) / 2).epsilon(1e-14));
  CHECK(first.deltas.mean == Approx((delta1[0] + delta1[1]) / 2).epsilon(1e-13));
  CHECK(second.deltas.mean == Approx((delta2[0] + delta2[1]) / 2).epsilon(1e-14));
  // dE/dw = sum delta x and dE/db = sum delta.
  const double dw = delta1[0] * 0.5 - delta1[1], db = delta1[0] + delta1[1];
  REQUIRE(first.gradients);
  CHECK(first.gradients->mean == Approx((dw + db) / 2).epsilon(1e-13));
  CHECK(first.gradients->deviation == Approx(std::abs(dw - db) / 2).epsilon(1e-13));
  CHECK(first.dead == 0);
  CHECK(flow.findings().empty());
}

TEST_CASE("units that no gradient reaches are counted as dead") {
  nn::network<double> net(3, {nn::dense(4, nn::relu), nn::dense(2)}, nn::seed{1});
  auto bias = net.layers()[0].dense().bias.mutable_values();
  bias[1] = bias[3] = -100;
  bias[0] = bias[2] = 100;
  const nn::flow flow = nn::gradient_flow(net, drawn(6, 3), drawn(6, 2), nn::mean_squared_error);
  CHECK(flow.layers[0].dead == 2);
  CHECK(flow.layers[0].units == 4);
  REQUIRE(flow.findings().size() == 1);
  CHECK(flow.findings()[0] ==
        "layer 1: 4 relu: 2 of 4 units are dead, none of the 6 samples has a delta there");
}

TEST_CASE("vanishing and exploding gradients are named by layer") {
  auto fading = deep(12, nn::sigmoid, 0.5);
  const auto vanishing =
      nn::gradient_flow(fading, drawn(4, 8), drawn(4, 8), nn::mean_squared_error).findings();
  REQUIRE(!vanishing.empty());
  CHECK(reference::says(vanishing.front(), "layer 1: 8 sigmoid: vanishing, its deltas are", "e-",
                        "of those of the last layer"));
  auto growing = deep(12, nn::identity, 5);
  const auto exploding =
      nn::gradient_flow(growing, drawn(4, 8), drawn(4, 8), nn::mean_squared_error).findings();
  REQUIRE(!exploding.empty());
  CHECK(reference::says(exploding.front(), "layer 1: 8 identity: exploding", "e+"));
  auto balanced = deep(12, nn::identity, 1);
  CHECK(nn::gradient_flow(balanced, drawn(4, 8), drawn(4, 8), nn::mean_squared_error)
            .findings()
            .empty());
}

TEST_CASE("layers without parameters have outputs and deltas, and the network stays as it is") {
  nn::network<double> net(
      3, {nn::batch_norm(), nn::dropout(0.5), nn::dense(4), nn::tanh, nn::dense(2)}, nn::seed{1});
  const auto before = net(drawn(5, 3));
  const nn::flow flow = nn::gradient_flow(net, drawn(5, 3), drawn(5, 2), nn::mean_squared_error);
  REQUIRE(flow.layers.size() == 5);
  CHECK(flow.layers[0].gradients);
  CHECK(!flow.layers[1].gradients);
  CHECK(flow.layers[1].deltas.size > 0);
  CHECK(!flow.layers[3].gradients);
  const auto after = net(drawn(5, 3));
  CHECK(std::equal(before.values().begin(), before.values().end(), after.values().begin()));
  bool passive = true;
  net.parameters([&](const tensor<double>& p) { passive &= !p.is_recorded(); });
  CHECK(passive);
  const std::string text = nn::to_string(flow);
  CHECK(reference::says(text, "layer", "outputs", "2: dropout 0.5", "4: tanh", "0 of 4"));
}

TEST_CASE("the layers of a residual block are layers of their own") {
  // x = 0.5, f(x) = tanh(2 x), y = x + f(x), E = (y - 1)^2 / 2.
  nn::network<double> net(1, {nn::residual({nn::dense(1, nn::tanh)}), nn::identity}, nn::seed{1});
  net.layers()[0].get_if<nn::residual_layer<double>>()->layers[0].dense().weights =
      tensor<double>({{2.0}});
  const nn::flow flow = nn::gradient_flow(net, tensor<double>({{0.5}}), tensor<double>({{1.0}}),
                                          nn::half_squared_error);
  REQUIRE(flow.layers.size() == 3);
  CHECK(flow.layers[0].name == "1.1: 1 tanh");
  CHECK(flow.layers[1].name == "1: residual (1 tanh)");
  CHECK(flow.layers[2].name == "2: identity");
  const double f = std::tanh(1.0), delta = 0.5 + f - 1;
  CHECK(flow.layers[0].outputs.mean == Approx(f).epsilon(1e-14));
  CHECK(flow.layers[1].outputs.mean == Approx(0.5 + f).epsilon(1e-14));
  CHECK(flow.layers[0].deltas.mean == Approx(delta * (1 - f * f)).epsilon(1e-14));
  CHECK(flow.layers[1].deltas.mean == Approx(delta).epsilon(1e-14));
  REQUIRE(flow.layers[0].gradients);
  CHECK(flow.layers[0].gradients->mean == Approx(delta * (1 - f * f) * 0.75).epsilon(1e-14));
  CHECK(!flow.layers[1].gradients);
}

TEST_CASE("deltas within a residual block are without the way around it") {
  nn::network<double> net(1, {nn::residual({nn::dropout(0.5), nn::dense(1)})}, nn::seed{1});
  net.layers()[0].get_if<nn::residual_layer<double>>()->layers[1].dense().weights =
      tensor<double>({{2.0}});
  // y = x + 2 x = 1.5, so that the delta of the block is 0.5.
  const nn::flow flow = nn::gradient_flow(net, tensor<double>({{0.5}}), tensor<double>({{1.0}}),
                                          nn::half_squared_error);
  REQUIRE(flow.layers.size() == 3);
  CHECK(flow.layers[0].name == "1.1: dropout 0.5");
  CHECK(flow.layers[0].deltas.mean == 1);
  CHECK(flow.layers[1].deltas.mean == 0.5);
  CHECK(flow.layers[2].deltas.mean == 0.5);
}

TEST_CASE("flow asks for at least one sample") {
  nn::network<double> net(3, {nn::dense(2)}, nn::seed{1});
  CHECK(reference::says(reference::message<autodiff::shape_error>([&] {
                          nn::gradient_flow(net, drawn(0, 3), drawn(0, 2), nn::mean_squared_error);
                        }),
                        "gradient_flow: inputs [0, 3]", "at least one sample"));
}
