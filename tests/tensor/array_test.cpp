#include <autodiff/error.hpp>
#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

namespace {

using autodiff::array;
using autodiff::shape;

// With the address sanitizer blocks are not reused, so that it sees each use after free.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool reuses_blocks = false;
#elif defined(__has_feature)
constexpr bool reuses_blocks = !__has_feature(address_sanitizer);
#else
constexpr bool reuses_blocks = true;
#endif

array<double> counted(const shape& s) {
  array<double> a(s);
  std::iota(a.writable(), a.writable() + a.size(), 0.0);
  return a;
}

std::vector<double> numbers(const array<double>& a) {
  return {a.values().begin(), a.values().end()};
}

// Made before main and destroyed after it, when the pool of the main thread is gone.
const autodiff::tensor<double> static_tensor{{1.0, 2.0}, {3.0, 4.0}};
array<float> static_array(shape{1000}, 1.0f);

}  // namespace

TEST_CASE("an array without storage is empty") {
  const array<double> a;
  CHECK_FALSE(a.has_storage());
  CHECK(a.size() == 0);
  CHECK(a.shape() == shape{0});
  CHECK(a.values().empty());
  CHECK(a.data() == nullptr);
}

TEST_CASE("an array of no elements has storage and a shape") {
  const array<double> a(shape{0, 3});
  CHECK(a.has_storage());
  CHECK(a.size() == 0);
  CHECK(a.shape() == shape{0, 3});
}

TEST_CASE("an array holds its fill or its values") {
  CHECK(numbers(array<double>(shape{2, 2}, 7.0)) == std::vector<double>{7, 7, 7, 7});
  const std::vector<double> values{1, 2, 3};
  CHECK(numbers(array<double>(shape{3}, std::span<const double>(values))) == values);
}

TEST_CASE("copies share the storage until one of them is written") {
  array<double> a = counted(shape{4});
  array<double> b = a;
  CHECK(a.data() == b.data());
  b.writable()[0] = 99;
  CHECK(a.data() != b.data());
  CHECK(numbers(a) == std::vector<double>{0, 1, 2, 3});
  CHECK(numbers(b) == std::vector<double>{99, 1, 2, 3});
  a.writable()[1] = -1;
  CHECK(numbers(b) == std::vector<double>{99, 1, 2, 3});
}

TEST_CASE("writing to a storage that nobody shares copies nothing") {
  array<double> a = counted(shape{4});
  const double* before = a.data();
  CHECK(a.writable() == before);
  { const array<double> b = a; }
  CHECK(a.writable() == before);
}

TEST_CASE("the last of several sharers writes in place") {
  array<double> a = counted(shape{4});
  array<double> b = a;
  const double* shared = a.data();
  a.writable();
  CHECK(a.data() != shared);
  CHECK(b.writable() == shared);
}

TEST_CASE("a moved array leaves an empty one") {
  array<double> a = counted(shape{2, 2});
  const double* data = a.data();
  const array<double> b = std::move(a);
  CHECK(b.data() == data);
  CHECK(b.shape() == shape{2, 2});
  CHECK_FALSE(a.has_storage());
  CHECK(a.size() == 0);
  CHECK(a.shape() == shape{0});
  a = b;
  CHECK(a.data() == data);
}

TEST_CASE("an array may have a shape before its storage and after") {
  array<double> a = array<double>::unallocated(shape{2, 2});
  CHECK_FALSE(a.has_storage());
  CHECK(a.size() == 0);
  CHECK(a.shape() == shape{2, 2});
  a.allocate();
  CHECK(a.size() == 4);
  a.reset();
  CHECK_FALSE(a.has_storage());
  CHECK(a.shape() == shape{2, 2});
}

TEST_CASE("an array assigned to itself stays as it is") {
  array<double> a = counted(shape{3});
  array<double>& same = a;
  a = same;
  CHECK(numbers(a) == std::vector<double>{0, 1, 2});
  a = std::move(same);
  CHECK(numbers(a) == std::vector<double>{0, 1, 2});
}

TEST_CASE("a reshaped array shares the values and is written apart") {
  const array<double> a = counted(shape{2, 3});
  array<double> b = a.reshaped(shape{3, 2});
  CHECK(b.shape() == shape{3, 2});
  CHECK(a.data() == b.data());
  b.writable()[5] = 50;
  CHECK(b.shape() == shape{3, 2});
  CHECK(numbers(a) == std::vector<double>{0, 1, 2, 3, 4, 5});
  CHECK(numbers(b) == std::vector<double>{0, 1, 2, 3, 4, 50});
}

TEST_CASE("reset gives up the share of the storage") {
  array<double> a = counted(shape{3});
  array<double> b = a;
  a.reset();
  CHECK_FALSE(a.has_storage());
  CHECK(a.size() == 0);
  CHECK(numbers(b) == std::vector<double>{0, 1, 2});
  a.reset();
}

