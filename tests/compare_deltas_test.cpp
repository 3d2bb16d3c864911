// The tape's deltas and gradients beside the textbook's formulas, and beside formulas with faults.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <nn/activation.hpp>
#include <nn/compare_deltas.hpp>
#include <nn/delta.hpp>
#include <nn/loss.hpp>
#include <nn/network.hpp>

#include <bench/problems/hand_deltas.hpp>
#include <bench/problems/taped_deltas.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::shape, autodiff::tensor;
using nn::matrix, nn::quantity;
using reference::message, reference::says;
namespace textbook = nn::textbook;
using textbook::activation, textbook::backpropagation, textbook::layer;

const std::vector<nn::activation> activations{
    nn::identity, nn::tanh,     nn::sigmoid,   nn::relu,       nn::softmax, nn::leaky_relu,
    nn::elu,      nn::selu,     nn::gelu,      nn::gelu_tanh,  nn::silu,    nn::mish,
    nn::softplus, nn::softsign, nn::hard_tanh, nn::log_sigmoid};

template <class T>
tensor<T> drawn(const shape& s, double from, double to, reference::random& random) {
  return {s, std::span<const T>(random.uniform<T>(s.size(), from, to))};
}

// A network with something in its biases, and data for it.
template <class T>
struct trial {
  nn::network<T> net;
  tensor<T> x, t;

  trial(std::size_t inputs, const std::vector<nn::dense>& layers, std::size_t batch,
        std::uint64_t seed)
      : net(inputs, layers, nn::seed{seed}) {
    reference::random random(seed);
    for (nn::dense_layer<T>& l : net.layers()) {
      if (l.has_bias()) l.bias = drawn<T>(l.bias.shape(), -0.5, 0.5, random);
    }
    x = drawn<T>({batch, inputs}, -1, 1, random);
    t = drawn<T>({batch, net.outputs()}, 0.05, 0.95, random);
  }

  nn::delta_report compare(const nn::loss& e) const { return nn::compare_deltas(net, x, t, e); }
};

struct architecture {
  std::size_t inputs;
  std::vector<nn::dense> layers;
  const nn::loss* e;
  std::size_t batch;
};

architecture drawn_architecture(std::uint64_t seed) {
  reference::random random(seed);
  const std::size_t depth = 2 + random.below(19), inputs = 1 + random.below(24);
  std::vector<nn::dense> layers;
  for (std::size_t l = 0; l < depth; ++l) {
    layers.emplace_back(2 + random.below(23), activations[random.below(activations.size())],
                        random.below(3) == 0 ? nn::bias::without : nn::bias::with);
  }
  const nn::loss* const losses[] = {&nn::half_squared_error,
                                    &nn::mean_squared_error,
                                    &nn::binary_cross_entropy,
                                    &nn::softmax_cross_entropy,
                                    &nn::binary_cross_entropy_of_probabilities,
                                    &nn::cross_entropy_of_probabilities};
  const nn::loss* e = losses[random.below(6)];
  if (e == losses[4]) layers.back().activation = nn::sigmoid;
  if (e == losses[5]) layers.back().activation = nn::softmax;
  return {inputs, layers, e, 1 + random.below(7)};
}

double largest_relative(const nn::delta_report& report) {
  double largest = report.error.relative.value;
  for (const nn::delta_layer& l : report.layers) {
    for (const nn::compared* c : {&l.a, &l.z, &l.delta, &l.dw, &l.db})
      largest = std::max(largest, c->relative.value);
  }
  return largest;
}

// The 3-4-4-2 network of the planted faults.
trial<double> small_trial() {
  return {3, {nn::dense(4, nn::sigmoid), nn::dense(4, nn::tanh), nn::dense(2)}, 3, 11};
}

// The textbook's backpropagation, with a hand in each step that may spoil it.
struct spoiled {
  std::vector<layer<double>> forward, backward;  // layers of each pass
  std::size_t wrong_slope = 0;                   // layer whose tanh has the slope 1 - z
  std::size_t preactivation_as_input = 0;        // layer whose dW takes a for z

  explicit spoiled(const nn::network<double>& net)
      : forward(nn::textbook_layers(net)), backward(forward) {}

