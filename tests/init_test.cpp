#include <tests/catch.hpp>

#include <autodiff/random.hpp>
#include <nn/init.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace {

/// Mean, variance and largest magnitude of the weights.
struct spread {
  double mean = 0, variance = 0, largest = 0;
};

template <class T>
spread measure(const autodiff::tensor<T>& weights) {
  spread s;
  const auto n = static_cast<double>(weights.size());
  for (const T w : weights.values()) {
    s.mean += static_cast<double>(w) / n;
    s.largest = std::max(s.largest, std::abs(static_cast<double>(w)));
  }
  for (const T w : weights.values()) {
    s.variance += (static_cast<double>(w) - s.mean) * (static_cast<double>(w) - s.mean) / n;
  }
  return s;
}

template <class T>
void check_spread(nn::init how, std::size_t fan_in, std::size_t fan_out, double variance) {
  autodiff::generator random(3);
  const auto weights = nn::initial_weights<T>(how, fan_in, fan_out, random);
  REQUIRE(weights.shape() == autodiff::shape{fan_in, fan_out});
  const spread s = measure(weights);
  const auto n = static_cast<double>(weights.size());
  // A uniform distribution in +-bound has variance bound^2 / 3 and fourth moment bound^4 / 5; five
  // standard deviations of each estimate.
  const double bound = std::sqrt(3 * variance);
  CHECK(s.largest <= static_cast<double>(static_cast<T>(bound)));
  CHECK(s.largest > 0.999 * bound);
  CHECK(std::abs(s.mean) < 5 * std::sqrt(variance / n));
  CHECK(std::abs(s.variance / variance - 1) < 5 * std::sqrt((9.0 / 5 - 1) / n));
}

}  // namespace

TEST_CASE("glorot weights have variance 2 / (fan_in + fan_out)") {
  check_spread<double>(nn::init::glorot, 300, 500, 2.0 / 800);
  check_spread<float>(nn::init::glorot, 500, 300, 2.0 / 800);
}

TEST_CASE("he weights have variance 2 / fan_in") {
  check_spread<double>(nn::init::he, 300, 500, 2.0 / 300);
  check_spread<float>(nn::init::he, 500, 300, 2.0 / 500);
}

TEST_CASE("initial weights are drawn from the generator that was passed, and go on from there") {
  autodiff::generator a(9), b(9), other(10);
  const auto first = nn::initial_weights<double>(nn::init::he, 4, 5, a);
  const auto same = nn::initial_weights<double>(nn::init::he, 4, 5, b);
  const auto next = nn::initial_weights<double>(nn::init::he, 4, 5, a);
  const auto differs = nn::initial_weights<double>(nn::init::he, 4, 5, other);
  const auto equal = [&](const autodiff::tensor<double>& w) {
    return std::equal(first.values().begin(), first.values().end(), w.values().begin());
  };
  CHECK(equal(same));
  CHECK(!equal(next));
  CHECK(!equal(differs));
}

TEST_CASE("weights of float and double are the same numbers up to rounding") {
  autodiff::generator a(9), b(9);
  const auto in_double = nn::initial_weights<double>(nn::init::glorot, 7, 3, a);
  const auto in_float = nn::initial_weights<float>(nn::init::glorot, 7, 3, b);
  for (std::size_t i = 0; i < 21; ++i) {
    CHECK(in_float.values()[i] == static_cast<float>(in_double.values()[i]));
  }
}
