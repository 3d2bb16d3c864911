#pragma once
// The lines of a tensor along some of its axes, one after the other: what a reduction folds and a
// normalisation maps. Whatever the axes are, a line is handed out as contiguous values, so that an
// operation is written once, for a line. Lines that lie so in memory are visited in place; others
// are gathered side by side, as many as share a cache line, and results scattered back.

#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/axes.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/shape.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace autodiff {

class line_walk {
 public:
  /// Lines of `whole` along the axes `along` (all when empty), numbered as the elements of the
  /// reduced shape. Throws shape_error, naming `operation`, for an axis that does not exist or
  /// stands there twice.
  line_walk(const shape& whole, const axes& along, std::string_view operation);

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
    array<T> scratch(shape{side_by_side * length_});
    T* rows = scratch.writable();
    for_each_group([&](std::size_t at, std::size_t first, std::size_t count) {
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
    const std::size_t room = side_by_side * length_;
    array<T> scratch(shape{(inputs + 1) * room});
    T* const buffer = scratch.writable();
    std::array<const T*, inputs> rows;
    for (std::size_t i = 0; i < inputs; ++i) rows[i] = buffer + (i + 1) * room;
    for_each_group([&](std::size_t at, std::size_t first, std::size_t count) {
      for (std::size_t i = 0; i < inputs; ++i) gather(in[i] + at, count, buffer + (i + 1) * room);
      visit(first, count, rows, buffer, store::write);
      scatter(buffer, count, out + at, how);
    });
  }

 private:
  // A cache line of float.
  static constexpr std::size_t side_by_side = 16;

  struct dimensions {
    std::array<std::size_t, most_dimensions> extents{}, strides{};
    std::size_t rank = 0;

    /// Calls visit(offset) for every index, the last dimension fastest.
    template <class Visit>
    void for_each(Visit&& visit) const {
      std::array<std::size_t, most_dimensions> at{};
      for (std::size_t offset = 0;;) {
        visit(offset);
        std::size_t d = rank;
        for (; d > 0; --d) {
          offset += strides[d - 1];
          if (++at[d - 1] < extents[d - 1]) break;
          offset -= strides[d - 1] * extents[d - 1];
          at[d - 1] = 0;
        }
        if (d == 0) return;
      }
    }
  };

  /// Calls visit(offset, first line, number of lines): lines that start side by side.
  template <class Visit>
  void for_each_group(Visit&& visit) const {
    std::size_t line = 0;
    across_.for_each([&](std::size_t offset) {
      for (std::size_t c = 0; c < neighbours_; c += side_by_side) {
        const std::size_t count = std::min(side_by_side, neighbours_ - c);
        visit(offset + c, line, count);
        line += count;
      }
    });
  }

  /// Calls visit(offset, in, count) for each piece of a line: its offset in the tensor and in the
  /// line, and how many elements are contiguous in both.
  template <class Visit>
  void for_each_piece(Visit&& visit) const {
    std::size_t in = 0;
    along_.for_each([&](std::size_t offset) {
      visit(offset, in);
      in += piece_;
    });
  }

  template <class T>
  void gather(const T* x, std::size_t count, T* rows) const {
    for_each_piece([&](std::size_t offset, std::size_t in) {
      const T* from = x + offset;
      if (piece_ > 1) {
        std::copy_n(from, piece_, rows + in);
      } else {
        for (std::size_t l = 0; l < count; ++l) rows[l * length_ + in] = from[l];
      }
    });
  }

  template <class T>
  void scatter(const T* rows, std::size_t count, T* out, store how) const {
    for_each_piece([&](std::size_t offset, std::size_t in) {
      const std::size_t n = piece_ > 1 ? piece_ : count, step = piece_ > 1 ? 1 : length_;
      const T* from = rows + in;
      T* to = out + offset;
      for (std::size_t i = 0; i < n; ++i)
        to[i] = how == store::write ? from[i * step] : T(to[i] + from[i * step]);
    });
  }

  std::size_t lines_ = 1, length_ = 1;
  bool in_place_ = true;
  // Either lines start side by side, or pieces of a line are contiguous.
  std::size_t neighbours_ = 1, piece_ = 1;
  dimensions across_, along_;
};

}  // namespace autodiff
