#include <nn/files/save.hpp>

#include <autodiff/error.hpp>

#include <nn/files/architecture.hpp>
#include <nn/files/fill.hpp>
#include <nn/files/named_file.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace nn {
namespace {

constexpr const char* architecture_name = "architecture";

}  // namespace

template <class T>
void save(const model_view<T>& model, const std::filesystem::path& path, const metadata& texts) {
  std::vector<named_tensor> tensors;
  model.state([&](const std::string& name, autodiff::tensor<T>& values) {
    tensors.push_back({name, values.detached()});
  });
  write_safetensors(path, tensors, texts, "save");
}

template <class T>
void save(const network<T>& net, const std::filesystem::path& path, const metadata& texts) {
  const named_file file{"save", path};
  metadata all = texts;
  const std::string text = architecture_text({net.input_shape(), net.architecture()}, file);
  if (!all.emplace(architecture_name, text).second) {
    file.refuse("would have two texts \"architecture\" in its metadata",
                "give yours another name; the network writes one itself");
  }
  // A view visits the state of a model to change it or not; this one does not.
  save(model_view<T>(const_cast<network<T>&>(net)), path, all);
}

template <class T>
metadata load(const model_view<T>& model, const std::filesystem::path& path) {
  const safetensors_file file(path, "load");
  fill(model, file.name(), offered_by<T>(file));
  return file.metadata();
}

template <class T>
network<T> load_network(const std::filesystem::path& path) {
  const safetensors_file file(path, "load_network");
  const auto text = file.metadata().find(architecture_name);
  if (text == file.metadata().end()) {
    file.name().refuse("has no architecture in its metadata",
                       "build the network in your program and load() the file into it");
  }
  const architecture made_of = parse_architecture(text->second, file.name());
  double numbers = 0;
  for (const stored_tensor& each : file.tensors()) {
    numbers += static_cast<double>(each.shape.size());
  }
  if (numbers_kept(made_of) > numbers) {
    file.name().refuse_content(
        fmt::format("has {} numbers for an architecture of {}", numbers, numbers_kept(made_of)));
  }
  try {
    network<T> net(made_of.inputs, made_of.layers, nn::seed{0});
    fill(model_view<T>(net), file.name(), offered_by<T>(file));
    return net;
  } catch (const autodiff::io_error&) {
    throw;
  } catch (const autodiff::error& e) {
    file.name().refuse_content(
        fmt::format("has an architecture that makes no network ({})", e.what()));
  }
}

#define INSTANTIATE(T)                                                                     \
  template void save(const model_view<T>&, const std::filesystem::path&, const metadata&); \
  template void save(const network<T>&, const std::filesystem::path&, const metadata&);    \
  template metadata load(const model_view<T>&, const std::filesystem::path&);              \
  template network<T> load_network(const std::filesystem::path&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
