// What ./run explore shows: pages on which the sweep over a tape can be stepped through.
//
//   explorations NAME   writes NAME.html into the current folder
//   explorations        lists the names

#include <autodiff/autodiff.hpp>
#include <tests/examples/primer_network.hpp>

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace {

namespace ad = autodiff;

using page_writer = std::function<void(const std::string&)>;

/// Every kind of edge in a few nodes: shared operands, a constant, a kink that is hit.
void scalars(const std::string& page) {
  ad::tape tape;
  tape.watch(ad::watching::explained);  // remember names and numbers, not only derivatives
  ad::var x = tape.variable(1.5), y = tape.variable(-0.3);
  ad::var z = sin(x) * y + exp(x * y) + abs(x + 5.0 * y);
  ad::explore(tape, z, page, "z = sin(x) * y + exp(x * y) + abs(x + 5 y)");
}

/// Gives the nodes of a graph the names that variables have in a program.
class labels {
 public:
  explicit labels(const ad::tape& tape) : tape_(tape) {}

  /// Kept for later, and returned: `ad::var a = named(x * y, "a", "layer 1");`
  ad::var operator()(ad::var v, std::string label, std::string note) {
    names_[tape_.place(v.tag(), "labels")] = {std::move(label), std::move(note)};
    return v;
  }

  /// What happens within a statement belongs to its result.
  void attach(ad::graph& g) const {
    std::string note;
    for (std::size_t i = g.nodes.size(); i-- > 0;) {
      ad::graph_node& node = g.nodes[i];
      if (const auto known = names_.find(node.place); known != names_.end()) {
        node.label = known->second.first;
        note = known->second.second;
      }
      node.note = note;
    }
  }

 private:
  const ad::tape& tape_;
  std::map<std::uint64_t, std::pair<std::string, std::string>> names_;
};

template <std::size_t Out, std::size_t In>
auto variables(ad::tape& tape, labels& named, const std::array<std::array<double, In>, Out>& w,
               int layer) {
  std::array<std::array<ad::var, In>, Out> weights;
  for (std::size_t k = 0; k < Out; ++k) {
    for (std::size_t m = 0; m < In; ++m) {
      weights[k][m] = named(tape.variable(w[k][m]), fmt::format("w{}{}({})", k + 1, m + 1, layer),
                            fmt::format("layer {}", layer));
    }
  }
  return weights;
}

/// The 2-3-2 network of the primer, weight by weight.
void primer_network(const std::string& page) {
  ad::tape tape;
  tape.watch(ad::watching::explained);
  labels named(tape);
  const auto w1 = variables(tape, named, primer::w1, 1);
  const auto w2 = variables(tape, named, primer::w2, 2);
  std::array<ad::var, 3> z;
  for (std::size_t m = 0; m < 3; ++m) {
    const ad::var a = named(w1[m][0] * primer::x[0] + w1[m][1] * primer::x[1],
                            fmt::format("a{}(1)", m + 1), "layer 1");
    z[m] = named(tanh(a), fmt::format("z{}(1)", m + 1), "layer 1");
  }
  std::array<ad::var, 2> y;
  for (std::size_t k = 0; k < 2; ++k) {
    y[k] = named(w2[k][0] * z[0] + w2[k][1] * z[1] + w2[k][2] * z[2], fmt::format("a{}(2)", k + 1),
                 "layer 2");
  }
  const ad::var e =
      named(0.5 * (square(y[0] - primer::t[0]) + square(y[1] - primer::t[1])), "E", "loss");
  ad::graph graph = ad::graph_of(tape, e, "The primer: E of a 2-3-2 network");
  named.attach(graph);
  ad::explore(graph, page);
}

/// A chain too long for one picture: shown in groups, by the steps of the sweep.
void pendulum(const std::string& page) {
  ad::tape tape;
  tape.watch(ad::watching::explained);
  ad::var length = tape.variable(1.2), angle = tape.variable(0.5), speed = 0.0;
  for (int step = 0; step < 500; ++step) {
    speed -= 0.01 * 9.81 / length * sin(angle);
    angle += 0.01 * speed;
  }
  ad::explore(tape, angle, page, "The angle of a pendulum after five seconds");
}

const std::map<std::string, page_writer> explorations{
    {"scalars", scalars}, {"primer", primer_network}, {"pendulum", pendulum}};

}  // namespace

int main(int count, char** arguments) {
  const std::string name = count > 1 ? arguments[1] : "";
  const auto chosen = explorations.find(name);
  if (chosen == explorations.end()) {
    if (!name.empty()) fmt::print(stderr, "error: nothing to explore is called '{}'\n", name);
    fmt::print(stderr, "to explore:");
    for (const auto& [each, write] : explorations) fmt::print(stderr, " {}", each);
    fmt::print(stderr, "\n");
    return name.empty() ? 0 : 2;
  }
  try {
    chosen->second(name + ".html");
  } catch (const ad::error& refused) {
    fmt::print(stderr, "error: {}\n", refused.what());
    return 1;
  }
  fmt::print("{}\n", std::filesystem::absolute(name + ".html").string());
}
