#include <tests/catch.hpp>
#include <tests/nn/batches.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/data/batch_source.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

TEST_CASE("an epoch from memory holds every sample once, in batches whose last may be shorter") {
  for (const auto& [n, size] :
       std::vector<std::pair<std::size_t, std::size_t>>{{0, 4}, {1, 4}, {4, 4}, {100, 7}, {9, 1}}) {
    CAPTURE(n, size);
    nn::memory_source<double> source(numbered_samples(n), size, nn::seed{5});
    CHECK(source.samples() == n);
    CHECK(source.features() == 2);
    CHECK(source.outputs() == 1);
    CHECK(source.batches() == (n + size - 1) / size);
    const auto epoch = epoch_of(source, 3);
    REQUIRE(epoch.size() == source.batches());
    for (std::size_t b = 0; b + 1 < epoch.size(); ++b) CHECK(epoch[b].size() == size);
    std::vector<std::size_t> all = joined(epoch), expected(n);
    std::iota(expected.begin(), expected.end(), std::size_t{0});
    CHECK((n < 10 || all != expected));
    std::sort(all.begin(), all.end());
    CHECK(all == expected);
    nn::batch<double> untouched;
    CHECK_FALSE(source.next(untouched));
    CHECK(untouched.size() == 0);
  }
}

TEST_CASE("an epoch from memory is a function of seed and epoch, wherever it begins") {
  nn::memory_source<double> source(numbered_samples(50), 8, nn::seed{5}),
      same(numbered_samples(50), 8, nn::seed{5}), other(numbered_samples(50), 8, nn::seed{6});
  const auto first = rest_of_epoch(source);  // without begin()
  CHECK(epoch_of(same, 0) == first);
  const auto third = epoch_of(source, 2);
  CHECK(third != first);
  CHECK(epoch_of(other, 2) != third);
  CHECK(epoch_of(same, 2) == third);
  for (const std::size_t from : {1, 3, 6, 7, 100}) {
    auto expected = third;
    expected.erase(expected.begin(),
                   expected.begin() + static_cast<std::ptrdiff_t>(std::min(from, expected.size())));
    CHECK(epoch_of(same, 2, from) == expected);
  }
}

TEST_CASE("what cannot be batched is refused with its shapes") {
  using reference::message;
  CHECK(reference::says(message<autodiff::domain_error>(
                            [] { nn::memory_source<double>(numbered_samples(3), 0, nn::seed{1}); }),
                        "a batch size of 0"));
  auto data = numbered_samples(3);
  data.targets = numbered_samples(4).targets;
  CHECK(reference::says(
      message<autodiff::shape_error>([&] { nn::memory_source<double>(data, 2, nn::seed{1}); }),
      "memory_source", "inputs [3, 2] and targets [4, 1]", "a row for each sample"));
}
