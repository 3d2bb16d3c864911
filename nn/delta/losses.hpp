#pragma once
// Losses with their slopes, written down by hand like the activations of activations.hpp.
//
// Source: C. Bishop and H. Bishop, Deep Learning (2024), section 5.4.

#include <nn/delta/matrix.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace nn::textbook {

/// E of outputs y and targets t over n samples of K outputs.
enum class loss {
  half_squared_error,     ///< 1/2 sum (y - t)^2
  mean_squared_error,     ///< sum (y - t)^2 / (n K)
  binary_cross_entropy,   ///< mean of -t log s(y) - (1 - t) log s(-y), from logits y
  softmax_cross_entropy,  ///< mean over samples of -sum t log softmax(y), from logits y
  binary_cross_entropy_of_probabilities,  ///< mean of -t log y - (1 - t) log(1 - y)
  cross_entropy_of_probabilities,         ///< mean over samples of -sum t log y
};
std::string_view to_string(loss e);
std::optional<loss> loss_of(std::string_view name);

/// The factor in front of the sum that E is: 1/2, 1 / (n K) or 1 / n.
template <class T>
T loss_scale(loss e, std::size_t n, std::size_t k);

/// E(y, t) of outputs and targets [n, K].
template <class T>
T error(loss e, const matrix<T>& y, const matrix<T>& t);

/// dE/dy, [n, K].
template <class T>
matrix<T> error_slope(loss e, const matrix<T>& y, const matrix<T>& t);

}  // namespace nn::textbook
