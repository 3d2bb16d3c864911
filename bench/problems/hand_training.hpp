#pragma once

#include <autodiff/tensor/blas.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <nn/optimizer/update_loops.hpp>

#include <bench/problems/chosen_product.hpp>
#include <bench/problems/training.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace bench::problems {

/// A training step written by hand, the limit: the faster product for each shape, every buffer
/// allocated before, bias and activation in one pass, loss and its adjoint in one pass, no adjoint
/// of the input, one pair of adjoint buffers, one pass a parameter to update it. exp, tanh and the
/// update of adam are the library's loops.
class hand_training {
  using adam_rule = nn::adam_rule<float, false, false>;

 public:
  explicit hand_training(const training& t)
      : how_(t),
        v_(t),
        exp_(autodiff::kernels().of_float.exp.forward),
        tanh_(autodiff::kernels().of_float.tanh.forward),
        adam_(nn::update_of<adam_rule>()) {
    std::size_t widest = 0;
    for (std::size_t l = 0; l + 1 < t.widths.size(); ++l) {
      a_.emplace_back(t.batch * t.widths[l + 1]);
      dw_.emplace_back(v_.weights[l].size());
      db_.emplace_back(v_.biases[l].size());
      widest = std::max(widest, a_.back().size());
    }
    delta_.resize(widest);
    below_.resize(widest);
    for (std::size_t l = 0; l < a_.size(); ++l) choose_products(l);
    if (t.update != update::adam) return;
    for (std::size_t l = 0; l < a_.size(); ++l) {
      for (const std::size_t size : {dw_[l].size(), db_[l].size()}) {
        first_.emplace_back(size);
        second_.emplace_back(size);
      }
    }
  }

  float step() {
    const std::size_t layers = a_.size();
    for (std::size_t l = 0; l < layers; ++l) forward(l);
    const float loss = cross_entropy();
    for (std::size_t l = layers; l-- > 0;) backward(l);
    ++steps_;
    for (std::size_t l = 0; l < layers; ++l) {
      move(2 * l, dw_[l], v_.weights[l]);
      move(2 * l + 1, db_[l], v_.biases[l]);
    }
    return loss;
  }

 private:
  const float* input_of(std::size_t l) const { return l == 0 ? v_.input.data() : a_[l - 1].data(); }
  std::size_t width(std::size_t l) const { return how_.widths[l + 1]; }

  /// The products of a layer: its output, the gradient of its weights, the adjoint of its input.
  struct layer_products {
    chosen_product forward, weights, input;
  };

  void choose_products(std::size_t l) {
    using enum autodiff::transposed;
    const std::size_t m = how_.batch, k = how_.widths[l], n = width(l);
    products_.push_back({{no, no, m, n, k}, {yes, no, k, n, m}, {no, yes, m, k, n}});
    layer_products& p = products_.back();
    p.forward.choose(input_of(l), v_.weights[l].data(), a_[l].data());
    p.weights.choose(input_of(l), delta_.data(), dw_[l].data());
    if (l > 0) p.input.choose(delta_.data(), v_.weights[l].data(), below_.data());
  }

  void forward(std::size_t l) {
    float* a = a_[l].data();
    products_[l].forward(input_of(l), v_.weights[l].data(), a);
    const float* bias = v_.biases[l].data();
    const bool is_hidden = l + 1 < a_.size();
    const std::size_t columns = width(l);
    if (is_hidden && how_.activation == hidden::tanh) {
      for (std::size_t i = 0; i < how_.batch; ++i, a += columns) {
        for (std::size_t j = 0; j < columns; ++j) a[j] += bias[j];
        tanh_(columns, a, a);
      }
      return;
    }
    const float floor = is_hidden ? 0.0f : -INFINITY;
    for (std::size_t i = 0; i < how_.batch; ++i, a += columns) {
      for (std::size_t j = 0; j < columns; ++j) a[j] = std::max(a[j] + bias[j], floor);
    }
  }

  float cross_entropy() {
    const std::size_t n = how_.widths.back(), batch = how_.batch;
    const float over_batch = 1.0f / static_cast<float>(batch);
    float loss = 0;
    for (std::size_t i = 0; i < batch; ++i) {
      const float* z = a_.back().data() + i * n;
      float* delta = delta_.data() + i * n;
      const float largest = *std::max_element(z, z + n);
      for (std::size_t j = 0; j < n; ++j) delta[j] = z[j] - largest;
      for (std::size_t j = 0; j < n; ++j) loss -= v_.targets[i * n + j] * delta[j];
    }
    exp_(batch * n, delta_.data(), delta_.data());
    for (std::size_t i = 0; i < batch; ++i) {
      float* delta = delta_.data() + i * n;
      float total = 0;
      for (std::size_t j = 0; j < n; ++j) total += delta[j];
      loss += std::log(total);
      const float scale = over_batch / total;
      for (std::size_t j = 0; j < n; ++j) {
        delta[j] = scale * delta[j] - over_batch * v_.targets[i * n + j];
      }
    }
    return loss * over_batch;
  }

  void backward(std::size_t l) {
    const std::size_t columns = width(l);
    const float* delta = delta_.data();
    products_[l].weights(input_of(l), delta, dw_[l].data());
    float* db = db_[l].data();
    std::copy(delta, delta + columns, db);
    for (std::size_t i = 1; i < how_.batch; ++i) {
      for (std::size_t j = 0; j < columns; ++j) db[j] += delta[i * columns + j];
    }
    if (l == 0) return;
    float* below = below_.data();
    products_[l].input(delta, v_.weights[l].data(), below);
    const float* a = a_[l - 1].data();
    const std::size_t size = a_[l - 1].size();
    if (how_.activation == hidden::tanh) {
      for (std::size_t i = 0; i < size; ++i) below[i] *= 1.0f - a[i] * a[i];
    } else {
      for (std::size_t i = 0; i < size; ++i) below[i] = a[i] > 0 ? below[i] : 0.0f;
    }
    std::swap(delta_, below_);
  }

  void move(std::size_t index, const std::vector<float>& gradient, std::vector<float>& parameter) {
    const float* g = gradient.data();
    float* w = parameter.data();
    const std::size_t size = gradient.size();
    if (how_.update == update::sgd) {
      for (std::size_t i = 0; i < size; ++i) w[i] -= learning_rate * g[i];
      return;
    }
    constexpr float beta1 = 0.9f, beta2 = 0.999f;
    const float bias = std::sqrt(1.0f - std::pow(beta2, static_cast<float>(steps_)));
    const float rate = learning_rate * bias / (1.0f - std::pow(beta1, static_cast<float>(steps_))),
                epsilon = 1e-8f * bias;
    float* const moments[] = {first_[index].data(), second_[index].data()};
    adam_(size, {rate, 0, 0, beta1, beta2, epsilon}, g, w, moments);
  }

  training how_;
  training_values v_;
  void (*exp_)(std::size_t, const float*, float*);
  void (*tanh_)(std::size_t, const float*, float*);
  void (*adam_)(std::size_t, const adam_rule&, const float*, float*, float* const*);
  std::vector<layer_products> products_;
  std::vector<std::vector<float>> a_, dw_, db_, first_, second_;
  std::vector<float> delta_, below_;
  std::size_t steps_ = 0;
};

}  // namespace bench::problems
