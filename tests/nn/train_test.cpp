#include <tests/catch.hpp>
#include <tests/examples/drawn_digits.hpp>
#include <tests/nn/mnist.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/view.hpp>
#include <nn/network/network.hpp>
#include <nn/training/train.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using autodiff::tensor;
namespace fs = std::filesystem;

// A sanitizer slows everything but the matrix products down; there the large cases shrink.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

nn::dataset<double> exclusive_or() {
  return {tensor<double>({{0.0, 0.0}, {0.0, 1.0}, {1.0, 0.0}, {1.0, 1.0}}),
          autodiff::reshape(tensor<double>({0.0, 1.0, 1.0, 0.0}), {4, 1})};
}

/// Inputs in [-1, 1] and a noisy affine map of them.
template <class T = double>
nn::dataset<T> regression(std::size_t n, std::size_t inputs, std::size_t outputs,
                          std::uint64_t seed) {
  reference::random random(seed);
  const auto w = random.uniform(inputs * outputs, -2, 2);
  nn::dataset<T> data{tensor<T>(autodiff::shape{n, inputs},
                                std::span<const T>(random.uniform<T>(n * inputs, -1, 1))),
                      tensor<T>(autodiff::shape{n, outputs})};
  auto t = data.targets.mutable_values();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < outputs; ++k) {
      double y = 0.5 + random.uniform(-0.1, 0.1);
      for (std::size_t m = 0; m < inputs; ++m) {
        y += w[m * outputs + k] * static_cast<double>(data.inputs.value(i, m));
      }
      t[i * outputs + k] = static_cast<T>(y);
    }
  }
  return data;
}

/// The least-squares solution [inputs + 1, outputs], the bias last, from the normal equations.
std::vector<std::vector<double>> least_squares(const nn::dataset<double>& data) {
  const std::size_t n = data.size(), m = data.inputs.shape()[1] + 1, k = data.targets.shape()[1];
  const auto input = [&](std::size_t i, std::size_t j) {
    return j + 1 == m ? 1.0 : data.inputs.value(i, j);
  };
  // [A | B] with A = X^T X and B = X^T T; Gauss and Jordan.
  std::vector<std::vector<double>> rows(m, std::vector<double>(m + k));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t r = 0; r < m; ++r) {
      for (std::size_t c = 0; c < m; ++c) rows[r][c] += input(i, r) * input(i, c);
      for (std::size_t c = 0; c < k; ++c) rows[r][m + c] += input(i, r) * data.targets.value(i, c);
    }
  }
  for (std::size_t p = 0; p < m; ++p) {
    for (std::size_t r = 0; r < m; ++r) {
      if (r == p) continue;
      const double factor = rows[r][p] / rows[p][p];
      for (std::size_t c = p; c < m + k; ++c) rows[r][c] -= factor * rows[p][c];
    }
  }
  std::vector<std::vector<double>> solution(m);
  for (std::size_t r = 0; r < m; ++r) {
    for (std::size_t c = 0; c < k; ++c) solution[r].push_back(rows[r][m + c] / rows[r][r]);
  }
  return solution;
}

template <class T>
std::vector<T> all_parameters(nn::network<T>& net) {
  std::vector<T> values;
  net.parameters([&](const tensor<T>& p) {
    values.insert(values.end(), p.values().begin(), p.values().end());
  });
  return values;
}

template <class T>
bool all_passive(nn::network<T>& net) {
  bool passive = true;
  net.parameters([&](const tensor<T>& p) { passive &= !p.is_recorded(); });
  return passive;
}

/// A tape on this thread works as if nothing had happened.
bool tape_is_usable() {
  autodiff::tape tape;
  const autodiff::var x = tape.variable(3.0);
  const autodiff::var y = x * x;
  tape.backward(y);
  return tape.adjoint(x) == 6;
}

}  // namespace

TEST_CASE("a 2-8-1 network learns exclusive or") {
  const auto data = exclusive_or();
  nn::network<double> net(2, {nn::dense(8, nn::tanh), nn::dense(1)}, nn::seed{1});
  const auto history = nn::train(net, data,
                                 {.loss = nn::binary_cross_entropy,
                                  .optimizer = nn::adam{.rate = 0.05},
                                  .epochs = 400,
                                  .batch = 4});
  CHECK(history.back().loss < 0.01);
  const auto y = net(data.inputs);
  for (std::size_t i = 0; i < 4; ++i) CHECK((y.values()[i] > 0) == (data.targets.values()[i] == 1));
}

