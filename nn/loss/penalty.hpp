#pragma once
// Penalties on the size of weights, to be added to the loss of a step:
//
//   nn::gradient_step(
//       tape, net,
//       [&] { return e(net(x), t) + nn::weight_penalty<float>(net, {.l2 = 1e-4}); }, gradients);

#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/tensor.hpp>

namespace nn {

struct penalty {
  double l1 = 0;  ///< times sum |w|: slope sign(w), 0 at 0
  double l2 = 0;  ///< times 1/2 sum w^2: slope w, as the weight_decay of PyTorch's sgd
  /// Whether biases and gains, that is tensors of rank 1 or 0, are weights, too.
  bool biases = false;
};

/// Throws domain_error for strengths that are negative or not finite.
void require_strengths(const penalty& how);

/// What one tensor adds.
template <class T>
autodiff::tensor<T> weight_penalty_of(const autodiff::tensor<T>& w, const penalty& how);

/// The penalty on the parameters of a model, [], recorded where these are. Throws domain_error for
/// strengths that are negative or not finite.
template <class T, class Model>
autodiff::tensor<T> weight_penalty(Model& model, const penalty& how) {
  require_strengths(how);
  autodiff::tensor<T> total(T(0));
  model.parameters([&](const autodiff::tensor<T>& w) {
    if (w.rank() > 1 || how.biases) total = total + weight_penalty_of(w, how);
  });
  return total;
}

}  // namespace nn
