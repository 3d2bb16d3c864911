// Formulas with faults, held against the tape: the report names where each fault is.

#include <tests/catch.hpp>
#include <tests/nn/delta_trials.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/delta/compare_deltas.hpp>
#include <nn/delta/delta.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace delta_trials;
using nn::matrix, nn::quantity;
using reference::message, reference::says;
namespace textbook = nn::textbook;
using textbook::backpropagation, textbook::layer;

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

}  // namespace

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
    CHECK(d->row * tr.net.layers()[l].dense().outputs() + d->column ==
          static_cast<std::size_t>(at));
  }
  CHECK(found > 90);
}

TEST_CASE("numbers that are not finite agree with their like alone") {
  trial<double> tr = small_trial();
  tr.net.layers()[1].dense().bias.mutable_values()[2] = std::numeric_limits<double>::quiet_NaN();
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
