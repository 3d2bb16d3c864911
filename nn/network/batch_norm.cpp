#include <nn/network/batch_norm.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/normalise.hpp>
#include <autodiff/tensor/view.hpp>

#include <fmt/format.h>

#include <cmath>
#include <span>

namespace nn {
namespace {

void require_momentum(double momentum) {
  if (momentum > 0 && momentum <= 1) return;
  throw autodiff::domain_error("batch_norm", fmt::format("the momentum is {}", momentum),
                               "it must be in (0, 1]");
}

void check(const autodiff::shape& sample, const batch_norm& b) {
  if (sample.rank() != 1) {
    throw autodiff::shape_error("batch_norm",
                                fmt::format("samples {}", autodiff::to_string(sample)),
                                "put a flatten before it: samples are [features]");
  }
  require_momentum(b.momentum);
  if (!(b.epsilon > 0 && std::isfinite(b.epsilon))) {
    throw autodiff::domain_error("batch_norm", fmt::format("epsilon is {}", b.epsilon),
                                 "it must be positive");
  }
}

/// average <- (1 - momentum) average + momentum * factor * now.
template <class T>
void follow(autodiff::tensor<T>& average, std::span<const T> now, double momentum, double factor) {
  const T keep = static_cast<T>(1 - momentum), take = static_cast<T>(momentum * factor);
  auto values = average.mutable_values();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = keep * values[i] + take * now[i];
}

}  // namespace

template <class T>
batch_norm_layer<T>::batch_norm_layer(const autodiff::shape& sample, const batch_norm& description)
    : description_(description) {
  check(sample, description);
  gain = running_variance = autodiff::tensor<T>(sample, T(1));
  bias = running_mean = autodiff::tensor<T>(sample, T(0));
}

template <class T>
autodiff::tensor<T> batch_norm_layer<T>::operator()(const autodiff::tensor<T>& x) const {
  if (x.rank() == 1) return reshape((*this)(reshape(x, {1, x.shape()[0]})), x.shape());
  return autodiff::batch_norm(x, gain, bias, running_mean, running_variance, description_.epsilon);
}

template <class T>
autodiff::tensor<T> batch_norm_layer<T>::operator()(const autodiff::tensor<T>& x,
                                                    autodiff::generator&) {
  const std::size_t samples = x.rank() == 2 ? x.shape()[0] : 1;
  if (samples < 2) {
    throw autodiff::shape_error(
        "batch_norm", fmt::format("training on {}", autodiff::to_string(x.shape())),
        "pass at least two samples, [n, features]: one alone has no variance; where it is the "
        "last batch of an epoch, leave it out by drop_last");
  }
  auto normalised = autodiff::batch_norm(x, gain, bias, description_.epsilon);
  const auto n = static_cast<double>(samples);
  follow(running_mean, normalised.mean.values(), description_.momentum, 1);
  follow(running_variance, normalised.variance.values(), description_.momentum, n / (n - 1));
  return normalised.y;
}

template <class T>
void batch_norm_layer<T>::momentum(double momentum) {
  require_momentum(momentum);
  description_.momentum = momentum;
}

template class batch_norm_layer<float>;
template class batch_norm_layer<double>;

}  // namespace nn