TEST_CASE("a network without a hidden layer cannot learn exclusive or") {
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{1});
  const auto history = nn::train(net, exclusive_or(),
                                 {.loss = nn::binary_cross_entropy,
                                  .optimizer = nn::adam{.rate = 0.05},
                                  .epochs = 400,
                                  .batch = 4});
  CHECK(std::abs(history.back().loss - std::log(2.0)) < 1e-3);
}

TEST_CASE("linear regression reaches the weights of the normal equations") {
  const auto data = regression(50, 3, 2, 8);
  const auto solution = least_squares(data);
  for (const nn::optimizer& optimizer :
       {nn::optimizer(nn::sgd{.rate = 0.5}), nn::optimizer(nn::adam{.rate = 0.01})}) {
    nn::network<double> net(3, {nn::dense(2)}, nn::seed{2});
    nn::train(
        net, data,
        {.loss = nn::mean_squared_error, .optimizer = optimizer, .epochs = 3000, .batch = 50});
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::size_t m = 0; m < 3; ++m) {
        CHECK(std::abs(net.layers()[0].dense().weights.value(m, k) - solution[m][k]) < 1e-6);
      }
      CHECK(std::abs(net.layers()[0].dense().bias.value(k) - solution[3][k]) < 1e-6);
    }
  }
}

TEST_CASE("the history holds a record for every epoch") {
  const auto data = regression(30, 2, 2, 1), validation = regression(10, 2, 2, 2);
  nn::network<double> net(2, {nn::dense(2)}, nn::seed{2});
  const auto plain = nn::train(net, data, {.epochs = 4, .batch = 8});
  REQUIRE(plain.size() == 4);
  for (const nn::epoch_record& epoch : plain) {
    CHECK(epoch.loss > 0);
    CHECK(epoch.seconds > 0);
    CHECK(!epoch.validation_loss);
    CHECK(epoch.metrics.empty());
  }
  CHECK(plain.back().loss < plain.front().loss);

  const auto measured =
      nn::train(net, data, validation, {.epochs = 3, .batch = 8, .metrics = {nn::r_squared}});
  REQUIRE(measured.size() == 3);
  for (const nn::epoch_record& epoch : measured) {
    CHECK(epoch.validation_loss);
    CHECK(epoch.names() == std::vector<std::string>{"loss", "validation_loss", "r_squared",
                                                    "validation_r_squared", "rate", "seconds"});
  }
  const auto y = net(validation.inputs);
  CHECK(*measured.back().validation_loss == nn::mean_squared_error(y, validation.targets).item());
}

TEST_CASE("an epoch's loss is the mean over its samples, also with a shorter last batch") {
  // With a rate too small to move a weight, every batch sees the same network.
  const auto data = regression(11, 2, 1, 1);
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{2});
  net.layers()[0].dense().bias = tensor<double>({0.3});
  const auto before = all_parameters(net);
  const double whole = nn::mean_squared_error(net(data.inputs), data.targets).item();
  const auto history =
      nn::train(net, data, {.optimizer = nn::sgd{.rate = 1e-300}, .epochs = 2, .batch = 4});
  CHECK(all_parameters(net) == before);
  for (const auto& epoch : history) CHECK(std::abs(epoch.loss - whole) < 1e-14 * whole);
}

TEST_CASE("one epoch of one batch is one step of the optimizer, by the gradient of the loss") {
  const auto data = regression(6, 2, 1, 1);
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{2});
  const auto y = net(data.inputs);
  const auto before = all_parameters(net);
  nn::train(net, data,
            {.loss = nn::half_squared_error, .optimizer = nn::sgd{.rate = 0.01}, .epochs = 1});
  double expected[3] = {before[0], before[1], before[2]};
  for (std::size_t i = 0; i < 6; ++i) {
    const double delta = y.values()[i] - data.targets.values()[i];
    expected[0] -= 0.01 * delta * data.inputs.values()[2 * i];
    expected[1] -= 0.01 * delta * data.inputs.values()[2 * i + 1];
    expected[2] -= 0.01 * delta;
  }
  const auto after = all_parameters(net);
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(after[i] - expected[i]) < 1e-14);
}

