// Formula and tape at the edges: far from zero, at numbers that are none, and what is refused.

#include <tests/catch.hpp>
#include <tests/nn/delta_trials.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <nn/delta/compare_deltas.hpp>
#include <nn/delta/delta.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace delta_trials;
using nn::matrix;
using reference::message, reference::says;
namespace textbook = nn::textbook;
using textbook::activation, textbook::layer;

}  // namespace

TEST_CASE(
    "the textbook has every activation of the library, with its value and slope at every edge") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const nn::activation& h : nn::activations()) {
    INFO(h.name);
    REQUIRE(textbook::activation_of(h.name));
    const activation known = *textbook::activation_of(h.name);
    if (textbook::couples_units(known)) continue;
    for (const double a : {0.0, -0.0, 1.0, -1.0, 1e-300, -40.0, 40.0, 800.0, -800.0, 1e155, -1e155,
                           infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
      INFO("at " << a);
      autodiff::tape tape;
      const tensor<double> x = tape.variable(tensor<double>{a}), z = h(x);
      tape.backward(autodiff::sum(z));
      const auto agrees = [](double formula, double by_tape) {
        return formula == by_tape || (std::isnan(formula) && std::isnan(by_tape)) ||
               std::abs(formula - by_tape) <= 1e-12 * std::abs(formula);
      };
      CHECK(agrees(textbook::value(known, a), z.value(0)));
      CHECK(agrees(textbook::slope(known, a), tape.adjoint(x).value(0)));
    }
  }
}

TEST_CASE("formula and tape agree on huge logits") {
  trial<double> tr(2, {nn::dense(3)}, 2, 15);
  for (double& b : tr.net.layers()[0].dense().bias.mutable_values()) b = 1e300;
  tr.t = tensor<double>({{1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}});
  const nn::delta_report report = tr.compare(nn::softmax_cross_entropy);
  CHECK(where(report) == "nowhere");
  CHECK(reference::close(report.error.formula(0, 0), std::log(3.0L), 1e-15L));
}

TEST_CASE("formula and tape have the same to say about outputs that are no probabilities") {
  trial<double> tr(2, {nn::dense(2)}, 1, 17);
  for (const double weight : {0.0, 1.0}) {
    tr.t = tensor<double>({{weight, 1 - weight}});
    for (const double bias : {-3.0, 3.0}) {
      tr.net.layers()[0].dense().bias.mutable_values()[0] = bias;
      CHECK(where(tr.compare(nn::cross_entropy_of_probabilities)) == "nowhere");
      CHECK(where(tr.compare(nn::binary_cross_entropy_of_probabilities)) == "nowhere");
    }
  }
}

TEST_CASE("a probability that rounds to 0 or 1 costs the tape its delta, and the report says why") {
  const auto saturated = [](const nn::activation& output, const nn::loss& e) {
    trial<double> tr(2, {nn::dense(2, output)}, 1, 16);
    tr.net.layers()[0].dense().bias.mutable_values()[0] = 800;
    tr.t = tensor<double>({{0.0, 1.0}});
    return tr.compare(e);
  };
  const auto binary = saturated(nn::sigmoid, nn::binary_cross_entropy_of_probabilities);
  CHECK(where(binary) == "layer 1, delta");
  CHECK(binary.layers[0].delta.formula(0, 0) == 0.5);
  CHECK(says(binary.remark, "rounded to 0 or 1", "identity and use binary_cross_entropy"));
  const auto classes = saturated(nn::softmax, nn::cross_entropy_of_probabilities);
  CHECK(where(classes) == "layer 1, delta");
  CHECK(says(classes.remark, "rounded to 0 or 1", "identity and use softmax_cross_entropy"));
  // As the remark says.
  CHECK(saturated(nn::identity, nn::binary_cross_entropy).agrees());
  CHECK(saturated(nn::identity, nn::softmax_cross_entropy).agrees());
}

