#pragma once
// Batch normalisation: every feature brought to mean 0 and variance 1 over the batch, then scaled
// and shifted by what is learned.
// Source: Ioffe and Szegedy, Batch Normalization (2015), algorithms 1 and 2.

#include <autodiff/random.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/network/kept.hpp>

namespace nn {

/// Mean and variance are those of the batch in training; inference takes running averages of them,
/// running <- (1 - momentum) running + momentum * batch, with the unbiased variance, divided by
/// n - 1.
struct batch_norm {
  double momentum = 0.1;
  double epsilon = 1e-5;
};

template <class T>
class batch_norm_layer {
 public:
  /// Of samples [features]. Throws shape_error for samples of another rank, domain_error for a
  /// momentum outside (0, 1] or an epsilon that is not positive.
  batch_norm_layer(const autodiff::shape& sample, const batch_norm& description);

  /// Inference: [n, features] -> the same, or [features].
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x) const;
  /// Training: [n, features] -> the same, and moves the running averages. Throws shape_error for
  /// fewer than two samples: one alone has no variance.
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x, autodiff::generator& random);

  /// visit(name, tensor, kept).
  template <class Visitor>
  void tensors(Visitor&& visit) {
    visit("gain", gain, kept::learned);
    visit("bias", bias, kept::learned);
    visit("running_mean", running_mean, kept::measured);
    visit("running_variance", running_variance, kept::measured);
  }

  batch_norm description() const { return description_; }
  /// From now on. Throws domain_error for one outside (0, 1].
  void momentum(double momentum);
  const autodiff::shape& outputs() const noexcept { return gain.shape(); }

  autodiff::tensor<T> gain, bias;                      ///< [features]
  autodiff::tensor<T> running_mean, running_variance;  ///< [features]

 private:
  batch_norm description_;
};

}  // namespace nn
