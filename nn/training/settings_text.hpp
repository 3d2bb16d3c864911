#pragma once
// The settings of a training as names and values, for the checkpoint that has to tell whether it is
// of the same training.

#include <nn/training/training.hpp>

#include <map>
#include <string>

namespace nn {

/// Every setting that the weights, step by step, depend on: "optimizer" = "adam",
/// "optimizer.rate" = "0.001", "early_stopping" = "none", ... Numbers have all their digits. Left
/// out is what may change on the way: how many epochs, the patience of early stopping, callbacks,
/// files and progress; and what others know, the source of the batches and the model.
std::map<std::string, std::string> settings_of(const training& how);

}  // namespace nn
