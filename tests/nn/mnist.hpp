#pragma once
// Where the real digits lie, for the tests that read them.

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

/// The folder of the MNIST files: in $BACKSWEEP_DATA or beside the checkout, if this machine has
/// it.
inline std::optional<std::filesystem::path> mnist_folder() {
  std::vector<std::filesystem::path> candidates;
  if (const char* data = std::getenv("BACKSWEEP_DATA")) candidates.emplace_back(data);
  candidates.emplace_back(BACKSWEEP_SOURCE_DIR "/../shared/data");
  for (const std::filesystem::path& candidate : candidates) {
    std::error_code ignored;
    if (std::filesystem::exists(candidate / "mnist" / "t10k-images-idx3-ubyte.gz", ignored))
      return candidate / "mnist";
  }
  return std::nullopt;
}
