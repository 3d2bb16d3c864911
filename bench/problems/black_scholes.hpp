#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bench::problems {

/// The value of a portfolio of European calls, differentiated by the rate and by the spot price and
/// the volatility of every option: rho, deltas and vegas. x = [rate, spot 0, volatility 0, spot 1,
/// ...]. The normal distribution function is a rational approximation, good to 7.5e-8, so that the
/// case needs exp, log and sqrt alone; gradients are those of the approximation, in both tools.
/// Sources: Black and Scholes, The Pricing of Options and Corporate Liabilities (1973), eq. (13);
/// Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.2.17.
struct black_scholes {
  std::size_t options = 100'000;

  static constexpr double rate = 0.03, root_of_two_pi = 2.5066282746310002;
  static constexpr double p = 0.2316419, b1 = 0.319381530, b2 = -0.356563782, b3 = 1.781477937,
                          b4 = -1.821255978, b5 = 1.330274429;

  static double strike(std::size_t i) { return 80.0 + static_cast<double>(i * 7 % 41); }
  static double maturity(std::size_t i) { return 0.25 + 0.05 * static_cast<double>(i * 11 % 37); }

  std::vector<double> start() const {
    std::vector<double> x{rate};
    for (std::size_t i = 0; i < options; ++i) {
      x.push_back(90.0 + static_cast<double>(i * 13 % 29));
      x.push_back(0.15 + 0.01 * static_cast<double>(i * 17 % 23));
    }
    return x;
  }

  template <class T>
  T operator()(std::span<const T> x) const {
    T sum = 0.0;
    for (std::size_t i = 0; i < options; ++i) {
      sum += call(x[1 + 2 * i], strike(i), x[0], x[2 + 2 * i], maturity(i));
    }
    return sum;
  }

  double hand(std::span<const double> x, std::span<double> gradient) const {
    double sum = 0;
    gradient[0] = 0;
    for (std::size_t i = 0; i < options; ++i) {
      const double spot = x[1 + 2 * i], volatility = x[2 + 2 * i];
      const double k = strike(i), t = maturity(i), root = std::sqrt(t);
      const double deviation = volatility * root;
      const double d1 =
          (std::log(spot / k) + (x[0] + 0.5 * volatility * volatility) * t) / deviation;
      const double d2 = d1 - deviation;
      const double discounted = k * std::exp(-x[0] * t);
      const with_slope n1 = normal_with_slope(d1), n2 = normal_with_slope(d2);
      sum += spot * n1.value - discounted * n2.value;
      const double by_d2 = -discounted * n2.slope, by_d1 = spot * n1.slope + by_d2;
      const double by_deviation = -by_d2 - by_d1 * d1 / deviation;
      gradient[1 + 2 * i] = n1.value + by_d1 / (deviation * spot);
      gradient[2 + 2 * i] = by_deviation * root + by_d1 * volatility * t / deviation;
      gradient[0] += by_d1 * t / deviation + t * discounted * n2.value;
    }
    return sum;
  }

 private:
  template <class T>
  static T normal_cdf(const T& x) {
    using std::abs, std::exp;
    const T t = 1.0 / (1.0 + p * abs(x));
    const T tail =
        exp(-0.5 * x * x) / root_of_two_pi * (t * (b1 + t * (b2 + t * (b3 + t * (b4 + t * b5)))));
    if (x > 0.0) return 1.0 - tail;
    return tail;
  }

  template <class T>
  static T call(const T& spot, double strike, const T& rate, const T& volatility, double t) {
    using std::exp, std::log;
    const T deviation = volatility * std::sqrt(t);
    const T d1 = (log(spot / strike) + (rate + 0.5 * volatility * volatility) * t) / deviation;
    const T d2 = d1 - deviation;
    return spot * normal_cdf(d1) - strike * exp(-rate * t) * normal_cdf(d2);
  }

  struct with_slope {
    double value, slope;
  };
  static with_slope normal_with_slope(double x) {
    const double t = 1.0 / (1.0 + p * std::fabs(x));
    const double density = std::exp(-0.5 * x * x) / root_of_two_pi;
    const double tail = density * (t * (b1 + t * (b2 + t * (b3 + t * (b4 + t * b5)))));
    const double by_t =
        density * (b1 + t * (2.0 * b2 + t * (3.0 * b3 + t * (4.0 * b4 + t * (5.0 * b5)))));
    // Slope of the tail along |x|, which is also that of 1 - tail along x on the other side.
    const double slope = std::fabs(x) * tail + by_t * p * t * t;
    return {x > 0.0 ? 1.0 - tail : tail, slope};
  }
};

}  // namespace bench::problems