TEST_CASE("metrics are measured in training and on the validation data") {
  const nn::dataset<double> data{autodiff::reshape(tensor<double>({1.0, -1.0, 2.0, -2.0}), {4, 1}),
                                 tensor<double>({{1.0, 0.0}, {0.0, 1.0}, {1.0, 0.0}, {1.0, 0.0}})};
  nn::network<double> net(1, {nn::dense(2)}, nn::seed{1});
  net.layers()[0].dense().weights = tensor<double>({{1.0, -1.0}});
  const nn::training still{.loss = nn::softmax_cross_entropy,
                           .optimizer = nn::sgd{.rate = 1e-300},
                           .epochs = 1,
                           .batch = 3,
                           .metrics = {nn::accuracy}};
  const auto record = nn::train(net, data, data, still).back();
  CHECK(record.value("validation_accuracy") == 0.75);
  // The weights stand still: the batches of 3 and 1 samples add up to the same.
  CHECK(record.value("accuracy") == 0.75);
}

TEST_CASE("no epochs leave the network as it is and an empty history") {
  const auto data = regression(5, 2, 1, 1);
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{2});
  const auto before = all_parameters(net);
  CHECK(nn::train(net, data, {.epochs = 0}).empty());
  CHECK(all_parameters(net) == before);
}

TEMPLATE_TEST_CASE("training is reproducible to the bit by its seeds", "", float, double) {
  using T = TestType;
  const auto data = regression<T>(70, 3, 2, 1);
  const auto trained = [&](std::uint64_t weights, std::uint64_t order) {
    nn::network<T> net(3, {nn::dense(16, nn::tanh), nn::dense(2)}, nn::seed{weights});
    nn::train(net, data, {.epochs = 5, .batch = 16, .seed = nn::seed{order}});
    return all_parameters(net);
  };
  const auto once = trained(1, 2);
  CHECK(trained(1, 2) == once);
  CHECK(trained(1, 3) != once);
  CHECK(trained(2, 2) != once);
}

TEST_CASE("training leaves passive parameters, and the record of an outer tape alone") {
  const auto data = regression(20, 2, 1, 1);
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{2});
  autodiff::tape tape;
  const autodiff::var x = tape.variable(2.0);
  const autodiff::var y = x * x;
  nn::train(net, data, data, {.epochs = 2, .batch = 8});
  CHECK(all_passive(net));
  const autodiff::var z = y * x;
  tape.backward(z);
  CHECK(tape.adjoint(x) == 12);
}

TEST_CASE("a number in the data that is not finite stops training by epoch and batch") {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    auto data = regression(40, 2, 1, 1);
    const std::size_t sample = 17;
    data.inputs.mutable_values()[2 * sample] = bad;
    nn::network<double> net(2, {nn::dense(1)}, nn::seed{2});
    // Where the sample stands in the first epoch.
    nn::batches batches(40, 8, nn::seed{5});
    batches.shuffle(0);
    std::size_t at = 0;
    while (std::find(batches[at].begin(), batches[at].end(), sample) == batches[at].end()) ++at;
    const std::string text = reference::message<autodiff::domain_error>(
        [&] { nn::train(net, data, {.epochs = 3, .batch = 8, .seed = nn::seed{5}}); });
    CAPTURE(text);
    CHECK(reference::says(text, "train: the loss is",
                          "epoch 1, batch " + std::to_string(at + 1) + ";", "lower the rate"));
    CHECK(all_passive(net));
    for (const double w : all_parameters(net)) CHECK(std::isfinite(w));
    CHECK(tape_is_usable());
  }
}

TEST_CASE("a target that is not finite stops training before a weight moved") {
  auto data = regression(8, 2, 1, 1);
  data.targets.mutable_values()[3] = std::numeric_limits<double>::quiet_NaN();
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{2});
  const auto before = all_parameters(net);
  CHECK_THROWS_AS(nn::train(net, data, {.epochs = 1, .batch = 8}), autodiff::domain_error);
  CHECK(all_parameters(net) == before);
}

TEMPLATE_TEST_CASE("an absurd rate stops training by epoch and batch", "", float, double) {
  using T = TestType;
  const auto data = regression<T>(40, 2, 1, 1);
  nn::network<T> net(2, {nn::dense(4, nn::relu), nn::dense(1)}, nn::seed{2});
  const std::string text = reference::message<autodiff::domain_error>([&] {
    nn::train(net, data, {.optimizer = nn::sgd{.rate = 1e30}, .epochs = 50, .batch = 8});
  });
  CAPTURE(text);
  CHECK(reference::says(text, "train: the loss is", "in epoch ", "batch "));
  CHECK(all_passive(net));
  CHECK(tape_is_usable());
  // The network is spoilt, training is not.
  nn::network<T> next(2, {nn::dense(4, nn::relu), nn::dense(1)}, nn::seed{2});
  CHECK(nn::train(next, data, {.epochs = 2}).size() == 2);
}

