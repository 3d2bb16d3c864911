// A network in files: saved, built again, filled with weights of PyTorch, exported. The files go
// into a folder, the first argument.

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <span>
#include <vector>

namespace ad = autodiff;

namespace {

/// What PyTorch's side would have written:
///   safetensors.torch.save_file(model.state_dict(), "torch.safetensors")
/// of nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3)).
void write_state_dict(const std::filesystem::path& file) {
  ad::generator random(3);
  const auto some = [&](const ad::shape& shape) {
    std::vector<float> values(shape.size());
    for (float& value : values) value = static_cast<float>(random.uniform(0.1, 0.5));
    return ad::tensor<float>(shape, std::span<const float>(values));
  };
  nn::write_safetensors(file, std::vector<nn::named_tensor>{{"0.weight", some({16, 4})},
                                                            {"0.bias", some({16})},
                                                            {"1.weight", some({16})},
                                                            {"1.bias", some({16})},
                                                            {"1.running_mean", some({16})},
                                                            {"1.running_var", some({16})},
                                                            {"3.weight", some({3, 16})},
                                                            {"3.bias", some({3})}});
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = argc > 1 ? argv[1] : "model_files";
  std::filesystem::create_directories(folder);

  nn::network<float> net(4, {nn::dense(16), nn::batch_norm{}, nn::relu, nn::dense(3)}, nn::seed{7});
  fmt::print("{}\n", nn::summary(net));

  nn::save(net, folder / "flowers.safetensors", {{"epochs", "30"}});
  const auto again = nn::load_network<float>(folder / "flowers.safetensors");

  write_state_dict(folder / "torch.safetensors");
  nn::load_pytorch(net, folder / "torch.safetensors");

  nn::export_onnx(net, folder / "flowers.onnx");

  const ad::tensor<float> flower({{5.1F, 3.5F, 1.4F, 0.2F}});
  fmt::print("as it was saved: {}\nwith the weights of PyTorch: {}\n", again(flower), net(flower));
  return EXIT_SUCCESS;
}
