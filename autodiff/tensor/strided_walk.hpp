#pragma once
// A walk over a box of elements in several operands at once, each with strides of its own: what
// broadcasting, joining, padding and picking have in common.

#include <autodiff/tensor/shape.hpp>

#include <array>
#include <cstddef>

namespace autodiff {

/// Visits the elements of a box row by row. Operand k advances by its strides: 0 where it is
/// repeated. Neighbouring dimensions that all operands pass as one are merged.
template <std::size_t N, std::size_t MostDimensions = most_dimensions>
class strided_walk {
 public:
  using offsets = std::array<std::ptrdiff_t, N>;

  /// One element, until dimensions are added.
  strided_walk() noexcept {}  // NOLINT(modernize-use-equals-default): {} would zero the arrays then

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

  std::size_t rows() const noexcept {
    if (empty_) return 0;
    std::size_t count = 1;
    for (std::size_t d = 0; d + 1 < rank_; ++d) count *= extents_[d];
    return count;
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
    const std::size_t outer = rank_ == 0 ? 0 : rank_ - 1;
    std::array<std::size_t, MostDimensions> index{};
    offsets at{};
    for (std::size_t left = rows(); left > 0; --left) {
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

  /// Calls visit(at) at each element.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for_each_row([&](offsets at) {
      for (std::size_t i = row_size(); i > 0; --i) {
        visit(static_cast<const offsets&>(at));
        for (std::size_t k = 0; k < N; ++k) at[k] += stride(k);
      }
    });
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

}  // namespace autodiff
