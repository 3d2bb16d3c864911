#pragma once
// One input of a program in the order of its result, block by block: its values, and the place for
// shares in its adjoint. An input that is smaller than the result is laid out in a buffer, unless
// a block of it lies in one piece, and once for all blocks where they are alike.

#include <autodiff/tensor/repetition.hpp>
#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace autodiff {

template <class T>
class input_stream {
 public:
  /// An input with these values and this shape, broadcast to `whole`.
  input_stream(const T* values, const shape& own, const shape& whole) : from_(values) {
    if (own.size() == whole.size()) return;
    reading_.emplace(whole, own);
    adding_ = reading_;
  }

  /// Whether it has an element for each of the result, in the same order.
  bool is_whole() const noexcept { return !reading_; }
  /// See repetition; of an input that is not whole.
  std::size_t period() const noexcept { return reading_->period(); }
  /// Says how long blocks are, before the first of them.
  void choose_block(std::size_t block) noexcept {
    block_ = block;
    is_steady_ = !is_whole() && period() != 0 && block % period() == 0;
  }
  void open_adjoint(const input_adjoint<T>& adjoint);

  /// Where values and adjoint lie, of a whole input; null without an adjoint.
  const T* from() const noexcept { return from_; }
  const T* into() const noexcept { return into_; }

  /// The n values of the block that begins at element `start` of the result.
  const T* read(std::size_t start, std::size_t n, T* buffer);

  struct share_place {
    T* share;
    store first;  // what the first share does there
  };
  share_place open_share(std::size_t start, std::size_t n, T* buffer);
  /// Adds a buffer of shares to the adjoint; is_last: no block follows.
  void close_share(std::size_t n, bool is_last, const T* share);

 private:
  const T* from_;
  T* into_ = nullptr;
  store first_ = store::write;
  std::optional<repetition> reading_, adding_;  // where it is smaller than the result
  std::size_t block_ = 0;
  bool is_steady_ = false;           // the same in each block
  const T* block_values_ = nullptr;  // of the block that was read last
};

}  // namespace autodiff