  backpropagation<double> operator()(std::span<const layer<double>> layers, const matrix<double>& x,
                                     const matrix<double>& t) const {
    backpropagation<double> b;
    const std::size_t count = layers.size();
    for (std::size_t l = 0; l < count; ++l) {
      b.a.push_back(textbook::preactivation(forward[l], l == 0 ? x : b.z[l - 1]));
      b.z.push_back(textbook::activate(layers[l].h, b.a[l]));
    }
    b.error = textbook::error(textbook::loss::half_squared_error, b.z.back(), t);
    b.delta.resize(count);
    b.delta.back() = textbook::output_delta(textbook::loss::half_squared_error, layers.back().h,
                                            b.a.back(), b.z.back(), t);
    for (std::size_t l = count - 1; l-- > 0;) {
      matrix<double> sums = textbook::through_weights(backward[l + 1], b.delta[l + 1]);
      b.delta[l] = textbook::through_activation(layers[l].h, b.a[l], b.z[l], sums);
      if (l + 1 != wrong_slope) continue;
      for (std::size_t i = 0; i < sums.size(); ++i)
        b.delta[l].values[i] = (1 - b.z[l].values[i]) * sums.values[i];
    }
    for (std::size_t l = 0; l < count; ++l) {
      const matrix<double>& z = l == 0                            ? x
                                : l + 1 == preactivation_as_input ? b.a[l - 1]
                                                                  : b.z[l - 1];
      b.dw.push_back(textbook::weight_gradient(b.delta[l], z));
      b.db.push_back(textbook::bias_gradient(b.delta[l]));
    }
    return b;
  }
};

template <class Formulas>
nn::delta_report compare_with(const trial<double>& tr, const Formulas& formulas) {
  return nn::compare_deltas(tr.net, tr.x, tr.t, nn::half_squared_error, formulas);
}

matrix<double> turned(const matrix<double>& m) {
  matrix<double> other(m.columns, m.rows);
  for (std::size_t i = 0; i < m.rows; ++i) {
    for (std::size_t j = 0; j < m.columns; ++j) other(j, i) = m(i, j);
  }
  return other;
}

