#pragma once
// The samples that backsweep-train learns from.

#include <nn/data/data.hpp>
#include <nn/tools/data_format.hpp>
#include <nn/tools/options.hpp>

namespace nn::tools {

struct training_data {
  data_format format;
  dataset<float> train, validation;  ///< scaled; validation may be empty
};

/// Reads the files, holds samples back and learns the scaling from the others. Throws io_error for
/// files that cannot be read and for a target that the loss cannot learn, domain_error when no
/// sample is left to train on.
training_data read_training_data(const train_options& chosen);

}  // namespace nn::tools
