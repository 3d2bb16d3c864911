#include <nn/files/save_npz.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/data/npz.hpp>
#include <nn/data/number_array.hpp>
#include <nn/files/fill.hpp>
#include <nn/files/named_file.hpp>

#include <fmt/format.h>

#include <span>
#include <string>
#include <vector>

namespace nn {

template <class T>
void save_npz(const model_view<T>& model, const std::filesystem::path& path) {
  named_arrays arrays;
  model.state([&](const std::string& name, const autodiff::tensor<T>& values) {
    arrays.insert_or_assign(name, number_array::of(values));
  });
  write_npz(path, arrays);
}

template <class T>
void load_npz(const model_view<T>& model, const std::filesystem::path& path) {
  const named_file file{"load_npz", path};
  const named_arrays arrays = read_npz(path);
  std::vector<offered_tensor<T>> offered;
  for (const auto& [name, stored] : arrays) {
    const number_array& array = stored;
    if (array.extents.size() > autodiff::most_dimensions) {
      file.refuse_content(fmt::format("has an array {} of {} dimensions, where tensors have {}",
                                      in_quotes(name), array.extents.size(),
                                      autodiff::most_dimensions));
    }
    offered.push_back({name, autodiff::shape(std::span(array.extents)),
                       [&array] { return array.template tensor<T>(); }});
  }
  fill(model, file, offered);
}

template void save_npz(const model_view<float>&, const std::filesystem::path&);
template void save_npz(const model_view<double>&, const std::filesystem::path&);
template void load_npz(const model_view<float>&, const std::filesystem::path&);
template void load_npz(const model_view<double>&, const std::filesystem::path&);

}  // namespace nn
