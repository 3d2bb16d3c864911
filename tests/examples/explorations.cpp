// What ./run explore shows: pages on which the sweep over a tape can be stepped through.
//
//   explorations NAME   writes NAME.html into the current folder
//   explorations        lists the names

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>
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
  tape.name(x, "x");
  tape.name(y, "y");
  ad::var z = sin(x) * y + exp(x * y) + abs(x + 5.0 * y);
  ad::explore(tape, z, page, "z = sin(x) * y + exp(x * y) + abs(x + 5 y)");
}

/// v, which the graph shows by this name.
ad::var named(ad::tape& tape, const ad::var& v, const std::string& name) {
  tape.name(v, name);
  return v;
}

/// A layer of the primer, weight by weight: a = W z.
template <std::size_t Out, std::size_t In, class Z>
auto preactivations(ad::tape& tape, const std::array<std::array<double, In>, Out>& w, const Z& z,
                    int layer) {
  std::array<ad::var, Out> a;
  for (std::size_t k = 0; k < Out; ++k) {
    std::array<ad::var, In> row;
    for (std::size_t m = 0; m < In; ++m) {
      row[m] = named(tape, tape.variable(w[k][m]), fmt::format("w{}{}({})", k + 1, m + 1, layer));
    }
    ad::var sum = row[0] * z[0];
    for (std::size_t m = 1; m < In; ++m) sum += row[m] * z[m];
    a[k] = named(tape, sum, fmt::format("a{}({})", k + 1, layer));
  }
  return a;
}

/// The 2-3-2 network of the primer, number by number.
void primer_network(const std::string& page) {
  ad::tape tape;
  tape.watch(ad::watching::explained);
  std::array<ad::var, 3> z;
  std::array<ad::var, 2> y;
  {
    const ad::note here(tape, "layer 1");
    const auto a = preactivations(tape, primer::w1, primer::x, 1);
    for (std::size_t m = 0; m < 3; ++m)
      z[m] = named(tape, tanh(a[m]), fmt::format("z{}(1)", m + 1));
  }
  {
    const ad::note here(tape, "layer 2");
    y = preactivations(tape, primer::w2, z, 2);
  }
  const ad::note here(tape, "loss");
  const ad::var e =
      named(tape, 0.5 * (square(y[0] - primer::t[0]) + square(y[1] - primer::t[1])), "E");
  ad::explore(tape, e, page, "The primer: E of a 2-3-2 network");
}

/// The loss of a network on a batch of points, in tensors, with a, z and delta of every layer.
void training(const std::string& page) {
  nn::network<double> net(2, {nn::dense(6, nn::tanh), nn::dense(6, nn::tanh), nn::dense(3)},
                          nn::seed{42});
  const ad::tensor<double> points(
      {{0.9, 0.1}, {-0.4, 0.8}, {-0.5, -0.9}, {0.8, -0.2}, {-0.3, 0.9}, {-0.6, -0.7}});
  const std::vector<std::size_t> classes{0, 1, 2, 0, 1, 2};
  ad::tape tape;
  tape.watch(ad::watching::explained);
  const nn::recorded_parameters recorded(net, tape);
  const ad::tensor<double> outputs = net(points);
  const ad::note here(tape, "loss");
  const ad::tensor<double> loss = softmax_cross_entropy(outputs, classes);
  ad::explore(tape, loss, page, "The loss of a 2-6-6-3 network on six points");
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

const std::map<std::string, page_writer> explorations{{"scalars", scalars},
                                                      {"primer", primer_network},
                                                      {"training", training},
                                                      {"pendulum", pendulum}};

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
