#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/random.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/view.hpp>
#include <nn/network/init.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <string>
#include <utility>

namespace {

using autodiff::shape, autodiff::tensor;
using nn::init;

template <class T>
tensor<T> drawn(const init& how, std::size_t fan_in, std::size_t fan_out, std::uint64_t seed = 3) {
  autodiff::generator random(seed);
  return nn::initial_weights<T>(how, fan_in, fan_out, random);
}

template <class T>
bool equal(const tensor<T>& a, const tensor<T>& b) {
  return a.shape() == b.shape() &&
         std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

/// Mean, variance and range of the weights.
struct spread {
  double mean = 0, variance = 0, smallest = 0, largest = 0;
};

template <class T>
spread measure(const tensor<T>& weights) {
  spread s;
  const auto n = static_cast<double>(weights.size());
  for (const T w : weights.values()) s.mean += static_cast<double>(w) / n;
  for (const T w : weights.values()) {
    s.variance += (static_cast<double>(w) - s.mean) * (static_cast<double>(w) - s.mean) / n;
    s.smallest = std::min(s.smallest, static_cast<double>(w));
    s.largest = std::max(s.largest, static_cast<double>(w));
  }
  return s;
}

/// What mathematics says: mean, variance, and the fourth central moment over variance squared,
/// which is 9/5 for a uniform and 3 for a normal distribution.
struct moments {
  double mean, variance, kurtosis;
};

/// Five standard deviations of each estimate from independent draws.
template <class T>
void check_moments(const tensor<T>& weights, const moments& expected) {
  const spread s = measure(weights);
  const auto n = static_cast<double>(weights.size());
  CAPTURE(s.mean, s.variance, expected.mean, expected.variance);
  CHECK(std::abs(s.mean - expected.mean) < 5 * std::sqrt(expected.variance / n));
  CHECK(std::abs(s.variance / expected.variance - 1) < 5 * std::sqrt((expected.kurtosis - 1) / n));
}

template <class T>
void check_scaled(const init& uniform, const init& normal, std::size_t fan_in, std::size_t fan_out,
                  double variance) {
  const tensor<T> u = drawn<T>(uniform, fan_in, fan_out);
  REQUIRE(u.shape() == shape{fan_in, fan_out});
  check_moments(u, {0, variance, 9.0 / 5});
  const double bound = std::sqrt(3 * variance);
  const spread s = measure(u);
  for (const double end : {-s.smallest, s.largest}) {
    CHECK(end <= static_cast<double>(static_cast<T>(bound)));
    CHECK(end > 0.999 * bound);
  }
  const tensor<T> n = drawn<T>(normal, fan_in, fan_out);
  REQUIRE(n.shape() == shape{fan_in, fan_out});
  check_moments(n, {0, variance, 3});
}

double normal_density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }
double normal_share(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

}  // namespace

TEST_CASE("glorot weights have variance 2 / (fan_in + fan_out)") {
  check_scaled<double>(init::glorot, init::glorot_normal, 300, 500, 2.0 / 800);
  check_scaled<float>(init::glorot, init::glorot_normal, 500, 300, 2.0 / 800);
}

TEST_CASE("he weights have variance 2 / fan_in") {
  check_scaled<double>(init::he, init::he_normal, 300, 500, 2.0 / 300);
  check_scaled<float>(init::he, init::he_normal, 500, 300, 2.0 / 500);
}

TEST_CASE("lecun weights have variance 1 / fan_in") {
  check_scaled<double>(init::lecun, init::lecun_normal, 300, 500, 1.0 / 300);
  check_scaled<float>(init::lecun, init::lecun_normal, 500, 300, 1.0 / 500);
}

TEST_CASE("another fan and a gain change the variance as they say") {
  check_scaled<double>(init::he.with_fan(nn::fan::out), init::he_normal.with_fan(nn::fan::out), 300,
                       500, 2.0 / 500);
  check_scaled<double>(init::lecun.with_fan(nn::fan::average),
                       init::lecun_normal.with_fan(nn::fan::average), 300, 500, 1.0 / 400);
  check_scaled<double>(init::glorot.with_gain(5.0 / 3).with_fan(nn::fan::in),
                       init::glorot_normal.with_fan(nn::fan::in).with_gain(5.0 / 3), 300, 500,
                       25.0 / 9 / 300);
}

TEST_CASE("constant weights are constant and draw nothing") {
  autodiff::generator random(1), untouched(1);
  const auto zeros = nn::initial_weights<float>(init::zeros, 3, 4, random);
  for (const float w : zeros.values()) CHECK(w == 0);
  const auto quarters = nn::initial_weights<double>(init::constant(0.25), 3, 4, random);
  for (const double w : quarters.values()) CHECK(w == 0.25);
  CHECK(random() == untouched());
}

TEST_CASE("uniform and normal weights have the moments they are told") {
  const auto u = drawn<double>(init::uniform(-1, 3), 300, 400);
  check_moments(u, {1, 16.0 / 12, 9.0 / 5});
  CHECK(measure(u).smallest >= -1);
  CHECK(measure(u).largest < 3);
  check_moments(drawn<double>(init::normal(-2, 0.5), 300, 400), {-2, 0.25, 3});
  check_moments(drawn<float>(init::normal(0, 1), 300, 400), {0, 1, 3});
}

TEST_CASE("normal weights follow the normal distribution out to its tails") {
  const auto weights = drawn<double>(init::normal(0, 1), 400, 500);
  const auto n = static_cast<double>(weights.size());
  for (const double x : {-3.5, -2.0, -1.0, -0.1, 0.0, 0.5, 1.5, 3.0, 4.0}) {
    const auto below = static_cast<double>(
        std::ranges::count_if(weights.values(), [&](double w) { return w < x; }));
    const double share = normal_share(x);
    CAPTURE(x, below, n * share);
    CHECK(std::abs(below - n * share) < 5 * std::sqrt(n * share * (1 - share)));
  }
}

TEST_CASE("truncated normal weights stay inside, with the moments of the distribution cut off") {
  // With a and b in standard deviations and z the share between them, the mean is
  // (f(a) - f(b)) / z and the variance 1 + (a f(a) - b f(b)) / z - mean^2, f being the density.
  // Source: Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1 (1994), 13.10.
  for (const auto& [a, b] : {std::pair{-2.0, 2.0}, {-0.5, 3.0}, {1.0, 1.5}, {-6.0, -4.0}}) {
    const double mean = 0.3, deviation = 0.02;
    const double from = mean + a * deviation, to = mean + b * deviation;
    const auto weights = drawn<double>(init::truncated_normal(mean, deviation, from, to), 300, 400);
    const double z = normal_share(b) - normal_share(a),
                 m = (normal_density(a) - normal_density(b)) / z,
                 v = 1 + (a * normal_density(a) - b * normal_density(b)) / z - m * m;
    CAPTURE(a, b);
    // No distribution cut off here has tails as heavy as an exponential one's, whose kurtosis is 9.
    check_moments(weights, {mean + deviation * m, deviation * deviation * v, 9});
    for (const double w : weights.values()) {
      if (!(w >= from && w <= to)) FAIL(w);
    }
  }
}

TEMPLATE_TEST_CASE("orthogonal weights have orthonormal rows or columns, to rounding", "", float,
                   double) {
  using T = TestType;
  for (const auto& [in, out] : {std::pair<std::size_t, std::size_t>{1, 1},
                                {1, 7},
                                {7, 1},
                                {5, 5},
                                {32, 33},
                                {65, 64},
                                {100, 100},
                                {40, 150},
                                {150, 40}}) {
    const tensor<T> w = drawn<T>(init::orthogonal, in, out);
    REQUIRE(w.shape() == shape{in, out});
    const tensor<double> q(shape{in, out},
                           std::vector<double>(w.values().begin(), w.values().end()));
    const tensor<double> products = in <= out ? matmul(q, transpose(q)) : matmul(transpose(q), q);
    const std::size_t n = std::min(in, out);
    double worst = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j)
        worst = std::max(worst, std::abs(products.values()[i * n + j] - (i == j ? 1 : 0)));
    }
    CAPTURE(in, out, worst);
    // A sum of rounded products, none of them above 1.
    CHECK(worst <= 4 * static_cast<double>(std::numeric_limits<T>::epsilon()));
  }
}

