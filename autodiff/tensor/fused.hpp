#pragma once
// Operations whose parts cancel when they are written as one: softmax and its logarithm are shifted
// by the row's maximum, and cross-entropy on logits has the adjoint p - t without a division.

#include <autodiff/tensor/tensor.hpp>

namespace autodiff {

/// exp(x) / sum exp(x) along the last axis. Entries of -inf have weight 0; a row of nothing but
/// -inf has all weights 0; several +inf share evenly. Throws shape_error for rank 0.
template <class T>
tensor<T> softmax(const tensor<T>& x);

/// log(softmax(x)) along the last axis, accurate where softmax underflows.
template <class T>
tensor<T> log_softmax(const tensor<T>& x);

/// Mean over the rows of -sum(t * log_softmax(z)): logits z [n, k], target weights t [n, k]
/// (one-hot or soft) -> []; [k] counts as one row. An entry with weight 0 adds nothing. dz = (p
/// sum(t) - t) / n. Source: Bishop, Pattern Recognition and Machine Learning (2006), eq. (4.108).
/// Throws shape_error with both shapes when they differ.
template <class T>
tensor<T> softmax_cross_entropy(const tensor<T>& logits, const tensor<T>& targets);

}  // namespace autodiff
