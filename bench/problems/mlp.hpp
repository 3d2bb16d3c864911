#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bench::problems {

/// A 64-32-10 network of plain loops, tanh inside, half squared error of one sample, differentiated
/// by the weights, the biases and the input. x = [w1 (32 x 64), b1 (32), w2 (10 x 32), b2 (10),
/// input (64)]. Source: Bishop, Pattern Recognition and Machine Learning (2006), section 5.3.
struct mlp {
  static constexpr std::size_t in = 64, hidden = 32, out = 10;
  static constexpr std::size_t b1 = hidden * in, w2 = b1 + hidden, b2 = w2 + out * hidden,
                               input = b2 + out, size = input + in;

  std::vector<double> start() const {
    std::vector<double> x(size);
    for (std::size_t i = 0; i < size; ++i) x[i] = 0.3 * std::sin(static_cast<double>(7 * i + 1));
    return x;
  }
  static double target(std::size_t k) { return k == 3 ? 1.0 : 0.0; }

  template <class T>
  T operator()(std::span<const T> x) const {
    using std::tanh;
    std::array<T, hidden> a;
    for (std::size_t j = 0; j < hidden; ++j) {
      T sum = x[b1 + j];
      for (std::size_t i = 0; i < in; ++i) sum += x[j * in + i] * x[input + i];
      a[j] = tanh(sum);
    }
    T error = 0.0;
    for (std::size_t k = 0; k < out; ++k) {
      T sum = x[b2 + k];
      for (std::size_t j = 0; j < hidden; ++j) sum += x[w2 + k * hidden + j] * a[j];
      const T difference = sum - target(k);
      error += difference * difference;
    }
    return 0.5 * error;
  }

  /// Backpropagation, Bishop (5.53), (5.55) and (5.56).
  double hand(std::span<const double> x, std::span<double> gradient) const {
    std::array<double, hidden> a, da{};
    for (std::size_t j = 0; j < hidden; ++j) {
      double sum = x[b1 + j];
      for (std::size_t i = 0; i < in; ++i) sum += x[j * in + i] * x[input + i];
      a[j] = std::tanh(sum);
    }
    double error = 0;
    for (std::size_t k = 0; k < out; ++k) {
      double sum = x[b2 + k];
      for (std::size_t j = 0; j < hidden; ++j) sum += x[w2 + k * hidden + j] * a[j];
      const double delta = sum - target(k);
      error += delta * delta;
      gradient[b2 + k] = delta;
      for (std::size_t j = 0; j < hidden; ++j) {
        gradient[w2 + k * hidden + j] = delta * a[j];
        da[j] += delta * x[w2 + k * hidden + j];
      }
    }
    for (std::size_t i = 0; i < in; ++i) gradient[input + i] = 0;
    for (std::size_t j = 0; j < hidden; ++j) {
      const double delta = da[j] * (1.0 - a[j] * a[j]);
      gradient[b1 + j] = delta;
      for (std::size_t i = 0; i < in; ++i) {
        gradient[j * in + i] = delta * x[input + i];
        gradient[input + i] += delta * x[j * in + i];
      }
    }
    return 0.5 * error;
  }
};

}  // namespace bench::problems
