#include <nn/delta/neuron.hpp>

#include <autodiff/error.hpp>  // exceptions alone

#include <fmt/format.h>

#include <utility>

namespace nn {
namespace {

using textbook::activation;

void require_count(const char* operation, const char* what, std::size_t count, std::size_t wanted) {
  if (count == wanted) return;
  throw autodiff::shape_error(operation, fmt::format("{} {} for {}", count, what, wanted),
                              fmt::format("give it {} numbers", wanted));
}

void require_neurons(const std::vector<textbook::layer<double>>& layers, online_error j) {
  for (std::size_t k = 0; k < layers.size(); ++k) {
    if (!textbook::couples_units(layers[k].h)) continue;
    throw autodiff::domain_error("neuron_network",
                                 fmt::format("layer {} is a {}, no function of one neuron", k + 1,
                                             textbook::to_string(layers[k].h)),
                                 "use sigmoid outputs, or textbook::backpropagate");
  }
  if (j == online_error::cross_entropy && layers.back().h != activation::sigmoid) {
    throw autodiff::domain_error(
        "neuron_network",
        fmt::format("cross-entropy over {} outputs", textbook::to_string(layers.back().h)),
        "use sigmoid outputs, or online_error::squared");
  }
}

neuron make_neuron(const textbook::layer<double>& layer, std::size_t unit) {
  neuron n;
  n.f = layer.h;
  n.weights.push_back(layer.biases.empty() ? 0 : layer.biases[unit]);
  for (std::size_t i = 0; i < layer.weights.columns; ++i)
    n.weights.push_back(layer.weights(unit, i));
  n.partial_weights.resize(n.weights.size());
  return n;
}

/// The outputs of a layer as inputs of the next: 1 in front.
std::vector<double> get_inputs(const std::vector<neuron>& layer) {
  std::vector<double> x{1};
  for (const neuron& n : layer) x.push_back(n.output);
  return x;
}

/// factor log(1 + exp(x)), and 0 where the factor is, also at an infinite x.
double weighted_softplus(double factor, double x) {
  return factor == 0 ? 0 : factor * textbook::value(activation::softplus, x);
}

/// J of one output and part 1, dJ/dz there.
double output_error(online_error j, neuron& n, double y) {
  if (j == online_error::cross_entropy) {
    n.partial_z = -(y - n.output);
    // log f = -softplus(-z)
    return weighted_softplus(y, -n.z) + weighted_softplus(1 - y, n.z);
  }
  n.partial_z = -(y - n.output) * textbook::slope(n.f, n.z);
  return 0.5 * (y - n.output) * (y - n.output);
}

/// Part 3 of unit l: the sum over the neurons of the next layer. Their weight of it is the one
/// after that of x_0.
double sum_over_next(const std::vector<neuron>& next, std::size_t l) {
  double sum = 0;
  for (const neuron& n : next) sum += n.partial_z * n.weights[l + 1];
  return sum;
}

}  // namespace

neuron_network::neuron_network(const std::vector<textbook::layer<double>>& layers, online_error j)
    : inputs_(layers.size()), j_(j) {
  if (layers.empty())
    throw autodiff::shape_error("neuron_network", "no layers", "give it at least one");
  textbook::require_fit("neuron_network", std::span<const textbook::layer<double>>(layers),
                        matrix<double>(1, layers.front().weights.columns),
                        matrix<double>(1, layers.back().weights.rows));
  require_neurons(layers, j);
  for (const textbook::layer<double>& layer : layers) {
    std::vector<neuron>& neurons = layers_.emplace_back();
    for (std::size_t l = 0; l < layer.weights.rows; ++l) neurons.push_back(make_neuron(layer, l));
  }
}

std::vector<double> neuron_network::forward_pass(std::span<const double> x) {
  require_count("forward_pass", "inputs", x.size(), layers_.front().front().weights.size() - 1);
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    if (k == 0) {
      inputs_[0].assign({1});
      inputs_[0].insert(inputs_[0].end(), x.begin(), x.end());
    } else {
      inputs_[k] = get_inputs(layers_[k - 1]);
    }
    for (neuron& n : layers_[k]) {
      n.z = 0;
      for (std::size_t i = 0; i < n.weights.size(); ++i) n.z += n.weights[i] * inputs_[k][i];
      n.output = textbook::value(n.f, n.z);
    }
  }
  const std::vector<double> with_one = get_inputs(layers_.back());
  return {with_one.begin() + 1, with_one.end()};
}

double neuron_network::back_prop(std::span<const double> y) {
  std::vector<neuron>& last = layers_.back();
  require_count("back_prop", "desired values", y.size(), last.size());
  if (inputs_.back().empty()) {
    throw autodiff::domain_error("back_prop", "no record has been passed forward",
                                 "call forward_pass() with the record first");
  }
  double j = 0;
  for (std::size_t l = 0; l < last.size(); ++l) j += output_error(j_, last[l], y[l]);
  for (std::size_t k = layers_.size() - 1; k-- > 0;) {
    for (std::size_t l = 0; l < layers_[k].size(); ++l) {
      neuron& n = layers_[k][l];
      n.partial_z = sum_over_next(layers_[k + 1], l) * textbook::slope(n.f, n.z);
    }
  }
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    for (neuron& n : layers_[k]) {
      for (std::size_t i = 0; i < n.weights.size(); ++i)
        n.partial_weights[i] = n.partial_z * inputs_[k][i];
    }
  }
  return j;
}

void neuron_network::update_weights(double eta) {
  for (std::vector<neuron>& layer : layers_) {
    for (neuron& n : layer) {
      for (std::size_t i = 0; i < n.weights.size(); ++i) n.weights[i] -= eta * n.partial_weights[i];
    }
  }
}

double neuron_network::train(std::span<const double> x, std::span<const double> y, double eta) {
  forward_pass(x);
  const double j = back_prop(y);
  update_weights(eta);
  return j;
}

std::vector<textbook::layer<double>> neuron_network::textbook_layers() const {
  std::vector<textbook::layer<double>> layers;
  for (const std::vector<neuron>& neurons : layers_) {
    textbook::layer<double> layer{
        matrix<double>(neurons.size(), neurons.front().weights.size() - 1), {}, neurons.front().f};
    for (std::size_t l = 0; l < neurons.size(); ++l) {
      layer.biases.push_back(neurons[l].weights[0]);
      for (std::size_t i = 0; i < layer.weights.columns; ++i)
        layer.weights(l, i) = neurons[l].weights[i + 1];
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

std::vector<double> desired_values(std::size_t label, std::size_t classes) {
  if (label >= classes) {
    throw autodiff::shape_error("desired_values",
                                fmt::format("label {} among {} classes", label, classes),
                                "labels count from 0");
  }
  std::vector<double> y(classes);
  y[label] = 1;
  return y;
}

}  // namespace nn
