#include <nn/network/dropout.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/dropout.hpp>

#include <fmt/format.h>

namespace nn {

template <class T>
dropout_layer<T>::dropout_layer(const autodiff::shape& sample, const dropout& description)
    : sample_(sample), probability_(description.probability) {
  if (probability_ >= 0 && probability_ < 1) return;
  throw autodiff::domain_error("dropout", fmt::format("the probability is {}", probability_),
                               "it must be in [0, 1)");
}

template <class T>
autodiff::tensor<T> dropout_layer<T>::operator()(const autodiff::tensor<T>& x,
                                                 autodiff::generator& random) const {
  return autodiff::dropout(x, probability_, random);
}

template class dropout_layer<float>;
template class dropout_layer<double>;

}  // namespace nn