TEST_CASE("settings out of range are refused before a weight moved") {
  const auto data = regression(8, 2, 1, 1);
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{2});
  const auto before = all_parameters(net);
  CHECK_THROWS_AS(nn::train(net, data, {.batch = 0}), autodiff::domain_error);
  CHECK_THROWS_AS(nn::train(net, data, {.optimizer = nn::sgd{.rate = 0}}), autodiff::domain_error);
  CHECK_THROWS_AS(nn::train(net, data, {.optimizer = nn::adam{.beta1 = 1}}),
                  autodiff::domain_error);
  CHECK(all_parameters(net) == before);
}

TEST_CASE("data that does not fit the network is refused with its shapes") {
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{2});
  const auto good = regression(8, 2, 1, 1);
  const auto before = all_parameters(net);
  const auto zeros = [](std::initializer_list<std::size_t> extents) {
    return tensor<double>(autodiff::shape(extents));
  };
  for (const nn::dataset<double>& bad :
       std::vector<nn::dataset<double>>{{zeros({8, 3}), zeros({8, 1})},  // features
                                        {zeros({8, 2}), zeros({8, 2})},  // outputs
                                        {zeros({8, 2}), zeros({7, 1})},  // samples
                                        {zeros({8, 2}), zeros({8})},     // rank
                                        {zeros({2}), zeros({1})},
                                        {zeros({0, 2}), zeros({0, 1})},
                                        {}}) {
    const std::string inputs = autodiff::to_string(bad.inputs.shape());
    const std::string targets = autodiff::to_string(bad.targets.shape());
    for (const bool as_validation : {false, true}) {
      const std::string text = reference::message<autodiff::shape_error>([&] {
        if (as_validation)
          nn::train(net, good, bad, {.epochs = 1});
        else
          nn::train(net, bad, {.epochs = 1});
      });
      CAPTURE(text);
      CHECK(reference::says(text, "train: ", "inputs " + inputs + " and targets " + targets,
                            "at least one sample"));
    }
  }
  CHECK(all_parameters(net) == before);
}

TEST_CASE("training on two thousand drawn digits reads new ones") {
  const std::size_t count = sanitized ? 800 : 2000;
  const drawn_digits drawn = draw_digits(count + 500, 1);
  const auto data = nn::image_dataset<float>(drawn.images, drawn.labels);
  const auto [train, test] = nn::split(data, count, nn::seed{1});
  nn::network<float> net(784, {nn::dense(64, nn::relu), nn::dense(10)}, nn::seed{42});
  const auto history = nn::train(net, train, test,
                                 {.loss = nn::softmax_cross_entropy,
                                  .optimizer = nn::adam{.rate = 3e-3},
                                  .epochs = 6,
                                  .batch = 32,
                                  .metrics = {nn::accuracy}});
  const double accuracy = history.back().value("validation_accuracy");
  CAPTURE(accuracy);
  CHECK(accuracy > (sanitized ? 0.6 : 0.8));
}

TEST_CASE("training on eight thousand real digits reads 94 % of two thousand others") {
  const auto folder = mnist_folder();
  if (!folder) {
    WARN("skipped: no mnist/t10k-images-idx3-ubyte.gz in $BACKSWEEP_DATA or ../shared/data");
    return;
  }
  const auto data = nn::load_idx<float>(*folder / "t10k-images-idx3-ubyte.gz",
                                        *folder / "t10k-labels-idx1-ubyte.gz");
  REQUIRE(data.size() == 10000);
  const auto [train, test] = nn::split(data, 8000, nn::seed{2026});
  nn::network<float> net(784, {nn::dense(128, nn::relu), nn::dense(10)}, nn::seed{42});
  const auto history = nn::train(net, train, test,
                                 {.loss = nn::softmax_cross_entropy,
                                  .optimizer = nn::adam{.rate = 1e-3},
                                  .epochs = sanitized ? std::size_t{2} : std::size_t{12},
                                  .batch = 64,
                                  .metrics = {nn::accuracy}});
  const double accuracy = history.back().value("validation_accuracy");
  CAPTURE(accuracy);
  CHECK(accuracy >= (sanitized ? 0.88 : 0.94));
  CHECK(history.back().loss < history.front().loss);
}
