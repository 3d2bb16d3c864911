#include <tests/catch.hpp>
#include <tests/files.hpp>
#include <tests/nn/batches.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <nn/data/csv.hpp>
#include <nn/data/prefetch.hpp>
#include <nn/data/streaming.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace {

/// A data set as a stream, which may end too early.
class numbered_rows : public nn::row_stream<double> {
 public:
  explicit numbered_rows(std::size_t n) : n_(n), last_(n) {}
  std::size_t samples() const override { return n_; }
  std::size_t features() const override { return 2; }
  std::size_t outputs() const override { return 1; }
  void rewind() override { at_ = 0; }
  bool next(std::span<double> inputs, std::span<double> targets) override {
    if (at_ == last_) return false;
    REQUIRE(inputs.size() == 2);
    REQUIRE(targets.size() == 1);
    const auto number = static_cast<double>(at_++);
    inputs[0] = number;
    inputs[1] = -1;
    targets[0] = 10 * number;
    return true;
  }
  void end_after(std::size_t last) { last_ = last; }

 private:
  std::size_t n_, last_, at_ = 0;
};

std::vector<std::size_t> up_to(std::size_t n) {
  std::vector<std::size_t> numbers(n);
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  return numbers;
}

}  // namespace

TEST_CASE("an epoch of a stream holds every sample once, whatever the window") {
  for (const std::size_t n : {0, 1, 5, 100}) {
    for (const std::size_t window : {1, 2, 7, 99, 100, 1000}) {
      for (const std::size_t size : {1, 8, 200}) {
        CAPTURE(n, window, size);
        numbered_rows rows(n);
        nn::streaming_source<double> source(rows, window, size, nn::seed{4});
        CHECK(source.samples() == n);
        CHECK(source.batches() == (n + size - 1) / size);
        const auto epoch = epoch_of(source, 2);
        REQUIRE(epoch.size() == source.batches());
        for (std::size_t b = 0; b + 1 < epoch.size(); ++b) CHECK(epoch[b].size() == size);
        auto all = joined(epoch);
        if (window == 1) CHECK(all == up_to(n));
        if (n == 100 && window > 1) CHECK(all != up_to(n));
        // Nothing leaves the window before it came in.
        for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] < i + window);
        std::sort(all.begin(), all.end());
        CHECK(all == up_to(n));
      }
    }
  }
}

TEST_CASE("an epoch of a stream is a function of seed and epoch, wherever it begins") {
  numbered_rows rows(50), same_rows(50), other_rows(50);
  nn::streaming_source<double> source(rows, 10, 8, nn::seed{4}),
      other(other_rows, 10, 8, nn::seed{5});
  nn::streaming_source<double> same(same_rows, 10, 8, nn::seed{4});
  nn::prefetching_source<double> ahead(same);
  const auto first = rest_of_epoch(source);  // without begin()
  CHECK(epoch_of(ahead, 0) == first);
  const auto third = epoch_of(source, 2);
  CHECK(third != first);
  CHECK(epoch_of(other, 2) != third);
  for (const std::size_t from : {0, 1, 3, 6, 7, 100}) {
    auto expected = third;
    expected.erase(expected.begin(),
                   expected.begin() + static_cast<std::ptrdiff_t>(std::min(from, expected.size())));
    CHECK(epoch_of(ahead, 2, from) == expected);
    CHECK(epoch_of(source, 2, from) == expected);
  }
}

TEST_CASE("with a window over all of it a stream is shuffled fully") {
  numbered_rows rows(4);
  nn::streaming_source<double> source(rows, 4, 4, nn::seed{9});
  std::vector<std::vector<int>> counts(4, std::vector<int>(4, 0));
  const int epochs = 4000;
  for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
    const auto order = joined(epoch_of(source, epoch));
    for (std::size_t i = 0; i < 4; ++i) ++counts[i][order[i]];
  }
  // Binomial: 1000 expected with a spread of 27.
  for (const auto& place : counts) {
    for (const int count : place) CHECK(std::abs(count - epochs / 4) < 140);
  }
}

TEST_CASE("a stream that ends too early is refused, and the epoch is over") {
  numbered_rows rows(20);
  nn::streaming_source<double> source(rows, 5, 4, nn::seed{4});
  rows.end_after(12);
  source.begin(0);
  nn::batch<double> b;
  REQUIRE(source.next(b));
  CHECK(reference::message<autodiff::io_error>([&] {
          while (source.next(b)) {
          }
        }) ==
        "streaming_source: 12 samples where there were 20; do not change a file while it is read");
  CHECK(b.size() == 4);
  CHECK_FALSE(source.next(b));
  rows.end_after(3);
  CHECK(reference::says(reference::message<autodiff::io_error>([&] { source.begin(1); }),
                        "3 samples where there were 20"));
  CHECK_FALSE(source.next(b));
  rows.end_after(20);
  CHECK(joined(epoch_of(source, 1)).size() == 20);
}

TEST_CASE("an epoch whose stream does not begin has no batches") {
  const temporary_folder folder;
  const auto path = write_file(folder / "t.csv", "x,y\n1,2\n3,4\n5,6\n");
  nn::csv_rows<double> rows(path, nn::fit_csv(path, {.targets = {"y"}}));
  nn::streaming_source<double> source(rows, 2, 1, nn::seed{1});
  nn::batch<double> b;
  REQUIRE(source.next(b));
  std::filesystem::remove(path);
  CHECK(reference::says(reference::message<autodiff::io_error>([&] { source.begin(1); }),
                        "does not exist"));
  CHECK_FALSE(source.next(b));
}

TEST_CASE("a window or batches of nothing are refused") {
  numbered_rows rows(20);
  for (const auto& [window, size] : {std::pair<std::size_t, std::size_t>{0, 4}, {4, 0}}) {
    CHECK(reference::says(reference::message<autodiff::domain_error>([&, w = window, s = size] {
                            nn::streaming_source<double>(rows, w, s, nn::seed{1});
                          }),
                          "streaming_source: a window of", "use at least 1"));
  }
}

TEST_CASE("a table is streamed as it is read at once") {
  const temporary_folder folder;
  std::string text = "x,kind,y\n";
  for (int i = 0; i < 100; ++i) {
    text += std::to_string(i) + (i % 3 == 0 ? ",a," : ",b,") + std::to_string(2 * i) + "\n";
  }
  const auto path = write_file(folder / "t.csv", text);
  const auto encoding = nn::fit_csv(path, {.targets = {"y"}});
  const auto data = nn::read_csv<double>(path, encoding);
  nn::csv_rows<double> rows(path, encoding);
  nn::streaming_source<double> source(rows, 16, 9, nn::seed{2});
  CHECK(source.features() == 3);
  std::size_t seen = 0;
  for (nn::batch<double> b; source.next(b);) {
    for (std::size_t i = 0; i < b.size(); ++i, ++seen) {
      for (std::size_t j = 0; j < 3; ++j) {
        CHECK(b.inputs.value(i, j) == data.inputs.value(b.samples[i], j));
      }
      CHECK(b.targets.value(i, 0) == data.targets.value(b.samples[i], 0));
    }
  }
  CHECK(seen == 100);
  write_file(path, "x,kind,y\n1,a,2\n");
  CHECK(reference::says(reference::message<autodiff::io_error>([&] { source.begin(1); }),
                        "1 samples where there were 100"));
}
