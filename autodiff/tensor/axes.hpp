#pragma once
// A list of axes as an argument: {0, -1}, a vector, a span or a single number.

#include <autodiff/tensor/shape.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string_view>

namespace autodiff {

/// Axes of a shape, counted from the front.
struct axis_list {
  std::array<std::size_t, most_dimensions> at{};
  std::size_t count = 0;

  const std::size_t* begin() const noexcept { return at.data(); }
  const std::size_t* end() const noexcept { return at.data() + count; }
};

/// Axes counted from the front (0 ..) or the back (-1 ..). To a reduction none means all.
class axes {
 public:
  axes() = default;
  axes(std::initializer_list<std::ptrdiff_t> list) { assign(list); }
  /// One axis. A bool is no axis: sum(x, true) forgot the axes before keep_dims.
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) axes(Number axis)
      : list_{static_cast<std::ptrdiff_t>(axis)}, count_(1) {}
  /// Throws shape_error for more axes than a tensor can have.
  template <class List>
  requires requires(const List& list) {
    { *std::begin(list) } -> std::convertible_to<std::ptrdiff_t>;
    std::end(list);
  }
  axes(const List& list) { assign(list); }

  std::span<const std::ptrdiff_t> list() const noexcept { return {list_.data(), count_}; }
  bool empty() const noexcept { return count_ == 0; }
  /// The same axes of s, counted from the front and in the same order. Throws shape_error, naming
  /// `operation`, for one that does not exist or stands there twice.
  axis_list of(const shape& s, std::string_view operation) const;

 private:
  template <class List>
  void assign(const List& list) {
    for (const auto axis : list) {
      if (count_ == most_dimensions) too_many();
      list_[count_++] = static_cast<std::ptrdiff_t>(axis);
    }
  }
  [[noreturn]] static void too_many();

  std::array<std::ptrdiff_t, most_dimensions> list_{};
  std::size_t count_ = 0;
};

/// Which axes of s a reduction over `over` takes: all where that is empty. Throws as axes::of.
std::array<bool, most_dimensions> reduced_axes(const shape& s, const axes& over,
                                               std::string_view operation);

/// The shape left by a reduction; reduced axes become 1 with keep_dims. Throws as axes::of.
shape reduced(const shape& s, const axes& over, bool keep_dims, std::string_view operation);

}  // namespace autodiff
