#pragma once
// A yes or no for each element of a shape: what comparisons of tensors give. A mask has no
// derivative and is never recorded.

#include <autodiff/tensor/array.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace autodiff {

/// A value like a tensor: copies share storage. There is no conversion to bool; ask any() or all().
class mask {
 public:
  /// No elements.
  mask() = default;
  /// Every element the same.
  explicit mask(const autodiff::shape& s, bool fill = false)
      : values_(s, static_cast<std::uint8_t>(fill)) {}
  /// Row by row. Throws shape_error when their number is not s.size().
  mask(const autodiff::shape& s, std::initializer_list<bool> values);
  mask(const autodiff::shape& s, const std::vector<bool>& values);
  /// Every value 0 or 1; for makers of masks.
  explicit mask(array<std::uint8_t> values) : values_(std::move(values)) {}

  const autodiff::shape& shape() const noexcept { return values_.shape(); }
  std::size_t rank() const noexcept { return shape().rank(); }
  std::size_t size() const noexcept { return values_.size(); }
  /// 1 or 0 for each element, row by row.
  std::span<const std::uint8_t> values() const noexcept { return values_.values(); }
  const array<std::uint8_t>& stored() const noexcept { return values_; }
  /// The answer at these indices, one per axis. Throws shape_error when they do not fit.
  template <std::convertible_to<std::ptrdiff_t>... Indices>
  bool value(Indices... indices) const {
    const std::array<std::ptrdiff_t, sizeof...(Indices)> at{
        static_cast<std::ptrdiff_t>(indices)...};
    return values_.data()[shape().flat_index(at)] != 0;
  }

  /// How many are true.
  std::size_t count() const noexcept;
  /// Whether one is true; false for no elements.
  bool any() const noexcept { return count() > 0; }
  /// Whether none is false; true for no elements.
  bool all() const noexcept { return count() == size(); }

 private:
  array<std::uint8_t> values_;
};

/// Element by element, broadcast. Throws shape_error when the shapes do not fit.
mask operator&(const mask& a, const mask& b);
mask operator|(const mask& a, const mask& b);
mask operator^(const mask& a, const mask& b);
mask operator!(const mask& a);

/// Nested brackets of 0 and 1.
std::string to_string(const mask& m);
std::ostream& operator<<(std::ostream& out, const mask& m);

}  // namespace autodiff
