#pragma once
// Memory for the length of a call: on the stack as long as it is little, else from the pool.

#include <autodiff/tensor/array.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>

namespace autodiff {

/// Room for `count` objects, on the stack for up to `few`. Those of the first form are copies of an
/// initial one; those of the second are for the user to make.
template <class X, std::size_t few>
class scratch {
  static_assert(std::is_trivially_destructible_v<X>);

 public:
  scratch(std::size_t count, const X& initial) : scratch(count) {
    std::uninitialized_fill_n(data(), count, initial);
  }
  explicit scratch(std::size_t count)
      : block_(count > few ? take_block(count * sizeof(X)) : nullptr) {}
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    if (block_) release(block_);
  }

  X* data() noexcept { return static_cast<X*>(block_ ? block_->data() : bytes_); }
  const X* data() const noexcept { return static_cast<const X*>(block_ ? block_->data() : bytes_); }

 private:
  storage_block* block_;
  alignas(64) std::byte bytes_[few * sizeof(X)];
};

}  // namespace autodiff
