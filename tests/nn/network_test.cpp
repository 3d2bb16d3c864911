#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <autodiff/error.hpp>
#include <nn/network/network.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using reference::real;
using tensors::drawn;

/// Biases that are not 0.
template <class T>
void draw_biases(nn::network<T>& net) {
  for (nn::any_layer<T>& l : net.layers()) {
    nn::dense_layer<T>& layer = l.dense();
    if (layer.has_bias()) layer.bias = drawn<T>(layer.bias.shape(), 17);
  }
}

template <class T>
bool same(const autodiff::tensor<T>& a, const autodiff::tensor<T>& b) {
  return a.shape() == b.shape() &&
         std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

template <class T>
std::vector<autodiff::tensor<T>> parameters(nn::network<T>& net) {
  std::vector<autodiff::tensor<T>> all;
  net.parameters([&](const autodiff::tensor<T>& p) { all.push_back(p); });
  return all;
}

}  // namespace

TEMPLATE_TEST_CASE("a network computes what plain loops over its layers compute", "", float,
                   double) {
  using T = TestType;
  nn::network<T> net(3,
                     {nn::dense(5, nn::tanh), nn::dense(4, nn::relu, nn::bias::without),
                      nn::dense(4, nn::sigmoid), nn::dense(2)},
                     nn::seed{6});
  draw_biases(net);
  const auto h = [](std::size_t layer, real a) {
    if (layer == 0) return std::tanh(a);
    if (layer == 1) return a > 0 ? a : 0;
    return layer == 2 ? 1 / (1 + std::exp(-a)) : a;
  };
  const auto x = drawn<T>({6, 3}, 1);
  const auto y = net(x);
  REQUIRE(y.shape() == autodiff::shape{6, 2});
  const double tolerance = 16 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (std::size_t i = 0; i < 6; ++i) {
    const auto row = x.values().subspan(3 * i, 3);
    std::vector<real> z(row.begin(), row.end());
    for (std::size_t l = 0; l < 4; ++l) {
      const nn::dense_layer<T>& layer = std::as_const(net).layers()[l].dense();
      std::vector<real> next(layer.outputs());
      for (std::size_t k = 0; k < next.size(); ++k) {
        real a = layer.has_bias() ? layer.bias.value(k) : 0;
        for (std::size_t m = 0; m < z.size(); ++m) a += z[m] * layer.weights.value(m, k);
        next[k] = h(l, a);
      }
      z = next;
    }
    const auto single = net(autodiff::tensor<T>(autodiff::shape{3}, row));
    REQUIRE(single.shape() == autodiff::shape{2});
    for (std::size_t k = 0; k < 2; ++k) {
      CHECK(reference::close(y.value(i, k), z[k], tolerance));
      CHECK(reference::close(single.value(k), z[k], tolerance));
    }
  }
}

TEST_CASE("a network knows its extents and prints its layers and parameters") {
  const nn::network<float> net(784, {nn::dense(128, nn::relu), nn::dense(10)}, nn::seed{1});
  CHECK(net.inputs() == 784);
  CHECK(net.outputs() == 10);
  CHECK(net.layers().size() == 2);
  CHECK(nn::to_string(net) == "784 -> 128 relu -> 10 identity, 101770 parameters");
  std::ostringstream out;
  out << nn::network<double>(2, {nn::dense(3, nn::tanh, nn::bias::without)}, nn::seed{1});
  CHECK(out.str() == "2 -> 3 tanh without bias, 6 parameters");
}

TEST_CASE("a network of layers kept in a vector is the one of the same list") {
  const std::vector<nn::dense> layers{nn::dense(4, nn::tanh), nn::dense(2)};
  nn::network<double> from_span(3, layers, nn::seed{2});
  nn::network<double> from_list(3, {nn::dense(4, nn::tanh), nn::dense(2)}, nn::seed{2});
  const auto a = parameters(from_span), b = parameters(from_list);
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(same(a[i], b[i]));
}

