#pragma once
// A model filled with the tensors of a file: with all of them or with none.

#include <nn/model.hpp>
#include <nn/safetensors.hpp>

#include <functional>
#include <optional>
#include <string>

namespace nn {

/// Where the values of a tensor of the model stand in the file.
struct file_place {
  std::string name;
  bool transposed = false;
};

/// Fills every tensor of the model's state with the one at place_of(its name); tensors of the file
/// for which is_ignored(name) holds may be left over. Throws io_error in the name of the file, and
/// changes nothing, unless all fit: the message lists what is missing, what is left over and what
/// has another shape.
template <class T>
void fill(const model_view<T>& model, const safetensors_file& file,
          const std::function<std::optional<file_place>(const std::string& name)>& place_of,
          const std::function<bool(const std::string& name)>& is_ignored);

}  // namespace nn
