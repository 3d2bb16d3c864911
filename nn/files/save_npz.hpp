#pragma once
// The weights of models as NumPy's .npz: numpy.load(path)["layers.0.weights"].

#include <nn/files/save.hpp>
#include <nn/network/model.hpp>

#include <filesystem>

namespace nn {

/// Writes every tensor of the model's state under its name. A file of this name is replaced at once
/// when the new one is complete. Throws io_error as write_npz does.
template <class T>
void save_npz(const model_view<T>& model, const std::filesystem::path& path);
template <any_model Model>
void save_npz(Model& any, const std::filesystem::path& path) {
  save_npz(model_view<number_of<Model>>(any), path);
}

/// Fills the model with the arrays of a file, of any number type, one for each tensor of its state.
/// Throws io_error, and leaves the model as it was: what read_npz throws, names or shapes that are
/// not those of the model, all of them in one message.
template <class T>
void load_npz(const model_view<T>& model, const std::filesystem::path& path);
template <any_model Model>
void load_npz(Model& any, const std::filesystem::path& path) {
  load_npz(model_view<number_of<Model>>(any), path);
}

}  // namespace nn