TEST_CASE("orthogonal matrices are drawn evenly: a rotation as often as a reflection") {
  // The trace of an evenly drawn orthogonal [2, 2] is 0 for reflections and 2 cos(angle) for
  // rotations, whose angle is uniform; either way the first column is a point of the circle.
  autodiff::generator random(5);
  constexpr int count = 4000;
  int rotations = 0;
  std::array<int, 4> quadrants{};
  for (int i = 0; i < count; ++i) {
    const auto w = nn::initial_weights<double>(init::orthogonal, 2, 2, random);
    rotations += w.value(0, 0) * w.value(1, 1) - w.value(0, 1) * w.value(1, 0) > 0;
    ++quadrants[(w.value(0, 0) > 0 ? 0 : 1) + (w.value(1, 0) > 0 ? 0 : 2)];
  }
  CHECK(std::abs(rotations - count / 2) < 5 * std::sqrt(count / 4.0));
  for (const int q : quadrants) CHECK(std::abs(q - count / 4) < 5 * std::sqrt(count * 3.0 / 16));
}

TEST_CASE("the gain of orthogonal weights is what they stretch vectors by") {
  const auto w = drawn<double>(init::orthogonal, 6, 9);
  const auto stretched = drawn<double>(init::orthogonal.with_gain(2), 6, 9);
  for (std::size_t i = 0; i < w.size(); ++i) CHECK(stretched.values()[i] == 2 * w.values()[i]);
}

