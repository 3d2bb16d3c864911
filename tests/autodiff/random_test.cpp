// The generator against the published vectors of its algorithm, and the distributions made from it.

#include <tests/catch.hpp>

#include <autodiff/random.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace {

using words = std::array<std::uint32_t, 4>;

/// Philox4x32-10 written from figure 2 of the paper, one round after the other.
words philox(words c, std::array<std::uint32_t, 2> key) {
  const auto halves = [](std::uint32_t a, std::uint32_t b) {
    const std::uint64_t product = static_cast<std::uint64_t>(a) * b;
    return std::pair(static_cast<std::uint32_t>(product >> 32),
                     static_cast<std::uint32_t>(product & 0xffffffffu));
  };
  for (std::uint32_t round = 0; round < 10; ++round) {
    const auto [high0, low0] = halves(0xD2511F53u, c[0]);
    const auto [high1, low1] = halves(0xCD9E8D57u, c[2]);
    const std::uint32_t k0 = key[0] + round * 0x9E3779B9u, k1 = key[1] + round * 0xBB67AE85u;
    c = {high1 ^ c[1] ^ k0, low1, high0 ^ c[3] ^ k1, low0};
  }
  return c;
}

std::uint64_t pair_of(std::uint32_t high, std::uint32_t low) {
  return std::uint64_t{high} << 32 | low;
}

}  // namespace

TEST_CASE("the test's own philox has the known answers of the Random123 distribution") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("seed 0 begins with the known answer for counter 0 and key 0, its upper words first") {
  autodiff::generator random(0);
  CHECK(random() == 0x9b00dbd8bc57ac4cu);
  CHECK(random() == 0xe169c58d6627e8d5u);
}

TEST_CASE("a generator is philox with the seed as key, the stream above and the count below") {
  constexpr std::uint64_t all = ~std::uint64_t{0};
  for (const auto& [seed, stream] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {0, 0},
           {1, 0},
           {0, 1},
           {all, all},
           {0x299f31d0a4093822u, 0x0370734413198a2eu},
           {0x0123456789abcdefu, 1u << 31},
           {42, 0x100000000u}}) {
    CAPTURE(seed, stream);
    autodiff::generator random(seed, stream);
    for (std::uint32_t count = 0; count < 300; ++count) {
      const words block = philox(
          {count, 0, static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)},
          {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
      REQUIRE(random() == pair_of(block[3], block[2]));
      REQUIRE(random() == pair_of(block[1], block[0]));
    }
  }
}

TEST_CASE("the same seed gives the same numbers, another seed or stream others") {
  autodiff::generator a(7, 3), b(7, 3), other_stream(7, 4), other_seed(8, 3);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t bits = a();
    REQUIRE(b() == bits);
    seen.insert({bits, other_stream(), other_seed()});
  }
  // 64 random bits meet by chance once in 10^12 runs of this test.
  CHECK(seen.size() == 3000);
}

TEST_CASE("a copied generator goes on where its original stood") {
  autodiff::generator original(5);
  original();
  autodiff::generator copy = original;
  for (int i = 0; i < 9; ++i) REQUIRE(copy() == original());
}

TEST_CASE("uniform numbers are multiples of 2^-53 in [0, 1) with the moments of the distribution") {
  autodiff::generator random(11);
  constexpr int n = 200000;
  double sum = 0, squares = 0;
  std::array<int, 16> bins{};
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform();
    if (!(u >= 0 && u < 1) || std::ldexp(u, 53) != std::floor(std::ldexp(u, 53))) FAIL(u);
    sum += u;
    squares += u * u;
    ++bins.at(static_cast<std::size_t>(u * 16));
  }
  // Five standard deviations of each estimate.
  CHECK(std::abs(sum / n - 1.0 / 2) < 5 * std::sqrt(1.0 / 12 / n));
  CHECK(std::abs(squares / n - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n));
  for (const int count : bins) CHECK(std::abs(count - n / 16) < 5 * std::sqrt(n / 16.0));
}

TEST_CASE("uniform numbers of a range stay in it and reach near both ends") {
  autodiff::generator random(12);
  double least = 100, largest = -100;
  for (int i = 0; i < 20000; ++i) {
    const double u = random.uniform(-3, 5);
    least = std::min(least, u);
    largest = std::max(largest, u);
  }
  CHECK((least >= -3 && least < -2.99));
  CHECK((largest < 5 && largest > 4.99));
  CHECK(random.uniform(2, 2) == 2);
}

TEST_CASE("numbers below a bound are spread evenly, also where the bound is no power of two") {
  autodiff::generator random(13);
  for (const std::uint64_t bound : {1u, 2u, 3u, 7u, 10u, 100u}) {
    std::map<std::uint64_t, int> counts;
    const int n = 2000 * static_cast<int>(bound);
    for (int i = 0; i < n; ++i) ++counts[random.below(bound)];
    CAPTURE(bound);
    CHECK(counts.size() == bound);
    CHECK(counts.rbegin()->first == bound - 1);
    for (const auto& entry : counts) CHECK(std::abs(entry.second - 2000) < 6 * std::sqrt(2000.0));
  }
  CHECK(random.below(0) == 0);
}

TEST_CASE("below takes no side where 2^64 is far from a multiple of the bound") {
  // Of 2^64 numbers modulo 3/4 * 2^64 the lowest third would come twice as often as the others.
  autodiff::generator random(14);
  constexpr std::uint64_t quarter = std::uint64_t{1} << 62, bound = 3 * quarter;
  constexpr int n = 30000;
  std::array<int, 3> thirds{};
  for (int i = 0; i < n; ++i) ++thirds.at(random.below(bound) / quarter);
  for (const int count : thirds) CHECK(std::abs(count - n / 3) < 5 * std::sqrt(n * 2.0 / 9));
}

TEST_CASE("a shuffle keeps every element and gives each order its share") {
  autodiff::generator random(15);
  std::vector<int> deck(1000);
  std::iota(deck.begin(), deck.end(), 0);
  const std::vector<int> sorted = deck;
  random.shuffle(std::span<int>(deck));
  CHECK(deck != sorted);
  std::sort(deck.begin(), deck.end());
  CHECK(deck == sorted);

  std::map<std::vector<int>, int> orders;
  constexpr int n = 24000;
  for (int i = 0; i < n; ++i) {
    std::vector<int> four{0, 1, 2, 3};
    random.shuffle(std::span<int>(four));
    ++orders[four];
  }
  CHECK(orders.size() == 24);
  for (const auto& order : orders) CHECK(std::abs(order.second - n / 24) < 5 * std::sqrt(n / 24.0));

  std::vector<int> none, one{3};
  random.shuffle(std::span<int>(none));
  random.shuffle(std::span<int>(one));
  CHECK(one == std::vector<int>{3});
}
