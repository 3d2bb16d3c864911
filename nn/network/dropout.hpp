#pragma once
// Dropout between layers: at work in training only.

#include <autodiff/random.hpp>
#include <autodiff/tensor/tensor.hpp>

namespace nn {

/// Each output of the layer before is 0 with this probability in training, the others are scaled
/// by 1 / (1 - probability); inference passes everything. See autodiff/tensor/dropout.hpp.
struct dropout {
  explicit constexpr dropout(double probability = 0.5) : probability(probability) {}
  double probability;
};

template <class T>
class dropout_layer {
 public:
  /// Throws domain_error for a probability outside [0, 1).
  dropout_layer(const autodiff::shape& sample, const dropout& description);

  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x) const { return x; }
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x, autodiff::generator& random) const;

  dropout description() const { return dropout(probability_); }
  const autodiff::shape& outputs() const noexcept { return sample_; }

 private:
  autodiff::shape sample_;
  double probability_;
};

}  // namespace nn