TEST_CASE("initial weights are drawn from the generator that was passed, and go on from there") {
  for (const init& how : {init::he, init::glorot_normal, init::uniform(0, 1), init::normal(0, 1),
                          init::truncated_normal(0, 1, -2, 2), init::orthogonal}) {
    autodiff::generator a(9), b(9), other(10);
    const auto first = nn::initial_weights<double>(how, 4, 5, a);
    CHECK(equal(first, nn::initial_weights<double>(how, 4, 5, b)));
    CHECK(!equal(first, nn::initial_weights<double>(how, 4, 5, a)));
    CHECK(!equal(first, nn::initial_weights<double>(how, 4, 5, other)));
  }
}

TEST_CASE("the first weights of a seed stay what they are") {
  // Written down when glorot and he were all there was.
  const auto g = drawn<double>(init::glorot, 784, 128, 42);
  const auto h = drawn<float>(init::he, 784, 128, 42);
  CHECK(g.value(0, 0) == -0x1.a6f6bfe2b208ep-6);
  CHECK(g.value(783, 127) == 0x1.067f52c428fc6p-5);
  CHECK(h.value(0, 0) == -0x1.c82fcep-6f);
  CHECK(h.value(783, 127) == 0x1.1b1daep-5f);
}

TEST_CASE("weights of float and double are the same numbers up to rounding") {
  for (const init& how : {init::glorot, init::he_normal, init::orthogonal}) {
    const auto in_double = drawn<double>(how, 7, 3);
    const auto in_float = drawn<float>(how, 7, 3);
    for (std::size_t i = 0; i < 21; ++i)
      CHECK(in_float.values()[i] == static_cast<float>(in_double.values()[i]));
  }
}

TEST_CASE("ways to draw are values that can be compared") {
  CHECK(init::he == init::he);
  CHECK(init::he != init::glorot);
  CHECK(init::he != init::he.with_gain(2));
  CHECK(init::he.with_fan(nn::fan::in) == init::he);
  CHECK(init::uniform(0, 1) != init::uniform(0, 2));
  static_assert(init::constant(0) == init::zeros);
}

TEST_CASE("ways to draw that make no sense are refused with what was asked for") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(),
                   infinity = std::numeric_limits<double>::infinity();
  const auto refusal = [](auto provoke) {
    return reference::message<autodiff::domain_error>(provoke);
  };
  using reference::says;
  CHECK(says(refusal([] { init::uniform(2, 1); }), "init::uniform", "from 2 to 1", "in order"));
  CHECK(says(refusal([=] { init::uniform(0, infinity); }), "from 0 to inf"));
  CHECK(says(refusal([] { init::normal(0, -1); }), "init::normal", "deviation -1", "not negative"));
  CHECK(says(refusal([=] { init::normal(nan, 1); }), "mean nan"));
  CHECK(says(refusal([] { init::truncated_normal(0, 1, 2, -2); }), "init::truncated_normal",
             "[2, -2]", "bounds in order"));
  CHECK(says(refusal([] { init::truncated_normal(0, 1, 20, 21); }), "[20, 21]"));
  CHECK(says(refusal([] { init::truncated_normal(0, -1, -2, 2); }), "deviation -1"));
  CHECK(says(refusal([] { init::orthogonal.with_fan(nn::fan::out); }), "init::with_fan",
             "glorot, he, lecun"));
  const auto drawing = [&](const init& how) { return refusal([&] { drawn<double>(how, 2, 3); }); };
  CHECK(drawing(init::he.with_gain(nan)) ==
        "initial_weights: a gain of nan and a mean of 0; give it finite ones: training could not "
        "mend the weights");
  CHECK(says(drawing(init::orthogonal.with_gain(infinity)), "a gain of inf"));
  CHECK(says(drawing(init::constant(nan)), "a mean of nan"));
}
