// Every optimizer against optimizer_table.txt, which optimizer_table.py makes from the published
// algorithms without the engine.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/tensor/tensor.hpp>
#include <nn/optimizer/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;

const std::map<std::string, nn::optimizer> cases{
    {"sgd", nn::sgd{}},
    {"sgd_fast", nn::sgd{.rate = 0.05, .weight_decay = 0.1}},
    {"sgd_momentum", nn::sgd{.rate = 0.02, .momentum = 0.9}},
    {"sgd_dampening",
     nn::sgd{.rate = 0.05, .momentum = 0.8, .dampening = 0.3, .weight_decay = 0.02}},
    {"sgd_nesterov",
     nn::sgd{.rate = 0.02, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true}},
    {"adagrad", nn::adagrad{}},
    {"adagrad_decay",
     nn::adagrad{
         .rate = 0.1, .rate_decay = 0.02, .weight_decay = 0.05, .initial_accumulator = 0.1}},
    {"adadelta", nn::adadelta{}},
    {"adadelta_decay",
     nn::adadelta{.rate = 0.5, .rho = 0.95, .epsilon = 1e-4, .weight_decay = 0.1}},
    {"rmsprop", nn::rmsprop{}},
    {"rmsprop_momentum", nn::rmsprop{.rate = 2e-3, .weight_decay = 0.03, .momentum = 0.7}},
    {"rmsprop_centred", nn::rmsprop{.alpha = 0.9, .epsilon = 1e-3, .centred = true}},
    {"rmsprop_both", nn::rmsprop{.rate = 1e-3, .epsilon = 1e-2, .momentum = 0.5, .centred = true}},
    {"adam", nn::adam{}},
    {"adam_fast",
     nn::adam{.rate = 0.05, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-4, .weight_decay = 0.1}},
    {"amsgrad", nn::adam{.rate = 0.02, .beta2 = 0.9, .amsgrad = true}},
    {"adamw", nn::adamw{}},
    {"adamw_fast", nn::adamw{.rate = 0.03, .weight_decay = 0.2}},
    {"adamw_amsgrad", nn::adamw{.rate = 0.02, .beta2 = 0.95, .amsgrad = true}},
    {"nadam", nn::nadam{}},
    {"nadam_fast", nn::nadam{.rate = 0.02, .weight_decay = 0.1, .momentum_decay = 0.05}},
    {"nadam_decoupled", nn::nadam{.rate = 0.01, .weight_decay = 0.3, .decoupled = true}},
    {"adamax", nn::adamax{}},
    {"adamax_fast", nn::adamax{.rate = 0.05, .beta1 = 0.7, .beta2 = 0.9, .weight_decay = 0.1}},
    {"lion", nn::lion{}},
    {"lion_fast", nn::lion{.rate = 0.01, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.1}},
    {"rprop", nn::rprop{}},
    {"rprop_own", nn::rprop{.rate = 0.05, .shrink = 0.3, .grow = 1.5, .least = 1e-3, .most = 0.5}},
};

struct line {
  std::string name;
  int step;
  std::vector<double> weights;
};

std::vector<line> table() {
  std::ifstream in(std::string(BACKSWEEP_SOURCE_DIR) + "/tests/nn/optimizer_table.txt");
  std::vector<line> lines;
  for (std::string text; std::getline(in, text);) {
    std::istringstream words(text);
    line& read = lines.emplace_back();
    words >> read.name >> read.step;
    for (double w = 0; words >> w;) read.weights.push_back(w);
  }
  return lines;
}

/// The weights of optimizer_table.py, so often one after another that whole vectors are moved as
/// well as what is left over.
constexpr std::size_t copies = 29, weights = 5;

template <class T>
struct model {
  tensor<T> w{autodiff::shape{copies, weights}};

  void parameters(auto&& visit) { visit(w); }
};

/// The gradient of optimizer_table.py.
template <class T>
tensor<T> gradient(const tensor<T>& at, int t) {
  constexpr double curve[] = {1, 0.5, 2, 1.5, 0.25};
  tensor<T> g(at.shape());
  for (std::size_t k = 0; k < at.size(); ++k) {
    const std::size_t i = k % weights, row = k - i;
    const auto w = [&](std::size_t j) {
      return static_cast<double>(at.values()[row + j % weights]);
    };
    const double pull = ((7 * t + 3 * static_cast<int>(i)) % 11 - 5) / 50.0;
    g.mutable_values()[k] = static_cast<T>(w(i) * w(i) * w(i) - curve[i] * w(i) +
                                           0.3 * (w(i + weights - 1) + w(i + 1)) + pull);
  }
  return g;
}

/// The largest difference from the table over a hundred steps, relative to max(1, |w|).
template <class T>
double deviation(const std::string& name, const nn::optimizer& settings,
                 const std::vector<line>& lines) {
  constexpr double start[] = {0.9, -1.3, 0.05, 2.1, -0.4};
  model<T> moved;
  for (std::size_t k = 0; k < moved.w.size(); ++k)
    moved.w.mutable_values()[k] = static_cast<T>(start[k % weights]);
  nn::optimizer_state<T> steps(settings);
  double largest = 0;
  int t = 0;
  for (const line& expected : lines) {
    if (expected.name != name) continue;
    while (t < expected.step) steps.update(moved, {gradient(moved.w, ++t)});
    for (std::size_t k = 0; k < moved.w.size(); ++k) {
      const double w = expected.weights.at(k % weights);
      const double apart = std::fabs(static_cast<double>(moved.w.values()[k]) - w);
      largest = std::max(largest, apart / std::max(1.0, std::fabs(w)));
    }
  }
  CHECK(t == 100);
  return largest;
}

}  // namespace

TEST_CASE("every optimizer follows the published algorithm over a hundred steps") {
  const std::vector<line> lines = table();
  for (const auto& [name, settings] : cases) {
    CAPTURE(name);
    CHECK(deviation<double>(name, settings, lines) < 1e-13);
    CHECK(deviation<float>(name, settings, lines) < 1e-5);
  }
}

TEST_CASE("every line of the table is of an optimizer that is tested") {
  for (const line& read : table()) {
    CAPTURE(read.name);
    CHECK(cases.contains(read.name));
    CHECK(read.weights.size() == weights);
  }
}