std::string where(const nn::delta_report& report) {
  const auto d = report.first_disagreement();
  return d ? "layer " + std::to_string(d->layer) + ", " + nn::to_string(d->quantity) : "nowhere";
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
  for (const nn::activation& hidden : activations) {
    for (const nn::activation& output : activations) {
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

TEST_CASE("the textbook has every activation of the library, in words and at every edge") {
  std::ifstream in(std::filesystem::path(BACKSWEEP_SOURCE_DIR) / "nn" / "activation.hpp");
  const std::string declared = "inline constexpr activation ";
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(declared)) continue;
    ++count;
    const std::string name =
        line.substr(declared.size(), line.find(' ', declared.size()) - declared.size());
    INFO(name);
    CHECK(textbook::activation_of(name));
  }
  CHECK(count == activations.size());

  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const nn::activation& h : activations) {
    if (h.name == "softmax") continue;
    for (const double a : {0.0, -0.0, 1.0, -1.0, 1e-300, -40.0, 40.0, 800.0, -800.0, 1e155, -1e155,
                           infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
      INFO(h.name << " at " << a);
      autodiff::tape tape;
      const tensor<double> x = tape.variable(tensor<double>{a}), z = h(x);
      tape.backward(autodiff::sum(z));
      const auto agrees = [](double formula, double by_tape) {
        return formula == by_tape || (std::isnan(formula) && std::isnan(by_tape)) ||
               std::abs(formula - by_tape) <= 1e-12 * std::abs(formula);
      };
      const activation known = *textbook::activation_of(h.name);
      CHECK(agrees(textbook::value(known, a), z.value(0)));
      CHECK(agrees(textbook::slope(known, a), tape.adjoint(x).value(0)));
    }
  }
}

TEST_CASE("formula and tape agree on huge logits") {
  trial<double> tr(2, {nn::dense(3)}, 2, 15);
  for (double& b : tr.net.layers()[0].bias.mutable_values()) b = 1e300;
  tr.t = tensor<double>({{1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}});
  const nn::delta_report report = tr.compare(nn::softmax_cross_entropy);
  CHECK(where(report) == "nowhere");
  CHECK(reference::close(report.error.formula(0, 0), std::log(3.0L), 1e-15L));
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
  CHECK(report.layers[2].weights(1, 3) == tr.net.layers()[2].weights.value(3, 1));
  CHECK(second.biases(0, 2) == tr.net.layers()[1].bias.value(2));
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

TEST_CASE("formulas of one's own are compared, and a fault is named by layer and quantity") {
  const trial<double> tr = small_trial();
  spoiled right(tr.net);
  CHECK(where(compare_with(tr, right)) == "nowhere");

  spoiled wrong_slope(tr.net);
  wrong_slope.wrong_slope = 2;
  const nn::delta_report slope = compare_with(tr, wrong_slope);
  CHECK(where(slope) == "layer 2, delta");
  CHECK(slope.layers[2].delta.relative.value <= 1e-14);
  CHECK(slope.layers[2].dw.relative.value <= 1e-14);

  spoiled turned_forward(tr.net);
  turned_forward.forward[1].weights = turned(turned_forward.forward[1].weights);
  CHECK(where(compare_with(tr, turned_forward)) == "layer 2, a");

  spoiled turned_backward(tr.net);
  turned_backward.backward[1].weights = turned(turned_backward.backward[1].weights);
  CHECK(where(compare_with(tr, turned_backward)) == "layer 1, delta");

  spoiled no_bias(tr.net);
  no_bias.forward[2].biases.clear();
  CHECK(where(compare_with(tr, no_bias)) == "layer 3, a");

  spoiled wrong_input(tr.net);
  wrong_input.preactivation_as_input = 3;
  CHECK(where(compare_with(tr, wrong_input)) == "layer 3, dE/dW");

  const auto spoil = [&](auto&& fault) {
    return compare_with(tr, [&](std::span<const layer<double>> layers, const matrix<double>& x,
                                const matrix<double>& t) {
      auto b = right(layers, x, t);
      fault(b);
      return b;
    });
  };
  CHECK(where(spoil([](auto& b) { b.error *= 2; })) == "layer 3, E");
  CHECK(where(spoil([](auto& b) { b.db[0][1] = 0; })) == "layer 1, dE/db");
}

TEST_CASE("the entry that is farthest apart is named with both numbers") {
  const trial<double> tr = small_trial();
  spoiled right(tr.net);
  double given = 0;
  const auto report = compare_with(tr, [&](std::span<const layer<double>> layers,
                                           const matrix<double>& x, const matrix<double>& t) {
    auto b = right(layers, x, t);
    b.dw[0](1, 2) *= 1 + 1e-12;
    b.dw[0](3, 1) += 1e-9;
    given = b.dw[0](3, 1);
    return b;
  });
  const auto d = report.first_disagreement();
  REQUIRE(d);
  CHECK(d->layer == 1);
  CHECK(d->quantity == quantity::dw);
  CHECK(d->row == 3);
  CHECK(d->column == 1);
  CHECK(d->formula == given);
  CHECK(d->tape == report.layers[0].dw.tape(3, 1));
  CHECK(says(nn::to_string(*d), "layer 1, dE/dW, row 4, column 2: ", " by the formula, ",
             " by the tape (relative difference "));
  // Largest in ulp is another matter than largest beside the largest entry.
  CHECK(report.layers[0].dw.ulp.value > 1000);
}

TEST_CASE("a fault of one part in a billion is found in any network") {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const architecture drawn = drawn_architecture(seed);
    const trial<double> tr(drawn.inputs, drawn.layers, drawn.batch, seed);
    const std::size_t l = seed % drawn.layers.size();
    std::ptrdiff_t at = 0;
    const nn::delta_report report = nn::compare_deltas(
        tr.net, tr.x, tr.t, *drawn.e,
        [&](std::span<const layer<double>> layers, const matrix<double>& x,
            const matrix<double>& t) {
          auto b = textbook::backpropagate(layers, x, t, *textbook::loss_of(drawn.e->name));
          std::vector<double>& delta = b.delta[l].values;
          const auto larger = [](double p, double q) { return std::abs(p) < std::abs(q); };
          at = std::max_element(delta.begin(), delta.end(), larger) - delta.begin();
          delta[static_cast<std::size_t>(at)] *= 1 + 1e-9;
          return b;
        });
    INFO("seed " << seed << ": " << tr.net << ", layer " << l + 1);
    const auto d = report.first_disagreement();
    if (report.layers[l].delta.tape(0, 0) == 0 && !d) continue;  // a layer above is dead
    REQUIRE(d);
    ++found;
    CHECK(where(report) == "layer " + std::to_string(l + 1) + ", delta");
    CHECK(d->row * tr.net.layers()[l].outputs() + d->column == static_cast<std::size_t>(at));
  }
  CHECK(found > 90);
}

TEST_CASE("numbers that are not finite agree with their like alone") {
  trial<double> tr = small_trial();
  tr.net.layers()[1].bias.mutable_values()[2] = std::numeric_limits<double>::quiet_NaN();
  CHECK(tr.compare(nn::half_squared_error).agrees());
  spoiled own(tr.net);
  own.forward[1].biases[2] = 0;
  const auto report = compare_with(tr, own);
  CHECK(where(report) == "layer 2, a");
  CHECK(report.first_disagreement()->column == 2);
  CHECK(std::isinf(report.layers[1].a.relative.value));
}

TEST_CASE("y - t for the delta of a sigmoid under a squared error is told with its factor") {
  const trial<double> tr(3, {nn::dense(4, nn::tanh), nn::dense(2, nn::sigmoid)}, 3, 12);
  const auto as_if_linear = [](std::span<const layer<double>> layers, const matrix<double>& x,
                               const matrix<double>& t) {
    return textbook::backpropagate(layers, x, t, textbook::loss::half_squared_error,
                                   textbook::output_rule::as_if_linear);
  };
  const nn::delta_report report =
      nn::compare_deltas(tr.net, tr.x, tr.t, nn::half_squared_error, as_if_linear);
  CHECK(where(report) == "layer 2, delta");
  const nn::delta_layer& last = report.layers.back();
  REQUIRE(report.output_factor.rows == 3);
  REQUIRE(report.output_factor.columns == 2);
  for (std::size_t n = 0; n < 3; ++n) {
    for (std::size_t k = 0; k < 2; ++k) {
      const double f = last.z.tape(n, k);
      CHECK(reference::close(last.delta.formula(n, k), f - tr.t.value(n, k), 1e-15L));
      CHECK(reference::close(report.output_factor(n, k), f * (1 - f), 1e-15L));
      CHECK(reference::close(last.delta.tape(n, k),
                             last.delta.formula(n, k) * report.output_factor(n, k), 1e-15L));
    }
  }
  CHECK(says(report.remark, "half_squared_error", "sigmoid", "f (1 - f)",
             "binary_cross_entropy_of_probabilities"));

  // Under the cross-entropy y - t is the delta, but for the count that the mean divides by.
  const nn::delta_report canonical = tr.compare(nn::binary_cross_entropy_of_probabilities);
  CHECK(canonical.agrees());
  CHECK(canonical.remark.empty());
  CHECK(reference::close(canonical.layers[1].delta.tape(0, 0),
                         (last.z.tape(0, 0) - tr.t.value(0, 0)) / 6, 1e-15L));
}

TEST_CASE("formula and tape have the same to say about outputs that are no probabilities") {
  trial<double> tr(2, {nn::dense(2)}, 1, 17);
  for (const double weight : {0.0, 1.0}) {
    tr.t = tensor<double>({{weight, 1 - weight}});
    for (const double bias : {-3.0, 3.0}) {
      tr.net.layers()[0].bias.mutable_values()[0] = bias;
      CHECK(where(tr.compare(nn::cross_entropy_of_probabilities)) == "nowhere");
      CHECK(where(tr.compare(nn::binary_cross_entropy_of_probabilities)) == "nowhere");
    }
  }
}

TEST_CASE("a probability that rounds to 0 or 1 costs the tape its delta, and the report says why") {
  const auto saturated = [](const nn::activation& output, const nn::loss& e) {
    trial<double> tr(2, {nn::dense(2, output)}, 1, 16);
    tr.net.layers()[0].bias.mutable_values()[0] = 800;
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

TEST_CASE("formulas that leave something out are told what") {
  const trial<double> tr = small_trial();
  const auto refusal = [&](auto&& fault) {
    return message<autodiff::shape_error>([&] {
      compare_with(tr, [&](std::span<const layer<double>> layers, const matrix<double>& x,
                           const matrix<double>& t) {
        auto b = textbook::backpropagate(layers, x, t, textbook::loss::half_squared_error);
        fault(b);
        return b;
      });
    });
  };
  CHECK(says(refusal([](auto& b) { b.delta.pop_back(); }),
             "compare_deltas: the formulas gave delta for 2 of 3 layers",
             "; textbook::backpropagation says what they are to fill"));
  CHECK(says(refusal([](auto& b) { b.dw[2] = turned(b.dw[2]); }),
             "gave dw of layer 3 as [4, 2] instead of [2, 4]"));
  CHECK(says(refusal([](auto& b) { b.db[1].clear(); }), "gave 0 db for the 4 biases of layer 2"));
  CHECK(says(refusal([](auto& b) { b.db.clear(); }), "gave db for 0 of 3 layers"));
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
