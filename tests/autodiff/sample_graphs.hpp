#pragma once
// Graphs written down by hand, for tests of what draws them.

#include <autodiff/graph.hpp>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace sample {

using autodiff::graph;
using autodiff::graph_node;

/// Grows node by node with values and partials; finish() sweeps it.
class builder {
 public:
  std::string note;  ///< of the nodes to come

  std::size_t input(double value, std::string label) {
    graph_node node{.what = graph_node::kind::input, .name = "input", .label = std::move(label)};
    return add(std::move(node), value);
  }
  std::size_t add(std::size_t a, std::size_t b) {
    return function("add", "+", value(a) + value(b), {{a, 1.0}, {b, 1.0}});
  }
  std::size_t multiply(std::size_t a, std::size_t b) {
    return function("multiply", "*", value(a) * value(b), {{a, value(b)}, {b, value(a)}});
  }
  std::size_t halve(std::size_t a) {
    return function("scale", "0.5 x", 0.5 * value(a), {{a, 0.5}});
  }

  double value(std::size_t node) const { return graph_.nodes[node].value.numbers[0]; }

  graph finish(std::string title) {
    graph_.title = std::move(title);
    graph_.output = graph_.nodes.size() - 1;
    std::vector<double> adjoints(graph_.nodes.size());
    adjoints.back() = 1;
    for (std::size_t i = graph_.edges.size(); i-- > 0;) {
      autodiff::graph_edge& edge = graph_.edges[i];
      edge.term = *edge.partial * adjoints[edge.to];
      adjoints[edge.from] += *edge.partial * adjoints[edge.to];
    }
    for (std::size_t id = 0; id < adjoints.size(); ++id) {
      graph_.nodes[id].step = adjoints.size() - 1 - id;
      graph_.nodes[id].adjoint = adjoints[id];
    }
    return graph_;
  }

 private:
  struct operand {
    std::size_t node;
    double partial;
  };

  std::size_t add(graph_node node, double value) {
    node.note = note;
    node.value = value;
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.size() - 1;
  }
  std::size_t function(std::string name, std::string label, double value,
                       const std::vector<operand>& operands) {
    const std::size_t id = add(
        {.what = graph_node::kind::function, .name = std::move(name), .label = std::move(label)},
        value);
    for (std::size_t slot = 0; slot < operands.size(); ++slot) {
      graph_.edges.push_back({operands[slot].node, id, slot, operands[slot].partial, {}});
    }
    return id;
  }

  graph graph_{};
};

/// Twenty inputs and functions of what came shortly before, in as many notes as asked for; the last
/// node depends on all.
inline graph random_graph(std::size_t nodes, std::size_t notes, std::string title) {
  builder made;
  std::uint32_t state = 1;
  const auto below = [&state](std::size_t n) {
    state = state * 1664525U + 1013904223U;
    return static_cast<std::size_t>(state >> 8U) % n;
  };
  std::deque<std::size_t> unused;
  for (std::size_t id = 0; id < nodes; ++id) {
    if (notes > 0) made.note = "net/layer " + std::to_string(id * notes / nodes + 1);
    if (id < 20) {
      unused.push_back(id);
      made.input(0.05 * static_cast<double>(id + 1), "x" + std::to_string(id + 1));
      continue;
    }
    const std::size_t a = unused.front();
    unused.pop_front();
    if (nodes - id < 20) {  // nothing is left over
      made.add(a, unused.front());
      unused.pop_front();
    } else if (below(2) == 0) {
      made.multiply(a, id - 1 - below(std::min<std::size_t>(id, 60)));
    } else if (below(2) == 0 && made.value(a) < 1) {
      made.add(a, below(20));
    } else {
      made.halve(a);
    }
    unused.push_back(id);
  }
  return made.finish(std::move(title));
}

}  // namespace sample
