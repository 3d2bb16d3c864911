#pragma once
// Whole numbers with a shape, to pick elements with. Functions that take them are called with
// braces ({0, 2}, {{0}, {2}}), a vector, a span or an array of any whole-number type.

#include <autodiff/tensor/array.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <utility>

namespace autodiff {

template <class I>
concept whole_number = std::integral<I> && !std::same_as<I, bool>;

/// A value: it holds a copy of the numbers that it was made from, and copies of it share that.
class index_array {
 public:
  /// No indices, rank 1.
  index_array() : values_(autodiff::shape::empty()) {}
  template <whole_number I>
  index_array(std::initializer_list<I> indices)
      : index_array(autodiff::shape{indices.size()}, indices) {}
  /// Rank 2. Throws shape_error when rows differ in length.
  template <whole_number I>
  index_array(std::initializer_list<std::initializer_list<I>> rows)
      : values_(autodiff::shape{rows.size(), rows.size() ? rows.begin()->size() : 0}) {
    std::int64_t* out = values_.writable();
    for (const auto& row : rows) {
      require_length(row.size(), shape()[1]);
      out = std::copy(row.begin(), row.end(), out);
    }
  }
  /// Rank 1.
  template <std::ranges::sized_range Range>
  requires whole_number<std::ranges::range_value_t<Range>> &&
      (!std::same_as<Range, autodiff::shape>)index_array(const Range& indices)
      : index_array(autodiff::shape{std::ranges::size(indices)}, indices) {}
  /// Row-major indices. Throws shape_error when their number is not s.size().
  template <std::ranges::sized_range Range>
  requires whole_number<std::ranges::range_value_t<Range>> index_array(const autodiff::shape& s,
                                                                       const Range& indices)
      : values_(s) {
    require_length(std::ranges::size(indices), s.size());
    std::ranges::transform(indices, values_.writable(),
                           [](auto index) { return static_cast<std::int64_t>(index); });
  }

  /// For makers of indices.
  explicit index_array(array<std::int64_t> values) : values_(std::move(values)) {}

  const autodiff::shape& shape() const noexcept { return values_.shape(); }
  std::size_t rank() const noexcept { return shape().rank(); }
  std::size_t size() const noexcept { return values_.size(); }
  std::span<const std::int64_t> values() const { return values_.values(); }

  /// The row-major position of the first index that is negative or not below `bound`.
  std::optional<std::size_t> first_outside(std::size_t bound) const;
  /// "-1 at position 3", "-1 at position (1, 0)": what an error says about the index there.
  std::string describe(std::size_t position) const;

 private:
  static void require_length(std::size_t length, std::size_t expected);

  array<std::int64_t> values_;
};

}  // namespace autodiff
