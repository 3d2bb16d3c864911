#pragma once
// Images and other samples of several axes as rows of numbers, for the dense layers behind.

#include <autodiff/tensor/tensor.hpp>

namespace nn {

/// [n, rows, columns, ...] -> [n, rows * columns * ...], last axis fastest.
struct flatten {};

template <class T>
class flatten_layer {
 public:
  explicit flatten_layer(const autodiff::shape& sample)
      : sample_(sample), outputs_{sample.size()} {}

  /// A sample alone becomes [size]. Throws shape_error when x has no sample of the shape at its
  /// end.
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x) const;

  flatten description() const { return {}; }
  const autodiff::shape& outputs() const noexcept { return outputs_; }

 private:
  autodiff::shape sample_, outputs_;
};

}  // namespace nn
