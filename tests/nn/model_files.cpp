// The files of models, for model_files_test.py, which reads and writes them by itself.
//
//   model_files write FOLDER    networks as FOLDER/NAME.onnx, with the numbers that went in and
//   came
//                               out as FOLDER/NAME.safetensors
//   model_files copy FROM TO    a safetensors file, read and written again, all tensors as doubles

#include <autodiff/tensor/tensor.hpp>

#include <nn/files/export_onnx.hpp>
#include <nn/files/safetensors.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <tests/reference.hpp>
#include <vector>

namespace {

namespace fs = std::filesystem;
using autodiff::shape, autodiff::tensor;

struct example {
  std::string name;
  shape sample;
  std::vector<nn::layer> layers;
};

std::vector<example> examples() {
  std::vector<example> all{
      {"batch_norm", {3}, {nn::dense(4), nn::batch_norm{.momentum = 0.4, .epsilon = 1e-3}}},
      {"layer_norm", {3}, {nn::dense(4), nn::layer_norm{}}},
      {"layer_norm_of_images", {3, 4}, {nn::layer_norm{.epsilon = 1e-2}}},
      {"rows", {2, 3}, {nn::dense(4, nn::tanh), nn::flatten{}, nn::dense(2)}},
      {"without_bias", {3}, {nn::dense(4, nn::relu, nn::bias::without), nn::dropout(0.3)}},
      {"nothing", {3}, {nn::identity}},
      {"residual",
       {3},
       {nn::residual({nn::dense(4, nn::relu), nn::residual({nn::batch_norm{}}), nn::dense(3)}),
        nn::softmax}}};
  for (const nn::activation& h : nn::activations()) {
    all.push_back({std::string(h.name), {3}, {nn::dense(5), h, nn::dense(4, h)}});
  }
  return all;
}

template <class T>
tensor<T> some_inputs(const shape& sample, std::uint64_t seed) {
  std::vector<std::size_t> extents{7};
  extents.insert(extents.end(), sample.begin(), sample.end());
  const shape batch{std::span<const std::size_t>(extents)};
  const std::vector<T> values = reference::random(seed).uniform<T>(batch.size(), -3, 3);
  return tensor<T>(batch, std::span(values));
}

template <class T>
void write(const fs::path& folder, const example& each, std::string_view type) {
  nn::network<T> net(each.sample, each.layers, nn::seed{5});
  // Neither gains of 1 nor biases and running means of 0 would show a mistake.
  std::uint64_t seed = 0;
  net.state([&](const std::string&, tensor<T>& t) {
    const auto values = reference::random(++seed).uniform<T>(t.size(), 0.1, 0.9);
    if (t.rank() == 1) t = tensor<T>(t.shape(), std::span(values));
  });
  const std::string name = fmt::format("{}_{}", each.name, type);
  const tensor<T> x = some_inputs<T>(each.sample, 11);
  nn::export_onnx(net, folder / (name + ".onnx"), {{"made_by", "model_files"}});
  nn::write_safetensors(folder / (name + ".safetensors"),
                        std::vector<nn::named_tensor>{{"x", x}, {"y", net(x)}});
}

void copy(const fs::path& from, const fs::path& to) {
  const nn::safetensors_file file(from);
  std::vector<nn::named_tensor> tensors;
  for (const nn::stored_tensor& each : file.tensors()) {
    tensors.push_back({each.name, file.read<double>(each)});
  }
  nn::write_safetensors(to, tensors, file.metadata());
}

}  // namespace

int main(int count, char** words) {
  try {
    const std::vector<std::string> arguments(words + 1, words + count);
    if (arguments.size() == 2 && arguments[0] == "write") {
      for (const example& each : examples()) {
        write<float>(arguments[1], each, "float");
        write<double>(arguments[1], each, "double");
      }
    } else if (arguments.size() == 3 && arguments[0] == "copy") {
      copy(arguments[1], arguments[2]);
    } else {
      fmt::print(stderr, "usage: model_files write FOLDER | copy FROM TO\n");
      return 2;
    }
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
}
