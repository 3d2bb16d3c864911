#pragma once
// The network and the training that options ask for.

#include <nn/network/layer.hpp>
#include <nn/tools/data_format.hpp>
#include <nn/tools/options.hpp>
#include <nn/training/training.hpp>

#include <cstddef>
#include <vector>

namespace nn::tools {

/// Hidden layers with all that was asked for around them, then one of `outputs`.
std::vector<layer> layers_of(const train_options& chosen, std::size_t outputs);

/// Its loss for "auto" is the usual one of such answers.
training training_of(const train_options& chosen, const data_format& format);

}  // namespace nn::tools
