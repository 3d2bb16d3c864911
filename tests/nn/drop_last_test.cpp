// What becomes of a last batch that is shorter than the others.

#include <tests/catch.hpp>
#include <tests/nn/batches.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/data/augment.hpp>
#include <nn/data/batch_source.hpp>
#include <nn/data/prefetch.hpp>
#include <nn/data/row_stream.hpp>
#include <nn/data/streaming.hpp>
#include <nn/network/network.hpp>
#include <nn/training/rate_range.hpp>
#include <nn/training/train.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;

/// numbered_samples() one after the other.
class numbered_rows : public nn::row_stream<double> {
 public:
  explicit numbered_rows(std::size_t n) : n_(n) {}
  std::size_t samples() const override { return n_; }
  std::size_t features() const override { return 2; }
  std::size_t outputs() const override { return 1; }
  void rewind() override { next_ = 0; }
  bool next(std::span<double> input, std::span<double> target) override {
    if (next_ == n_) return false;
    input[0] = static_cast<double>(next_);
    input[1] = -1;
    target[0] = 10 * static_cast<double>(next_++);
    return true;
  }

 private:
  std::size_t n_, next_ = 0;
};

void check_sizes(nn::batch_source<double>& source, std::size_t batches, std::size_t size) {
  CHECK(source.batches() == batches);
  CHECK(source.samples() == batches * size);
  const auto epoch = epoch_of(source, 2);
  REQUIRE(epoch.size() == batches);
  for (const auto& each : epoch) CHECK(each.size() == size);
  for (std::size_t from = 0; from <= batches + 1; ++from) {
    auto expected = epoch;
    expected.erase(expected.begin(),
                   expected.begin() + static_cast<std::ptrdiff_t>(std::min(from, batches)));
    CHECK(epoch_of(source, 2, from) == expected);
  }
}

nn::network<double> normed() {
  return nn::network<double>(2, {nn::batch_norm(), nn::dense(1)}, nn::seed{1});
}

}  // namespace

TEST_CASE("with drop_last every batch is whole, from whatever source") {
  constexpr std::size_t size = 4;
  for (const std::size_t n : {0, 1, 3, 4, 5, 8, 11}) {
    CAPTURE(n);
    nn::memory_source<double> memory(numbered_samples(n), size, nn::seed{5}, nn::drop_last::yes);
    check_sizes(memory, n / size, size);
    nn::prefetching_source<double> ahead(memory);
    check_sizes(ahead, n / size, size);
    numbered_rows rows(n);
    nn::streaming_source<double> stream(rows, 3, size, nn::seed{5}, nn::drop_last::yes);
    check_sizes(stream, n / size, size);
  }
}

TEST_CASE("what is dropped is another sample from epoch to epoch, the others are as without") {
  nn::memory_source<double> whole(numbered_samples(9), 4, nn::seed{5}),
      dropping(numbered_samples(9), 4, nn::seed{5}, nn::drop_last::yes);
  std::vector<std::size_t> dropped;
  for (std::size_t epoch = 0; epoch < 5; ++epoch) {
    auto all = epoch_of(whole, epoch);
    dropped.push_back(all.back().front());
    all.pop_back();
    CHECK(epoch_of(dropping, epoch) == all);
  }
  CHECK(dropped != std::vector<std::size_t>(5, dropped[0]));
}

TEST_CASE("a last batch of one sample is refused by batch_norm, and drop_last leaves it out") {
  const auto data = numbered_samples(9);
  nn::training how{.optimizer = nn::sgd{.rate = 1e-6}, .epochs = 2, .batch = 4};
  auto net = normed();
  CHECK(reference::says(
      reference::message<autodiff::shape_error>([&] { nn::train(net, data, how); }),
      "batch_norm: training on [1, 2]", "one alone has no variance", "leave it out by drop_last"));
  how.drop_last = nn::drop_last::yes;
  std::size_t steps = 0;
  how.on_step = [&](const nn::step_end& now) {
    CHECK(now.batches == 2);
    ++steps;
  };
  auto other = normed();
  CHECK(nn::train(other, data, how).size() == 2);
  CHECK(steps == 4);
}

TEST_CASE("an epoch of which everything is dropped is refused") {
  const auto data = numbered_samples(3);
  const nn::training how{.batch = 4, .drop_last = nn::drop_last::yes};
  auto net = normed();
  CHECK(
      reference::says(reference::message<autodiff::shape_error>([&] { nn::train(net, data, how); }),
                      "train: epoch 1 has no batches", "with drop_last at least one whole batch"));
  CHECK(reference::says(
      reference::message<autodiff::shape_error>([&] { nn::rate_range(net, data, how); }),
      "rate_range: the data has no batches", "with drop_last at least one whole batch"));
}

TEST_CASE("sources tell the settings that decide their batches") {
  using settings = std::map<std::string, std::string>;
  nn::memory_source<double> memory(numbered_samples(9), 4, nn::seed{5}, nn::drop_last::yes);
  const settings of_memory{{"batch", "4"}, {"shuffle_seed", "5"}, {"drop_last", "true"}};
  CHECK(memory.settings() == of_memory);
  CHECK(nn::prefetching_source<double>(memory).settings() == of_memory);
  CHECK(nn::shifting_source<double>(memory, {1, 2, 3}, nn::seed{6}).settings() ==
        settings{{"batch", "4"},
                 {"shuffle_seed", "5"},
                 {"drop_last", "true"},
                 {"shift", "3"},
                 {"shift_seed", "6"}});
  numbered_rows rows(9);
  CHECK(nn::streaming_source<double>(rows, 3, 4, nn::seed{5}).settings() ==
        settings{{"batch", "4"}, {"shuffle_seed", "5"}, {"drop_last", "false"}, {"window", "3"}});
}
