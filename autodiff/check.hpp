#pragma once
// A gradient held against differences of the values alone. Central differences are extrapolated to
// step 0 by Ridders' method, which also tells how far they can be trusted.
// Source: Ridders, Accurate computation of F'(x) and F'(x)F''(x), Adv. Eng. Software 4 (1982).

#include <autodiff/gradient.hpp>

#include <cmath>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace autodiff {

struct check_options {
  double tolerance = 1e-6;  ///< allowed difference, relative to max(1, |derivative|)
  double step = 0.05;       ///< first step of the differences, relative to max(1, |x|)
};

/// One derivative, both ways.
struct checked_derivative {
  std::size_t argument;  ///< which argument of the function
  std::size_t entry;     ///< which of its numbers, row by row
  double by_tape, by_differences;
  double uncertainty;  ///< of the differences, as the extrapolation sees it
};

struct gradient_report {
  std::vector<checked_derivative> derivatives;
};

std::string to_string(const gradient_report& report);
std::ostream& operator<<(std::ostream& out, const gradient_report& report);

/// The derivative of a function of one number at x, and its uncertainty.
std::pair<double, double> derivative_by_differences(const std::function<double(double)>& f,
                                                    double x, double step);

/// Throws domain_error with the worst entries when the report exceeds the tolerance.
void require_agreement(const gradient_report& report, const check_options& options);

namespace probing {

/// The numbers of an argument or of its gradient.
template <class A>
std::vector<double> numbers(const A& x) {
  if constexpr (std::is_arithmetic_v<A>)
    return {static_cast<double>(x)};
  else if constexpr (requires { x.values(); })
    return {x.values().begin(), x.values().end()};
  else
    return {x.begin(), x.end()};
}

// An argument as the passive values on which f can be evaluated without a tape.
template <class A>
requires std::is_arithmetic_v<A> var passive(A x) { return var(static_cast<double>(x)); }
template <class T>
tensor<T> passive(const tensor<T>& x) {
  return x.detached();
}
template <class A, std::size_t N>
std::array<var, N> passive(const std::array<A, N>& x) {
  std::array<var, N> vars;
  std::copy(x.begin(), x.end(), vars.begin());
  return vars;
}
template <class Range>
requires(!std::is_arithmetic_v<Range>) std::vector<var> passive(const Range& x) {
  return {x.begin(), x.end()};
}

inline void set(var& x, std::size_t, double value) { x = var(value); }
template <class T>
void set(tensor<T>& x, std::size_t entry, double value) {
  x.mutable_values()[entry] = static_cast<T>(value);
}
template <class Range>
void set(Range& x, std::size_t entry, double value) {
  x[entry] = var(value);
}

}  // namespace probing

/// Compares the gradient of f at args with differences, derivative by derivative, and returns what
/// it found. Throws domain_error with a report of the worst entries when a difference exceeds the
/// tolerance and the uncertainty of the differences.
template <class F, class... Args>
gradient_report check_gradient_with(const check_options& options, F&& f, const Args&... args) {
  const auto by_tape = [&] {
    auto g = gradient(f, args...);
    if constexpr ((std::is_arithmetic_v<Args> && ...))
      return std::tuple_cat(g);
    else if constexpr (sizeof...(Args) == 1)
      return std::tuple(std::move(g));
    else
      return g;
  }();
  gradient_report report;
  const auto check_argument = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
    const std::vector<double> x = probing::numbers(std::get<I>(std::tie(args...)));
    const std::vector<double> g = probing::numbers(std::get<I>(by_tape));
    for (std::size_t entry = 0; entry < x.size(); ++entry) {
      const auto along_entry = [&](double value) {
        auto passive = std::tuple(probing::passive(args)...);
        probing::set(std::get<I>(passive), entry, value);
        return static_cast<double>(scalar_value(std::apply(f, passive)));
      };
      const auto [slope, uncertainty] = derivative_by_differences(
          along_entry, x[entry], options.step * std::max(1.0, std::abs(x[entry])));
      report.derivatives.push_back({I, entry, g[entry], slope, uncertainty});
    }
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (check_argument(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::index_sequence_for<Args...>{});
  require_agreement(report, options);
  return report;
}

template <class F, class... Args>
gradient_report check_gradient(F&& f, const Args&... args) {
  return check_gradient_with(check_options{}, std::forward<F>(f), args...);
}

}  // namespace autodiff
