#include <autodiff/tensor/index_array.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <array>

namespace autodiff {

std::optional<std::size_t> index_array::first_outside(std::size_t bound) const noexcept {
  // A negative index becomes larger than any bound.
  const auto outside = std::ranges::find_if(
      values(), [&](std::int64_t index) { return static_cast<std::size_t>(index) >= bound; });
  if (outside == values().end()) return std::nullopt;
  return static_cast<std::size_t>(outside - values().begin());
}

std::string index_array::describe(std::size_t position) const {
  std::string text = fmt::format("{} at position ", values()[position]);
  if (rank() < 2) return text + fmt::format("{}", position);
  std::array<std::size_t, most_dimensions> at{};
  for (std::size_t axis = rank(); axis-- > 0; position /= shape()[axis]) {
    at[axis] = position % shape()[axis];
  }
  return text + fmt::format("({})", fmt::join(at.begin(), at.begin() + rank(), ", "));
}

void index_array::require_length(std::size_t length, std::size_t expected) {
  if (length == expected) return;
  throw shape_error("index_array",
                    fmt::format("{} indices where there should be {}", length, expected),
                    "pass one index per element, and as many in every row");
}

}  // namespace autodiff
