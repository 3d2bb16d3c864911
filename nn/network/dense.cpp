#include <nn/network/dense.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/affine.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/linear.hpp>

namespace nn {

template <class T>
dense_layer<T>::dense_layer(std::size_t inputs, const dense& description,
                            autodiff::generator& random)
    : activation_(description.activation) {
  if (const row<T> h = activation_.elementwise<T>()) loops_ = &(autodiff::loops<T>().*h);
  if (inputs == 0 || description.units == 0) {
    throw autodiff::shape_error("dense", "a layer without inputs or units",
                                "give it at least one of each");
  }
  weights = initial_weights<T>(description.weights.value_or(description.activation.suits), inputs,
                               description.units, random);
  if (description.bias == nn::bias::with) {
    bias = autodiff::tensor<T>(autodiff::shape{description.units}, T(0));
  }
}

template <class T>
autodiff::tensor<T> dense_layer<T>::preactivation(const autodiff::tensor<T>& x) const {
  return has_bias() ? autodiff::affine(x, weights, bias) : autodiff::matmul(x, weights);
}

template <class T>
autodiff::tensor<T> dense_layer<T>::operator()(const autodiff::tensor<T>& x) const {
  if (loops_ && has_bias()) return autodiff::affine(x, weights, bias, *loops_);
  if (activation_.is_identity()) return preactivation(x);
  return activation_(preactivation(x));
}

template <class T>
dense dense_layer<T>::description() const {
  return dense(outputs(), activation_, has_bias() ? nn::bias::with : nn::bias::without);
}

template class dense_layer<float>;
template class dense_layer<double>;

}  // namespace nn