TEST_CASE("storage of every size starts on a cache line") {
  std::vector<array<std::uint8_t>> kept;
  for (std::size_t size = 0; size < 3000; ++size) {
    kept.emplace_back(shape{size});
    REQUIRE(reinterpret_cast<std::uintptr_t>(kept.back().data()) % 64 == 0);
  }
}

TEST_CASE("a block serves every size of its class to the last byte") {
  std::map<std::size_t, std::pair<std::size_t, std::size_t>> sizes_of_class;
  const auto note = [&](std::size_t bytes) {
    autodiff::storage_block* block = autodiff::take_block(bytes);
    auto& [least, most] = sizes_of_class.try_emplace(block->size_class, bytes, bytes).first->second;
    least = std::min(least, bytes);
    most = std::max(most, bytes);
    autodiff::give_block(block);
  };
  for (std::size_t bytes = 0; bytes < 20000; ++bytes) note(bytes);
  for (std::size_t power = 15; power < 24; ++power) {
    for (std::size_t quarter = 4; quarter < 8; ++quarter) {
      const std::size_t edge = quarter << (power - 2);
      for (const std::size_t bytes : {edge - 1, edge, edge + 1}) note(bytes);
    }
  }
  autodiff::trim_memory();
  std::size_t last = 0;
  for (const auto& [size_class, sizes] : sizes_of_class) {
    // Classes do not overlap, and waste at most a quarter beyond the first lines.
    CHECK(sizes.first >= last);
    last = sizes.second;
    if (sizes.first > 1024 && sizes.first < 20000) CHECK(sizes.second <= sizes.first * 5 / 4);
    // The sanitizer watches the end.
    autodiff::storage_block* block = autodiff::take_block(sizes.first);
    std::memset(block->data(), 1, sizes.second);
    autodiff::give_block(block);
  }
  autodiff::trim_memory();
}

TEST_CASE("a freed block serves the next array of about its size") {
  if (!reuses_blocks) return;
  const void* first;
  {
    const array<double> a(shape{1000});
    first = a.data();
  }
  const array<double> b(shape{990});
  CHECK(b.data() == first);
  autodiff::trim_memory();
}

TEST_CASE("trimming returns unused blocks and leaves used ones") {
  const array<double> used = counted(shape{100});
  { const array<double> unused(shape{100}); }
  autodiff::trim_memory();
  autodiff::trim_memory();
  CHECK(used.values()[99] == 99);
}

TEST_CASE("an array made on one thread may be destroyed on another") {
  for (int round = 0; round < 20; ++round) {
    array<double> made;
    std::thread([&] { made = counted(shape{1000}); }).join();
    CHECK(made.values()[999] == 999);
    std::thread([taken = std::move(made)]() mutable { taken.reset(); }).join();
  }
}

TEST_CASE("threads may copy, read and detach a shared array at once") {
  const array<double> shared = counted(shape{500});
  std::vector<double> sums(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < sums.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 200; ++round) {
        array<double> copy = shared;
        const array<double> view = copy.reshaped(shape{5, 100});
        copy.writable()[0] = static_cast<double>(t);
        sums[t] = std::accumulate(copy.values().begin(), copy.values().end(), 0.0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < sums.size(); ++t) CHECK(sums[t] == 124750.0 + static_cast<double>(t));
  CHECK(shared.values()[0] == 0);
}

TEST_CASE("the last of two threads to let go frees, whichever it is") {
  for (int round = 0; round < 200; ++round) {
    array<double> here = counted(shape{64});
    std::thread other([there = here]() mutable {
      there.writable()[0] += 1;
      there.reset();
    });
    here.writable()[0] -= 1;
    here.reset();
    other.join();
  }
}

TEST_CASE("an array that outlives the pool of its thread frees its storage itself") {
  std::thread([] {
    struct holder {
      array<double> held;
    };
    // First touched before the pool exists, hence destroyed after it.
    thread_local holder late;
    late.held.reset();
    late.held = counted(shape{100});
    const array<double> other(shape{100});
  }).join();
}

TEST_CASE("static arrays and tensors serve before and after main") {
  CHECK(static_tensor.value(1, 1) == 4);
  CHECK(static_array.values()[999] == 1.0f);
  static_array = array<float>(shape{2000}, 2.0f);
  CHECK(static_array.values()[1999] == 2.0f);
}

TEST_CASE("more memory than there is raises an error with the size") {
  // The sanitizers end the program instead.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const shape huge{std::size_t{1} << 55};
  const std::string text =
      reference::message<autodiff::memory_error>([&] { array<double> a(huge); });
  CHECK(reference::says(text, "288230376151711744 bytes"));
#endif
}
