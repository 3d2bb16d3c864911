#include <nn/data/npy.hpp>

#include <autodiff/part_file.hpp>

#include <nn/data/byte_source.hpp>
#include <nn/data/npy_format.hpp>

#include <string>

namespace nn {

number_array read_npy(const std::filesystem::path& path) {
  input_file file("read_npy", path, ".npy file");
  return read_npy_array(file);
}

void write_npy(const std::filesystem::path& path, const number_array& array) {
  const std::string text = npy_text("write_npy", array);
  autodiff::part_file file("write_npy", path);
  file.write(text);
  file.keep();
}

}  // namespace nn
