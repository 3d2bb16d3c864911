#pragma once

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <vector>

#include <bench/problems/adbench.hpp>

namespace bench::problems {

/// Mean negative log likelihood of a character sequence under an LSTM of l layers with b diagonal
/// gates each. x = [per layer: weights (4 x b), biases (4 x b); input weights, output weights,
/// output bias (b each)]. The suite's log-sum-exp adds 2 to the sum, and so does this one. Source:
/// the AD benchmark suite (see adbench.hpp); gates after Hochreiter and Schmidhuber (1997) with the
/// forget gate of Gers, Schmidhuber and Cummins (2000).
class lstm {
 public:
  explicit lstm(const std::filesystem::path& file) {
    const std::vector<double> numbers = read_numbers(file);
    if (numbers.size() < 3) throw std::runtime_error(file.string() + " is no LSTM");
    layers_ = static_cast<std::size_t>(numbers[0]);
    steps_ = static_cast<std::size_t>(numbers[1]);
    b_ = static_cast<std::size_t>(numbers[2]);
    const std::size_t inputs = layers_ * 8 * b_ + 3 * b_, states = layers_ * 2 * b_;
    if (numbers.size() != 3 + inputs + states + steps_ * b_) {
      throw std::runtime_error(file.string() + " has another size than its first line says");
    }
    const auto at = [&](std::size_t i) { return numbers.begin() + static_cast<std::ptrdiff_t>(i); };
    start_.assign(at(3), at(3 + inputs));
    state_.assign(at(3 + inputs), at(3 + inputs + states));
    sequence_.assign(at(3 + inputs + states), numbers.end());
  }

  std::vector<double> start() const { return start_; }

  template <class T>
  T operator()(std::span<const T> x) const {
    using std::exp, std::log;
    const std::span<const T> extra = x.subspan(layers_ * 8 * b_);
    std::vector<T> state(state_.begin(), state_.end()), prediction(b_);
    T total = 0.0;
    for (std::size_t step = 0; step + 1 < steps_; ++step) {
      const double* input = sequence_.data() + step * b_;
      const double* truth = input + b_;
      for (std::size_t i = 0; i < b_; ++i) prediction[i] = input[i] * extra[i];
      const T* below = prediction.data();
      for (std::size_t layer = 0; layer < layers_; ++layer) {
        T* hidden = state.data() + layer * 2 * b_;
        advance(x.subspan(layer * 8 * b_), below, hidden, hidden + b_);
        below = hidden;
      }
      T sum = 2.0;
      for (std::size_t i = 0; i < b_; ++i) {
        prediction[i] = below[i] * extra[b_ + i] + extra[2 * b_ + i];
        sum += exp(prediction[i]);
      }
      const T log_sum = log(sum);
      for (std::size_t i = 0; i < b_; ++i) total += truth[i] * (prediction[i] - log_sum);
    }
    return -total / static_cast<double>((steps_ - 1) * b_);
  }

 private:
  template <class T>
  static T logistic(const T& x) {
    using std::exp;
    return 1.0 / (1.0 + exp(-x));
  }

  // One layer, one step.
  template <class T>
  void advance(std::span<const T> x, const T* input, T* hidden, T* cell) const {
    using std::tanh;
    const T* weight = x.data();
    const T* bias = weight + 4 * b_;
    for (std::size_t i = 0; i < b_; ++i) {
      const T forget = logistic<T>(input[i] * weight[i] + bias[i]);
      const T in = logistic<T>(hidden[i] * weight[b_ + i] + bias[b_ + i]);
      const T out = logistic<T>(input[i] * weight[2 * b_ + i] + bias[2 * b_ + i]);
      const T change = tanh(hidden[i] * weight[3 * b_ + i] + bias[3 * b_ + i]);
      cell[i] = cell[i] * forget + in * change;
      hidden[i] = out * tanh(cell[i]);
    }
  }

  std::size_t layers_ = 0, steps_ = 0, b_ = 0;
  std::vector<double> start_, state_, sequence_;
};

}  // namespace bench::problems
