#pragma once

#include <autodiff/tensor/blas.hpp>
#include <autodiff/tensor/kernels.hpp>

#include <nn/delta/delta.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace bench::problems {

/// The textbook's formulas as somebody would write them for speed, the limit: the products of the
/// tape, every buffer allocated before, weights as [in, out], no delta of the input. Layers are
/// tanh but for the last, which is linear under half the squared error.
class hand_deltas {
 public:
  hand_deltas(const std::vector<nn::textbook::layer<double>>& layers, const nn::matrix<double>& x,
              const nn::matrix<double>& t)
      : batch_(x.rows),
        x_(x.values),
        t_(t.values),
        tanh_(autodiff::kernels().of_double.tanh.forward) {
    std::size_t widest = 0;
    for (const nn::textbook::layer<double>& layer : layers) {
      layers_.emplace_back(layer, batch_);
      widest = std::max(widest, layers_.back().z.size());
    }
    delta_.resize(widest);
    below_.resize(widest);
  }

  /// z = tanh(a), a = z W + b; returns E.
  double forward() {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      layer& one = layers_[l];
      double* a = one.z.data();
      product(no, no, batch_, one.k, one.m, input_of(l), one.w.data(), a);
      for (std::size_t n = 0; n < batch_; ++n) {
        for (std::size_t k = 0; k < one.k; ++k) a[n * one.k + k] += one.b[k];
      }
      if (l + 1 < layers_.size()) tanh_(one.z.size(), a, a);
    }
    const std::vector<double>& y = layers_.back().z;
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += (y[i] - t_[i]) * (y[i] - t_[i]);
    return 0.5 * sum;
  }

  /// (5) and (7) with dE/dW = z^T delta and dE/db, from what the last forward() left.
  void backward() {
    const std::vector<double>& y = layers_.back().z;
    for (std::size_t i = 0; i < y.size(); ++i) delta_[i] = y[i] - t_[i];
    for (std::size_t l = layers_.size(); l-- > 0;) {
      layer& one = layers_[l];
      const double* delta = delta_.data();
      product(yes, no, one.m, one.k, batch_, input_of(l), delta, one.dw.data());
      std::copy(delta, delta + one.k, one.db.begin());
      for (std::size_t n = 1; n < batch_; ++n) {
        for (std::size_t k = 0; k < one.k; ++k) one.db[k] += delta[n * one.k + k];
      }
      if (l == 0) return;
      const std::vector<double>& z = layers_[l - 1].z;
      double* below = below_.data();
      product(no, yes, batch_, one.m, one.k, delta, one.w.data(), below);
      for (std::size_t i = 0; i < z.size(); ++i) below[i] *= 1 - z[i] * z[i];
      std::swap(delta_, below_);
    }
  }

  /// dE/dW [M, K] and dE/db of every layer, one after the other.
  std::vector<double> gradient() const {
    std::vector<double> all;
    for (const layer& one : layers_) {
      all.insert(all.end(), one.dw.begin(), one.dw.end());
      all.insert(all.end(), one.db.begin(), one.db.end());
    }
    return all;
  }

 private:
  static constexpr auto no = autodiff::transposed::no, yes = autodiff::transposed::yes;

  struct layer {
    layer(const nn::textbook::layer<double>& from, std::size_t batch)
        : m(from.weights.columns),
          k(from.weights.rows),
          w(m * k),
          b(from.biases),
          z(batch * k),
          dw(m * k),
          db(k) {
      for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < k; ++j) w[i * k + j] = from.weights(j, i);
      }
    }

    std::size_t m, k;
    std::vector<double> w, b, z, dw, db;
  };

  const double* input_of(std::size_t l) const {
    return l == 0 ? x_.data() : layers_[l - 1].z.data();
  }

  static void product(autodiff::transposed a_is, autodiff::transposed b_is, std::size_t m,
                      std::size_t n, std::size_t k, const double* a, const double* b, double* c) {
    autodiff::matrix_product(a_is, b_is, m, n, k, a, b, 0.0, c);
  }

  std::size_t batch_;
  std::vector<double> x_, t_;
  void (*tanh_)(std::size_t, const double*, double*);
  std::vector<layer> layers_;
  std::vector<double> delta_, below_;
};

}  // namespace bench::problems
