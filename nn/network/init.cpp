#include <nn/network/init.hpp>

#include <autodiff/error.hpp>
#include <autodiff/special.hpp>
#include <autodiff/tensor/cast.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/slice.hpp>
#include <autodiff/tensor/view.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <string>

namespace nn {
namespace {

using autodiff::generator, autodiff::shape, autodiff::tensor;

[[noreturn]] void refuse(const char* what, const std::string& happened, const char* remedy) {
  throw autodiff::domain_error(what, happened, remedy);
}

/// Strictly between 0 and 1, and symmetric: an odd multiple of 2^-53.
double inside_unit_interval(generator& random) {
  return (static_cast<double>(random() >> 12) + 0.5) * 0x1p-52;
}

/// The number below which a standard normal one lies with probability (1 + e) / 2.
double normal_quantile(double e) { return std::numbers::sqrt2 * autodiff::special::erfinv(e); }
double inverse_of_quantile(double x) { return std::erf(x / std::numbers::sqrt2); }

double standard_normal(generator& random) {
  return normal_quantile(2 * inside_unit_interval(random) - 1);
}

/// By the inverse of the distribution between the bounds; it may round past them.
double truncated_normal(double mean, double deviation, double from, double to, generator& random) {
  const double lower = inverse_of_quantile((from - mean) / deviation),
               upper = inverse_of_quantile((to - mean) / deviation);
  const double e = lower + (upper - lower) * inside_unit_interval(random);
  return std::clamp(mean + deviation * normal_quantile(e), from, to);
}

double inner_product(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Makes rows orthonormal, each from those above it (Gram and Schmidt), and what rounding left of
/// the first pass goes in a second one.
/// Source: Giraud, Langou, Rozloznik, The loss of orthogonality in the Gram-Schmidt
/// orthogonalization process (2005), section 3: twice is enough.
void orthonormalise(std::span<double> values, std::size_t columns) {
  const auto row = [&](std::size_t i) { return values.subspan(i * columns, columns); };
  for (std::size_t i = 0; i < values.size() / columns; ++i) {
    const std::span<double> v = row(i);
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t j = 0; j < i; ++j) {
        const std::span<const double> q = row(j);
        const double along = inner_product(q, v);
        for (std::size_t k = 0; k < columns; ++k) v[k] -= along * q[k];
      }
      const double length = std::sqrt(inner_product(v, v));
      for (double& x : v) x /= length;
    }
  }
}

/// Orthonormal rows [rows, columns], rows <= columns. Panels of rows are freed of the directions
/// above by matrix products, which is where nearly all of the work is.
tensor<double> orthonormal_rows(std::size_t rows, std::size_t columns, generator& random) {
  constexpr std::size_t panel = 32;
  tensor<double> q(shape{rows, columns});
  for (double& x : q.mutable_values()) x = standard_normal(random);
  for (std::size_t first = 0; first < rows; first += panel) {
    const auto from = static_cast<std::ptrdiff_t>(first),
               to = static_cast<std::ptrdiff_t>(std::min(first + panel, rows));
    tensor<double> v = slice(q, 0, {from, to});
    const tensor<double> above = slice(q, 0, {0, from});
    for (int pass = 0; pass < 2; ++pass) {
      if (first > 0) v = v - matmul(matmul(v, transpose(above)), above);
      orthonormalise(v.mutable_values(), columns);
    }
    std::ranges::copy(v.values(), q.mutable_values().subspan(first * columns).begin());
  }
  return q;
}

}  // namespace

init init::uniform(double from, double to) {
  if (!(std::isfinite(from) && std::isfinite(to) && from <= to))
    refuse("init::uniform", fmt::format("from {} to {}", from, to),
           "give it finite bounds in order");
  return {distribution::uniform, 0, 0, {from, to}, fan::in};
}

init init::normal(double mean, double deviation) {
  if (!(std::isfinite(mean) && std::isfinite(deviation) && deviation >= 0)) {
    refuse("init::normal", fmt::format("mean {} and standard deviation {}", mean, deviation),
           "give it finite ones, the deviation not negative");
  }
  return {distribution::normal, mean, deviation, {}, fan::in};
}

init init::truncated_normal(double mean, double deviation, double from, double to) {
  init how = normal(mean, deviation);
  const auto within = [&](double x) { return inverse_of_quantile((x - mean) / deviation); };
  if (!(from < to && within(from) < within(to))) {
    refuse("init::truncated_normal",
           fmt::format("nothing of a normal distribution with mean {} and standard deviation {} "
                       "lies in [{}, {}]",
                       mean, deviation, from, to),
           "give it bounds in order, within eight standard deviations of the mean");
  }
  how.shape_ = distribution::truncated_normal;
  how.within_ = {from, to};
  return how;
}

init init::with_fan(nn::fan mode) const {
  if (shape_ != distribution::scaled_uniform && shape_ != distribution::scaled_normal) {
    refuse("init::with_fan", "weights that are not scaled by a fan",
           "only glorot, he, lecun and their normal forms are");
  }
  init how = *this;
  how.fan_ = mode;
  return how;
}

template <class T>
tensor<T> initial_weights(const init& how, std::size_t fan_in, std::size_t fan_out,
                          generator& random) {
  using distribution = init::distribution;
  const double gain = how.gain_, mean = how.mean_, spread = how.spread_;
  const auto [lowest, highest] = how.within_;
  if (!std::isfinite(gain * mean)) {
    refuse("initial_weights", fmt::format("a gain of {} and a mean of {}", gain, mean),
           "give it finite ones: training could not mend the weights");
  }
  if (how.shape_ == distribution::orthogonal) {
    tensor<double> q =
        orthonormal_rows(std::min(fan_in, fan_out), std::max(fan_in, fan_out), random);
    if (fan_in > fan_out) q = transpose(q);
    return autodiff::cast<T>(gain * q);
  }
  tensor<T> weights(shape{fan_in, fan_out});
  const auto fill = [&](auto next) {
    for (T& w : weights.mutable_values()) w = static_cast<T>(gain * next());
    return weights;
  };
  const auto normal = [&](double deviation) {
    return fill([&] { return mean + deviation * standard_normal(random); });
  };
  const auto uniform = [&](double from, double to) {
    return fill([&] { return random.uniform(from, to); });
  };
  const auto in = static_cast<double>(fan_in), out = static_cast<double>(fan_out);
  const double fan = how.fan_ == fan::in ? in : how.fan_ == fan::out ? out : (in + out) / 2;
  switch (how.shape_) {
    case distribution::constant: return fill([&] { return mean; });
    case distribution::uniform: return uniform(lowest, highest);
    case distribution::scaled_uniform: {
      const double bound = std::sqrt(3 * spread / fan);
      return uniform(-bound, bound);
    }
    case distribution::normal: return normal(spread);
    case distribution::scaled_normal: return normal(std::sqrt(spread / fan));
    default:
      return fill([&, from = lowest, to = highest] {  // the truncated one
        return truncated_normal(mean, spread, from, to, random);
      });
  }
}

template tensor<float> initial_weights(const init&, std::size_t, std::size_t, generator&);
template tensor<double> initial_weights(const init&, std::size_t, std::size_t, generator&);

}  // namespace nn
