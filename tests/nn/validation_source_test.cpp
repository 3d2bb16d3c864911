// Validation data that comes in batches measures what the same data in memory does.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <nn/data/batch_source.hpp>
#include <nn/data/prefetch.hpp>
#include <nn/network/network.hpp>
#include <nn/training/predict.hpp>
#include <nn/training/train.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;

nn::dataset<double> drawn(std::size_t n, std::uint64_t seed) {
  reference::random random(seed);
  const auto labels = random.uniform<double>(n, 0, 3);
  std::vector<std::size_t> classes;
  for (const double label : labels) classes.push_back(static_cast<std::size_t>(label));
  return {tensor<double>(autodiff::shape{n, 3},
                         std::span<const double>(random.uniform<double>(n * 3, -1, 1))),
          autodiff::one_hot<double>(classes, 3)};
}

nn::network<double> network() {
  return nn::network<double>(3, {nn::dense(5, nn::tanh), nn::batch_norm(), nn::dense(3)},
                             nn::seed{1});
}

/// Measures that are no means over samples among them.
nn::training settings(const nn::loss& e) {
  return {.loss = e,
          .epochs = 3,
          .batch = 8,
          .metrics = {nn::accuracy, nn::f1(), nn::recall_of(1), nn::r_squared,
                      nn::root_mean_squared_error}};
}

}  // namespace

TEST_CASE("loss and metrics of a source are those of all its samples together") {
  const auto data = drawn(40, 1), validation = drawn(31, 2);
  for (const nn::loss& e : {nn::softmax_cross_entropy, nn::half_squared_error,
                            nn::softmax_cross_entropy_with({.class_weights = {1, 2, 5}})}) {
    CAPTURE(e.name);
    auto net = network(), same = network(), again = network();
    const auto expected = nn::train(net, data, validation, settings(e));
    nn::memory_source<double> source(validation, 7, nn::seed{4});
    const auto found = nn::train(same, data, source, settings(e));
    nn::memory_source<double> batches(data, 8, nn::seed{0});
    nn::prefetching_source<double> ahead(source);
    const auto of_sources = nn::train(again, batches, ahead, settings(e));
    REQUIRE(found.size() == expected.size());
    for (std::size_t epoch = 0; epoch < found.size(); ++epoch) {
      for (const std::string& name : expected[epoch].names()) {
        CAPTURE(epoch, name);
        if (name == "seconds") continue;
        // The samples come in another order.
        CHECK(found[epoch].value(name) == Approx(expected[epoch].value(name)).epsilon(1e-13));
        CHECK(of_sources[epoch].value(name) == found[epoch].value(name));
      }
    }
  }
}

TEST_CASE("early stopping and plateaus follow a validation set that streams") {
  const auto data = drawn(40, 1), validation = drawn(31, 2);
  nn::training how = settings(nn::softmax_cross_entropy);
  how.optimizer = nn::adam{.rate = 0.05};
  how.epochs = 200;
  how.early_stopping = nn::early_stopping{.patience = 3};
  how.schedule = nn::reduce_on_plateau{.factor = 0.5, .patience = 0};
  auto net = network(), same = network();
  const auto expected = nn::train(net, data, validation, how);
  nn::memory_source<double> source(validation, 7, nn::seed{4});
  const auto found = nn::train(same, data, source, how);
  REQUIRE(expected.size() < 200);
  CHECK(nn::values_of(found, "rate") == nn::values_of(expected, "rate"));
  const auto y = net(data.inputs), z = same(data.inputs);
  CHECK(std::equal(y.values().begin(), y.values().end(), z.values().begin()));
}

TEST_CASE("the source of the training may be that of the validation") {
  auto net = network();
  nn::memory_source<double> source(drawn(20, 1), 8, nn::seed{4});
  const auto past = nn::train(net, source, source, settings(nn::softmax_cross_entropy));
  CHECK(past.size() == 3);
  const auto all = nn::predict(net, source);
  CHECK(past.back().validation_loss == nn::softmax_cross_entropy(all.outputs, all.targets).item());
}

TEST_CASE("the outputs for a source come in its order, beside targets and numbers of samples") {
  const auto data = drawn(23, 1);
  auto net = network();
  nn::memory_source<double> source(data, 5, nn::seed{4});
  const auto all = nn::predict(net, source);
  const auto whole = net(data.inputs);
  REQUIRE(all.outputs.shape() == autodiff::shape{23, 3});
  REQUIRE(all.targets.shape() == autodiff::shape{23, 3});
  for (std::size_t i = 0; i < 23; ++i) {
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(reference::close(all.outputs.value(i, k), whole.value(all.samples[i], k), 1e-14L));
      CHECK(all.targets.value(i, k) == data.targets.value(all.samples[i], k));
    }
  }
  auto numbers = all.samples;
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::size_t> expected(23);
  std::iota(expected.begin(), expected.end(), std::size_t{0});
  CHECK(numbers == expected);
}

TEST_CASE("validation data that is empty or does not fit is refused before a weight moved") {
  const auto data = drawn(20, 1);
  auto net = network();
  const double before = net.layers()[0].dense().weights.values()[0];
  const auto refusal = [&](const nn::dataset<double>& validation, nn::drop_last drop) {
    nn::memory_source<double> source(validation, 64, nn::seed{4}, drop);
    return reference::message<autodiff::shape_error>(
        [&] { nn::train(net, data, source, settings(nn::softmax_cross_entropy)); });
  };
  CHECK(reference::says(refusal(drawn(0, 2), nn::drop_last::no),
                        "train: the validation data has no batches", "at least one sample"));
  CHECK(reference::says(refusal(drawn(9, 2), nn::drop_last::yes),
                        "train: the validation data has no batches", "one whole batch"));
  nn::dataset<double> wide = drawn(9, 2);
  wide.targets = tensor<double>(autodiff::shape{9, 4});
  CHECK(reference::says(refusal(wide, nn::drop_last::no), "train: inputs [9, 3] and targets [9, 4]",
                        "do not fit the model and its loss"));
  CHECK(net.layers()[0].dense().weights.values()[0] == before);
  nn::memory_source<double> none(drawn(0, 2), 4, nn::seed{4});
  CHECK(reference::says(reference::message<autodiff::shape_error>([&] { nn::predict(net, none); }),
                        "predict: the source has no batches", "at least one sample"));
}
