#include <tests/catch.hpp>
#include <tests/nn/batches.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/data/prefetch.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

/// Another source up to a batch of every epoch, which throws.
class failing_source : public nn::batch_source<double> {
 public:
  failing_source(nn::batch_source<double>& source, std::size_t at) : source_(source), at_(at) {}
  std::size_t samples() const override { return source_.samples(); }
  std::size_t batches() const override { return source_.batches(); }
  std::size_t features() const override { return source_.features(); }
  std::size_t outputs() const override { return source_.outputs(); }
  void begin(std::size_t epoch, std::size_t first_batch) override {
    if (epoch == 13) throw std::runtime_error("epoch 13 is missing");
    source_.begin(epoch, first_batch);
    next_ = first_batch;
  }
  bool next(nn::batch<double>& into) override {
    if (next_++ == at_) throw std::runtime_error("batch " + std::to_string(at_) + " is lost");
    return source_.next(into);
  }

 private:
  nn::batch_source<double>& source_;
  std::size_t at_, next_ = 0;
};

}  // namespace

TEST_CASE("batches come in the same order with and without a thread that prepares them") {
  for (const std::size_t ahead : {1, 2, 5, 100}) {
    nn::memory_source<double> alone(numbered_samples(50), 8, nn::seed{5}),
        prepared(numbered_samples(50), 8, nn::seed{5});
    nn::prefetching_source<double> source(prepared, ahead);
    CHECK(source.batches() == alone.batches());
    CHECK(source.samples() == 50);
    CHECK(source.features() == 2);
    CHECK(source.outputs() == 1);
    CHECK(rest_of_epoch(source) == rest_of_epoch(alone));  // without begin()
    for (const std::size_t epoch : {0, 1, 7}) {
      CHECK(epoch_of(source, epoch) == epoch_of(alone, epoch));
      CHECK(epoch_of(source, epoch, 3) == epoch_of(alone, epoch, 3));
    }
    nn::batch<double> none;
    CHECK_FALSE(source.next(none));
  }
}

TEST_CASE("a prepared epoch may be left at any batch") {
  nn::memory_source<double> samples(numbered_samples(50), 8, nn::seed{5}),
      alone(numbered_samples(50), 8, nn::seed{5});
  nn::prefetching_source<double> source(samples);
  for (std::size_t taken = 0; taken < 8; ++taken) {
    source.begin(taken);
    nn::batch<double> b;
    for (std::size_t i = 0; i < taken; ++i) source.next(b);
    if (taken == 5) std::this_thread::yield();
  }
  CHECK(epoch_of(source, 4) == epoch_of(alone, 4));
  source.begin(5);  // the destructor stops it
}

TEST_CASE("what a source throws while it prepares reaches the caller behind the batches before") {
  nn::memory_source<double> samples(numbered_samples(50), 8, nn::seed{5});
  failing_source failing(samples, 3);
  nn::prefetching_source<double> source(failing, 2);
  source.begin(0);
  nn::batch<double> b;
  for (int i = 0; i < 3; ++i) REQUIRE(source.next(b));
  CHECK(reference::message<std::runtime_error>([&] { source.next(b); }) == "batch 3 is lost");
  CHECK_FALSE(source.next(b));
  CHECK(epoch_of(source, 1, 4).size() == 3);  // and goes on in the next epoch
  source.begin(13);
  CHECK(reference::message<std::runtime_error>([&] { source.next(b); }) == "epoch 13 is missing");
  source.begin(13);  // nobody asks for the exception
}

TEST_CASE("a batch that is kept is not changed by those after it") {
  nn::memory_source<double> samples(numbered_samples(50), 8, nn::seed{5});
  nn::prefetching_source<double> source(samples);
  source.begin(0);
  nn::batch<double> b;
  REQUIRE(source.next(b));
  const nn::batch<double> kept = b;
  const std::vector<double> before(kept.inputs.values().begin(), kept.inputs.values().end());
  while (source.next(b)) {
  }
  CHECK(reference::all_close(kept.inputs.values(), before, 0));
}

TEST_CASE("a thread that may prepare nothing is refused") {
  nn::memory_source<double> samples(numbered_samples(5), 8, nn::seed{5});
  CHECK(reference::says(reference::message<autodiff::domain_error>(
                            [&] { nn::prefetching_source<double>(samples, 0); }),
                        "prefetching_source: 0 batches ahead"));
}
