#pragma once
// Loss functions as values: a name and the function on outputs y and targets t of one shape, [n, k]
// or [k], giving one number.

#include <autodiff/tensor/tensor.hpp>

#include <string_view>

namespace nn {

struct loss {
  std::string_view name;
  autodiff::tensor<float> (*on_float)(const autodiff::tensor<float>& y,
                                      const autodiff::tensor<float>& t);
  autodiff::tensor<double> (*on_double)(const autodiff::tensor<double>& y,
                                        const autodiff::tensor<double>& t);

  /// Throws shape_error with both shapes when y and t differ: nothing is broadcast.
  autodiff::tensor<float> operator()(const autodiff::tensor<float>& y,
                                     const autodiff::tensor<float>& t) const;
  autodiff::tensor<double> operator()(const autodiff::tensor<double>& y,
                                      const autodiff::tensor<double>& t) const;
};

/// E = 1/2 sum (y - t)^2, over outputs and samples: the error of the textbook derivation, whose
/// delta at a linear output is y - t.
extern const loss half_squared_error;
/// Mean of (y - t)^2 over outputs and samples.
extern const loss mean_squared_error;
/// Mean of -t log p - (1 - t) log(1 - p) with p = sigmoid(y), from the logits y; t in [0, 1].
/// Computed as t softplus(-y) + (1 - t) softplus(y): the shorter softplus(y) - y t cancels where a
/// confident output is right.
extern const loss binary_cross_entropy;
/// Mean over the samples of -sum t log softmax(y), from the logits y; rows of t sum to 1 (one-hot
/// or soft).
extern const loss softmax_cross_entropy;
/// The same two from probabilities instead of logits: mean of -t log y - (1 - t) log(1 - y) with
/// the y of a sigmoid, and mean over the samples of -sum t log y with those of a softmax; a weight
/// of 0 adds nothing. As textbooks write them; to train, prefer those from logits: a probability
/// that rounds to 0 or 1 makes these infinite.
extern const loss binary_cross_entropy_of_probabilities;
extern const loss cross_entropy_of_probabilities;

}  // namespace nn
