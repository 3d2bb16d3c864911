#include <nn/files/export_onnx.hpp>

#include <autodiff/error.hpp>
#include <autodiff/part_file.hpp>
#include <autodiff/tensor/shape.hpp>

#include <nn/files/named_file.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/batch_norm.hpp>
#include <nn/network/dense.hpp>
#include <nn/network/flatten.hpp>
#include <nn/network/layer.hpp>
#include <nn/network/layer_norm.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#if BACKSWEEP_ONNX
#include <nn/files/onnx_graph.hpp>
#endif

namespace nn {

#if BACKSWEEP_ONNX
namespace {

/// Writes layers into a graph.
template <class T>
class onnx_writer {
 public:
  using value = typename onnx_graph<T>::value;

  /// Layers whose tensors are named from `prefix` on, applied to x, a batch of such samples.
  value layers(value x, autodiff::shape sample, std::span<const any_layer<T>> all,
               const std::string& prefix) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      x = one(x, sample, all[i], fmt::format("{}layers.{}.", prefix, i));
      sample = all[i].outputs();
    }
    return x;
  }

  onnx_graph<T> graph;

 private:
  value one(const value& x, const autodiff::shape& sample, const any_layer<T>& layer,
            const std::string& prefix) {
    if (const auto* l = layer.template get_if<dense_layer<T>>()) {
      return activated(affine(x, sample, *l, prefix), l->activation());
    }
    if (const auto* l = layer.template get_if<activation_layer<T>>()) {
      return activated(x, l->description());
    }
    if (const auto* l = layer.template get_if<batch_norm_layer<T>>()) {
      return batch_normalised(x, *l, prefix);
    }
    if (const auto* l = layer.template get_if<layer_norm_layer<T>>()) {
      return layer_normalised(x, sample, *l, prefix);
    }
    if (const auto* l = layer.template get_if<residual_layer<T>>()) {
      return op("Add", x, layers(x, sample, l->layers, prefix));
    }
    if (layer.template get_if<flatten_layer<T>>()) {
      return graph.node("Flatten", {x}, "axis", std::int64_t{1});
    }
    return x;  // dropout
  }

  value affine(const value& x, const autodiff::shape& sample, const dense_layer<T>& layer,
               const std::string& prefix) {
    const value weights = graph.constant(prefix + "weights", layer.weights);
    if (!layer.has_bias()) return op("MatMul", x, weights);
    const value bias = graph.constant(prefix + "bias", layer.bias);
    if (sample.rank() == 1) return graph.node("Gemm", {x, weights, bias});
    return op("Add", op("MatMul", x, weights), bias);
  }

  value batch_normalised(const value& x, const batch_norm_layer<T>& layer,
                         const std::string& prefix) {
    const value gain = graph.constant(prefix + "gain", layer.gain),
                bias = graph.constant(prefix + "bias", layer.bias),
                mean = graph.constant(prefix + "running_mean", layer.running_mean),
                variance = graph.constant(prefix + "running_variance", layer.running_variance);
    const double epsilon = layer.description().epsilon;
    if constexpr (std::same_as<T, float>) {
      return graph.node("BatchNormalization", {x, gain, bias, mean, variance}, "epsilon",
                        static_cast<float>(epsilon));
    } else {
      return scaled(op("Sub", x, mean), variance, epsilon, gain, bias);
    }
  }

  value layer_normalised(const value& x, const autodiff::shape& sample,
                         const layer_norm_layer<T>& layer, const std::string& prefix) {
    std::vector<std::int64_t> axes(sample.rank());
    std::iota(axes.begin(), axes.end(), -static_cast<std::int64_t>(axes.size()));
    const value centred = op("Sub", x, graph.node("ReduceMean", {x}, "axes", axes));
    const value variance = graph.node("ReduceMean", {op("Mul", centred, centred)}, "axes", axes);
    return scaled(centred, variance, layer.description().epsilon,
                  graph.constant(prefix + "gain", layer.gain),
                  graph.constant(prefix + "bias", layer.bias));
  }

  /// gain * centred / sqrt(variance + epsilon) + bias
  value scaled(const value& centred, const value& variance, double epsilon, const value& gain,
               const value& bias) {
    const value deviation = op("Sqrt", op("Add", variance, graph.number(epsilon)));
    return op("Add", op("Mul", op("Div", centred, deviation), gain), bias);
  }

