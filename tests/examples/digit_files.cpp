#include <tests/examples/digit_files.hpp>
#include <tests/examples/drawn_digits.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace {

/// A file of this name in the folder, plain or gzip, for the test or the training set of MNIST.
std::optional<std::filesystem::path> find(const std::filesystem::path& folder,
                                          const std::string& kind) {
  for (const char* set : {"t10k", "train"}) {
    for (const char* ending : {"", ".gz"}) {
      const auto file = folder / (std::string(set) + "-" + kind + ending);
      if (std::filesystem::exists(file)) return file;
    }
  }
  return std::nullopt;
}

std::filesystem::path default_folder() {
  const char* named = std::getenv("BACKSWEEP_DATA");
  const std::filesystem::path root = named ? named : BACKSWEEP_SOURCE_DIR "/../shared/data";
  return root / "mnist";
}

}  // namespace

nn::dataset<float> load_digits(const std::filesystem::path& asked, bool quick) {
  const std::filesystem::path folder = asked.empty() ? default_folder() : asked;
  const auto images = find(folder, "images-idx3-ubyte"), labels = find(folder, "labels-idx1-ubyte");
  if (images && labels) {
    fmt::print("Data: {} and {}\n", images->string(), labels->filename().string());
    return nn::load_idx<float>(*images, *labels);
  }
  if (!asked.empty()) {
    throw autodiff::io_error("load_digits", fmt::format("no MNIST files in {}", folder.string()),
                             "it should hold t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, "
                             "plain or .gz (or train-...)");
  }
  fmt::print(
      "Data: digits drawn by this program (no MNIST files in {}; --data DIR names a folder)\n",
      folder.string());
  constexpr std::uint64_t seed = 2026;
  const drawn_digits drawn = draw_digits(quick ? 2000 : 10000, seed);
  return nn::image_dataset<float>(drawn.images, drawn.labels);
}
