#pragma once

#include <autodiff/tensor/kernels.hpp>

#include <bench/problems/training.hpp>

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace bench::problems {

/// A training step written by hand over CBLAS, the limit: every buffer allocated before, bias and
/// activation in one pass, loss and its adjoint in one pass, no adjoint of the input, one pair of
/// adjoint buffers, one pass a parameter to update it. exp and tanh are the library's loops.
class hand_training {
 public:
  explicit hand_training(const training& t)
      : how_(t),
        v_(t),
        exp_(autodiff::kernels().of_float.exp.forward),
        tanh_(autodiff::kernels().of_float.tanh.forward) {
    std::size_t widest = 0;
    for (std::size_t l = 0; l + 1 < t.widths.size(); ++l) {
      a_.emplace_back(t.batch * t.widths[l + 1]);
      dw_.emplace_back(v_.weights[l].size());
      db_.emplace_back(v_.biases[l].size());
      widest = std::max(widest, a_.back().size());
    }
    delta_.resize(widest);
    below_.resize(widest);
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
  int as_int(std::size_t size) const { return static_cast<int>(size); }

  void forward(std::size_t l) {
    const int m = as_int(how_.batch), k = as_int(how_.widths[l]), n = as_int(width(l));
    float* a = a_[l].data();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, input_of(l), k,
                v_.weights[l].data(), n, 0, a, n);
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
    const int m = as_int(how_.batch), k = as_int(how_.widths[l]), n = as_int(width(l));
    const std::size_t columns = width(l);
    const float* delta = delta_.data();
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, 1, input_of(l), k, delta, n, 0,
                dw_[l].data(), n);
    float* db = db_[l].data();
    std::copy(delta, delta + columns, db);
    for (std::size_t i = 1; i < how_.batch; ++i) {
      for (std::size_t j = 0; j < columns; ++j) db[j] += delta[i * columns + j];
    }
    if (l == 0) return;
    float* below = below_.data();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, k, n, 1, delta, n, v_.weights[l].data(),
                n, 0, below, k);
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
    float *m = first_[index].data(), *v = second_[index].data();
    for (std::size_t i = 0; i < size; ++i) {
      m[i] = beta1 * m[i] + (1.0f - beta1) * g[i];
      v[i] = beta2 * v[i] + (1.0f - beta2) * g[i] * g[i];
      w[i] -= rate * m[i] / (std::sqrt(v[i]) + epsilon);
    }
  }

  training how_;
  training_values v_;
  void (*exp_)(std::size_t, const float*, float*);
  void (*tanh_)(std::size_t, const float*, float*);
  std::vector<std::vector<float>> a_, dw_, db_, first_, second_;
  std::vector<float> delta_, below_;
  std::size_t steps_ = 0;
};

}  // namespace bench::problems
