#pragma once
// Weights trained in PyTorch: a state_dict of Linear, BatchNorm1d and LayerNorm modules, written by
// safetensors.torch.save_file, fills a network of the same layers.

#include <nn/files/save.hpp>
#include <nn/files/stored_tensor.hpp>
#include <nn/network/model.hpp>

#include <filesystem>
#include <map>
#include <string>

namespace nn {

/// The module of PyTorch, "features.0" or "fc1", for each layer of the model by its name there:
/// {{"layers.0", "fc1"}, {"layers.2", "fc2"}}.
using module_names = std::map<std::string, std::string>;

/// Fills the model with a state_dict. Which module fills which layer is said by `names`; without
/// them, it is the module of the same name, or, where the names of all modules end in numbers as
/// those of an nn.Sequential do, the next one in their order. Weights of Linear, [out, in], are
/// transposed; num_batches_tracked is not needed. Returns the texts of the file.
/// Throws io_error, and leaves the model as it was: a file that cannot be read or is no safetensors
/// file; modules of which none can be told from the others; tensors that are missing, left over or
/// of another shape, all of them in one message.
template <class T>
metadata load_pytorch(const model_view<T>& model, const std::filesystem::path& path,
                      const module_names& names = {});
template <any_model Model>
metadata load_pytorch(Model& any, const std::filesystem::path& path,
                      const module_names& names = {}) {
  return load_pytorch(model_view<number_of<Model>>(any), path, names);
}

}  // namespace nn
