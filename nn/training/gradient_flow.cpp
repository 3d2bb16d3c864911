#include <nn/training/gradient_flow.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>

#include <nn/network/step.hpp>
#include <nn/training/plot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <utility>

namespace nn {
namespace {

constexpr double too_small = 1e-3, too_large = 1e3;  // of the deltas of the last layer

template <class T>
void append(std::vector<double>& all, const autodiff::tensor<T>& t) {
  all.insert(all.end(), t.values().begin(), t.values().end());
}
template <class T>
spread spread_of_tensor(const autodiff::tensor<T>& t) {
  std::vector<double> all;
  append(all, t);
  return spread_of(all);
}

/// Columns of [n, units] that are 0 throughout.
template <class T>
std::size_t zero_columns(const autodiff::tensor<T>& t, std::size_t samples) {
  const std::size_t units = t.size() / samples;
  std::size_t zero = 0;
  for (std::size_t unit = 0; unit < units; ++unit) {
    bool all_zero = true;
    for (std::size_t i = 0; i < samples && all_zero; ++i)
      all_zero = t.values()[i * units + unit] == 0;
    zero += all_zero;
  }
  return zero;
}

/// A layer, what it gave, and of what its deltas are.
template <class T>
struct passed {
  any_layer<T>* layer;
  std::string number;  ///< "3", or "3.1" in the block that is layer 3
  autodiff::tensor<T> outputs = {}, place = {};
};

/// Inference through layers in a row; notes each, those of a block before the block.
template <class T>
autodiff::tensor<T> pass(std::span<any_layer<T>> layers, const std::string& block,
                         autodiff::tensor<T> z, std::vector<passed<T>>& all) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    passed<T> now{&layers[i], fmt::format("{}{}", block, i + 1)};
    if (const auto* const d = layers[i].template get_if<dense_layer<T>>()) {
      now.place = d->preactivation(z);
      z = d->activation()(now.place);
    } else if (auto* const r = layers[i].template get_if<residual_layer<T>>()) {
      // A sum with 0 is a tensor of its own: dropout hands on its input itself, whose adjoint has
      // the way around the block in it.
      z = z + pass<T>(r->layers, now.number + ".", z + T(0), all);
      now.place = z;
    } else {
      z = layers[i](z);
      now.place = z;
    }
    now.outputs = z;
    all.push_back(std::move(now));
  }
  return z;
}

/// None of a block: its layers have their own.
template <class T>
std::optional<spread> gradients_of(any_layer<T>& layer, const autodiff::tape& tape) {
  if (layer.template get_if<residual_layer<T>>()) return {};
  std::vector<double> all;
  layer.parameters([&](const autodiff::tensor<T>& p) { append(all, tape.adjoint(p)); });
  if (all.empty()) return {};
  return spread_of(all);
}

std::string part_of(double size, double reference) {
  return reference > 0 ? fmt::format("{:.1e} of", size / reference)
                       : fmt::format("{:.1e} beside {:.1e} of", size, reference);
}

}  // namespace

spread spread_of(std::span<const double> values) {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  spread s;
  for (const double v : values) s.mean += v / n;
  double deviations = 0, squares = 0;
  for (const double v : values) {
    deviations += (v - s.mean) * (v - s.mean);
    squares += v * v;
  }
  s.deviation = std::sqrt(deviations / n);
  s.size = std::sqrt(squares / n);
  return s;
}

