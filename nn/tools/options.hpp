#pragma once
// What backsweep-train can be told.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace nn::tools {

struct train_options {
  std::filesystem::path data, labels;
  std::string target;
  std::vector<std::string> ignored, categorical;
  std::string delimiter = ",";  ///< one character
  bool without_header = false, skips_missing = false;

  std::vector<std::size_t> layers{64, 32};
  std::string activation = "relu";
  bool batch_norm = false;
  double dropout = 0;

  std::string loss = "auto", optimizer = "adam", schedule = "constant";
  std::optional<double> rate;
  double l2 = 0;
  std::size_t epochs = 30, batch = 32;
  double validation = 0.1;
  std::size_t patience = 0;
  std::size_t shift = 0;
  std::uint64_t seed = 0;

  std::filesystem::path save, log, picture, checkpoint;
  bool quiet = false;
};

void add_options(CLI::App& app, train_options& into);
/// Throws CLI::ValidationError for options that do not go together.
void require_consistent(const train_options& chosen);

}  // namespace nn::tools
