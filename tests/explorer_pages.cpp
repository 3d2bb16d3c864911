// Writes the pages that tests/explorer_test.py opens, into the folder given.

#include <autodiff/explore.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <tests/sample_graphs.hpp>
#include <vector>

namespace {

/// Names that would run, if anything in the page took them for more than text.
autodiff::graph hostile() {
  const std::string name = "</script><img src=x onerror=\"window.ran = true\">&amp;{{graph}}";
  sample::builder made;
  made.note = name;
  made.multiply(made.input(2, name), made.input(-3, "y"));
  return made.finish(name);
}

autodiff::quantity tensor(std::vector<std::size_t> extents, double first) {
  autodiff::quantity made;
  std::size_t size = 1;
  for (const std::size_t extent : extents) size *= extent;
  for (std::size_t i = 0; i < size; ++i)
    made.numbers.push_back(first + 0.1 * static_cast<double>(i));
  made.extents = std::move(extents);
  return made;
}

/// Two layers on a batch of three, with a loss.
autodiff::graph network() {
  using kind = autodiff::graph_node::kind;
  autodiff::graph made{.title = "A network"};
  const auto add = [&](kind what, std::string name, autodiff::quantity value,
                       std::optional<std::string> layer, std::vector<std::size_t> operands) {
    const std::size_t id = made.nodes.size();
    autodiff::graph_node node{.what = what, .name = name, .label = name};
    node.value = node.adjoint = std::move(value);
    for (double& number : node.adjoint.numbers) number = 0.25 - number / 3;
    if (layer) node.note = "net/" + layer->substr(0, 7);
    node.layer = std::move(layer);
    made.nodes.push_back(std::move(node));
    for (std::size_t slot = 0; slot < operands.size(); ++slot) {
      made.edges.push_back(
          {operands[slot], id, slot, std::nullopt, made.nodes[operands[slot]].adjoint});
    }
    return id;
  };
  std::size_t z = add(kind::input, "x", tensor({3, 2}, 0.5), {}, {});
  for (const auto* layer : {"layer 1: 2 -> 4 tanh", "layer 2: 4 -> 2 identity"}) {
    const std::size_t units = layer[6] == '1' ? 4 : 2;
    const std::size_t w = add(kind::input, "weights", tensor({units, units}, -1), {}, {});
    z = add(kind::tensor_operation, "affine", tensor({3, units}, -0.7), layer, {z, w});
    if (units == 4) z = add(kind::tensor_operation, "tanh", tensor({3, units}, -0.6), layer, {z});
  }
  made.output = add(kind::tensor_operation, "softmax_cross_entropy", tensor({}, 1.5), {}, {z});
  made.nodes.back().adjoint = tensor({}, 1);
  for (std::size_t id = 0; id < made.nodes.size(); ++id) {
    made.nodes[id].step = made.nodes.size() - 1 - id;
  }
  return made;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = arguments[1];
  autodiff::explore(sample::random_graph(2000, 0, "Two thousand nodes"), folder / "large.html");
  autodiff::explore(sample::random_graph(4000, 12, "Groups"), folder / "groups.html");
  autodiff::explore(hostile(), folder / "hostile.html");
  autodiff::explore(network(), folder / "network.html");
}
