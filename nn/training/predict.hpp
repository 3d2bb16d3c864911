#pragma once
// Inference on many samples, some at a time: memory holds all inputs and outputs, but what is
// computed between them of a few samples only.

#include <autodiff/tensor/tensor.hpp>

#include <nn/data/batch_source.hpp>
#include <nn/network/model.hpp>

#include <cstddef>
#include <type_traits>
#include <vector>

namespace nn {

/// The outputs of the model for inputs [n, ...], which it is to treat sample by sample. Throws
/// shape_error for inputs of rank 0 and outputs that have not a row for each sample, domain_error
/// for 0 at a time, and what the model throws.
template <class T>
autodiff::tensor<T> predict(const std::type_identity_t<model_view<T>>& model,
                            const autodiff::tensor<T>& inputs, std::size_t at_a_time = 1024);

/// What a model makes of samples that came from a source, row by row.
template <class T>
struct predictions {
  autodiff::tensor<T> outputs, targets;
  std::vector<std::size_t> samples;  ///< their numbers in the data set
};
/// The outputs for the first epoch of a source, in its order: memory holds these and the targets,
/// but the inputs of one batch only. Throws shape_error for a source without batches and for
/// outputs that have not a row for each sample, and what the source and the model throw.
template <class T>
predictions<T> predict(const std::type_identity_t<model_view<T>>& model, batch_source<T>& data);

}  // namespace nn
