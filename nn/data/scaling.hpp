#pragma once
// Features of one size: learned from the data to train on, applied to all other data, undone on
// what a network predicts. Sample by sample, and so the same for one as for many.

#include <autodiff/tensor/tensor.hpp>

namespace nn {

/// y = (x - offset) / spread + base, entry by entry of a row.
template <class T>
struct scaling {
  autodiff::tensor<T> offset, spread, base;  ///< [features], or any shape that a row has

  /// [n, features] -> [n, features]. Recorded on a tape where x is. Throws shape_error when the
  /// rows are others than the learned ones.
  autodiff::tensor<T> apply(const autodiff::tensor<T>& x) const;
  /// The x of a y.
  autodiff::tensor<T> invert(const autodiff::tensor<T>& y) const;

  /// visit(name, tensor) for what is to be kept in a file.
  template <class Visitor>
  void state(Visitor&& visit) {
    visit("offset", offset);
    visit("spread", spread);
    visit("base", base);
  }
};

/// To mean 0 and standard deviation 1 over the samples: of all n, not n - 1. A feature that is the
/// same in all samples becomes 0. Throws shape_error for no samples, domain_error, naming sample
/// and entry, for a value that is not finite, or so far from the mean that the way is not.
template <class T>
scaling<T> standard_scaling(const autodiff::tensor<T>& x);

/// To `least` .. `most` over the samples; 0 .. 1 and -1 .. 1 are met exactly. A feature that is the
/// same in all samples becomes `least`. Throws as standard_scaling, and domain_error unless least <
/// most.
template <class T>
scaling<T> min_max_scaling(const autodiff::tensor<T>& x, T least = T(0), T most = T(1));

}  // namespace nn
