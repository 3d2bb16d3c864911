// Epochs of batches in the steady state ask the system for no memory.

#include <tests/catch.hpp>
#include <tests/counted_allocations.hpp>
#include <tests/nn/batches.hpp>

#include <nn/data/augment.hpp>
#include <nn/data/streaming.hpp>

#include <cstddef>
#include <span>

namespace {

/// Rows of a data set in memory.
class memory_rows : public nn::row_stream<double> {
 public:
  explicit memory_rows(std::size_t n) : data_(numbered_samples(n)) {}
  std::size_t samples() const override { return data_.size(); }
  std::size_t features() const override { return 2; }
  std::size_t outputs() const override { return 1; }
  void rewind() override { at_ = 0; }
  bool next(std::span<double> inputs, std::span<double> targets) override {
    if (at_ == data_.size()) return false;
    inputs[0] = data_.inputs.values()[2 * at_];
    inputs[1] = data_.inputs.values()[2 * at_ + 1];
    targets[0] = data_.targets.values()[at_++];
    return true;
  }

 private:
  nn::dataset<double> data_;
  std::size_t at_ = 0;
};

std::size_t allocations_of_epochs(nn::batch_source<double>& source) {
  nn::batch<double> b;
  const auto run = [&](std::size_t from, std::size_t to) {
    for (std::size_t epoch = from; epoch < to; ++epoch) {
      source.begin(epoch);
      while (source.next(b)) {
      }
    }
  };
  run(0, 3);
  const std::size_t before = requests;
  run(3, 20);
  return requests - before;
}

}  // namespace

TEST_CASE("epochs from memory, shifted or streamed allocate nothing once warm") {
  if (!malloc_is_counted) {
    WARN("skipped: allocations cannot be counted in this build");
    return;
  }
  nn::memory_source<double> memory(numbered_samples(100), 7, nn::seed{1});
  CHECK(allocations_of_epochs(memory) == 0);
  nn::shifting_source<double> shifted(memory, {.rows = 2, .columns = 1}, nn::seed{1});
  CHECK(allocations_of_epochs(shifted) == 0);
  memory_rows rows(100);
  nn::streaming_source<double> streamed(rows, 20, 7, nn::seed{1});
  CHECK(allocations_of_epochs(streamed) == 0);
}
