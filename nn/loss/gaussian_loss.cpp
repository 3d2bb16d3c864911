// Losses of outputs that are the parameters of normal distributions.

#include <autodiff/error.hpp>
#include <autodiff/tensor/fusion.hpp>
#include <autodiff/tensor/slice.hpp>

#include <nn/loss/loss.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>

namespace nn {
namespace {

using autodiff::tensor;

/// The halves of the last axis of y [..., 2 k]: means, and what says how far they are to be
/// trusted.
template <class T>
struct means_and_spreads {
  tensor<T> means, spreads;
};

template <class T>
means_and_spreads<T> halves(const loss& e, const tensor<T>& y, const tensor<T>& t) {
  const auto outputs = y.shape().extents(), targets = t.shape().extents();
  const bool fits = !targets.empty() && outputs.size() == targets.size() &&
                    std::equal(targets.begin(), targets.end() - 1, outputs.begin()) &&
                    outputs.back() == 2 * targets.back();
  if (!fits) {
    throw autodiff::shape_error(
        e.name,
        fmt::format("outputs {} and targets {}", to_string(y.shape()), to_string(t.shape())),
        "the last axis of the outputs holds a mean for each target, then a variance for each");
  }
  const auto k = static_cast<std::ptrdiff_t>(targets.back());
  return {slice(y, -1, {0, k}), slice(y, -1, {k, 2 * k})};
}

/// What each variance lacks of the smallest one.
template <class T>
tensor<T> lift(const loss& e, const tensor<T>& variances, double smallest) {
  tensor<T> missing = tensor<T>::undefined(variances.shape());
  std::ranges::transform(variances.values(), missing.mutable_values().begin(), [&](T v) {
    if (v < 0) {
      throw autodiff::domain_error(
          e.name, fmt::format("a variance of {}", v),
          "end the network in softplus, or use gaussian_nll_of_log_variances");
    }
    return std::max(static_cast<T>(smallest) - v, T(0));
  });
  return missing;
}

template <class T>
tensor<T> of_variances(const loss& e, const tensor<T>& y, const tensor<T>& t,
                       const gaussian_settings& settings) {
  const auto [means, variances] = halves(e, y, t);
  const double constant = settings.with_constant ? std::log(2 * std::numbers::pi) / 2 : 0;
  // Added as a constant, the lift leaves the slope as it is.
  const auto loss_of = [constant](auto mean, auto variance, auto lift, auto target) {
    const auto v = variance + lift;
    return 0.5 * (log(v) + square(mean - target) / v) + constant;
  };
  return collected(
      autodiff::fuse(loss_of, means, variances, lift(e, variances, settings.smallest_variance), t),
      e.how());
}

}  // namespace

constinit const loss gaussian_nll("gaussian_nll", reduction::mean,
                                  []<class T>(const loss& e, const tensor<T>& y,
                                              const tensor<T>& t) {
                                    return of_variances(e, y, t, gaussian_settings{});
                                  });

loss gaussian_nll_with(const gaussian_settings& settings) {
  if (!(settings.smallest_variance > 0 && std::isfinite(settings.smallest_variance))) {
    throw autodiff::domain_error(
        "gaussian_nll", fmt::format("the smallest variance is {}", settings.smallest_variance),
        "give it a finite number above 0");
  }
  std::string name = fmt::format("gaussian_nll(smallest_variance {}{})", settings.smallest_variance,
                                 settings.with_constant ? ", with_constant" : "");
  return parameterised_loss(std::move(name), reduction::mean, settings,
                            []<class T>(const loss& e, const tensor<T>& y, const tensor<T>& t) {
                              return of_variances(e, y, t, e.kept<gaussian_settings>());
                            });
}

constinit const loss gaussian_nll_of_log_variances(
    "gaussian_nll_of_log_variances", reduction::mean,
    []<class T>(const loss& e, const tensor<T>& y, const tensor<T>& t) {
      const auto [means, logs] = halves(e, y, t);
      return collected(autodiff::fuse(
                           [](auto mean, auto log_variance, auto target) {
                             return 0.5 *
                                    (log_variance + square(mean - target) * exp(-log_variance));
                           },
                           means, logs, t),
                       e.how());
    });

}  // namespace nn
