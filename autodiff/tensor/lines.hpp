#pragma once
// The lines of a tensor along some of its axes, one after the other: what a reduction folds and a
// normalisation maps. Whatever the axes are, a line is handed out as contiguous values, so that an
// operation is written once, for a line. Lines that lie so in memory are visited in place; others,
// and those of views, are gathered side by side, as many as share a cache line, and results
// scattered back.

#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/axes.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/strides.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace autodiff {

class line_walk {
 public:
  /// Lines of `whole` along the axes `along` (all when empty), numbered as the elements of the
  /// reduced shape. Throws shape_error, naming `operation`, for an axis that does not exist or
  /// stands there twice.
  line_walk(const shape& whole, const axes& along, std::string_view operation)
      : line_walk(whole, row_major_strides(whole), along, operation) {}
  /// The same of a view with these strides. Results are row-major.
  line_walk(const shape& whole, const stride_list& strides, const axes& along,
            std::string_view operation);

  std::size_t lines() const noexcept { return lines_; }
  /// Elements of a line.
  std::size_t length() const noexcept { return length_; }

  /// Calls visit(first, count, rows) with `count` lines from line `first` on, [count, length].
  template <class T, class Visit>
  void read(const T* x, Visit&& visit) const {
    if (in_place_) {
      if (lines_ > 0) visit(std::size_t{0}, lines_, x);
      return;
    }
    array<T> scratch(shape{one_by_one_ ? 0 : side_by_side * length_});
    T* rows = scratch.writable();
    for_each_group([&](std::ptrdiff_t at, std::ptrdiff_t, std::size_t first, std::size_t count) {
      if (one_by_one_) return visit(first, count, x + at);
      gather(x + at, count, rows);
      visit(first, count, static_cast<const T*>(rows));
    });
  }

  /// Calls visit(first, count, rows, out, how) with the same lines of every array of `in` and the
  /// place for those of the result, which are written or added to `out` as `how` says.
  template <class T, std::size_t inputs, class Visit>
  void map(const std::array<const T*, inputs>& in, T* out, store how, Visit&& visit) const {
    if (in_place_) {
      if (lines_ > 0) visit(std::size_t{0}, lines_, in, out, how);
      return;
    }
    const std::size_t room = one_by_one_ ? 0 : side_by_side * length_;
    array<T> scratch(shape{(inputs + 1) * room});
    T* const buffer = scratch.writable();
    std::array<const T*, inputs> rows;
    for_each_group(
        [&](std::ptrdiff_t at, std::ptrdiff_t at_out, std::size_t first, std::size_t count) {
          for (std::size_t i = 0; i < inputs; ++i) {
            T* const gathered = buffer + (i + 1) * room;
            if (!one_by_one_) gather(in[i] + at, count, gathered);
            rows[i] = one_by_one_ ? in[i] + at : gathered;
          }
          if (one_by_one_) return visit(first, count, rows, out + at_out, how);
          visit(first, count, rows, buffer, store::write);
          scatter(buffer, count, out + at_out, how);
        });
  }

 private:
  // A cache line of float.
  static constexpr std::size_t side_by_side = 16;

  /// Axes that are passed as one, and their strides in what is read and in the result.
  struct dimension {
    std::size_t extent = 1;
    std::ptrdiff_t from = 1, to = 1;
  };

  struct dimensions {
    std::array<dimension, most_dimensions> list{};
    std::size_t rank = 0;

    /// Adds one that runs faster than those before it.
    void add(const dimension& d);
    /// Takes the fastest one off.
    dimension split_last() { return rank == 0 ? dimension{} : list[--rank]; }
    /// Calls visit(offset in what is read, in the result) for every index.
    template <class Visit>
    void for_each(Visit&& visit) const {
      std::array<std::size_t, most_dimensions> at{};
      for (std::ptrdiff_t from = 0, to = 0;;) {
        visit(from, to);
        std::size_t d = rank;
        for (; d > 0; --d) {
          const dimension& axis = list[d - 1];
          from += axis.from;
          to += axis.to;
          if (++at[d - 1] < axis.extent) break;
          from -= axis.from * static_cast<std::ptrdiff_t>(axis.extent);
          to -= axis.to * static_cast<std::ptrdiff_t>(axis.extent);
          at[d - 1] = 0;
        }
        if (d == 0) return;
      }
    }
  };

  /// Calls visit(offset in what is read, in the result, first line, number of lines).
  template <class Visit>
  void for_each_group(Visit&& visit) const {
    const std::size_t most = one_by_one_ ? 1 : side_by_side;
    std::size_t line = 0;
    across_.for_each([&](std::ptrdiff_t from, std::ptrdiff_t to) {
      for (std::size_t c = 0; c < neighbours_.extent; c += most) {
        const std::size_t count = std::min(most, neighbours_.extent - c);
        const auto step = static_cast<std::ptrdiff_t>(c);
        visit(from + step * neighbours_.from, to + step * neighbours_.to, line, count);
        line += count;
      }
    });
  }

  /// Calls visit(offset, in) for the elements of `count` neighbouring lines: where they lie, given
  /// the strides by `side`, and where in [count, length]. Close ones follow each other.
  template <class Visit>
  void for_each_element(std::ptrdiff_t dimension::*side, std::size_t count, Visit&& visit) const {
    const std::ptrdiff_t next_line = neighbours_.*side, next = piece_.*side;
    std::size_t start = 0;
    along_.for_each([&](std::ptrdiff_t from, std::ptrdiff_t to) {
      const std::ptrdiff_t offset = side == &dimension::from ? from : to;
      const auto visit_one = [&](std::size_t line, std::size_t i) {
        visit(offset + static_cast<std::ptrdiff_t>(line) * next_line +
                  static_cast<std::ptrdiff_t>(i) * next,
              line * length_ + start + i);
      };
      if (std::abs(next) <= std::abs(next_line)) {
        for (std::size_t line = 0; line < count; ++line) {
          for (std::size_t i = 0; i < piece_.extent; ++i) visit_one(line, i);
        }
      } else {
        for (std::size_t i = 0; i < piece_.extent; ++i) {
          for (std::size_t line = 0; line < count; ++line) visit_one(line, i);
        }
      }
      start += piece_.extent;
    });
  }

  template <class T>
  void gather(const T* x, std::size_t count, T* rows) const {
    for_each_element(&dimension::from, count,
                     [=](std::ptrdiff_t offset, std::size_t in) { rows[in] = x[offset]; });
  }

  template <class T>
  void scatter(const T* rows, std::size_t count, T* out, store how) const {
    for_each_element(&dimension::to, count, [=](std::ptrdiff_t offset, std::size_t in) {
      out[offset] = how == store::write ? rows[in] : T(out[offset] + rows[in]);
    });
  }

  std::size_t lines_ = 1, length_ = 1;
  // All lines follow each other in memory; or each is contiguous.
  bool in_place_ = true, one_by_one_ = false;
  // Across the lines, and along a line but for the fastest dimension of each.
  dimensions across_, along_;
  dimension neighbours_, piece_;
};

}  // namespace autodiff
