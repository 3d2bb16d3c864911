#pragma once
// A model filled with the tensors of a file: with all of them or with none.

#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/files/named_file.hpp>
#include <nn/files/safetensors.hpp>
#include <nn/network/model.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nn {

/// A tensor that a file has, to be read when it is wanted.
template <class T>
struct offered_tensor {
  std::string name;
  autodiff::shape shape;
  std::function<autodiff::tensor<T>()> read;
};

/// Those of a file, which is to outlive them.
template <class T>
std::vector<offered_tensor<T>> offered_by(const safetensors_file& file);

/// Where the values of a tensor of the model stand in the file.
struct file_place {
  std::string name;
  bool transposed = false;
};

/// Fills every tensor of the model's state with the one at place_of(its name); tensors of the file
/// for which is_ignored(name) holds may be left over. Throws io_error through `file`, and changes
/// nothing, unless all fit: the message lists what is missing, what is left over and what has
/// another shape.
template <class T>
void fill(const model_view<T>& model, const named_file& file,
          const std::vector<offered_tensor<T>>& offered,
          const std::function<std::optional<file_place>(const std::string& name)>& place_of,
          const std::function<bool(const std::string& name)>& is_ignored);

/// The same where each stands under its own name, and no others with them.
template <class T>
void fill(const model_view<T>& model, const named_file& file,
          const std::vector<offered_tensor<T>>& offered);

}  // namespace nn
