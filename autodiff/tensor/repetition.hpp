#pragma once
// The elements of an operand in the order in which they meet a larger, broadcast result: a walk
// that can stop and go on anywhere, so that the result can be taken in blocks of any length.

#include <autodiff/tensor/shape.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace autodiff {

class repetition {
 public:
  /// Starts at the first element of `whole`. `own` has to broadcast to it.
  repetition(const shape& whole, const shape& own);

  /// Number of elements of the result after which the operand starts again; 0 if it does not.
  std::size_t period() const noexcept { return period_; }
  /// Whether the next n elements lie side by side in the operand.
  bool is_contiguous(std::size_t n) const noexcept {
    return strides_[last_] == 1 && extents_[last_] - at_[last_] >= n;
  }
  /// Where the next element lies in the operand.
  std::size_t offset() const noexcept { return offset_; }

  /// Passes the next n elements of the result in runs: visit(done, offset, count, stride) is the
  /// run from element `done` of the n, in the operand from `offset` on with stride 1 or 0.
  template <class Visitor>
  void advance(std::size_t n, Visitor&& visit) {
    for (std::size_t done = 0; done < n;) {
      const std::size_t count = std::min(n - done, extents_[last_] - at_[last_]);
      visit(done, offset_, count, strides_[last_]);
      done += count;
      at_[last_] += count;
      offset_ += count * strides_[last_];
      for (std::size_t d = last_; d > 0 && at_[d] == extents_[d]; --d) {
        offset_ += strides_[d - 1] - strides_[d] * extents_[d];
        at_[d] = 0;
        ++at_[d - 1];
      }
    }
  }

 private:
  // Dimensions that the operand passes alike are merged. The last one has stride 1 or 0.
  std::array<std::size_t, most_dimensions> extents_{}, strides_{}, at_{};
  std::size_t last_ = 0, offset_ = 0, period_ = 0;
};

}  // namespace autodiff
