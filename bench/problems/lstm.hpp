#pragma once

#include <algorithm>
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

  /// Backpropagation through time: all steps forward with their gates kept, then newest first.
  double hand(std::span<const double> x, std::span<double> gradient) const {
    static thread_local std::vector<double> states, dpredictions, dstate, dbelow;
    static thread_local std::vector<gates> all_gates;
    const std::size_t turns = steps_ - 1, width = state_.size();
    states.resize((turns + 1) * width);
    std::copy(state_.begin(), state_.end(), states.begin());
    all_gates.resize(turns * layers_ * b_);
    dpredictions.resize(turns * b_);
    const double* const extra = x.data() + layers_ * 8 * b_;
    double result = 0.0;
    for (std::size_t step = 0; step < turns; ++step) {
      double* const before = states.data() + step * width;
      const double* const top = forward(x, sequence_.data() + step * b_, before, before + width,
                                        all_gates.data() + step * layers_ * b_);
      result +=
          loss(extra, top, sequence_.data() + (step + 1) * b_, dpredictions.data() + step * b_);
    }
    std::fill(gradient.begin(), gradient.end(), 0.0);
    double* const dextra = gradient.data() + layers_ * 8 * b_;
    dstate.assign(width, 0.0);
    dbelow.resize(b_);
    for (std::size_t step = turns; step-- > 0;) {
      const double* const before = states.data() + step * width;
      const double* const top = before + width + (layers_ - 1) * 2 * b_;
      for (std::size_t i = 0; i < b_; ++i) {
        const double dprediction = dpredictions[step * b_ + i];
        dextra[b_ + i] += dprediction * top[i];
        dextra[2 * b_ + i] += dprediction;
        dbelow[i] = dprediction * extra[b_ + i];
      }
      for (std::size_t layer = layers_; layer-- > 0;) {
        const std::size_t weights = layer * 8 * b_, state = layer * 2 * b_;
        retreat(x.data() + weights, all_gates.data() + (step * layers_ + layer) * b_,
                before + state, dbelow.data(), dstate.data() + state, gradient.data() + weights);
      }
      for (std::size_t i = 0; i < b_; ++i) dextra[i] += dbelow[i] * sequence_[step * b_ + i];
    }
    return result;
  }

 private:
  // What the adjoint of one cell needs of its step.
  struct gates {
    double input, forget, in, out, change, squashed;  // the last is tanh of the cell
  };

  // All layers, one step; gives the hidden values of the last.
  const double* forward(std::span<const double> x, const double* input, const double* before,
                        double* after, gates* kept) const {
    const double* const extra = x.data() + layers_ * 8 * b_;
    const double* below = nullptr;
    for (std::size_t layer = 0; layer < layers_; ++layer, kept += b_) {
      const double* const weight = x.data() + layer * 8 * b_;
      const double* const bias = weight + 4 * b_;
      const double *const hidden = before + layer * 2 * b_, *const cell = hidden + b_;
      double* const hidden_after = after + layer * 2 * b_;
      for (std::size_t i = 0; i < b_; ++i) {
        gates& g = kept[i];
        g.input = layer == 0 ? input[i] * extra[i] : below[i];
        g.forget = logistic(g.input * weight[i] + bias[i]);
        g.in = logistic(hidden[i] * weight[b_ + i] + bias[b_ + i]);
        g.out = logistic(g.input * weight[2 * b_ + i] + bias[2 * b_ + i]);
        g.change = std::tanh(hidden[i] * weight[3 * b_ + i] + bias[3 * b_ + i]);
        const double cell_after = cell[i] * g.forget + g.in * g.change;
        g.squashed = std::tanh(cell_after);
        hidden_after[i] = g.out * g.squashed;
        hidden_after[b_ + i] = cell_after;
      }
      below = hidden_after;
    }
    return below;
  }

  // What one step adds to the result, and its slopes by the predictions.
  double loss(const double* extra, const double* top, const double* truth,
              double* dprediction) const {
    const double scale = -1.0 / static_cast<double>((steps_ - 1) * b_);
    double sum = 2.0, all_truth = 0.0, likelihood = 0.0;
    for (std::size_t i = 0; i < b_; ++i) {
      const double prediction = top[i] * extra[b_ + i] + extra[2 * b_ + i];
      dprediction[i] = std::exp(prediction);
      sum += dprediction[i];
      all_truth += truth[i];
      likelihood += truth[i] * prediction;
    }
    const double share = all_truth / sum;
    for (std::size_t i = 0; i < b_; ++i) {
      dprediction[i] = scale * (truth[i] - share * dprediction[i]);
    }
    return scale * (likelihood - all_truth * std::log(sum));
  }

  // The adjoint of one layer's step: `dstate` goes from the state after it to the one before it,
  // `dinput` from its output to its input.
  void retreat(const double* weight, const gates* kept, const double* before, double* dinput,
               double* dstate, double* dweight) const {
    const double *const hidden = before, *const cell = before + b_;
    double *const dhidden = dstate, *const dcell = dstate + b_, *const dbias = dweight + 4 * b_;
    for (std::size_t i = 0; i < b_; ++i) {
      const gates& g = kept[i];
      const double dout = dhidden[i] + dinput[i];
      const double d = dcell[i] + dout * g.out * (1.0 - g.squashed * g.squashed);
      const double forget = d * cell[i] * g.forget * (1.0 - g.forget);
      const double in = d * g.change * g.in * (1.0 - g.in);
      const double out = dout * g.squashed * g.out * (1.0 - g.out);
      const double change = d * g.in * (1.0 - g.change * g.change);
      dweight[i] += forget * g.input;
      dweight[b_ + i] += in * hidden[i];
      dweight[2 * b_ + i] += out * g.input;
      dweight[3 * b_ + i] += change * hidden[i];
      dbias[i] += forget;
      dbias[b_ + i] += in;
      dbias[2 * b_ + i] += out;
      dbias[3 * b_ + i] += change;
      dcell[i] = d * g.forget;
      dhidden[i] = in * weight[b_ + i] + change * weight[3 * b_ + i];
      dinput[i] = forget * weight[i] + out * weight[2 * b_ + i];
    }
  }

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
