#pragma once
// What a network is made of, as JSON text in the metadata of its file:
//
//   {"inputs":[784],"layers":[{"layer":"dense","units":128,"activation":"relu"},
//                             {"layer":"dropout","probability":0.2}, ...]}

#include <autodiff/tensor/shape.hpp>

#include <nn/files/named_file.hpp>
#include <nn/network/layer.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace nn {

struct architecture {
  autodiff::shape inputs;  ///< of one sample
  std::vector<layer> layers;
};

/// The text. How weights were drawn is left out: a file has the weights themselves. Throws io_error
/// through `file` where it would be longer than 2^20 bytes, or this library was built without JSON.
std::string architecture_text(const architecture& net, const named_file& file);

/// Reads the text. Throws io_error through `file` for everything that architecture_text does not
/// write: longer than 2^20 bytes, no JSON, nested too deeply, an unknown layer or activation, a
/// property that is missing, unknown or of the wrong kind.
architecture parse_architecture(std::string_view text, const named_file& file);

/// How many numbers the layers keep; infinity for more than can be counted. What layers do not fit
/// each other is for the layers themselves to refuse.
double numbers_kept(const architecture& net);

}  // namespace nn
