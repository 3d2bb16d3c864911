#pragma once
// Layers one after another. A network owns values, never derivatives: to train it, its
// parameters become variables of a tape for the length of a step (nn/network/step.hpp), and the
// tape's sweep does the rest.

#include <autodiff/random.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/network/init.hpp>
#include <nn/network/layer.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <ranges>
#include <span>
#include <string>
#include <vector>

namespace nn {

template <class T>
class network {
 public:
  using value_type = T;

  /// Layers from the input on; the first takes samples of this shape, each other the outputs of the
  /// one before. Throws shape_error for no layers and for a layer that does not fit (no units, a
  /// batch_norm on images, a residual block that changes the shape), domain_error for settings out
  /// of range.
  network(const autodiff::shape& inputs, std::span<const layer> layers, nn::seed seed);
  network(const autodiff::shape& inputs, std::initializer_list<layer> layers, nn::seed seed)
      : network(inputs, std::span<const layer>(layers.begin(), layers.size()), seed) {}
  /// The same for samples of so many numbers, [inputs].
  network(std::size_t inputs, std::span<const layer> layers, nn::seed seed)
      : network(autodiff::shape{inputs}, layers, seed) {}
  /// From any range of what a layer is made of, such as a std::vector<nn::dense>.
  template <std::ranges::input_range Layers>
  requires std::convertible_to<std::ranges::range_reference_t<Layers>, layer> network(
      std::size_t inputs, const Layers& layers, nn::seed seed)
      : network(inputs, std::span<const layer>(std::vector<layer>(layers.begin(), layers.end())),
                seed) {}
  network(std::size_t inputs, std::initializer_list<layer> layers, nn::seed seed)
      : network(autodiff::shape{inputs}, layers, seed) {}

  /// Outputs, as inference has them: [n, inputs] -> [n, outputs], or [inputs] -> [outputs]. On an
  /// explained tape the layers are noted by number, the first being "layer 1".
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x) const;
  /// The pass of training, on a batch: dropout draws from `random`, batch_norm takes mean and
  /// variance of the batch and moves its running averages.
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x, autodiff::generator& random);

  /// Shapes of one sample, and how many numbers that are.
  const autodiff::shape& input_shape() const noexcept { return input_shape_; }
  const autodiff::shape& output_shape() const noexcept { return layers_.back().outputs(); }
  std::size_t inputs() const noexcept { return input_shape().size(); }
  std::size_t outputs() const noexcept { return output_shape().size(); }

  std::span<any_layer<T>> layers() noexcept { return layers_; }
  std::span<const any_layer<T>> layers() const noexcept { return layers_; }
  /// What the layers were made from.
  std::vector<layer> architecture() const;
  /// "784 -> 128 relu -> dropout 0.2 -> 10 identity"
  std::string description() const;

  /// Calls visit(tensor) for every parameter, layer by layer, weights before bias.
  template <class Visitor>
  void parameters(Visitor&& visit) {
    for (any_layer<T>& l : layers_) l.parameters(visit);
  }
  /// Calls visit(name, tensor) for all that belongs into a file, running averages too:
  /// "layers.0.weights", "layers.0.bias", "layers.1.running_mean", ...
  void state(const typename any_layer<T>::state_visitor& visit);

 private:
  autodiff::tensor<T> explained(autodiff::tensor<T> z) const;

  autodiff::shape input_shape_;
  std::vector<any_layer<T>> layers_;
};

/// "784 -> 128 relu -> dropout 0.2 -> 10 identity, 101770 parameters"
template <class T>
std::string to_string(const network<T>& net);
template <class T>
std::ostream& operator<<(std::ostream& out, const network<T>& net);

}  // namespace nn
