// Losses that every output has for itself.

#include <autodiff/error.hpp>
#include <autodiff/tensor/comparison.hpp>
#include <autodiff/tensor/distance.hpp>
#include <autodiff/tensor/fusion.hpp>

#include <nn/loss/loss.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string_view>
#include <vector>

namespace nn {
namespace {

using autodiff::tensor;

/// factor * (y - t)^2 one by one. Not inlined: the room that it needs would cost the sum of two
/// numbers a good part of its time.
template <class T>
[[gnu::noinline]] tensor<T> single_squares(const tensor<T>& y, const tensor<T>& t, T factor) {
  return factor * square(y - t);
}

/// The same, put together in one pass.
template <class T>
[[gnu::always_inline]] inline tensor<T> squares(const loss& e, const tensor<T>& y,
                                                const tensor<T>& t, T factor) {
  require_alike(e, y.shape(), t.shape());
  if (e.how() == reduction::none) return single_squares(y, t, factor);
  if (e.how() == reduction::mean) factor /= static_cast<T>(y.size());
  return squared_distance(y, t, factor);
}

/// f, a chain of elementwise functions, of outputs and targets of one shape.
template <class T, class Function>
tensor<T> chain(const loss& e, const tensor<T>& y, const tensor<T>& t, Function f) {
  require_alike(e, y.shape(), t.shape());
  return collected(autodiff::fuse(f, y, t), e.how());
}

/// The function of a loss that is such a chain alone.
template <class Function>
constexpr auto chain_of(Function) {
  return []<class T>(const loss& e, const tensor<T>& y, const tensor<T>& t) {
    return chain(e, y, t, Function{});
  };
}

/// 1 for targets of 1, -1 for those of 0 or -1.
template <class T>
tensor<T> signs(const loss& e, const tensor<T>& t) {
  tensor<T> s = tensor<T>::undefined(t.shape());
  std::ranges::transform(t.values(), s.mutable_values().begin(), [&](T target) {
    if (target == 1 || target == -1) return target;
    if (target == 0) return T(-1);
    throw autodiff::domain_error(e.name, fmt::format("a target of {}", target),
                                 "mark one class by 1 and the other by 0 or -1");
  });
  return s;
}

/// p t softplus(-y) + (1 - t) softplus(y), p broadcast: w = p t + 1 - t times the loss with target
/// p t / w, which knows what to do with infinite logits.
template <class T>
tensor<T> weighted_binary(const loss& e, const tensor<T>& y, const tensor<T>& t,
                          const std::vector<double>& positive_weights) {
  require_alike(e, y.shape(), t.shape());
  const std::size_t count = positive_weights.size();
  if (count > 1 && (y.rank() == 0 || y.shape()[y.rank() - 1] != count)) {
    throw autodiff::shape_error(
        e.name,
        fmt::format("{} positive weights and outputs {}", count, autodiff::to_string(y.shape())),
        "give it one weight, or one for each output of the last axis");
  }
  tensor<T> p(count == 1 ? autodiff::shape{} : autodiff::shape{count});
  std::ranges::transform(positive_weights, p.mutable_values().begin(),
                         [](double w) { return static_cast<T>(w); });
  const tensor<T> positive = p * t, w = positive + (1 - t);
  const tensor<T> losses =
      binary_cross_entropy_with_logits(y, positive / where(w == 0, 1, w), reduction::none);
  return collected(w * losses, e.how());
}

}  // namespace

constinit const loss half_squared_error("half_squared_error", reduction::sum,
                                        []<class T>(const loss& e, const tensor<T>& y,
                                                    const tensor<T>& t) {
                                          return squares(e, y, t, T(0.5));
                                        });

constinit const loss mean_squared_error("mean_squared_error", reduction::mean,
                                        []<class T>(const loss& e, const tensor<T>& y,
                                                    const tensor<T>& t) {
                                          return squares(e, y, t, T(1));
                                        });

constinit const loss mean_absolute_error("mean_absolute_error", reduction::mean,
                                         chain_of([](auto y, auto t) { return abs(y - t); }));

loss huber(double delta) {
  if (!(delta > 0 && std::isfinite(delta))) {
    throw autodiff::domain_error("huber", fmt::format("delta is {}", delta),
                                 "give it the finite distance, above 0, at which squares end");
  }
  // No branch, so that it is one pass, and no product of infinities: 1/2 c^2 for what is within
  // delta, and a straight line for what is beyond.
  return parameterised_loss(
      fmt::format("huber({})", delta), reduction::mean, delta,
      []<class T>(const loss& e, const tensor<T>& y, const tensor<T>& t) {
        return chain(e, y, t, [delta = e.kept<double>()](auto output, auto target) {
          const auto apart = output - target;
          return 0.5 * square(clamp(apart, -delta, delta)) + delta * relu(abs(apart) - delta);
        });
      });
}

constinit const loss binary_cross_entropy("binary_cross_entropy", reduction::mean,
                                          []<class T>(const loss& e, const tensor<T>& y,
                                                      const tensor<T>& t) {
                                            require_alike(e, y.shape(), t.shape());
                                            return binary_cross_entropy_with_logits(y, t, e.how());
                                          });

loss binary_cross_entropy_with(const binary_cross_entropy_settings& settings) {
  for (const double w : settings.positive_weights) {
    if (w >= 0 && std::isfinite(w)) continue;
    throw autodiff::domain_error("binary_cross_entropy", fmt::format("a positive weight of {}", w),
                                 "give it finite ones that are not negative");
  }
  if (settings.positive_weights.empty()) return binary_cross_entropy;
  return parameterised_loss(fmt::format("binary_cross_entropy(positive_weights [{}])",
                                        fmt::join(settings.positive_weights, ", ")),
                            reduction::mean, settings.positive_weights,
                            []<class T>(const loss& e, const tensor<T>& y, const tensor<T>& t) {
                              return weighted_binary(e, y, t, e.kept<std::vector<double>>());
                            });
}

constinit const loss binary_cross_entropy_of_probabilities(
    "binary_cross_entropy_of_probabilities", reduction::mean,
    chain_of([](auto y, auto t) { return -(xlogy(t, y) + xlog1py(1 - t, -y)); }));

constinit const loss hinge("hinge", reduction::mean,
                           []<class T>(const loss& e, const tensor<T>& y, const tensor<T>& t) {
                             return chain(e, y, signs(e, t), [](auto output, auto sign) {
                               return relu(1 - sign * output);
                             });
                           });

constinit const loss poisson_nll("poisson_nll", reduction::mean,
                                 chain_of([](auto y, auto t) { return exp(y) - t * y; }));

constinit const loss poisson_nll_of_rates("poisson_nll_of_rates", reduction::mean,
                                          chain_of([](auto y, auto t) {
                                            return y - xlogy(t, y + 1e-8);
                                          }));

loss poisson_nll_with(const poisson_settings& settings) {
  const loss& plain = settings.of_rates ? poisson_nll_of_rates : poisson_nll;
  if (!settings.with_constant) return plain;
  return parameterised_loss(
      fmt::format("{}(with_constant)", plain.name), reduction::mean, plain.reduced(reduction::none),
      []<class T>(const loss& e, const tensor<T>& y, const tensor<T>& t) {
        require_alike(e, y.shape(), t.shape());
        const T two_pi = T(2) * std::numbers::pi_v<T>;
        const tensor<T> log_factorial = xlogy(t, t) - t + T(0.5) * log(two_pi * t);
        return collected(tensor<T>(e.kept<loss>()(y, t) + where(t > 1, log_factorial, 0)), e.how());
      });
}

}  // namespace nn
