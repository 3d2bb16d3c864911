#pragma once

#include <array>
#include <cmath>
#include <cstddef>

namespace bench::problems {

/// Start values of a 2-3-2 network, tanh inside and linear outside, and one sample, float64.
namespace small_net {
constexpr std::array<double, 6> w1{0.1, 0.3, 0.5, 0.2, 0.4, 0.6};  // [2, 3]
constexpr std::array<double, 3> b1{0.01, 0.02, 0.03};
constexpr std::array<double, 6> w2{0.7, 0.1, 0.8, 0.2, 0.9, 0.3};  // [3, 2]
constexpr std::array<double, 2> b2{0.04, 0.05};
constexpr std::array<double, 2> input{0.5, -0.25}, target{0.3, -0.6};
constexpr double rate = 1e-3;
}  // namespace small_net

/// A step of gradient descent on half the squared error, sizes known to the compiler.
class hand_small_net {
 public:
  double step() {
    using namespace small_net;
    std::array<double, 3> a, da;
    std::array<double, 2> delta;
    double error = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      a[j] = std::tanh(w1_[j] * input[0] + w1_[3 + j] * input[1] + b1_[j]);
    }
    for (std::size_t k = 0; k < 2; ++k) {
      delta[k] = w2_[k] * a[0] + w2_[2 + k] * a[1] + w2_[4 + k] * a[2] + b2_[k] - target[k];
      error += 0.5 * delta[k] * delta[k];
    }
    for (std::size_t j = 0; j < 3; ++j) {
      da[j] = (w2_[2 * j] * delta[0] + w2_[2 * j + 1] * delta[1]) * (1.0 - a[j] * a[j]);
    }
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::size_t j = 0; j < 3; ++j) w2_[2 * j + k] -= rate * delta[k] * a[j];
      b2_[k] -= rate * delta[k];
    }
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t i = 0; i < 2; ++i) w1_[3 * i + j] -= rate * da[j] * input[i];
      b1_[j] -= rate * da[j];
    }
    return error;
  }

 private:
  std::array<double, 6> w1_ = small_net::w1, w2_ = small_net::w2;
  std::array<double, 3> b1_ = small_net::b1;
  std::array<double, 2> b2_ = small_net::b2;
};

}  // namespace bench::problems
