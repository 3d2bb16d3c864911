#include <nn/files/pytorch.hpp>

#include <autodiff/tensor/tensor.hpp>

#include <nn/files/fill.hpp>
#include <nn/files/named_file.hpp>
#include <nn/files/safetensors.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace nn {
namespace {

/// "layers.0.weights" is the tensor "weights" of "layers.0".
std::pair<std::string, std::string> parted(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos) return {"", name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

std::string joined(const std::string& module, std::string_view tensor) {
  return module.empty() ? std::string(tensor) : fmt::format("{}.{}", module, tensor);
}

constexpr std::string_view count_of_batches = "num_batches_tracked";

/// What PyTorch calls a tensor of a layer.
std::string_view pytorch_name(std::string_view tensor) {
  if (tensor == "weights" || tensor == "gain") return "weight";
  if (tensor == "running_variance") return "running_var";
  return tensor;
}

bool is_number(std::string_view part) {
  return !part.empty() && part.find_first_not_of("0123456789") == part.npos;
}

/// The parts of a name as keys to sort by: numbers by how many digits they have, then by these, so
/// that "10" stands behind "9".
std::vector<std::pair<std::size_t, std::string>> natural_order(const std::string& name) {
  std::vector<std::pair<std::size_t, std::string>> keys;
  for (std::size_t begin = 0, end = 0; begin <= name.size(); begin = end + 1) {
    end = std::min(name.find('.', begin), name.size());
    std::string part = name.substr(begin, end - begin);
    if (is_number(part)) part.erase(0, part.find_first_not_of('0'));
    keys.emplace_back(is_number(part) ? part.size() : 0, std::move(part));
  }
  return keys;
}

/// The modules that a file has, in their natural order.
std::vector<std::string> modules_of(const safetensors_file& file) {
  std::set<std::string> found;
  for (const stored_tensor& each : file.tensors()) found.insert(parted(each.name).first);
  std::vector<std::string> modules(found.begin(), found.end());
  std::sort(modules.begin(), modules.end(), [](const std::string& a, const std::string& b) {
    return natural_order(a) < natural_order(b);
  });
  return modules;
}

/// The layers that a model has, in the order of its state.
template <class T>
std::vector<std::string> layers_of(const model_view<T>& model) {
  std::vector<std::string> layers;
  model.state([&](const std::string& name, const autodiff::tensor<T>&) {
    const std::string layer = parted(name).first;
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
  });
  return layers;
}

/// Whose module fills whose layer.
module_names paired(const std::vector<std::string>& layers, const std::vector<std::string>& modules,
                    const named_file& file) {
  module_names names;
  const bool same = std::all_of(layers.begin(), layers.end(), [&](const std::string& layer) {
    return std::find(modules.begin(), modules.end(), layer) != modules.end();
  });
  if (same) {
    for (const std::string& layer : layers) names[layer] = layer;
    return names;
  }
  const auto ends_in_number = [](const std::string& module) {
    return is_number(parted(module).second);
  };
  if (!std::all_of(modules.begin(), modules.end(), ends_in_number)) {
    file.refuse(fmt::format("has modules whose order is not in their names: {}",
                            in_quotes(fmt::format("{}", fmt::join(modules, ", ")))),
                fmt::format("say which of them fills each of {}", fmt::join(layers, ", ")));
  }
  for (std::size_t i = 0; i < std::min(layers.size(), modules.size()); ++i) {
    names[layers[i]] = modules[i];
  }
  return names;
}

}  // namespace

template <class T>
metadata load_pytorch(const model_view<T>& model, const std::filesystem::path& path,
                      const module_names& names) {
  const safetensors_file file(path, "load_pytorch");
  const std::vector<std::string> layers = layers_of(model);
  for (const auto& [layer, module] : names) {
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) {
      file.name().refuse(fmt::format("cannot fill {}, which the model has not", in_quotes(layer)),
                         fmt::format("name one of {}", fmt::join(layers, ", ")));
    }
  }
  const module_names pairs = names.empty() ? paired(layers, modules_of(file), file.name()) : names;
  const auto place_of = [&](const std::string& name) -> std::optional<file_place> {
    const auto [layer, tensor] = parted(name);
    const auto pair = pairs.find(layer);
    if (pair == pairs.end()) return std::nullopt;
    return file_place{joined(pair->second, pytorch_name(tensor)), tensor == "weights"};
  };
  fill<T>(model, file.name(), offered_by<T>(file), place_of,
          [](const std::string& name) { return parted(name).second == count_of_batches; });
  return file.metadata();
}

template metadata load_pytorch(const model_view<float>&, const std::filesystem::path&,
                               const module_names&);
template metadata load_pytorch(const model_view<double>&, const std::filesystem::path&,
                               const module_names&);

}  // namespace nn
