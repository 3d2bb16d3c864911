#include <nn/network/network.hpp>

#include <autodiff/error.hpp>
#include <autodiff/note.hpp>

#include <fmt/format.h>

#include <ostream>
#include <string>

namespace nn {

template <class T>
network<T>::network(const autodiff::shape& inputs, std::span<const layer> layers, nn::seed seed)
    : input_shape_(inputs) {
  if (layers.empty())
    throw autodiff::shape_error("network", "no layers", "give it at least one dense layer");
  autodiff::generator random(seed.value);
  layers_.reserve(layers.size());
  autodiff::shape sample = inputs;
  for (const layer& l : layers) sample = layers_.emplace_back(sample, l, random).outputs();
}

template <class T>
autodiff::tensor<T> network<T>::operator()(const autodiff::tensor<T>& x) const {
  if (autodiff::is_explained()) return explained(x);
  const any_layer<T>*layer = &layers_.front(), *const last = &layers_.back();
  if (layer == last) return (*last)(x);
  autodiff::tensor<T> z = (*layer)(x);
  while (++layer != last) z = (*layer)(z);
  return (*last)(z);
}

template <class T>
autodiff::tensor<T> network<T>::operator()(const autodiff::tensor<T>& x,
                                           autodiff::generator& random) {
  autodiff::tensor<T> z = layers_.front()(x, random);
  for (std::size_t i = 1; i < layers_.size(); ++i) z = layers_[i](z, random);
  return z;
}

template <class T>
std::vector<layer> network<T>::architecture() const {
  std::vector<layer> descriptions;
  for (const any_layer<T>& l : layers_) descriptions.push_back(l.description());
  return descriptions;
}

template <class T>
void network<T>::state(const typename any_layer<T>::state_visitor& visit) {
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i].state(fmt::format("layers.{}.", i), visit);
}

template <class T>
autodiff::tensor<T> network<T>::explained(autodiff::tensor<T> z) const {
  autodiff::tape& recording = *autodiff::active_recorder<double>.tape;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::string name = fmt::format("layer {}", i + 1);
    const autodiff::note here(recording, name, autodiff::note::kind::layer);
    // Copies share their tensors, and what a tape knows of these.
    any_layer<T>(layers_[i])
        .state(name + ' ', [&](const std::string& full, const autodiff::tensor<T>& t) {
          if (t.is_recorded()) recording.name(t, full);
        });
    z = layers_[i](z);
  }
  return z;
}

template <class T>
std::string network<T>::description() const {
  std::string text = input_shape_.rank() == 1 ? fmt::format("{}", input_shape_[0])
                                              : autodiff::to_string(input_shape_);
  for (const any_layer<T>& l : layers_) text += " -> " + to_string(l.description());
  return text;
}

template <class T>
std::string to_string(const network<T>& net) {
  std::size_t parameters = 0;
  network<T>(net).parameters([&](const autodiff::tensor<T>& p) { parameters += p.size(); });
  return fmt::format("{}, {} parameters", net.description(), parameters);
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
