#pragma once
// Extents of a tensor, and THE broadcasting rule (NumPy's): shapes are aligned at their last
// extents; extents that are equal, or of which one is 1 or missing, fit. Its reverse, the sum over
// what was repeated, needs no rule of its own: a repeated operand has stride 0, and adding into it
// sums.

#include <array>
#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

namespace autodiff {

inline constexpr std::size_t most_dimensions = 8;

class shape {
 public:
  /// Rank 0: a scalar, one element.
  constexpr shape() = default;
  /// Extents from the slowest to the fastest. Throws shape_error for more than 8 dimensions or more
  /// elements than std::size_t counts.
  shape(std::initializer_list<std::size_t> extents)
      : shape(std::span<const std::size_t>(extents.begin(), extents.size())) {}
  explicit shape(std::span<const std::size_t> extents);
  /// [0]: no elements.
  static constexpr shape empty() noexcept {
    shape s;
    s.clear();
    return s;
  }
  /// Makes it [0].
  constexpr void clear() noexcept {
    extents_[0] = size_ = 0;
    rank_ = 1;
  }

  std::size_t rank() const noexcept { return rank_; }
  std::size_t operator[](std::size_t axis) const noexcept { return extents_[axis]; }
  std::span<const std::size_t> extents() const noexcept { return {extents_.data(), rank_}; }
  const std::size_t* begin() const noexcept { return extents_.data(); }
  const std::size_t* end() const noexcept { return extents_.data() + rank_; }
  /// Number of elements; 1 for rank 0.
  std::size_t size() const noexcept { return size_; }

  /// Axis counted from the front (0 ..) or from the back (-1 ..). Throws shape_error, naming
  /// `operation`, when there is no such axis.
  std::size_t axis(std::ptrdiff_t axis, std::string_view operation) const;

  /// The row-major position of the element at these indices, one per axis. Throws shape_error when
  /// there is no such element.
  std::size_t flat_index(std::span<const std::ptrdiff_t> indices) const;

  bool operator==(const shape& other) const noexcept {
    bool same = rank_ == other.rank_ && size_ == other.size_;
    for (std::size_t i = 0; same && i < rank_; ++i) same = extents_[i] == other.extents_[i];
    return same;
  }
  friend std::ostream& operator<<(std::ostream& out, const shape& s);

  /// The same but for the extent of one axis. Throws shape_error like the constructors.
  shape with_extent(std::size_t axis, std::size_t extent) const {
    shape other = *this;
    other.extents_[axis] = extent;
    other.count_elements();
    return other;
  }

 private:
  void count_elements() {
    size_ = 1;
    bool counts = true;
    for (std::size_t i = 0; i < rank_; ++i)
      counts &= !__builtin_mul_overflow(size_, extents_[i], &size_);
    // Elements of up to 16 bytes must stay addressable.
    if (!counts || size_ > most_elements) [[unlikely]]
      settle_large();
  }
  /// An extent of 0 among others whose product is too large makes it 0 all the same.
  void settle_large();

  static constexpr std::size_t most_elements = static_cast<std::size_t>(-1) >> 5;

  std::array<std::size_t, most_dimensions> extents_{};
  std::size_t size_ = 1;
  std::size_t rank_ = 0;
};

/// "[2, 3]"; "[]" for rank 0.
std::string to_string(const shape& s);

/// The shape of an elementwise operation on operands a and b. Throws shape_error with both shapes.
shape broadcast(const shape& a, const shape& b, std::string_view operation);

/// s seen along one of its axes: outer x extent x inner.
struct axis_view {
  std::size_t outer = 1, extent, inner = 1;

  axis_view(const shape& s, std::size_t axis) noexcept;
};

}  // namespace autodiff
