#include <nn/network.hpp>

#include <autodiff/error.hpp>
#include <autodiff/note.hpp>

#include <fmt/format.h>

#include <ostream>
#include <string>

namespace nn {

template <class T>
network<T>::network(std::size_t inputs, std::span<const dense> layers, nn::seed seed) {
  if (layers.empty())
    throw autodiff::shape_error("network", "no layers", "give it at least one dense layer");
  autodiff::generator random(seed.value);
  layers_.reserve(layers.size());
  for (const dense& layer : layers) {
    layers_.emplace_back(inputs, layer, random);
    inputs = layer.units;
  }
}

template <class T>
autodiff::tensor<T> network<T>::operator()(const autodiff::tensor<T>& x) const {
  if (autodiff::is_explained()) return explained(x);
  const dense_layer<T>*layer = &layers_.front(), *const last = &layers_.back();
  if (layer == last) return (*last)(x);
  autodiff::tensor<T> z = (*layer)(x);
  while (++layer != last) z = (*layer)(z);
  return (*last)(z);
}

template <class T>
autodiff::tensor<T> network<T>::explained(autodiff::tensor<T> z) const {
  autodiff::tape& recording = *autodiff::active_recorder<double>.tape;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::string name = fmt::format("layer {}", i + 1);
    const autodiff::note here(recording, name, autodiff::note::kind::layer);
    if (layers_[i].weights.is_recorded()) recording.name(layers_[i].weights, name + " weights");
    if (layers_[i].bias.is_recorded()) recording.name(layers_[i].bias, name + " bias");
    z = layers_[i](z);
  }
  return z;
}

template <class T>
std::string to_string(const network<T>& net) {
  std::string text = fmt::format("{}", net.inputs());
  std::size_t parameters = 0;
  for (const dense_layer<T>& layer : net.layers()) {
    text += fmt::format(" -> {} {}", layer.outputs(), layer.activation().name);
    parameters += layer.weights.size() + layer.bias.size();
  }
  return text + fmt::format(", {} parameters", parameters);
}

template <class T>
std::ostream& operator<<(std::ostream& out, const network<T>& net) {
  return out << to_string(net);
}

#define INSTANTIATE(T)                               \
  template class network<T>;                         \
  template std::string to_string(const network<T>&); \
  template std::ostream& operator<<(std::ostream&, const network<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
