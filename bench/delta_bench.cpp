// The tape against the formulas of the textbook on the same network: written for speed over the
// tape's own products, and as nn/delta/delta.hpp has them, to be read.

#include <autodiff/tensor/parallel.hpp>
#include <nn/delta/compare_deltas.hpp>
#include <nn/delta/delta.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <bench/bench.hpp>
#include <bench/picture.hpp>
#include <bench/problems/hand_deltas.hpp>
#include <bench/problems/taped_deltas.hpp>
#include <bench/problems/training.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace {

using nn::textbook::loss;
using tensor = autodiff::tensor<double>;

tensor scattered(const autodiff::shape& s, std::size_t from) {
  tensor x(s);
  auto values = x.mutable_values();
  for (std::size_t i = 0; i < s.size(); ++i) values[i] = bench::problems::scattered(i + from);
  return x;
}

/// In, hidden and out: tanh, then linear.
struct delta_case {
  std::size_t inputs, hidden, outputs, batch;

  std::string name() const {
    const std::string widths = inputs == hidden ? fmt::format("{}", inputs)
                                                : fmt::format("{}-{}-{}", inputs, hidden, outputs);
    return fmt::format("{}_batch_{}", widths, batch);
  }
};

/// Two contestants of a race, ours first: a row, and the ratio.
double report(bench::suite& suite, const std::string& name, const std::string& what,
              const bench::timing& tape, const bench::timing& formula) {
  const bench::ratio over(tape, formula);
  suite.row({name, what, bench::time_text(tape.fastest()), bench::time_text(formula.fastest()),
             fmt::format("{:.0f} %", 100 * tape.spread()), fmt::format("{:.2f}", over.fastest),
             fmt::format("{:.2f}", over.median)});
  return over.fastest;
}

void race(bench::suite& suite, bench::chart& chart, const delta_case& c) {
  nn::network<double> net(c.inputs, {nn::dense(c.hidden, nn::tanh), nn::dense(c.outputs)},
                          nn::seed{1});
  const tensor x = scattered({c.batch, c.inputs}, 0), t = scattered({c.batch, c.outputs}, 99);
  const auto layers = nn::textbook_layers(net);
  const nn::matrix<double> inputs(c.batch, c.inputs, {x.values().begin(), x.values().end()}),
      targets(c.batch, c.outputs, {t.values().begin(), t.values().end()});

  bench::problems::taped_deltas by_tape(net, x, t);
  bench::problems::hand_deltas by_hand(layers, inputs, targets);
  by_tape.step();
  by_hand.forward();
  by_hand.backward();
  const double error = bench::relative_error(by_tape.gradient(), by_hand.gradient());
  if (error > 1e-13) suite.say(fmt::format("{}: the gradients differ by {:.1e}", c.name(), error));

  const std::vector<bench::timing> timings = suite.race({
      {"tape, backward", [&] { by_tape.backward(); }},
      {"formula, backward", [&] { by_hand.backward(); }},
      {"tape, step", [&] { bench::keep(by_tape.step()); }},
      {"formula, step",
       [&] {
         bench::keep(by_hand.forward());
         by_hand.backward();
       }},
      {"textbook, step",
       [&] { bench::keep(backpropagate(layers, inputs, targets, loss::half_squared_error)); }},
  });
  const double backward = report(suite, c.name(), "backward / hand", timings[0], timings[1]),
               step = report(suite, c.name(), "step / hand", timings[2], timings[3]),
               over_textbook = report(suite, c.name(), "step / nn/delta", timings[2], timings[4]);
  suite.figure(c.name(), "backsweep", "tape_over_formula", backward);
  suite.figure(c.name(), "backsweep", "step_over_formula", step);
  suite.figure(c.name(), "backsweep", "step_over_textbook", over_textbook);
  chart.add(c.name(), "backsweep, backward", backward);
  chart.add(c.name(), "backsweep, whole step", step);
}

void run(bench::suite& suite, bench::chart& chart) {
  autodiff::set_threads(1);
  suite.columns({"network", "what", "tape", "formula", "spread", "tape / formula", "(median)"});
  for (const std::size_t batch : {1, 64}) {
    std::vector<delta_case> cases{{2, 3, 2, batch}};
    for (const std::size_t width : {32, 64, 128, 256, 512, 1024})
      cases.push_back({width, width, width, batch});
    for (const delta_case& c : cases) {
      if (suite.wants(c.name())) race(suite, chart, c);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  return bench::measure("delta", "tape / formulas by hand, time", argc, argv, run);
}
