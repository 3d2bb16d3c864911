#pragma once
// Files of named tensors in the safetensors format: eight bytes that give the length of a header, a
// JSON header of names, number types, shapes and places, then the numbers, little-endian and
// row-major. A file is proven before a number is read: every byte belongs to exactly one tensor.
// Specification: https://github.com/huggingface/safetensors, section "Format".

#include <autodiff/tensor/tensor.hpp>

#include <nn/files/named_file.hpp>
#include <nn/files/random_access_file.hpp>
#include <nn/files/stored_tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nn {

/// A file open for reading.
class safetensors_file {
 public:
  /// Reads the header. Throws io_error, in the name of `operation`, for a file that is missing,
  /// unreadable, or anything else than one whole safetensors file: the message says what is wrong.
  /// Memory grows with the bytes that the header really has, whatever it claims.
  explicit safetensors_file(const std::filesystem::path& path,
                            std::string_view operation = "safetensors_file");

  /// For refusals.
  const named_file& name() const noexcept { return file_.name(); }
  const nn::metadata& metadata() const noexcept { return metadata_; }
  /// In the order in which their numbers stand.
  std::span<const stored_tensor> tensors() const noexcept { return tensors_; }
  /// The one of this name; null where there is none.
  const stored_tensor* find(std::string_view name) const;

  /// The numbers of a tensor of this file, converted to T: integers and doubles are rounded to the
  /// nearest T. Throws io_error when the file has been changed since it was opened.
  template <class T>
  autodiff::tensor<T> read(const stored_tensor& stored) const;
  /// The same by name. Throws io_error where there is none of this name.
  template <class T>
  autodiff::tensor<T> read(std::string_view name) const;

 private:
  random_access_file file_;
  std::uint64_t first_number_ = 0;
  nn::metadata metadata_;
  std::vector<stored_tensor> tensors_;
  std::map<std::string_view, std::size_t> places_;
};

/// A tensor to be written, under its name.
struct named_tensor {
  std::string name;
  std::variant<autodiff::tensor<float>, autodiff::tensor<double>> values;
};

/// Writes the tensors, doubles as F64 before floats as F32, and the texts. A file of this name is
/// replaced at once when the new one is complete, and stays as it is if anything fails.
/// Throws io_error, in the name of `operation`: a name twice or "__metadata__", a name or a text
/// that is not UTF-8, a file that cannot be written.
void write_safetensors(const std::filesystem::path& path, std::span<const named_tensor> tensors,
                       const metadata& texts = {},
                       std::string_view operation = "write_safetensors");

}  // namespace nn
