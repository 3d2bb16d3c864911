#pragma once
// Dense layers one after another. A network owns values, never derivatives: to train it, its
// parameters become variables of a tape for the length of a step (nn/step.hpp), and the tape's
// sweep does the rest.

#include <autodiff/tensor/tensor.hpp>

#include <nn/dense.hpp>
#include <nn/init.hpp>

#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

namespace nn {

template <class T>
class network {
 public:
  using value_type = T;

  /// Layers from the input on; the first takes `inputs` numbers, each other the outputs of the one
  /// before. Throws shape_error for a layer without units and for no layers.
  network(std::size_t inputs, std::initializer_list<dense> layers, nn::seed seed)
      : network(inputs, std::span<const dense>(layers.begin(), layers.size()), seed) {}
  network(std::size_t inputs, std::span<const dense> layers, nn::seed seed);

  /// Outputs: [n, inputs] -> [n, outputs], or [inputs] -> [outputs]. On an explained tape the
  /// layers are noted by number, the first being "layer 1".
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& x) const;

  std::size_t inputs() const noexcept { return layers_.front().inputs(); }
  std::size_t outputs() const noexcept { return layers_.back().outputs(); }
  std::span<dense_layer<T>> layers() noexcept { return layers_; }
  std::span<const dense_layer<T>> layers() const noexcept { return layers_; }

  /// Calls visit(tensor) for every parameter, weights before bias, layer by layer.
  template <class Visitor>
  void parameters(Visitor&& visit) {
    for (dense_layer<T>& layer : layers_) {
      visit(layer.weights);
      if (layer.has_bias()) visit(layer.bias);
    }
  }

 private:
  autodiff::tensor<T> explained(autodiff::tensor<T> z) const;

  std::vector<dense_layer<T>> layers_;
};

/// "784 -> 128 relu -> 10 identity, 101770 parameters"
template <class T>
std::string to_string(const network<T>& net);
template <class T>
std::ostream& operator<<(std::ostream& out, const network<T>& net);

}  // namespace nn
