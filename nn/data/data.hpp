#pragma once
// Data to train on: inputs and targets side by side, split and walked in batches by a seed.

#include <autodiff/random.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/network/init.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

namespace nn {

/// Samples: row i of the inputs belongs to row i of the targets.
template <class T>
struct dataset {
  autodiff::tensor<T> inputs;   ///< [n, features]
  autodiff::tensor<T> targets;  ///< [n, outputs]; one-hot rows for classes

  std::size_t size() const noexcept { return inputs.rank() == 0 ? 0 : inputs.shape()[0]; }
};

/// Grey images, 0 to 255, and their labels as a dataset: pixels / 255 as [n, pixels], one-hot
/// targets. Throws shape_error when the counts do not match or a label is not below classes.
template <class T>
dataset<T> image_dataset(std::span<const std::uint8_t> images, std::span<const std::uint8_t> labels,
                         std::size_t classes = 10);

/// Reads IDX files of images and labels, plain or gzip. Throws io_error (what is wrong with which
/// file), shape_error when there are not as many labels as images.
template <class T>
dataset<T> load_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                    std::size_t classes = 10);

/// Reads two .npy files: inputs [n, ...], whose rows are flattened, and targets [n] or [n, ...].
/// With `classes` above 0 the targets are labels [n] and become one-hot. Throws io_error (what is
/// wrong with which file), shape_error when there are not as many targets as inputs or a label is
/// not below classes, domain_error when it is no label at all.
template <class T>
dataset<T> load_npy(const std::filesystem::path& inputs, const std::filesystem::path& targets,
                    std::size_t classes = 0);

/// The samples at these rows, in this order. Throws shape_error for a row that is not there.
template <class T>
dataset<T> take_rows(const dataset<T>& data, std::span<const std::size_t> rows);

/// `first` samples, drawn at random by the seed, and the others. Throws shape_error when there are
/// fewer, or not as many targets as inputs.
template <class T>
std::pair<dataset<T>, dataset<T>> split(const dataset<T>& data, std::size_t first, seed seed);

/// How much of a dataset goes where; what is left is for training.
struct split_parts {
  double validation = 0.1;
  double test = 0.1;
  /// Every class has its share of each part, up to one sample. The class is the greatest entry of a
  /// target; where it has one entry only, that number.
  bool stratified = false;
};

template <class T>
struct split_data {
  dataset<T> train, validation, test;
};

/// Three parts, drawn at random by the seed: test and validation have the rounded number of their
/// samples. Throws domain_error for fractions below 0 or beyond 1 in sum, and when it is to be
/// stratified by targets that are no classes; shape_error when there are not as many targets as
/// inputs.
template <class T>
split_data<T> split(const dataset<T>& data, const split_parts& parts, seed seed);

/// What becomes of the last batch of an epoch where it is shorter than the others. A batch_norm
/// cannot be trained on one of a single sample.
enum class drop_last : bool { no, yes };

/// Batches of a dataset in an order that is drawn anew for every epoch: a function of the seed and
/// the epoch alone.
class batches {
 public:
  /// Throws domain_error for a batch size of 0.
  batches(std::size_t samples, std::size_t batch, seed seed,
          nn::drop_last drop_last = nn::drop_last::no);

  /// Draws the order of this epoch.
  void shuffle(std::size_t epoch);
  std::size_t count() const noexcept;
  /// In all batches of an epoch together.
  std::size_t samples() const noexcept;
  /// The samples of batch i; the last one may be shorter.
  std::span<const std::size_t> operator[](std::size_t i) const noexcept;

 private:
  std::vector<std::size_t> order_;
  std::size_t batch_;
  seed seed_;
  nn::drop_last drop_last_;
};

}  // namespace nn
