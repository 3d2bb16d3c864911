// Losses against PyTorch's: loss_table.txt, written by loss_table.py.

#include <tests/catch.hpp>

#include <nn/loss/loss.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using autodiff::shape, autodiff::tensor;
using nn::reduction;
using numbers = std::vector<double>;

/// Every loss that the table has, by its full name.
const std::vector<nn::loss>& losses() {
  static const std::vector<nn::loss> all = [] {
    const numbers weights{0.5, 2, 1, 3};
    return std::vector<nn::loss>{
        nn::mean_squared_error,
        nn::mean_absolute_error,
        nn::huber(0.7),
        nn::binary_cross_entropy,
        nn::binary_cross_entropy_with({.positive_weights = weights}),
        nn::binary_cross_entropy_with({.positive_weights = {2.5}}),
        nn::binary_cross_entropy_of_probabilities,
        nn::softmax_cross_entropy,
        nn::softmax_cross_entropy_with({.label_smoothing = 0.2}),
        nn::softmax_cross_entropy_with({.class_weights = weights}),
        nn::softmax_cross_entropy_with({.label_smoothing = 0.2, .class_weights = weights}),
        nn::softmax_cross_entropy_with({.ignored_index = -100}),
        nn::softmax_cross_entropy_with(
            {.label_smoothing = 0.2, .class_weights = weights, .ignored_index = -100}),
        nn::multiclass_hinge,
        nn::kl_divergence,
        nn::kl_divergence_of_log_probabilities,
        nn::gaussian_nll,
        nn::gaussian_nll_with({.smallest_variance = 0.3, .with_constant = true}),
        nn::poisson_nll,
        nn::poisson_nll_of_rates,
        nn::poisson_nll_with({.with_constant = true}),
        nn::poisson_nll_with({.of_rates = true, .with_constant = true}),
    };
  }();
  return all;
}

nn::loss loss_of(const std::string& name, const std::string& how) {
  const auto found =
      std::ranges::find(losses(), std::string_view(name), [](const nn::loss& e) { return e.name; });
  if (found == losses().end()) throw std::runtime_error("loss_table.txt: no loss " + name);
  return found->reduced(how == "mean"  ? reduction::mean
                        : how == "sum" ? reduction::sum
                                       : reduction::none);
}

struct line {
  std::string name, how;
  numbers y, t, value, gradient;
};

numbers read_numbers(std::istream& in) {
  std::string field;
  std::getline(in, field, ';');
  std::istringstream text(field.substr(field.find('[') + 1));
  numbers values;
  for (double v = 0; text >> v;) values.push_back(v);
  return values;
}

std::vector<line> table() {
  std::ifstream in(BACKSWEEP_SOURCE_DIR "/tests/nn/loss_table.txt");
  std::vector<line> lines;
  for (std::string text; std::getline(in, text);) {
    std::istringstream fields(text);
    line l;
    std::getline(fields, l.name, ';');
    std::getline(fields >> std::ws, l.how, ';');
    for (numbers* n : {&l.y, &l.t, &l.value, &l.gradient}) *n = read_numbers(fields);
    lines.push_back(l);
  }
  return lines;
}

/// [5, k], or [5] where there is one number for each row.
tensor<double> rows(const numbers& values) {
  if (values.size() == 5) return tensor<double>(shape{5}, values);
  return tensor<double>(shape{5, values.size() / 5}, values);
}

double largest(const numbers& values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::abs(v));
  return most;
}

}  // namespace

TEST_CASE("losses and their gradients are PyTorch's, in every reduction") {
  const std::vector<line> lines = table();
  REQUIRE(lines.size() == 75);
  for (const line& l : lines) {
    CAPTURE(l.name, l.how);
    const nn::loss e = loss_of(l.name, l.how);
    autodiff::tape tape;
    const tensor<double> y = tape.variable(rows(l.y));
    const tensor<double> losses = e(y, rows(l.t));
    REQUIRE(losses.size() == l.value.size());
    CHECK(losses.rank() == (l.how != "none" ? 0 : l.value.size() == 5 ? 1 : 2));
    tape.backward(losses, tensor<double>(losses.shape(), 1.0));
    const tensor<double> gradient = tape.adjoint(y);
    const double tolerance = 8 * std::numeric_limits<double>::epsilon();
    for (std::size_t i = 0; i < l.value.size(); ++i) {
      CAPTURE(i, losses.values()[i], l.value[i]);
      CHECK(std::abs(losses.values()[i] - l.value[i]) <= tolerance * largest(l.value));
    }
    for (std::size_t i = 0; i < l.gradient.size(); ++i) {
      CAPTURE(i, gradient.values()[i], l.gradient[i]);
      CHECK(std::abs(gradient.values()[i] - l.gradient[i]) <= tolerance * largest(l.gradient));
    }
  }
}
