#pragma once
// Gradients kept within bounds, between the sweep and the update.

#include <autodiff/tensor/tensor.hpp>

#include <vector>

namespace nn {

/// Scales all gradients by one factor, most / (norm + 1e-6) where that is below 1, and returns
/// their Euclidean norm together as it was. A norm that is not finite leaves gradients that are
/// not. Throws domain_error for a `most` that is not positive.
/// Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks
/// (ICML 2013), algorithm 1; the 1e-6 is PyTorch's.
template <class T>
double clip_norm(std::vector<autodiff::tensor<T>>& gradients, double most);

/// Moves every number of the gradients into [-most, most]; a NaN stays one. Throws domain_error for
/// a `most` that is not positive.
template <class T>
void clip_value(std::vector<autodiff::tensor<T>>& gradients, double most);

}  // namespace nn