TEST_CASE("an activation or a loss that the textbook does not know needs formulas of one's own") {
  const nn::activation twice =
      nn::make_activation("twice", nn::init::glorot, [](const auto& a) { return a + a; });
  const trial<double> tr(2, {nn::dense(3, nn::tanh), nn::dense(2, twice)}, 2, 13);
  CHECK(says(message<autodiff::domain_error>([&] { tr.compare(nn::half_squared_error); }),
             "compare_deltas: the textbook has no formula for the activation twice of layer 2",
             "; pass formulas of your own"));
  nn::loss sum = nn::half_squared_error;
  sum.name = "my_error";
  CHECK(says(message<autodiff::domain_error>([&] {
               nn::compare_deltas(small_trial().net, small_trial().x, small_trial().t, sum);
             }),
             "no formula for the loss my_error"));

  const auto own = [](std::span<const layer<double>> layers, const matrix<double>& x,
                      const matrix<double>& t) {
    std::vector<layer<double>> as_linear(layers.begin(), layers.end());
    for (double& w : as_linear[1].weights.values) w *= 2;
    for (double& b : as_linear[1].biases) b *= 2;
    auto b = textbook::backpropagate(as_linear, x, t, textbook::loss::half_squared_error);
    for (double& a : b.a[1].values) a /= 2;
    for (double& delta : b.delta[1].values) delta *= 2;
    for (double& dw : b.dw[1].values) dw *= 2;
    for (double& db : b.db[1]) db *= 2;
    return b;
  };
  CHECK(where(compare_with(tr, own)) == "nowhere");
}

TEST_CASE("data that does not fit the network is refused with both shapes and what fits") {
  const trial<double> tr = small_trial();
  const auto refusal = [&](const shape& x, const shape& t) {
    return message<autodiff::shape_error>([&] {
      nn::compare_deltas(tr.net, tensor<double>(x), tensor<double>(t), nn::half_squared_error);
    });
  };
  CHECK(says(refusal({5, 4}, {5, 2}),
             "compare_deltas: inputs [5, 4] and targets [5, 2] for a network from 3 to 2 numbers",
             "; give inputs [n, 3] and targets [n, 2], or [3] and [2]"));
  CHECK(says(refusal({5, 3}, {4, 2}), "targets [4, 2]"));
  CHECK(says(refusal({5, 3}, {2}), "targets [2]"));
  CHECK(says(refusal({3}, {1, 2}), "inputs [3] and targets [1, 2]"));
  CHECK(says(refusal({0, 3}, {0, 2}), "inputs [0, 3]"));
  CHECK(says(refusal({}, {}), "inputs []"));
  CHECK(says(refusal({1, 1, 3}, {1, 1, 2}), "inputs [1, 1, 3]"));
  CHECK(says(refusal({5, 3}, {5}), "targets [5]", "class labels become rows with one_hot"));
}

TEST_CASE("a loss with settings is none of the textbook's") {
  const trial<double> tr = small_trial();
  for (const nn::loss& e :
       {nn::huber(0.5), nn::mean_squared_error.reduced(nn::reduction::sum),
        nn::softmax_cross_entropy_with({.label_smoothing = 0.1}), nn::kl_divergence}) {
    CHECK(says(message<autodiff::domain_error>([&] { nn::compare_deltas(tr.net, tr.x, tr.t, e); }),
               "no formula for the loss " + std::string(e.name), "; pass formulas of your own"));
  }
  // Formulas of one's own for the sum of squares: twice those for half of it.
  const nn::delta_report report = nn::compare_deltas(
      tr.net, tr.x, tr.t, nn::mean_squared_error.reduced(nn::reduction::sum),
      [](std::span<const layer<double>> layers, const matrix<double>& x, const matrix<double>& t) {
        auto b = nn::textbook::backpropagate(layers, x, t, nn::textbook::loss::half_squared_error);
        b.error *= 2;
        for (auto* quantity : {&b.delta, &b.dw}) {
          for (matrix<double>& m : *quantity) {
            for (double& v : m.values) v *= 2;
          }
        }
        for (std::vector<double>& biases : b.db) {
          for (double& v : biases) v *= 2;
        }
        return b;
      });
  CHECK(report.agrees());
  CHECK(report.loss == "mean_squared_error (sum)");
}

TEST_CASE("a tolerance that nothing could meet is refused, and so are no formulas") {
  const trial<double> tr = small_trial();
  for (const double tolerance : {-1e-3, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(says(message<autodiff::domain_error>([&] {
                 nn::compare_deltas(tr.net, tr.x, tr.t, nn::half_squared_error, tolerance);
               }),
               "compare_deltas: a tolerance of", "; give it 0 (every bit) or more"));
  }
  CHECK(says(message<autodiff::domain_error>([&] {
               nn::compare_deltas(tr.net, tr.x, tr.t, nn::half_squared_error,
                                  nn::delta_formulas<double>());
             }),
             "compare_deltas: no formulas", "; pass a function, or leave the argument out"));
}
