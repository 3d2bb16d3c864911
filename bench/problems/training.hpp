#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace bench::problems {

enum class hidden { relu, tanh };
enum class update { sgd, adam };

/// A dense network that classifies, and how it is trained: softmax cross-entropy over the last
/// layer, steps on one batch in float32.
struct training {
  std::string name;
  std::vector<std::size_t> widths;
  std::size_t batch;
  hidden activation;
  problems::update update = update::sgd;

  /// Multiply-adds of the products of a step; the first layer needs no adjoint of its input.
  double multiply_adds() const {
    double sum = 0;
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
      sum += static_cast<double>((l == 0 ? 2 : 3) * batch * widths[l] * widths[l + 1]);
    }
    return sum;
  }
};

/// The networks of the tables, with either update.
inline std::vector<training> trainings() {
  std::vector<training> all;
  for (const update how : {update::sgd, update::adam}) {
    const std::string suffix = how == update::adam ? "_adam" : "";
    all.push_back({"b" + suffix, {64, 32, 10}, 32, hidden::relu, how});
    all.push_back({"c" + suffix, {784, 128, 10}, 64, hidden::relu, how});
    all.push_back({"d" + suffix, {784, 512, 512, 10}, 128, hidden::relu, how});
    all.push_back({"e" + suffix, {1024, 1024, 1024, 1024, 10}, 1024, hidden::tanh, how});
  }
  return all;
}

constexpr float learning_rate = 1e-4f;

/// Numbers between -1 and 1 without structure: enough for weights and inputs that are only timed.
inline float scattered(std::size_t i) {
  const auto bits = static_cast<unsigned>(i) * 2654435761u;
  return static_cast<float>(bits >> 8) / 8388608.0f - 1.0f;
}

/// Weights [in, out], biases [out], inputs [batch, in] and one-hot targets [batch, out].
struct training_values {
  explicit training_values(const training& t) {
    const auto& widths = t.widths;
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
      const float scale = std::sqrt(3.0f / static_cast<float>(widths[l]));
      weights.emplace_back(widths[l] * widths[l + 1]);
      for (std::size_t i = 0; i < weights[l].size(); ++i) weights[l][i] = scale * scattered(i + l);
      biases.emplace_back(widths[l + 1], 0.01f);
    }
    input.resize(t.batch * widths.front());
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = std::fabs(scattered(i + 17));
    targets.resize(t.batch * widths.back());
    for (std::size_t i = 0; i < t.batch; ++i) {
      targets[i * widths.back() + i * 7 % widths.back()] = 1;
    }
  }

  std::vector<std::vector<float>> weights, biases;
  std::vector<float> input, targets;
};

}  // namespace bench::problems
