#pragma once
// What the tests hold the engine to, from outside of it: derivatives by differences of plain
// functions in long double, distances in units of the last place, the same random numbers on every
// machine, and the texts of exceptions.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace reference {

using real = long double;

/// df/dx of a smooth function: central differences extrapolated to step 0.
/// Source: Ridders, Accurate computation of F'(x) and F'(x)F''(x), Adv. Eng. Software 4 (1982).
template <class Function>
real derivative(Function&& f, real x, real step = 0.05L) {
  constexpr std::size_t rounds = 14;
  constexpr real shrink = 1.6L;
  real table[rounds][rounds] = {};
  real best = 0, doubt = std::numeric_limits<real>::infinity();
  for (std::size_t i = 0; i < rounds; ++i, step /= shrink) {
    const real above = x + step, below = x - step;
    table[0][i] = (f(above) - f(below)) / (above - below);
    if (i == 0) best = table[0][0];
    real factor = shrink * shrink;
    for (std::size_t j = 1; j <= i; ++j, factor *= shrink * shrink) {
      table[j][i] = (factor * table[j - 1][i] - table[j - 1][i - 1]) / (factor - 1);
      const real apart = std::max(std::fabs(table[j][i] - table[j - 1][i]),
                                  std::fabs(table[j][i] - table[j - 1][i - 1]));
      if (apart <= doubt) {
        doubt = apart;
        best = table[j][i];
      }
    }
    if (i > 2 && std::fabs(table[i][i] - table[i - 1][i - 1]) >= 8 * doubt) break;
  }
  return best;
}

/// Whether a is b up to tolerance * max(1, |b|). Equal infinities are close, and two NaNs.
inline bool close(real a, real b, real tolerance) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  return std::fabs(a - b) <= tolerance * std::max<real>(1, std::fabs(b));
}

/// The same for each pair of numbers; false where the sizes differ.
template <class A, class B>
bool all_close(const A& a, const B& b, real tolerance) {
  return std::equal(std::begin(a), std::end(a), std::begin(b), std::end(b),
                    [&](const auto& x, const auto& y) {
                      return close(static_cast<real>(x), static_cast<real>(y), tolerance);
                    });
}

/// |a - b| in units in the last place of b as a T; 0 for two NaNs, infinity where only one of them
/// is finite. Below the smallest normal number the unit stays that of the smallest.
template <class T>
double ulps(T a, real b) {
  if (std::isnan(a) && std::isnan(b)) return 0;
  const T rounded = static_cast<T>(b);
  if (a == rounded) return 0;
  if (!std::isfinite(a) || !std::isfinite(rounded)) return std::numeric_limits<double>::infinity();
  int exponent = 0;
  std::frexp(rounded, &exponent);
  const int unit = std::max(exponent - std::numeric_limits<T>::digits,
                            std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits);
  return static_cast<double>(std::ldexp(std::fabs(static_cast<real>(a) - b), -unit));
}

/// splitmix64: the same numbers on every machine.
/// Source: Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators (2014).
class random {
 public:
  explicit random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(bits() % bound); }
  double uniform(double from, double to) {
    return from + (to - from) * std::ldexp(static_cast<double>(bits() >> 11), -53);
  }
  template <class T = double>
  std::vector<T> uniform(std::size_t count, double from, double to) {
    std::vector<T> numbers(count);
    for (T& number : numbers) number = static_cast<T>(uniform(from, to));
    return numbers;
  }

 private:
  std::uint64_t state_;
};

/// The text of the Error that `provoke` throws; "nothing was thrown" when it does not.
template <class Error, class Function>
std::string message(Function&& provoke) {
  try {
    provoke();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// Whether a message holds all of these parts.
template <class... Parts>
bool says(std::string_view text, const Parts&... parts) {
  return ((text.find(parts) != std::string_view::npos) && ...);
}

}  // namespace reference
