#pragma once
// A walk over a box of elements in several operands at once, each with strides of its own: what
// broadcasting, joining, padding and picking have in common.

#include <autodiff/tensor/shape.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace autodiff {

/// Visits the elements of a box row by row. Operand k advances by its strides: 0 where it is
/// repeated. Neighbouring dimensions that all operands pass as one are merged.
template <std::size_t N, std::size_t MostDimensions = most_dimensions>
class strided_walk {
 public:
  using offsets = std::array<std::ptrdiff_t, N>;

  /// One element, until dimensions are added.
  strided_walk() noexcept {}

  /// Adds a dimension that runs faster than those before it.
  void add(std::size_t extent, const offsets& strides) noexcept {
    if (extent == 0) empty_ = true;
    if (extent == 1 || empty_) return;
    if (rank_ > 0 && passes_as_one(extent, strides)) {
      extents_[rank_ - 1] *= extent;
    } else {
      extents_[rank_++] = extent;
    }
    strides_[rank_ - 1] = strides;
  }

  /// Elements of a row.
  std::size_t row_size() const noexcept {
    if (empty_) return 0;
    return rank_ == 0 ? 1 : extents_[rank_ - 1];
  }
  /// How operand k advances inside a row.
  std::ptrdiff_t stride(std::size_t k) const noexcept {
    return rank_ == 0 ? 1 : strides_[rank_ - 1][k];
  }

  /// Calls visit(at) at the start of each row, at[k] being the offset of operand k.
  template <class Visitor>
  void for_each_row(Visitor&& visit) const {
    if (empty_) return;
    const std::size_t outer = rank_ == 0 ? 0 : rank_ - 1;
    std::size_t rows = 1;
    for (std::size_t d = 0; d < outer; ++d) rows *= extents_[d];
    std::array<std::size_t, MostDimensions> index{};
    offsets at{};
    for (std::size_t row = 0; row < rows; ++row) {
      visit(static_cast<const offsets&>(at));
      for (std::size_t d = outer; d-- > 0;) {
        for (std::size_t k = 0; k < N; ++k) at[k] += strides_[d][k];
        if (++index[d] < extents_[d]) break;
        const auto extent = static_cast<std::ptrdiff_t>(extents_[d]);
        for (std::size_t k = 0; k < N; ++k) at[k] -= strides_[d][k] * extent;
        index[d] = 0;
      }
    }
  }

 private:
  bool passes_as_one(std::size_t extent, const offsets& strides) const noexcept {
    bool as_one = true;
    for (std::size_t k = 0; k < N; ++k) {
      as_one &= strides_[rank_ - 1][k] == strides[k] * static_cast<std::ptrdiff_t>(extent);
    }
    return as_one;
  }

  // Only the first rank_ entries are set.
  std::array<std::size_t, MostDimensions> extents_;
  std::array<offsets, MostDimensions> strides_;
  std::size_t rank_ = 0;
  bool empty_ = false;
};

/// The distance in a row-major tensor of shape s between neighbours along each axis.
inline std::array<std::ptrdiff_t, most_dimensions> row_major_strides(const shape& s) noexcept {
  std::array<std::ptrdiff_t, most_dimensions> strides{};
  std::ptrdiff_t stride = 1;
  for (std::size_t axis = s.rank(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= static_cast<std::ptrdiff_t>(s[axis]);
  }
  return strides;
}

/// A row-major shape seen along one of its axes: outer x extent x inner.
struct axis_view {
  std::size_t outer = 1, extent, inner = 1;

  axis_view(const shape& s, std::size_t axis) noexcept : extent(s[axis]) {
    for (std::size_t i = 0; i < axis; ++i) outer *= s[i];
    for (std::size_t i = axis + 1; i < s.rank(); ++i) inner *= s[i];
  }
};

/// The same shape but for the extent of one axis.
inline shape with_extent(const shape& s, std::size_t axis, std::size_t extent) {
  std::array<std::size_t, most_dimensions> extents{};
  for (std::size_t i = 0; i < s.rank(); ++i) extents[i] = i == axis ? extent : s[i];
  return shape(std::span<const std::size_t>(extents.data(), s.rank()));
}

/// The walk over `whole`, operand k being a row-major tensor of shape *operands[k] that broadcasts
/// to it.
template <std::size_t N>
strided_walk<N> broadcast_walk(const shape& whole, const std::array<const shape*, N>& operands) {
  std::array<std::array<std::ptrdiff_t, most_dimensions>, N> strides;
  for (std::size_t k = 0; k < N; ++k) strides[k] = row_major_strides(*operands[k]);
  strided_walk<N> walk;
  for (std::size_t axis = 0; axis < whole.rank(); ++axis) {
    typename strided_walk<N>::offsets steps;
    for (std::size_t k = 0; k < N; ++k) {
      const shape& s = *operands[k];
      const std::size_t missing = whole.rank() - s.rank();
      const bool repeated = axis < missing || s[axis - missing] == 1;
      steps[k] = repeated ? 0 : strides[k][axis - missing];
    }
    walk.add(whole[axis], steps);
  }
  return walk;
}

}  // namespace autodiff
