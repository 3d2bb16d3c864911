// The tape's deltas and gradients beside the textbook's formulas, and beside formulas with faults.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <nn/activation.hpp>
#include <nn/compare_deltas.hpp>
#include <nn/delta.hpp>
#include <nn/loss.hpp>
#include <nn/network.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
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
    nn::identity, nn::tanh,      nn::sigmoid, nn::relu, nn::softmax,  nn::leaky_relu,
    nn::elu,      nn::selu,      nn::gelu,    nn::gelu_tanh, nn::silu, nn::mish,
    nn::softplus, nn::softsign,  nn::hard_tanh, nn::log_sigmoid};

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

template <class T>
trial<T> drawn_trial(std::uint64_t seed, const nn::loss** e) {
  reference::random random(seed);
  const std::size_t depth = 2 + random.below(19), inputs = 1 + random.below(24);
  std::vector<nn::dense> layers;
  for (std::size_t l = 0; l < depth; ++l) {
    layers.emplace_back(1 + random.below(24), activations[random.below(activations.size())],
                        random.below(3) == 0 ? nn::bias::without : nn::bias::with);
  }
  const nn::loss* const losses[] = {&nn::half_squared_error, &nn::mean_squared_error,
                                    &nn::binary_cross_entropy, &nn::softmax_cross_entropy,
                                    &nn::binary_cross_entropy_of_probabilities,
                                    &nn::cross_entropy_of_probabilities};
  *e = losses[random.below(6)];
  if (*e == losses[4]) layers.back().activation = nn::sigmoid;
  if (*e == losses[5]) layers.back().activation = nn::softmax;
  return trial<T>(inputs, layers, 1 + random.below(7), seed);
}

}  // namespace

TEST_CASE("worst", "[.]") {
  double worst[6]{};
  int over = 0, total = 0;
  for (std::uint64_t seed = 1; seed <= 60000; ++seed) {
    const nn::loss* e;
    const trial<double> tr = drawn_trial<double>(seed, &e);
    const auto r = tr.compare(*e);
    double w = r.error.relative.value;
    worst[5] = std::max(worst[5], w);
    for (auto& l : r.layers) {
      int i = 0;
      for (auto* q : {&l.a, &l.z, &l.delta, &l.dw, &l.db}) {
        worst[i] = std::max(worst[i], q->relative.value);
        w = std::max(w, q->relative.value);
        ++i;
      }
    }
    if (w > 1e-14) ++total;
    if (auto d = r.first_disagreement()) {
      ++over;
      printf("seed %lu: %.1e %s %s  %s\n", seed, w, to_string(tr.net).c_str(), e->name.data(), to_string(*r.first_disagreement()).c_str());
    }
  }
  printf("total %d over %d; a %.1e z %.1e delta %.1e dw %.1e db %.1e E %.1e\n", total, over, worst[0], worst[1], worst[2], worst[3], worst[4], worst[5]);
}
