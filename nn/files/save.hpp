#pragma once
// Models in files of the safetensors format, which Python's safetensors and PyTorch read too. A
// network takes its architecture along and can be built again from the file alone.

#include <nn/files/safetensors.hpp>
#include <nn/network/model.hpp>
#include <nn/network/network.hpp>

#include <filesystem>
#include <type_traits>

namespace nn {

/// A model of floats or doubles.
template <class Model>
concept any_model = model<Model, float> || model<Model, double>;
/// One that is not a network.
template <class Model>
concept own_model = any_model<Model> && !requires(const Model& m) {
  m.architecture();
};

/// The number type of a model.
template <class Model>
using number_of = std::conditional_t<model<Model, float>, float, double>;

/// Writes every tensor of the model's state under its name, and the texts. A file of this name is
/// replaced at once when the new one is complete. Throws io_error as write_safetensors does.
template <class T>
void save(const model_view<T>& model, const std::filesystem::path& path,
          const metadata& texts = {});
/// The same with the text "architecture", by which load_network makes the network. Throws io_error
/// also where `texts` has one already.
template <class T>
void save(const network<T>& net, const std::filesystem::path& path, const metadata& texts = {});
template <own_model Model>
void save(Model& own, const std::filesystem::path& path, const metadata& texts = {}) {
  save(model_view<number_of<Model>>(own), path, texts);
}

/// Fills the model with a file that save() wrote, of the same architecture; numbers are converted
/// where the file has floats and the model doubles, or the other way round. Returns the texts.
/// Throws io_error, and leaves the model as it was: a file that cannot be read or is no safetensors
/// file, names or shapes that are not those of the model, all of them in one message.
template <class T>
metadata load(const model_view<T>& model, const std::filesystem::path& path);
template <any_model Model>
metadata load(Model& any, const std::filesystem::path& path) {
  return load(model_view<number_of<Model>>(any), path);
}

/// The network of a file that save() wrote. Throws io_error as load() does, and for a file without
/// an architecture. Memory grows with what the file has, whatever its architecture claims.
template <class T>
network<T> load_network(const std::filesystem::path& path);

}  // namespace nn
