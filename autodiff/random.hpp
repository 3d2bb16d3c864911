#pragma once
// Random numbers that are passed explicitly: the same seed gives the same numbers on every machine.
// Source: Salmon, Moraes, Dror, Shaw, Parallel random numbers: as easy as 1, 2, 3 (SC 2011),
// Philox4x32-10.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace autodiff {

/// A stream of random numbers: a counter, scrambled under a key made from the seed.
class generator {
 public:
  using result_type = std::uint64_t;

  explicit generator(std::uint64_t seed, std::uint64_t stream = 0) noexcept
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        counter_{0, 0, static_cast<std::uint32_t>(stream),
                 static_cast<std::uint32_t>(stream >> 32)} {}

  static constexpr std::uint64_t min() noexcept { return 0; }
  static constexpr std::uint64_t max() noexcept { return ~std::uint64_t{0}; }
  /// 64 random bits: a half of a scrambled block of four words, the upper half before the lower
  /// one.
  std::uint64_t operator()() noexcept {
    if (left_ == 0) refill();
    --left_;
    return std::uint64_t{block_[2 * left_ + 1]} << 32 | block_[2 * left_];
  }
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() noexcept { return static_cast<double>((*this)() >> 11) * 0x1p-53; }
  double uniform(double from, double to) noexcept { return from + (to - from) * uniform(); }
  /// Uniform in 0 .. bound - 1, without bias. 0 for bound 0.
  std::uint64_t below(std::uint64_t bound) noexcept {
    if (bound == 0) return 0;
    // The numbers below `reject` would make some results likelier than others.
    const std::uint64_t reject = (0 - bound) % bound;
    while (true) {
      const std::uint64_t bits = (*this)();
      if (bits >= reject) return bits % bound;
    }
  }
  /// Every order equally likely (Fisher and Yates; Knuth, TAOCP vol. 2, algorithm 3.4.2P).
  template <class Value>
  void shuffle(std::span<Value> values) noexcept {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  void refill() noexcept {
    std::array<std::uint32_t, 4> c = counter_;
    std::array<std::uint32_t, 2> k = key_;
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t low = std::uint64_t{0xD2511F53} * c[0],
                          high = std::uint64_t{0xCD9E8D57} * c[2];
      c = {static_cast<std::uint32_t>(high >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(high),
           static_cast<std::uint32_t>(low >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(low)};
      k[0] += 0x9E3779B9;
      k[1] += 0xBB67AE85;
    }
    block_ = c;
    left_ = 2;
    if (++counter_[0] == 0) ++counter_[1];
  }

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  std::size_t left_ = 0;
};

}  // namespace autodiff
