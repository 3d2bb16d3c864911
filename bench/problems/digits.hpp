#pragma once
// Images of handwritten digits to train on: those of MNIST, or numbers as good for timing.

#include <nn/data/data.hpp>

#include <bench/problems/training.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <optional>
#include <vector>

// The build names the folder; whoever looks at this header alone does without.
#ifndef BACKSWEEP_SOURCE_DIR
#define BACKSWEEP_SOURCE_DIR "."
#endif

namespace bench::problems {

struct digit_files {
  std::filesystem::path images, labels;
};

/// 10,000 images of MNIST, gzip, in $BACKSWEEP_DATA or shared/data beside the sources.
inline std::optional<digit_files> find_digits() {
  const char* asked = std::getenv("BACKSWEEP_DATA");
  const std::filesystem::path data = asked ? asked : BACKSWEEP_SOURCE_DIR "/../shared/data";
  const digit_files files{data / "mnist" / "t10k-images-idx3-ubyte.gz",
                          data / "mnist" / "t10k-labels-idx1-ubyte.gz"};
  if (std::filesystem::exists(files.images) && std::filesystem::exists(files.labels)) return files;
  return std::nullopt;
}

/// The first 8,000 images, [n, 784] and one-hot [n, 10].
inline nn::dataset<float> training_digits(const std::optional<digit_files>& files) {
  constexpr std::size_t samples = 8000, pixels = 784, classes = 10;
  if (files) {
    std::vector<std::size_t> first(samples);
    std::iota(first.begin(), first.end(), std::size_t{0});
    return nn::take_rows<float>(nn::load_idx<float>(files->images, files->labels), first);
  }
  nn::dataset<float> data{autodiff::tensor<float>(autodiff::shape{samples, pixels}),
                          autodiff::tensor<float>(autodiff::shape{samples, classes})};
  const auto x = data.inputs.mutable_values(), t = data.targets.mutable_values();
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::max(scattered(i), 0.0f);
  for (std::size_t i = 0; i < samples; ++i) t[i * classes + i * 7 % classes] = 1;
  return data;
}

}  // namespace bench::problems
