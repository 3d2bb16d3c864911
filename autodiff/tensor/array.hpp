#pragma once
// Values of a tensor without derivatives: a shape over shared, pooled, aligned storage. Copies
// share the storage; writing to a shared one copies it first, so arrays behave as values.

#include <autodiff/tensor/shape.hpp>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace autodiff {

/// A block of the pool: 64 bytes of head, then the data.
struct alignas(64) storage_block {
  std::atomic<std::size_t> references{1};
  std::size_t size_class = 0;
  storage_block* next = nullptr;
  const void* pool = nullptr;  // of the thread that took it

  void* data() noexcept { return this + 1; }
};

/// Takes a block for `bytes` of data, 64-byte aligned, from this thread's pool or the system.
/// Throws memory_error. Sizes are rounded up to one of four steps per power of two.
storage_block* take_block(std::size_t bytes);
/// Gives a block back: to this thread's pool when it was taken from it, else to the system, so that
/// what one thread makes and another drops does not pile up there.
void give_block(storage_block* block) noexcept;
/// One owner less. The last one needs no locked instruction.
inline void release(storage_block* block) noexcept {
  if (block->references.load(std::memory_order_acquire) == 1 ||
      block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    give_block(block);
  }
}
/// Returns the pooled, unused memory of this thread to the system.
void trim_memory() noexcept;

/// A share of a block: what a pullback keeps of an operand whose shape it does not need.
template <class T>
class storage {
 public:
  storage() = default;
  explicit storage(storage_block* block) noexcept : block_(block) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  storage(const storage& other) noexcept : storage(other.block_) {}
  storage(storage&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  storage& operator=(storage other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~storage() {
    if (block_) release(block_);
  }
  const T* data() const noexcept {
    return block_ ? static_cast<const T*>(block_->data()) : nullptr;
  }

 private:
  storage_block* block_ = nullptr;
};

template <class T>
class array {
  static_assert(std::is_trivially_copyable_v<T>, "arrays hold trivially copyable numbers");

 public:
  using value_type = T;

  /// No storage, shape [0].
  array() noexcept : shape_(autodiff::shape::empty()) {}
  /// Values undefined.
  explicit array(const autodiff::shape& s) : block_(take_block(s.size() * sizeof(T))), shape_(s) {}
  array(const autodiff::shape& s, const T& fill) : array(s) {
    for (T *at = mutable_data(), *end = at + size(); at != end; ++at) new (at) T(fill);
  }
  array(const autodiff::shape& s, std::span<const T> values) : array(s) {
    if (!values.empty())
      std::memcpy(static_cast<void*>(mutable_data()), values.data(), size() * sizeof(T));
  }
  array(const array& other) noexcept : block_(other.block_), shape_(other.shape_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  array(array&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        shape_(std::exchange(other.shape_, autodiff::shape::empty())) {}
  array& operator=(const array& other) noexcept {
    if (this != &other) *this = array(other);
    return *this;
  }
  array& operator=(array&& other) noexcept {
    if (this != &other) {
      reset();
      block_ = std::exchange(other.block_, nullptr);
      shape_ = std::exchange(other.shape_, autodiff::shape::empty());
    }
    return *this;
  }
  ~array() { reset(); }

  bool has_storage() const noexcept { return block_ != nullptr; }
  /// The values alone.
  autodiff::storage<T> share() const noexcept { return autodiff::storage<T>(block_); }
  const autodiff::shape& shape() const noexcept { return shape_; }
  std::size_t size() const noexcept { return block_ ? shape_.size() : 0; }
  const T* data() const noexcept {
    return block_ ? static_cast<const T*>(block_->data()) : nullptr;
  }
  std::span<const T> values() const noexcept { return {data(), size()}; }

  /// Writable values; a shared storage is copied first.
  T* writable() {
    if (block_ && block_->references.load(std::memory_order_acquire) != 1) {
      *this = array(shape_, values());
    }
    return mutable_data();
  }
  /// The same values under another shape of the same size; shares the storage.
  array reshaped(const autodiff::shape& s) const {
    array view(*this);
    view.shape_ = s;
    return view;
  }
  void reset() noexcept {
    if (block_) release(block_);
    block_ = nullptr;
  }

 private:
  T* mutable_data() noexcept { return block_ ? static_cast<T*>(block_->data()) : nullptr; }

  storage_block* block_ = nullptr;
  autodiff::shape shape_;
};

}  // namespace autodiff
