#pragma once
// A gradient held against differences of the values alone. Central differences are extrapolated to
// step 0 by Ridders' method, which also tells how far they can be trusted.
// Source: Ridders, Accurate computation of F'(x) and F'(x)F''(x), Adv. Eng. Software 4 (1982).

#include <autodiff/argument.hpp>
#include <autodiff/gradient.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
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

/// The numbers in the places of those that x holds, as passive values: f can be evaluated at them
/// without a tape.
template <class A>
auto passive_at(const A& x, const std::vector<double>& numbers) {
  auto next = numbers.begin();
  return map_leaves(x, [&](const auto& leaf) {
    using L = std::remove_cvref_t<decltype(leaf)>;
    if constexpr (is_tensor<L>) {
      L replaced = leaf.detached();
      for (auto& value : replaced.mutable_values()) {
        value = static_cast<typename L::value_type>(*next++);
      }
      return replaced;
    } else {
      return var(*next++);
    }
  });
}

/// Compares the gradient of f at args with differences, derivative by derivative, and returns what
/// it found. Arguments are those of gradient(), over plain numbers. Throws domain_error with a
/// report of the worst entries when a difference exceeds the tolerance and the uncertainty of the
/// differences.
template <class F, class... Args>
gradient_report check_gradient_with(const check_options& options, F&& f, const Args&... args) {
  static_assert(std::same_as<common_number<Args...>, double>,
                "differences are taken over plain numbers: pass x.value()");
  const auto& arguments = argument_list(args...);
  const std::vector<double> by_tape = flattened<double>(gradient(f, args...)).numbers;
  std::vector<double> x = flattened<double>(arguments).numbers;
  gradient_report report;
  const auto check_argument = [&](std::size_t argument, std::size_t size) {
    for (std::size_t entry = 0; entry < size; ++entry) {
      const std::size_t i = report.derivatives.size();
      const double at = x[i];
      const auto along_entry = [&](double value) {
        x[i] = value;
        return static_cast<double>(
            scalar_value(single_output<double>(std::apply(f, passive_at(arguments, x)))));
      };
      const auto [slope, uncertainty] =
          derivative_by_differences(along_entry, at, options.step * std::max(1.0, std::abs(at)));
      x[i] = at;
      report.derivatives.push_back({argument, entry, by_tape[i], slope, uncertainty});
    }
  };
  std::apply(
      [&](const auto&... one) {
        std::size_t argument = 0;
        (check_argument(argument++, flattened<double>(one).numbers.size()), ...);
      },
      arguments);
  require_agreement(report, options);
  return report;
}

template <class F, class... Args>
gradient_report check_gradient(F&& f, const Args&... args) {
  return check_gradient_with(check_options{}, std::forward<F>(f), args...);
}

}  // namespace autodiff
