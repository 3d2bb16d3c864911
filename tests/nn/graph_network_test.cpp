#include <autodiff/graph.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/loss/loss.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/dense.hpp>
#include <nn/network/init.hpp>
#include <nn/network/network.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <string>
#include <vector>

using autodiff::graph;
using autodiff::graph_node;
using autodiff::tape;
using autodiff::tensor;
using autodiff::watching;

TEST_CASE("the graph of a network has a, z and delta of every layer, and its parameters in it") {
  nn::network<double> net(2, {nn::dense(3, nn::tanh), nn::dense(2, nn::sigmoid)}, nn::seed{1});
  const tensor<double> x{{0.5, -1}, {2, 0.25}}, target{{0, 1}, {1, 0}};
  const auto gradients = [&](watching mode, graph* g) {
    tape t;
    t.watch(mode);
    net.parameters([&](tensor<double>& p) { p = t.variable(p.detached()); });
    const tensor<double> error = nn::half_squared_error(net(x), target);
    t.backward(error);
    if (g) *g = graph_of(t, error);
    std::vector<double> all;
    net.parameters([&](tensor<double>& p) {
      const tensor<double> dp = t.adjoint(p);
      all.insert(all.end(), dp.values().begin(), dp.values().end());
      p.detach();
    });
    return all;
  };
  graph g;
  const std::vector<double> explained = gradients(watching::explained, &g);
  // As one operation a layer takes the slope of tanh from its value.
  CHECK(reference::all_close(explained, gradients(watching::off, nullptr), 1e-14));
  std::vector<std::string> layers;
  for (const graph_node& n : g.nodes) {
    if (n.layer) layers.push_back(*n.layer + ": " + n.name);
  }
  CHECK(layers == std::vector<std::string>{"layer 1: layer 1 weights", "layer 1: layer 1 bias",
                                           "layer 2: layer 2 weights", "layer 2: layer 2 bias",
                                           "layer 1: constant", "layer 1: affine", "layer 1: tanh",
                                           "layer 2: affine", "layer 2: sigmoid"});
}

TEST_CASE("a network with parameters that nobody differentiates names the others") {
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{1});
  tape t;
  t.watch(watching::explained);
  const tensor<double> x = t.variable(tensor<double>{{1, 2}});
  const graph g = graph_of(t, net(x));
  CHECK(g.nodes.front().label == "x1");
}