TEST_CASE("parameters are visited layer by layer, weights before the bias, if there is one") {
  nn::network<double> net(
      3, {nn::dense(5), nn::dense(4, nn::tanh, nn::bias::without), nn::dense(2)}, nn::seed{1});
  std::vector<std::string> shapes;
  net.parameters(
      [&](const autodiff::tensor<double>& p) { shapes.push_back(autodiff::to_string(p.shape())); });
  CHECK(shapes == std::vector<std::string>{"[3, 5]", "[5]", "[5, 4]", "[4, 2]", "[2]"});
  net.parameters([](autodiff::tensor<double>& p) {
    for (double& w : p.mutable_values()) w = 7;
  });
  CHECK(net.layers()[2].dense().bias.value(1) == 7);
}

TEST_CASE("the seed decides the weights of a network, and every layer has its own") {
  const auto weights = [](std::uint64_t seed) {
    nn::network<double> net(4, {nn::dense(4), nn::dense(4)}, nn::seed{seed});
    return std::pair(net.layers()[0].dense().weights, net.layers()[1].dense().weights);
  };
  CHECK(same(weights(1).first, weights(1).first));
  CHECK(!same(weights(1).first, weights(2).first));
  CHECK(!same(weights(1).first, weights(1).second));
}

TEST_CASE("copies of a network are independent") {
  nn::network<double> original(2, {nn::dense(3, nn::tanh), nn::dense(1)}, nn::seed{3});
  const auto x = drawn<double>({2, 2}, 1);
  const auto y = original(x);
  nn::network<double> copy = original;
  CHECK(same(copy(x), y));
  copy.layers()[0].dense().weights.mutable_values()[0] += 1;
  CHECK(!same(copy(x), y));
  CHECK(same(original(x), y));
  original.layers()[1].dense().bias.mutable_values()[0] = 5;
  CHECK(!same(original(x), y));
  const auto of_copy = copy(x);
  original = copy;
  copy.layers()[0].dense().bias.mutable_values()[1] = 3;
  CHECK(same(original(x), of_copy));
}

TEST_CASE("inference with constant parameters leaves nothing on the active tape") {
  const nn::network<float> net(3, {nn::dense(5, nn::relu), nn::dense(2, nn::softmax)}, nn::seed{6});
  autodiff::tape tape;
  const auto y = net(drawn<float>({4, 3}, 1));
  CHECK(!y.is_recorded());
  CHECK(tape.statistics().operations == 0);
  CHECK(tape.statistics().statements == 0);
}

TEST_CASE("the gradient of a network by its input is on the tape like any other") {
  const nn::network<double> net(2, {nn::dense(3, nn::tanh), nn::dense(1)}, nn::seed{6});
  const auto x_values = drawn<double>({2}, 4);
  autodiff::tape tape;
  const autodiff::tensor<double> x = tape.variable(x_values);
  tape.backward(net(x));
  for (std::size_t m = 0; m < 2; ++m) {
    const auto along = [&](real at) {
      real y = net.layers()[1].dense().bias.value(0);
      for (std::size_t k = 0; k < 3; ++k) {
        real a = net.layers()[0].dense().bias.value(k);
        for (std::size_t i = 0; i < 2; ++i) {
          a += (i == m ? at : x_values.value(i)) * net.layers()[0].dense().weights.value(i, k);
        }
        y += net.layers()[1].dense().weights.value(k, std::size_t{0}) * std::tanh(a);
      }
      return y;
    };
    CHECK(reference::close(tape.adjoint(x).value(m),
                           reference::derivative(along, x_values.value(m)), 1e-14));
  }
}

TEST_CASE("a network without layers, inputs or units is refused") {
  CHECK_THROWS_AS(nn::network<float>(3, std::span<const nn::layer>(), nn::seed{1}),
                  autodiff::shape_error);
  CHECK_THROWS_AS(nn::network<float>(0, {nn::dense(2)}, nn::seed{1}), autodiff::shape_error);
  CHECK_THROWS_AS(nn::network<float>(3, {nn::dense(2), nn::dense(0)}, nn::seed{1}),
                  autodiff::shape_error);
}

TEST_CASE("inputs that do not fit a network are refused with both shapes") {
  const nn::network<double> net(3, {nn::dense(5, nn::tanh), nn::dense(2)}, nn::seed{6});
  const std::string text = reference::message<autodiff::shape_error>([&] {
    net(autodiff::tensor<double>(autodiff::shape{7, 4}));
  });
  CAPTURE(text);
  CHECK(reference::says(text, "[7, 4]", "[3, 5]"));
}
