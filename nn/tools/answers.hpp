#pragma once
// What the outputs of a network mean, and how good they are.

#include <autodiff/tensor/tensor.hpp>

#include <nn/tools/data_format.hpp>

#include <string>

namespace nn::tools {

/// A CSV table with a header and a row for each sample: the class and its probability, or the
/// number and, where the network tells it, its standard deviation; with `all_probabilities` those
/// of every class.
std::string answers_text(const data_format& format, const autodiff::tensor<float>& outputs,
                         bool all_probabilities);

/// How well the outputs [n, ...] meet the targets, which are scaled as the network learned them:
/// some lines to read.
std::string score_text(const data_format& format, const autodiff::tensor<float>& outputs,
                       const autodiff::tensor<float>& targets);

}  // namespace nn::tools
