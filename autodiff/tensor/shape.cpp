#include <autodiff/tensor/shape.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace autodiff {

shape::shape(std::span<const std::size_t> extents) : rank_(extents.size()) {
  if (rank_ > most_dimensions) {
    throw shape_error("shape", fmt::format("{} dimensions", rank_),
                      fmt::format("a tensor has at most {}", most_dimensions));
  }
  std::copy(extents.begin(), extents.end(), extents_.begin());
  count_elements();
}

void shape::settle_large() {
  if (std::find(begin(), end(), std::size_t{0}) != end()) {
    size_ = 0;
    return;
  }
  throw shape_error("shape",
                    fmt::format("{} has more elements than memory can address", to_string(*this)),
                    "check for a negative number that became a large extent");
}

std::size_t shape::axis(std::ptrdiff_t axis, std::string_view operation) const {
  const auto rank = static_cast<std::ptrdiff_t>(rank_);
  const std::ptrdiff_t from_front = axis < 0 ? axis + rank : axis;
  if (from_front < 0 || from_front >= rank) {
    throw shape_error(operation,
                      fmt::format("there is no axis {} in shape {}", axis, to_string(*this)),
                      rank == 0 ? "a tensor of rank 0 has no axes"
                                : fmt::format("axes run from {} to {}", -rank, rank - 1));
  }
  return static_cast<std::size_t>(from_front);
}

std::size_t shape::flat_index(std::span<const std::ptrdiff_t> indices) const {
  bool inside = indices.size() == rank_;
  std::size_t flat = 0;
  for (std::size_t i = 0; inside && i < rank_; ++i) {
    // A negative index becomes larger than any extent.
    const auto index = static_cast<std::size_t>(indices[i]);
    inside = index < extents_[i];
    flat = flat * extents_[i] + index;
  }
  if (!inside) {
    throw shape_error("index",
                      fmt::format("there is no element ({}) in shape {}", fmt::join(indices, ", "),
                                  to_string(*this)),
                      "give one index per axis, from 0 to below its extent");
  }
  return flat;
}

std::ostream& operator<<(std::ostream& out, const shape& s) { return out << to_string(s); }

std::string to_string(const shape& s) {
  return fmt::format("[{}]", fmt::join(s.begin(), s.end(), ", "));
}

shape broadcast(const shape& a, const shape& b, std::string_view operation) {
  if (a == b) return a;
  const std::size_t rank = std::max(a.rank(), b.rank());
  std::array<std::size_t, most_dimensions> extents{};
  for (std::size_t i = 1; i <= rank; ++i) {
    const std::size_t in_a = i <= a.rank() ? a[a.rank() - i] : 1;
    const std::size_t in_b = i <= b.rank() ? b[b.rank() - i] : 1;
    if (in_a != in_b && in_a != 1 && in_b != 1) {
      throw shape_error(
          operation,
          fmt::format("shapes {} and {} do not fit: {} against {}, {} from the end", to_string(a),
                      to_string(b), in_a, in_b, i == 1 ? "first" : fmt::format("number {}", i)),
          "extents aligned at the end must be equal or 1; reshape one of them");
    }
    extents[rank - i] = in_a == 1 ? in_b : in_a;
  }
  return shape(std::span<const std::size_t>(extents.data(), rank));
}

axis_view::axis_view(const shape& s, std::size_t axis) noexcept : extent(s[axis]) {
  for (std::size_t i = 0; i < axis; ++i) outer *= s[i];
  for (std::size_t i = axis + 1; i < s.rank(); ++i) inner *= s[i];
}

}  // namespace autodiff
