#pragma once
// What a file says of a tensor before its numbers are read.

#include <autodiff/tensor/shape.hpp>

#include <nn/files/number_type.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace nn {

struct stored_tensor {
  std::string name;
  const number_type* type = nullptr;
  autodiff::shape shape;
  std::uint64_t begin = 0, end = 0;  ///< bytes, counted from the first number of the file
};

/// Texts that go with the tensors of a file, by name.
using metadata = std::map<std::string, std::string>;

}  // namespace nn
