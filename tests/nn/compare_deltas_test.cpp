// The tape's deltas and gradients beside the textbook's formulas: on networks of any architecture
// they agree, and the report holds both.

#include <tests/catch.hpp>
#include <tests/nn/delta_trials.hpp>
#include <tests/reference.hpp>

#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <nn/delta/compare_deltas.hpp>
#include <nn/delta/delta.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <bench/problems/hand_deltas.hpp>
#include <bench/problems/taped_deltas.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace delta_trials;
using nn::matrix;
namespace textbook = nn::textbook;

double largest_relative(const nn::delta_report& report) {
  double largest = report.error.relative.value;
  for (const nn::delta_layer& l : report.layers) {
    for (const nn::compared* c : {&l.a, &l.z, &l.delta, &l.dw, &l.db})
      largest = std::max(largest, c->relative.value);
  }
  return largest;
}

}  // namespace

TEST_CASE("formula and tape agree on networks of any architecture, activation and loss") {
  std::size_t beyond = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const architecture drawn = drawn_architecture(seed);
    const trial<double> tr(drawn.inputs, drawn.layers, drawn.batch, seed);
    const nn::delta_report report = tr.compare(*drawn.e);
    INFO("seed " << seed << ": " << tr.net << ", " << report.loss);
    const auto d = report.first_disagreement();
    INFO((d ? nn::to_string(*d) : ""));
    CHECK(!d);
    if (largest_relative(report) > 1e-14) ++beyond;
  }
  // Where sums cancel, formulas and tape have lost the same digits.
  CHECK(beyond <= 400 / 20);
}

TEST_CASE("formula and tape agree in float") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const architecture drawn = drawn_architecture(seed);
    const trial<float> tr(drawn.inputs, drawn.layers, drawn.batch, seed);
    const nn::delta_report report = tr.compare(*drawn.e);
    INFO("seed " << seed << ": " << tr.net << ", " << report.loss);
    const auto d = report.first_disagreement();
    INFO((d ? nn::to_string(*d) : ""));
    CHECK(!d);
    CHECK(report.number_type == "float");
    CHECK(report.tolerance == 5e-6);
  }
}

TEST_CASE("every activation agrees in every place under every loss") {
  for (const nn::activation& hidden : nn::activations()) {
    for (const nn::activation& output : nn::activations()) {
      const trial<double> tr(3, {nn::dense(5, hidden), nn::dense(4, output)}, 3, 21);
      for (const nn::loss* e : {&nn::half_squared_error, &nn::mean_squared_error,
                                &nn::binary_cross_entropy, &nn::softmax_cross_entropy}) {
        const nn::delta_report report = tr.compare(*e);
        INFO(tr.net << ", " << e->name);
        CHECK(where(report) == "nowhere");
      }
    }
  }
}

TEST_CASE("a report holds the network, its data and both sides of each quantity") {
  const trial<double> tr = small_trial();
  const nn::delta_report report = tr.compare(nn::half_squared_error);
  CHECK(report.agrees());
  CHECK(report.loss == "half_squared_error");
  CHECK(report.number_type == "double");
  CHECK(report.tolerance == 1e-14);
  CHECK(report.input.values == std::vector<double>(tr.x.values().begin(), tr.x.values().end()));
  CHECK(report.target.rows == 3);
  CHECK(report.output_factor.empty());
  CHECK(report.remark.empty());
  REQUIRE(report.layers.size() == 3);
  const nn::delta_layer& second = report.layers[1];
  CHECK(second.name == "layer 2: 4 -> 4 tanh");
  CHECK(second.inputs == 4);
  CHECK(second.outputs == 4);
  CHECK(second.activation == "tanh");
  // The network holds [in, out], the textbook [out, in].
  CHECK(report.layers[2].weights(1, 3) == tr.net.layers()[2].dense().weights.value(3, 1));
  CHECK(second.biases(0, 2) == tr.net.layers()[1].dense().bias.value(2));
  for (const nn::compared* c : {&second.a, &second.z, &second.delta}) {
    CHECK(c->tape.rows == 3);
    CHECK(c->tape.columns == 4);
    CHECK(c->allowed >= report.tolerance);
  }
  CHECK(report.layers[2].dw.formula.rows == 2);
  CHECK(report.layers[2].dw.formula.columns == 4);
  CHECK(second.db.tape.columns == 4);
  CHECK(report.error.formula.size() == 1);
  CHECK(second.delta.ulp.value < 64);
}

TEST_CASE("one sample may come without the axis of samples") {
  trial<double> tr = small_trial();
  tr.x = tensor<double>({0.3, -0.7, 0.2});
  tr.t = tensor<double>({0.5, -0.5});
  for (const nn::loss* e : {&nn::half_squared_error, &nn::mean_squared_error,
                            &nn::binary_cross_entropy, &nn::softmax_cross_entropy}) {
    CHECK(tr.compare(*e).agrees());
  }
  CHECK(tr.compare(nn::half_squared_error).layers[0].a.tape.rows == 1);
}

TEST_CASE("a network on its way through another tape is left alone") {
  trial<double> tr = small_trial();
  autodiff::tape tape;
  tr.net.parameters([&](tensor<double>& p) { p = tape.variable(p); });
  const auto places = tape.operation_tag();
  CHECK(tr.compare(nn::half_squared_error).agrees());
  CHECK(tape.operation_tag() == places);
  tr.net.parameters([&](const tensor<double>& p) { CHECK(p.is_recorded()); });
}

TEST_CASE("both sides of the benchmark compute the textbook's gradient") {
  const trial<double> tr(5, {nn::dense(7, nn::tanh), nn::dense(4, nn::tanh), nn::dense(3)}, 6, 14);
  const auto layers = nn::textbook_layers(tr.net);
  const matrix<double> x(6, 5, {tr.x.values().begin(), tr.x.values().end()}),
      t(6, 3, {tr.t.values().begin(), tr.t.values().end()});
  const auto b = textbook::backpropagate(layers, x, t, textbook::loss::half_squared_error);
  std::vector<double> gradient;
  for (std::size_t l = 0; l < 3; ++l) {
    const matrix<double> dw = turned(b.dw[l]);
    gradient.insert(gradient.end(), dw.values.begin(), dw.values.end());
    gradient.insert(gradient.end(), b.db[l].begin(), b.db[l].end());
  }
  bench::problems::hand_deltas by_hand(layers, x, t);
  CHECK(reference::close(by_hand.forward(), b.error, 1e-14L));
  by_hand.backward();
  CHECK(reference::all_close(by_hand.gradient(), gradient, 1e-14L));
  bench::problems::taped_deltas by_tape(tr.net, tr.x, tr.t);
  by_tape.backward();
  CHECK(reference::all_close(by_tape.swept_gradient(), gradient, 1e-14L));
  CHECK(reference::close(by_tape.step(), b.error, 1e-14L));
  CHECK(reference::all_close(by_tape.gradient(), gradient, 1e-14L));
}