template <class T>
flow gradient_flow(network<T>& net, const autodiff::tensor<T>& inputs,
                   const autodiff::tensor<T>& targets, const loss& e) {
  if (inputs.rank() == 0 || inputs.shape()[0] == 0) {
    throw autodiff::shape_error("gradient_flow",
                                fmt::format("inputs {}", autodiff::to_string(inputs.shape())),
                                "pass at least one sample, [n, ...]");
  }
  const std::size_t samples = inputs.shape()[0];
  autodiff::tape tape;
  const recorded_parameters recorded(net, tape);
  std::vector<passed<T>> all;
  // A leaf, so that layers before the first parameter have deltas, too.
  const autodiff::tensor<T> y = pass(net.layers(), "", tape.variable(inputs), all);
  tape.backward(e.reduced(e.how() == reduction::none ? reduction::mean : e.how())(y, targets));

  flow measured{samples, {}};
  for (const passed<T>& each : all) {
    const auto delta = tape.adjoint(each.place);
    layer_flow& row = measured.layers.emplace_back();
    row.name = fmt::format("{}: {}", each.number, to_string(each.layer->description()));
    row.outputs = spread_of_tensor(each.outputs);
    row.deltas = spread_of_tensor(delta);
    row.gradients = gradients_of(*each.layer, tape);
    row.units = each.layer->outputs().size();
    row.dead = zero_columns(delta, samples);
  }
  return measured;
}

std::vector<std::string> flow::findings() const {
  std::vector<std::string> found;
  if (layers.empty()) return found;
  const double last = layers.back().deltas.size;
  for (const layer_flow& l : layers) {
    const double size = l.deltas.size;
    if (!std::isfinite(size) || !std::isfinite(l.outputs.size)) {
      found.push_back(fmt::format("layer {}: outputs or deltas are not finite", l.name));
    } else if (size > too_large * last) {
      found.push_back(fmt::format("layer {}: exploding, its deltas are {} those of the last layer",
                                  l.name, part_of(size, last)));
    } else if (size < too_small * last) {
      found.push_back(fmt::format("layer {}: vanishing, its deltas are {} those of the last layer",
                                  l.name, part_of(size, last)));
    }
    if (l.dead > 0) {
      found.push_back(
          fmt::format("layer {}: {} of {} units are dead, none of the {} samples has a delta there",
                      l.name, l.dead, l.units, samples));
    }
  }
  return found;
}

std::string to_string(const flow& measured) {
  std::size_t width = 5;
  for (const layer_flow& l : measured.layers) width = std::max(width, l.name.size());
  std::string text = fmt::format("{:<{}}  {:>24}  {:>24}  {:>24}  {}\n", "layer", width, "outputs",
                                 "deltas", "gradients", "dead units");
  const auto show = [](const spread& s) {
    return fmt::format("{:.3g} +- {:.3g}", s.mean, s.deviation);
  };
  for (const layer_flow& l : measured.layers) {
    text +=
        fmt::format("{:<{}}  {:>24}  {:>24}  {:>24}  {} of {}\n", l.name, width, show(l.outputs),
                    show(l.deltas), l.gradients ? show(*l.gradients) : "", l.dead, l.units);
  }
  for (const std::string& finding : measured.findings()) text += finding + "\n";
  return text;
}

std::ostream& operator<<(std::ostream& out, const flow& measured) {
  return out << to_string(measured);
}

void plot_gradient_flow(const std::filesystem::path& file, std::span<const flow> by_epoch) {
  std::vector<curve> curves;
  for (std::size_t e = 0; e < by_epoch.size(); ++e) {
    const std::vector<layer_flow>& layers = by_epoch[e].layers;
    if (e == 0) curves.resize(layers.size());
    if (layers.size() != curves.size()) {
      throw autodiff::shape_error(
          "plot_gradient_flow",
          fmt::format("{} layers first and {} later", curves.size(), layers.size()),
          "pass what one network gave from epoch to epoch");
    }
    for (std::size_t l = 0; l < layers.size(); ++l) {
      curves[l].label = layers[l].name;
      curves[l].x.push_back(static_cast<double>(e + 1));
      curves[l].y.push_back(layers[l].deltas.size);
    }
  }
  plot_curves(file,
              {.x_label = "epoch", .y_label = "root mean square of the deltas", .log_y = true},
              curves);
}

template flow gradient_flow(network<float>&, const autodiff::tensor<float>&,
                            const autodiff::tensor<float>&, const loss&);
template flow gradient_flow(network<double>&, const autodiff::tensor<double>&,
                            const autodiff::tensor<double>&, const loss&);

}  // namespace nn
