#pragma once
// Layer normalisation: the features of every sample brought to mean 0 and variance 1, then scaled
// and shifted by what is learned; the same in training and inference.
// Source: Ba, Kiros, Hinton, Layer Normalization (2016), eq. (4).

#include <autodiff/tensor/tensor.hpp>

#include <nn/network/kept.hpp>

namespace nn {

struct layer_norm {
  double epsilon = 1e-5;
};

template <class T>
class layer_norm_layer {
 public:
  /// Over all axes of a sample. Throws domain_error for an epsilon that is not positive.
  layer_norm_layer(const autodiff::shape& sample, const layer_norm& description);

  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x) const;

  /// visit(name, tensor, kept).
  template <class Visitor>
  void tensors(Visitor&& visit) {
    visit("gain", gain, kept::learned);
    visit("bias", bias, kept::learned);
  }

  layer_norm description() const { return description_; }
  const autodiff::shape& outputs() const noexcept { return gain.shape(); }

  autodiff::tensor<T> gain, bias;  ///< of the shape of a sample

 private:
  layer_norm description_;
};

}  // namespace nn
