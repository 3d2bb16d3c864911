#include <autodiff/tensor/axes.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace autodiff {

void axes::too_many() {
  throw shape_error("axes", fmt::format("more than {} axes", most_dimensions),
                    "a tensor has no more; name each axis once");
}

axis_list axes::of(const shape& s, std::string_view operation) const {
  axis_list result;
  for (const std::ptrdiff_t given : list()) {
    const std::size_t axis = s.axis(given, operation);
    if (std::find(result.begin(), result.end(), axis) != result.end()) {
      throw shape_error(operation, fmt::format("axis {} stands twice in the list of axes", given),
                        "name each axis once");
    }
    result.at[result.count++] = axis;
  }
  return result;
}

std::array<bool, most_dimensions> reduced_axes(const shape& s, const axes& over,
                                               std::string_view operation) {
  std::array<bool, most_dimensions> gone{};
  if (over.empty()) gone.fill(true);
  for (const std::size_t axis : over.of(s, operation)) gone[axis] = true;
  return gone;
}

shape reduced(const shape& s, const axes& over, bool keep_dims, std::string_view operation) {
  const std::array<bool, most_dimensions> gone = reduced_axes(s, over, operation);
  std::array<std::size_t, most_dimensions> extents{};
  std::size_t rank = 0;
  for (std::size_t i = 0; i < s.rank(); ++i) {
    if (!gone[i])
      extents[rank++] = s[i];
    else if (keep_dims)
      extents[rank++] = 1;
  }
  return shape(std::span<const std::size_t>(extents.data(), rank));
}

}  // namespace autodiff
