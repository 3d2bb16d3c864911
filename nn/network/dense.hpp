#pragma once
// A dense layer: z = h(a), a = x w + b. Rows of x are samples; the weights stand as [in, out], the
// transpose of the textbook's W, because that makes the product of the forward pass the fast one.

#include <autodiff/random.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/network/activation.hpp>
#include <nn/network/init.hpp>
#include <nn/network/kept.hpp>

#include <cstddef>
#include <optional>

namespace nn {

enum class bias : bool { without, with };

/// What a layer shall be: so many units, this activation.
struct dense {
  explicit constexpr dense(std::size_t units, const nn::activation& activation = nn::identity,
                           nn::bias bias = nn::bias::with)
      : units(units), activation(activation), bias(bias) {}

  /// The same with weights drawn in this way instead of the activation's own.
  constexpr dense initialised(nn::init how) const {
    dense layer = *this;
    layer.weights = how;
    return layer;
  }

  std::size_t units;
  nn::activation activation;
  nn::bias bias;
  std::optional<nn::init> weights = std::nullopt;
};

/// The layer itself, with its parameters.
template <class T>
class dense_layer {
 public:
  /// Draws the weights; the bias starts at 0.
  dense_layer(std::size_t inputs, const dense& description, autodiff::generator& random);

  /// a = x w + b: [n, in] -> [n, out], or [in] -> [out].
  autodiff::tensor<T> preactivation(const autodiff::tensor<T>& x) const;
  /// z = h(a) of the same x.
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x) const;

  std::size_t inputs() const noexcept { return weights.shape()[0]; }
  std::size_t outputs() const noexcept { return weights.shape()[1]; }
  bool has_bias() const noexcept { return bias.shape().size() > 0; }
  const nn::activation& activation() const noexcept { return activation_; }

  /// visit(name, tensor, kept), weights before bias.
  template <class Visitor>
  void tensors(Visitor&& visit) {
    visit("weights", weights, kept::learned);
    if (has_bias()) visit("bias", bias, kept::learned);
  }

  /// What it was made from, but for how its weights were drawn.
  dense description() const;

  autodiff::tensor<T> weights;  ///< [in, out]
  autodiff::tensor<T> bias;     ///< [out], or empty

 private:
  nn::activation activation_;
  const autodiff::unary_loops<T>* loops_ = nullptr;  // of an activation that is a row of ops.def
};

}  // namespace nn
