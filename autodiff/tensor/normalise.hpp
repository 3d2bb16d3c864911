#pragma once
// Normalisation: elements brought to mean 0 and variance 1 over a layer or a batch, then scaled and
// shifted by what is learned. Each is one operation with the derivative of all of it.

#include <autodiff/tensor/tensor.hpp>

#include <cstddef>

namespace autodiff {

/// gain (x - mean) / sqrt(variance + epsilon) + bias, where mean and (biased) variance are those
/// over the last axes of x, as many as gain has: [..., k] with [k] and [k] -> [..., k]. Throws
/// shape_error with the shapes when gain and bias are not these axes of x.
/// Source: Ba, Kiros, Hinton, Layer Normalization (2016), eq. (4).
template <class T>
tensor<T> layer_norm(const tensor<T>& x, const tensor<T>& gain, const tensor<T>& bias,
                     double epsilon = 1e-5);
/// Without gain and bias, over the last `last` axes.
template <class T>
tensor<T> layer_norm(const tensor<T>& x, std::size_t last = 1, double epsilon = 1e-5);

/// What batch_norm gives in training: mean and biased variance per feature, passive, are for the
/// running averages that inference uses.
template <class T>
struct batch_norm_result {
  tensor<T> y;
  array<T> mean, variance;
};

/// gain (x - mean) / sqrt(variance + epsilon) + bias per feature, with mean and (biased) variance
/// over all axes but that of the features: [n, k] or [n, k, ...] with [k] and [k]. Throws
/// shape_error with the shapes when gain and bias do not hold one number per feature.
/// Source: Ioffe and Szegedy, Batch Normalization (2015), algorithm 1.
template <class T>
batch_norm_result<T> batch_norm(const tensor<T>& x, const tensor<T>& gain, const tensor<T>& bias,
                                double epsilon = 1e-5, std::ptrdiff_t feature_axis = 1);
/// The same with a mean and variance that are given, for inference; all five have a derivative.
template <class T>
tensor<T> batch_norm(const tensor<T>& x, const tensor<T>& gain, const tensor<T>& bias,
                     const tensor<T>& mean, const tensor<T>& variance, double epsilon = 1e-5,
                     std::ptrdiff_t feature_axis = 1);

}  // namespace autodiff
