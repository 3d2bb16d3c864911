#include <nn/network/activation.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <vector>

namespace nn {
namespace {

bool same_letter(char a, char b) {
  const auto small = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return small(a) == small(b);
}

/// Letters missing, too many, wrong, or swapped with their neighbour: the optimal string alignment
/// distance. Capitals count as small letters.
std::size_t slips(std::string_view written, std::string_view meant) {
  // distance[i][j]: of the first i letters written from the first j meant.
  std::vector<std::vector<std::size_t>> distance(written.size() + 1,
                                                 std::vector<std::size_t>(meant.size() + 1));
  for (std::size_t i = 0; i <= written.size(); ++i) {
    for (std::size_t j = 0; j <= meant.size(); ++j) {
      std::size_t& least = distance[i][j] = std::max(i, j);
      if (i == 0 || j == 0) continue;
      const bool same = same_letter(written[i - 1], meant[j - 1]);
      least = std::min({distance[i - 1][j] + 1, distance[i][j - 1] + 1,
                        distance[i - 1][j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && same_letter(written[i - 1], meant[j - 2]) &&
                           same_letter(written[i - 2], meant[j - 1]);
      if (swapped) least = std::min(least, distance[i - 2][j - 2] + 1);
    }
  }
  return distance.back().back();
}

[[noreturn]] void refuse(std::string_view name) {
  std::string nearest;
  std::size_t fewest = name.size();
  std::vector<std::string_view> names;
  for (const activation& h : activations()) {
    names.push_back(h.name);
    const std::size_t found = slips(name, h.name);
    // More slips than a third of the letters, and another name may be meant: swish is not mish.
    if (found < fewest && 3 * found <= h.name.size()) {
      fewest = found;
      nearest = fmt::format("did you mean {}? ", h.name);
    }
  }
  throw autodiff::domain_error("activation", fmt::format("there is no '{}'", name),
                               fmt::format("{}there are {}, and every function of one argument: "
                                           "sin, gaussian, sqrt, ...",
                                           nearest, fmt::join(names, ", ")));
}

/// Every row of ops.def with one argument.
std::span<const activation> functions() noexcept {
  static constexpr activation all[] = {
#define UNARY(NAME, ...)                                                                    \
  make_activation<&autodiff::loop_table<float>::NAME, &autodiff::loop_table<double>::NAME>( \
      #NAME, init::glorot),
#include <autodiff/ops.def>
  };
  return all;
}

}  // namespace

std::span<const activation> activations() noexcept {
  static constexpr activation all[] = {
#define OPS_ROW(name, suits) name,
#define FUNCTION(name, suits, value) name,
#include <nn/network/activation.def>
  };
  return all;
}

const activation* find_activation(std::string_view name) noexcept {
  for (const auto all : {activations(), functions()}) {
    const auto at =
        std::find_if(all.begin(), all.end(), [&](const activation& h) { return h.name == name; });
    if (at != all.end()) return &*at;
  }
  return nullptr;
}

const activation& activation_named(std::string_view name) {
  const activation* const found = find_activation(name);
  if (!found) refuse(name);
  return *found;
}

}  // namespace nn
