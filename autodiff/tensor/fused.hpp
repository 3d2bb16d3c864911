#pragma once
// Operations whose parts cancel when they are written as one: softmax and its logarithm are shifted
// by the largest entry, and cross-entropies on logits have the adjoint p - t without a division.

#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <span>

namespace autodiff {

/// exp(x) / sum exp(x) along an axis. Entries of -inf have weight 0; a line of nothing but -inf has
/// all weights 0; several +inf share evenly. Throws shape_error when there is no such axis.
template <class T>
tensor<T> softmax(const tensor<T>& x, std::ptrdiff_t axis = -1);

/// log(softmax(x)) along an axis, accurate where softmax underflows.
template <class T>
tensor<T> log_softmax(const tensor<T>& x, std::ptrdiff_t axis = -1);

/// What becomes of the losses of the samples: their mean (of none NaN), their sum, or themselves.
enum class reduction { mean, sum, none };

/// Mean over the rows of -sum(t * log_softmax(z)): logits z [n, k], target weights t [n, k]
/// (one-hot or soft) -> [], or [n] without reduction; [k] counts as one row. An entry with weight 0
/// adds nothing. dz = (p sum(t) - t) / n. Source: Bishop, Pattern Recognition and Machine Learning
/// (2006), eq. (4.108). Throws shape_error with both shapes when they differ.
template <class T>
tensor<T> softmax_cross_entropy(const tensor<T>& logits, const tensor<T>& targets,
                                reduction how = reduction::mean);
/// The same for one class index per row. Throws shape_error when their number is not n, or one is
/// not below k.
template <class T>
tensor<T> softmax_cross_entropy(const tensor<T>& logits, std::span<const std::size_t> labels,
                                reduction how = reduction::mean);

/// Mean over all elements of -t log(p) - (1 - t) log(1 - p), p = sigmoid(z), for logits z and
/// targets t in [0, 1] of one shape. Computed as t softplus(-z) + (1 - t) softplus(z): the shorter
/// softplus(z) - z t cancels where a confident output is right. A factor 0 adds nothing.
/// dz = (1 - t) sigmoid(z) - t sigmoid(-z), dt = -z, over n. Throws shape_error with both shapes
/// when they differ.
template <class T>
tensor<T> binary_cross_entropy_with_logits(const tensor<T>& logits, const tensor<T>& targets,
                                           reduction how = reduction::mean);

}  // namespace autodiff
