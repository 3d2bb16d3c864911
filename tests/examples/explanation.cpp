// Where a gradient came from, term by term and path by path.

#include <autodiff/autodiff.hpp>

#include <fmt/format.h>

namespace ad = autodiff;

int main() {
  ad::tape tape;
  tape.watch(ad::watching::explained);  // remembers what was computed, not only its slopes
  ad::var x = tape.variable(1.5), y = tape.variable(-0.5);
  tape.name(x, "x");  // in place of x1
  tape.name(y, "y");
  ad::var z;
  {
    const ad::note here(tape, "wave");  // a name for what follows, in graphs
    z = sin(x) * y + exp(x * y);
  }
  ad::var loss = 50.0 * z - 49.0 * z + abs(y + 0.5);
  fmt::print("{}", ad::explain(tape, loss, {.paths = 3, .title = "loss"}, x, y));

  ad::graph g = ad::graph_of(tape, loss);  // the same as nodes and edges
  std::string json = to_json(g), dot = to_dot(g);
  fmt::print("{} nodes, {} edges\n", g.nodes.size(), g.edges.size());
}