  value activated(const value& a, const activation& h) {
    const std::span<const activation> all = activations();
    const auto known = std::find_if(all.begin(), all.end(), [&](const activation& each) {
      return each.name == h.name && each.on_double == h.on_double;
    });
    if (known == all.end()) {
      throw autodiff::domain_error("export_onnx",
                                   fmt::format("the activation \"{}\" has no form in ONNX", h.name),
                                   "export a network with activations of the library");
    }
    const std::string_view name = h.name;
    if (name == "identity") return a;
    if (name == "tanh") return op("Tanh", a);
    if (name == "sigmoid") return op("Sigmoid", a);
    if (name == "relu") return op("Relu", a);
    if (name == "softmax") return graph.node("Softmax", {a}, "axis", std::int64_t{-1});
    if (name == "log_softmax") return graph.node("LogSoftmax", {a}, "axis", std::int64_t{-1});
    if (name == "elu") return op("Elu", a);
    if (name == "softplus") return op("Softplus", a);
    if (name == "softsign") return op("Softsign", a);
    if (name == "leaky_relu") return leaky_relu(a);
    if (name == "selu") return selu(a);
    if (name == "silu") return op("Mul", a, op("Sigmoid", a));
    if (name == "mish") return op("Mul", a, op("Tanh", op("Softplus", a)));
    if (name == "hard_tanh") return graph.node("Clip", {a, graph.number(-1), graph.number(1)});
    if (name == "log_sigmoid") return op("Neg", op("Softplus", op("Neg", a)));
    if (name == "gelu") {
      const value scaled = op("Mul", a, graph.number(std::numbers::sqrt2 / 2));
      return half_of_one_plus(a, op("Erf", scaled));
    }
    return gelu_tanh(a);
  }

  value leaky_relu(const value& a) {
    if constexpr (std::same_as<T, float>) return graph.node("LeakyRelu", {a}, "alpha", 0.01F);
    return op("PRelu", a, graph.number(0.01));
  }

  value selu(const value& a) {
    if constexpr (std::same_as<T, float>) return op("Selu", a);
    // Klambauer, Unterthiner, Mayr, Hochreiter, Self-normalizing neural networks (2017).
    constexpr double alpha = 1.6732632423543772848, scale = 1.0507009873554804934;
    return op("Mul", op("PRelu", op("Elu", a), graph.number(alpha)), graph.number(scale));
  }

  /// With tanh(sqrt(2 / pi) (a + 0.044715 a^3)).
  value gelu_tanh(const value& a) {
    const value cube = op("Mul", op("Mul", op("Mul", a, a), a), graph.number(0.044715));
    constexpr double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    return half_of_one_plus(a, op("Tanh", op("Mul", op("Add", a, cube), graph.number(scale))));
  }

  /// a (1 + y) / 2
  value half_of_one_plus(const value& a, const value& y) {
    return op("Mul", op("Mul", a, graph.number(0.5)), op("Add", y, graph.number(1)));
  }

  value op(std::string_view name, const value& x) { return graph.node(name, {x}); }
  value op(std::string_view name, const value& x, const value& y) {
    return graph.node(name, {x, y});
  }
};

}  // namespace

template <class T>
void export_onnx(const network<T>& net, const std::filesystem::path& path, const metadata& texts) {
  onnx_writer<T> writer;
  const auto x = writer.graph.input("x", net.input_shape());
  writer.graph.output("y", writer.layers(x, net.input_shape(), net.layers(), ""),
                      net.output_shape());
  const onnx::ModelProto& model = writer.graph.finish(texts);
  const named_file file{"export_onnx", path};
  if (model.ByteSizeLong() > std::numeric_limits<std::int32_t>::max()) {
    file.refuse(
        fmt::format("would have {} bytes, where ONNX files end at 2 GiB", model.ByteSizeLong()),
        "export a smaller network, or floats instead of doubles");
  }
  autodiff::part_file out(file.operation, path);
  out.write(model.SerializeAsString());
  out.keep();
}

#else

template <class T>
void export_onnx(const network<T>&, const std::filesystem::path& path, const metadata&) {
  named_file{"export_onnx", path}.refuse(
      "cannot be written: this library was built without protobuf",
      "install protobuf (packages libprotobuf-dev and protobuf-compiler), then configure and build "
      "again");
}

#endif

template void export_onnx(const network<float>&, const std::filesystem::path&, const metadata&);
template void export_onnx(const network<double>&, const std::filesystem::path&, const metadata&);

}  // namespace nn
