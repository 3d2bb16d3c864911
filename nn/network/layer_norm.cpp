#include <nn/network/layer_norm.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/normalise.hpp>

#include <fmt/format.h>

#include <cmath>

namespace nn {

template <class T>
layer_norm_layer<T>::layer_norm_layer(const autodiff::shape& sample, const layer_norm& description)
    : gain(sample, T(1)), bias(sample, T(0)), description_(description) {
  const double epsilon = description.epsilon;
  if (epsilon > 0 && std::isfinite(epsilon)) return;
  throw autodiff::domain_error("layer_norm", fmt::format("epsilon is {}", epsilon),
                               "it must be positive");
}

template <class T>
autodiff::tensor<T> layer_norm_layer<T>::operator()(const autodiff::tensor<T>& x) const {
  return autodiff::layer_norm(x, gain, bias, description_.epsilon);
}

template class layer_norm_layer<float>;
template class layer_norm_layer<double>;

}  // namespace nn
