#pragma once
// A training in a file: all that it needs, besides its settings and its data, to go on as if it had
// never stopped. Whatever is random in training is a function of a seed, the epoch and the step, so
// no generator is kept.
//
// The file is one of safetensors, whose texts hold a checksum of the rest, and appears under its
// name when it is complete (autodiff/part_file.hpp).

#include <autodiff/tensor/tensor.hpp>

#include <nn/training/history.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nn {

template <class T>
struct checkpoint {
  /// Settings that have to be the same when training goes on: "batch" = "64".
  std::map<std::string, std::string> settings;
  std::size_t epoch = 0, batch = 0;  ///< of the next step
  /// Counts and sums by name: "step", the loss of the epoch so far. Kept to the bit.
  std::map<std::string, std::vector<double>> numbers;
  nn::history past;
  /// By name: "model.layers.0.weights", "optimizer.first_moment.0", "best.layers.0.weights".
  std::map<std::string, autodiff::tensor<T>> tensors;

  /// Keeps a tensor under this name; copies nothing until one of the two changes.
  void keep(const std::string& name, const autodiff::tensor<T>& t) {
    tensors.insert_or_assign(name, t.detached());
  }
};

/// Replaces the file at once. Throws io_error when it cannot be written.
template <class T>
void write_checkpoint(const std::filesystem::path& file, const checkpoint<T>& state);

/// Throws io_error for a file that is missing, damaged, no checkpoint, or one of another number
/// type.
template <class T>
checkpoint<T> read_checkpoint(const std::filesystem::path& file);

/// Throws io_error, naming all that differs, unless both have the same settings and tensors of the
/// same names and shapes: `expected` as a training would write it now.
template <class T>
void require_same_training(const std::filesystem::path& file, const checkpoint<T>& found,
                           const checkpoint<T>& expected);

}  // namespace nn
