#pragma once
// The layers that a network can be made of: what each shall be (`layer`), and the layer itself with
// its parameters (`any_layer`). A new kind is one more alternative here.

#include <autodiff/random.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/network/activation.hpp>
#include <nn/network/batch_norm.hpp>
#include <nn/network/dense.hpp>
#include <nn/network/dropout.hpp>
#include <nn/network/flatten.hpp>
#include <nn/network/layer_norm.hpp>

#include <array>
#include <concepts>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nn {

struct layer;

/// x + f(x), f the layers inside, which end in the shape that they began with.
/// Source: He, Zhang, Ren, Sun, Deep residual learning (2015), eq. (1).
struct residual {
  residual(std::initializer_list<layer> inside);
  /// Of blocks alone, so that a list of one block is not taken for that block.
  template <std::same_as<residual> Block>
  residual(std::initializer_list<Block> inside);
  explicit residual(std::vector<layer> inside);

  std::vector<layer> inside;
};

/// What a layer shall be: nn::dense(128, nn::relu), nn::dropout(0.2), nn::tanh, ...
struct layer : std::variant<dense, activation, batch_norm, layer_norm, dropout, flatten, residual> {
  using variant::variant;
};

template <std::same_as<residual> Block>
residual::residual(std::initializer_list<Block> inside) : inside(inside.begin(), inside.end()) {}

/// An activation that stands alone, as behind a batch_norm.
template <class T>
class activation_layer {
 public:
  activation_layer(const autodiff::shape& sample, const nn::activation& description)
      : sample_(sample), activation_(description) {}

  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x) const { return activation_(x); }

  nn::activation description() const { return activation_; }
  const autodiff::shape& outputs() const noexcept { return sample_; }

 private:
  autodiff::shape sample_;
  nn::activation activation_;
};

template <class T>
class any_layer;

template <class T>
class residual_layer {
 public:
  /// Throws shape_error when the layers inside do not end in the shape of a sample.
  residual_layer(const autodiff::shape& sample, const residual& description,
                 autodiff::generator& random);

  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x) const;
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x, autodiff::generator& random);

  residual description() const;
  const autodiff::shape& outputs() const noexcept { return sample_; }

  std::vector<any_layer<T>> layers;

 private:
  autodiff::shape sample_;
};

/// One layer of a network.
template <class T>
class any_layer {
 public:
  /// For samples of this shape, without the axis of the batch. Throws what the layer's own
  /// constructor throws.
  any_layer(const autodiff::shape& sample, const layer& description, autodiff::generator& random);

  /// Inference.
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x) const {
    if (const auto* d = std::get_if<dense_layer<T>>(&layer_)) [[likely]]
      return (*d)(x);
    return other_than_dense(x);
  }
  /// The pass of training: dropout draws, batch_norm takes the batch's mean and variance.
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x, autodiff::generator& random) {
    if (const auto* d = std::get_if<dense_layer<T>>(&layer_)) [[likely]]
      return (*d)(x);
    return other_than_dense(x, random);
  }

  /// The layer as what it is: get_if<dense_layer<T>>() is null for another one.
  template <class Layer>
  Layer* get_if() noexcept {
    return std::get_if<Layer>(&layer_);
  }
  template <class Layer>
  const Layer* get_if() const noexcept {
    return std::get_if<Layer>(&layer_);
  }
  /// Throws domain_error when it is not a dense layer.
  dense_layer<T>& dense();
  const dense_layer<T>& dense() const;

  /// What it was made from.
  layer description() const;
  /// The shape of its output for one sample.
  const autodiff::shape& outputs() const noexcept { return outputs_; }

  /// visit(tensor) for everything that training moves.
  template <class Visitor>
  void parameters(Visitor&& visit) {
    if (auto* d = std::get_if<dense_layer<T>>(&layer_)) [[likely]] {
      visit(d->weights);
      if (d->has_bias()) visit(d->bias);
    } else {
      parameter_list others;
      collect_other(others);
      for (autodiff::tensor<T>* p : others) visit(*p);
    }
  }
  /// visit(name, tensor) for all that belongs into a file, running averages too. The names begin
  /// with `prefix`: "weights", "layers.0.gain" within a residual block.
  using state_visitor = std::function<void(const std::string& name, autodiff::tensor<T>& t)>;
  void state(const std::string& prefix, const state_visitor& visit);

 private:
  using alternatives =
      std::variant<dense_layer<T>, activation_layer<T>, batch_norm_layer<T>, layer_norm_layer<T>,
                   dropout_layer<T>, flatten_layer<T>, residual_layer<T>>;

  /// Pointers; as many as a residual block of two dense layers with norms has, without allocating.
  class parameter_list {
   public:
    void push_back(autodiff::tensor<T>* p) {
      if (count_ < few) {
        few_[count_++] = p;
        return;
      }
      if (count_ == few) many_.assign(few_.begin(), few_.end());
      many_.push_back(p);
      ++count_;
    }
    autodiff::tensor<T>* const* begin() const noexcept {
      return count_ > few ? many_.data() : few_.data();
    }
    autodiff::tensor<T>* const* end() const noexcept { return begin() + count_; }

   private:
    static constexpr std::size_t few = 8;
    std::array<autodiff::tensor<T>*, few> few_;
    std::vector<autodiff::tensor<T>*> many_;
    std::size_t count_ = 0;
  };
  void collect_other(parameter_list& into);
  static alternatives make(const autodiff::shape& sample, const layer& description,
                           autodiff::generator& random);
  autodiff::tensor<T> other_than_dense(const autodiff::tensor<T>& x) const;
  autodiff::tensor<T> other_than_dense(const autodiff::tensor<T>& x, autodiff::generator& random);

  alternatives layer_;
  autodiff::shape outputs_;
};

/// "128 relu", "dropout 0.2", "batch_norm", "batch_norm momentum 0.3",
/// "residual (64 relu -> 64 identity)"
std::string to_string(const layer& description);

}  // namespace nn
