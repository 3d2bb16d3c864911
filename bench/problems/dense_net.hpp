#pragma once

#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace bench::problems {

/// Layers of a dense network (relu inside, softmax cross-entropy at the end) and a batch of
/// samples.
struct net_size {
  std::vector<std::size_t> widths;
  std::size_t batch;
};

/// Numbers between -1 and 1 without structure: enough for weights and inputs that are only timed.
inline float scattered(std::size_t i) {
  const auto bits = static_cast<unsigned>(i) * 2654435761u;
  return static_cast<float>(bits >> 8) / 8388608.0f - 1.0f;
}

/// Weights [in, out], biases [out], inputs [batch, in] and one-hot targets [batch, out] of a net.
struct net_values {
  explicit net_values(const net_size& size) : batch(size.batch), widths(size.widths) {
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
      const float scale = std::sqrt(3.0f / static_cast<float>(widths[l]));
      weights.emplace_back(widths[l] * widths[l + 1]);
      for (std::size_t i = 0; i < weights[l].size(); ++i) weights[l][i] = scale * scattered(i + l);
      biases.emplace_back(widths[l + 1], 0.01f);
    }
    input.resize(batch * widths.front());
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = std::fabs(scattered(i + 17));
    targets.resize(batch * widths.back());
    for (std::size_t i = 0; i < batch; ++i) targets[i * widths.back() + i * 7 % widths.back()] = 1;
  }

  std::size_t batch;
  std::vector<std::size_t> widths;
  std::vector<std::vector<float>> weights, biases;
  std::vector<float> input, targets;
};

constexpr float learning_rate = 1e-4f;

/// One step of gradient descent written by hand over CBLAS: every buffer allocated before, bias and
/// relu in one pass, loss and its adjoint in one pass, no adjoint of the input.
class hand_net {
 public:
  explicit hand_net(const net_size& size) : v_(size) {
    for (std::size_t l = 0; l + 1 < v_.widths.size(); ++l) {
      a_.emplace_back(v_.batch * v_.widths[l + 1]);
      delta_.emplace_back(v_.batch * v_.widths[l + 1]);
      dw_.emplace_back(v_.weights[l].size());
      db_.emplace_back(v_.biases[l].size());
    }
  }

  float step() {
    const std::size_t layers = a_.size();
    for (std::size_t l = 0; l < layers; ++l) forward(l);
    const float loss = cross_entropy();
    for (std::size_t l = layers; l-- > 0;) backward(l);
    for (std::size_t l = 0; l < layers; ++l) {
      descend(dw_[l], v_.weights[l]);
      descend(db_[l], v_.biases[l]);
    }
    return loss;
  }

 private:
  const float* input_of(std::size_t l) const { return l == 0 ? v_.input.data() : a_[l - 1].data(); }

  void forward(std::size_t l) {
    const int m = static_cast<int>(v_.batch), k = static_cast<int>(v_.widths[l]),
              n = static_cast<int>(v_.widths[l + 1]);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, input_of(l), k,
                v_.weights[l].data(), n, 0, a_[l].data(), n);
    const float* bias = v_.biases[l].data();
    const float floor = l + 1 < a_.size() ? 0.0f : -INFINITY;
    for (int i = 0; i < m; ++i) {
      float* row = a_[l].data() + static_cast<std::size_t>(i) * v_.widths[l + 1];
      for (int j = 0; j < n; ++j) row[j] = std::max(row[j] + bias[j], floor);
    }
  }

  float cross_entropy() {
    const std::size_t n = v_.widths.back();
    const float over_batch = 1.0f / static_cast<float>(v_.batch);
    float loss = 0;
    for (std::size_t i = 0; i < v_.batch; ++i) {
      const float* z = a_.back().data() + i * n;
      float* delta = delta_.back().data() + i * n;
      const float largest = *std::max_element(z, z + n);
      for (std::size_t j = 0; j < n; ++j) delta[j] = z[j] - largest;
      for (std::size_t j = 0; j < n; ++j) loss -= v_.targets[i * n + j] * delta[j];
    }
    autodiff::kernels().of_float.exp.forward(v_.batch * n, delta_.back().data(),
                                             delta_.back().data());
    for (std::size_t i = 0; i < v_.batch; ++i) {
      float* delta = delta_.back().data() + i * n;
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
    const int m = static_cast<int>(v_.batch), k = static_cast<int>(v_.widths[l]),
              n = static_cast<int>(v_.widths[l + 1]);
    const float* delta = delta_[l].data();
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, 1, input_of(l), k, delta, n, 0,
                dw_[l].data(), n);
    std::copy(delta, delta + n, db_[l].begin());
    for (int i = 1; i < m; ++i) {
      for (int j = 0; j < n; ++j) db_[l][static_cast<std::size_t>(j)] += delta[i * n + j];
    }
    if (l == 0) return;
    float* below = delta_[l - 1].data();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, k, n, 1, delta, n, v_.weights[l].data(),
                n, 0, below, k);
    const float* a = a_[l - 1].data();
    for (std::size_t i = 0; i < delta_[l - 1].size(); ++i) below[i] = a[i] > 0 ? below[i] : 0.0f;
  }

  static void descend(const std::vector<float>& gradient, std::vector<float>& parameter) {
    for (std::size_t i = 0; i < gradient.size(); ++i) parameter[i] -= learning_rate * gradient[i];
  }

  net_values v_;
  std::vector<std::vector<float>> a_, delta_, dw_, db_;
};

/// The same step on the tape.
class taped_net {
 public:
  using tensor = autodiff::tensor<float>;

  explicit taped_net(const net_size& size) {
    const net_values v(size);
    for (std::size_t l = 0; l < v.weights.size(); ++l) {
      parameters_.emplace_back(autodiff::shape{v.widths[l], v.widths[l + 1]}, v.weights[l]);
      parameters_.emplace_back(autodiff::shape{v.widths[l + 1]}, v.biases[l]);
    }
    input_ = tensor(autodiff::shape{v.batch, v.widths.front()}, v.input);
    targets_ = tensor(autodiff::shape{v.batch, v.widths.back()}, v.targets);
  }

  float step(autodiff::tape& tape) {
    for (const tensor& p : parameters_) recorded_.push_back(tape.variable(p));
    tensor a = input_;
    for (std::size_t l = 0; l < recorded_.size(); l += 2) {
      a = affine(a, recorded_[l], recorded_[l + 1]);
      if (l + 2 < recorded_.size()) a = relu(a);
    }
    const tensor loss = softmax_cross_entropy(a, targets_);
    tape.backward(loss, autodiff::leaves_only);
    for (const tensor& p : recorded_) gradients_.push_back(tape.adjoint(p));
    // With the record gone the parameters are not shared: the update writes in place.
    recorded_.clear();
    tape.rewind();
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      autodiff::plain<float>().accumulate(
          parameters_[i].size(), -learning_rate, gradients_[i].values().data(), 1,
          parameters_[i].mutable_values().data(), autodiff::store::add);
    }
    gradients_.clear();
    return loss.item();
  }

 private:
  std::vector<tensor> parameters_, recorded_, gradients_;
  tensor input_, targets_;
};

}  // namespace bench::problems
