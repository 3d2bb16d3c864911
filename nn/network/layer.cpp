#include <nn/network/layer.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <concepts>
#include <string_view>

namespace nn {
namespace {

std::string list(const std::vector<layer>& layers) {
  std::string text;
  for (const layer& l : layers) text += (text.empty() ? "" : " -> ") + to_string(l);
  return text;
}

std::string unless_usual(std::string_view name, double value, double usual) {
  return value == usual ? "" : fmt::format(" {} {}", name, value);
}

struct name_of {
  std::string operator()(const dense& d) const {
    return fmt::format("{} {}{}", d.units, d.activation.name,
                       d.bias == bias::with ? "" : " without bias");
  }
  std::string operator()(const activation& a) const { return std::string(a.name); }
  std::string operator()(const batch_norm& b) const {
    return "batch_norm" + unless_usual("momentum", b.momentum, batch_norm{}.momentum) +
           unless_usual("epsilon", b.epsilon, batch_norm{}.epsilon);
  }
  std::string operator()(const layer_norm& l) const {
    return "layer_norm" + unless_usual("epsilon", l.epsilon, layer_norm{}.epsilon);
  }
  std::string operator()(const dropout& d) const {
    return fmt::format("dropout {}", d.probability);
  }
  std::string operator()(const flatten&) const { return "flatten"; }
  std::string operator()(const residual& r) const {
    return fmt::format("residual ({})", list(r.inside));
  }
};

std::size_t last_extent(const autodiff::shape& sample) {
  return sample.rank() == 0 ? 0 : sample[sample.rank() - 1];
}

}  // namespace

residual::residual(std::initializer_list<layer> inside) : inside(inside) {}
residual::residual(std::vector<layer> inside) : inside(std::move(inside)) {}

std::string to_string(const layer& description) {
  return std::visit(name_of{}, static_cast<const layer::variant&>(description));
}

template <class T>
residual_layer<T>::residual_layer(const autodiff::shape& sample, const residual& description,
                                  autodiff::generator& random)
    : sample_(sample) {
  autodiff::shape s = sample;
  for (const layer& l : description.inside) s = layers.emplace_back(s, l, random).outputs();
  if (s == sample) return;
  throw autodiff::shape_error(
      "residual",
      fmt::format("samples {} become {} in ({})", autodiff::to_string(sample),
                  autodiff::to_string(s), list(description.inside)),
      "end the block with as many units as came in: the input is added to its output");
}

template <class T>
autodiff::tensor<T> residual_layer<T>::operator()(const autodiff::tensor<T>& x) const {
  autodiff::tensor<T> z = x;
  for (const any_layer<T>& l : layers) z = l(z);
  return x + z;
}

template <class T>
autodiff::tensor<T> residual_layer<T>::operator()(const autodiff::tensor<T>& x,
                                                  autodiff::generator& random) {
  autodiff::tensor<T> z = x;
  for (any_layer<T>& l : layers) z = l(z, random);
  return x + z;
}

template <class T>
residual residual_layer<T>::description() const {
  std::vector<layer> inside;
  for (const any_layer<T>& l : layers) inside.push_back(l.description());
  return residual(std::move(inside));
}

template <class T>
typename any_layer<T>::alternatives any_layer<T>::make(const autodiff::shape& sample,
                                                       const layer& description,
                                                       autodiff::generator& random) {
  return std::visit(
      [&]<class Description>(const Description& d) -> alternatives {
        if constexpr (std::same_as<Description, nn::dense>)
          return dense_layer<T>(last_extent(sample), d, random);
        else if constexpr (std::same_as<Description, activation>)
          return activation_layer<T>(sample, d);
        else if constexpr (std::same_as<Description, batch_norm>)
          return batch_norm_layer<T>(sample, d);
        else if constexpr (std::same_as<Description, layer_norm>)
          return layer_norm_layer<T>(sample, d);
        else if constexpr (std::same_as<Description, dropout>)
          return dropout_layer<T>(sample, d);
        else if constexpr (std::same_as<Description, flatten>)
          return flatten_layer<T>(sample);
        else
          return residual_layer<T>(sample, d, random);
      },
      static_cast<const layer::variant&>(description));
}

template <class T>
any_layer<T>::any_layer(const autodiff::shape& sample, const layer& description,
                        autodiff::generator& random)
    : layer_(make(sample, description, random)) {
  if (const auto* d = get_if<dense_layer<T>>())
    outputs_ = sample.with_extent(sample.rank() - 1, d->outputs());
  else
    outputs_ = std::visit(
        [&]<class Layer>(const Layer& l) -> autodiff::shape {
          if constexpr (std::same_as<Layer, dense_layer<T>>)
            return sample;
          else
            return l.outputs();
        },
        layer_);
}

template <class T>
autodiff::tensor<T> any_layer<T>::other_than_dense(const autodiff::tensor<T>& x) const {
  return std::visit([&](const auto& l) { return l(x); }, layer_);
}

template <class T>
autodiff::tensor<T> any_layer<T>::other_than_dense(const autodiff::tensor<T>& x,
                                                   autodiff::generator& random) {
  return std::visit(
      [&](auto& l) {
        if constexpr (requires { l(x, random); })
          return l(x, random);
        else
          return l(x);
      },
      layer_);
}

template <class T>
dense_layer<T>& any_layer<T>::dense() {
  if (auto* d = get_if<dense_layer<T>>()) return *d;
  throw autodiff::domain_error("layer",
                               fmt::format("it is {}, not dense", to_string(description())),
                               "ask for dense() of dense layers, or use get_if");
}

template <class T>
const dense_layer<T>& any_layer<T>::dense() const {
  return const_cast<any_layer&>(*this).dense();
}

template <class T>
layer any_layer<T>::description() const {
  return std::visit([](const auto& l) { return layer(l.description()); }, layer_);
}

template <class T>
void any_layer<T>::collect_other(parameter_list& into) {
  const auto learned = [&](std::string_view, autodiff::tensor<T>& t, kept as) {
    if (as == kept::learned) into.push_back(&t);
  };
  std::visit(
      [&]<class Layer>(Layer& l) {
        if constexpr (std::same_as<Layer, residual_layer<T>>) {
          for (any_layer& inside : l.layers) {
            if (auto* d = inside.template get_if<dense_layer<T>>())
              d->tensors(learned);
            else
              inside.collect_other(into);
          }
        } else if constexpr (requires { l.tensors(learned); }) {
          l.tensors(learned);
        }
      },
      layer_);
}

template <class T>
void any_layer<T>::state(const std::string& prefix, const state_visitor& visit) {
  const auto named = [&](std::string_view name, autodiff::tensor<T>& t, kept) {
    visit(prefix + std::string(name), t);
  };
  std::visit(
      [&]<class Layer>(Layer& l) {
        if constexpr (std::same_as<Layer, residual_layer<T>>) {
          for (std::size_t i = 0; i < l.layers.size(); ++i)
            l.layers[i].state(fmt::format("{}layers.{}.", prefix, i), visit);
        } else if constexpr (requires { l.tensors(named); }) {
          l.tensors(named);
        }
      },
      layer_);
}

#define INSTANTIATE(T)              \
  template class residual_layer<T>; \
  template class any_layer<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
