#pragma once
// The header of a safetensors file: a JSON object that gives a type, a shape and a range of bytes
// for each name, and beside them texts under "__metadata__". It is read event by event: whatever
// else stands there is refused where it begins, and nothing is ever built from it.

#include <nn/files/named_file.hpp>
#include <nn/files/stored_tensor.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nn {

/// What a header says.
struct safetensors_header {
  nn::metadata metadata;
  std::vector<stored_tensor> tensors;
};

// All of these throw io_error through `file`.

/// Reads the text of a header.
safetensors_header parse_header(std::string_view text, const named_file& file);

/// Puts the tensors in the order of their bytes and proves that they have as many as type and shape
/// say, and fill the `bytes` bytes that there are without overlap or hole.
void prove_layout(std::vector<stored_tensor>& tensors, std::uint64_t bytes, const named_file& file);

/// The text of a header, without padding.
std::string header_text(const safetensors_header& header, const named_file& file);

}  // namespace nn
