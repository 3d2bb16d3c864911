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
    const std::size_t most = one_by_one_ || runs_along(&dimension::from) ? 1 : side_by_side;
    array<T> scratch(shape{one_by_one_ ? 0 : most * length_});
    T* rows = scratch.writable();
    for_each_group(most,
                   [&](std::ptrdiff_t at, std::ptrdiff_t, std::size_t first, std::size_t count) {
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
    const bool along = runs_along(&dimension::from) && runs_along(&dimension::to);
    const std::size_t most = one_by_one_ || along ? 1 : side_by_side;
    const std::size_t room = one_by_one_ ? 0 : most * length_;
    array<T> scratch(shape{(inputs + 1) * room});
    T* const buffer = scratch.writable();
    std::array<const T*, inputs> rows;
    for_each_group(
        most, [&](std::ptrdiff_t at, std::ptrdiff_t at_out, std::size_t first, std::size_t count) {
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

  /// Calls visit(offset in what is read, in the result, first line, number of lines) for groups of
  /// neighbouring lines, `most` at a time.
  template <class Visit>
  void for_each_group(std::size_t most, Visit&& visit) const {
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

  /// Whether the elements of a line are closer to each other than to those of the next one.
  bool runs_along(std::ptrdiff_t dimension::*side) const noexcept {
    return std::abs(piece_.*side) <= std::abs(neighbours_.*side);
  }
  /// Calls visit(line, i) for each run of elements of `count` neighbouring pieces, in the order in
  /// which they lie in memory: where it begins.
  template <class Visit>
  void for_each_run(bool along, std::size_t count, Visit&& visit) const {
    if (along) {
      for (std::size_t line = 0; line < count; ++line) visit(line, std::size_t{0});
    } else {
      for (std::size_t i = 0; i < piece_.extent; ++i) visit(std::size_t{0}, i);
    }
  }
  static std::ptrdiff_t steps(std::size_t count, std::ptrdiff_t stride) noexcept {
    return static_cast<std::ptrdiff_t>(count) * stride;
  }

  template <class T>
  void gather(const T* x, std::size_t count, T* rows) const {
    const bool along = runs_along(&dimension::from);
    const std::ptrdiff_t step = along ? piece_.from : neighbours_.from;
    const std::size_t n = along ? piece_.extent : count, row_step = along ? 1 : length_;
    std::size_t start = 0;
    along_.for_each([&](std::ptrdiff_t at, std::ptrdiff_t) {
      for_each_run(along, count, [&](std::size_t line, std::size_t i) {
        const T* from = x + at + steps(line, neighbours_.from) + steps(i, piece_.from);
        T* to = rows + line * length_ + start + i;
        if (step == 1 && along) {
          std::copy_n(from, n, to);
        } else if (step == 1) {
          for (std::size_t l = 0; l < n; ++l) to[l * row_step] = from[l];
        } else {
          for (std::size_t l = 0; l < n; ++l) to[l * row_step] = from[steps(l, step)];
        }
      });
      start += piece_.extent;
    });
  }

  template <class T>
  void scatter(const T* rows, std::size_t count, T* out, store how) const {
    const bool along = runs_along(&dimension::to);
    const std::ptrdiff_t step = along ? piece_.to : neighbours_.to;
    const std::size_t n = along ? piece_.extent : count, row_step = along ? 1 : length_;
    std::size_t start = 0;
    along_.for_each([&](std::ptrdiff_t, std::ptrdiff_t at) {
      for_each_run(along, count, [&](std::size_t line, std::size_t i) {
        const T* from = rows + line * length_ + start + i;
        T* to = out + at + steps(line, neighbours_.to) + steps(i, piece_.to);
        for (std::size_t l = 0; l < n; ++l) {
          T& element = to[steps(l, step)];
          element = how == store::write ? from[l * row_step] : T(element + from[l * row_step]);
        }
      });
      start += piece_.extent;
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
