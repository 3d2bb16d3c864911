#pragma once
// The operations of a tape: objects of many types, each with a sweep of its own, one after the
// other in memory that is reserved, so that recording one allocates nothing.

#include <autodiff/misuse.hpp>
#include <autodiff/sweep.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

namespace autodiff {

/// A stack of operations; owns them.
template <class T>
class operation_stack {
 public:
  operation_stack(std::span<operation<T>*> all, std::span<std::byte> states) noexcept
      : all_(all), states_(states) {}
  ~operation_stack() { cut(0, 0); }
  operation_stack(const operation_stack&) = delete;
  operation_stack& operator=(const operation_stack&) = delete;

  /// Makes one on top. Throws memory_error when it does not fit.
  template <class Operation, class... Arguments>
  Operation& add(std::uint32_t places, Arguments&&... arguments) {
    static_assert(alignof(Operation) <= alignment);
    constexpr std::size_t bytes = (sizeof(Operation) + alignment - 1) / alignment * alignment;
    if (state_bytes_ + bytes > states_.size()) {
      tape_errors::out_of_memory(state_bytes_ + bytes, states_.size());
    }
    if (size_ == all_.size()) {
      tape_errors::out_of_memory(all_.size_bytes() + sizeof(operation<T>*), all_.size_bytes());
    }
    auto* made =
        new (states_.data() + state_bytes_) Operation(std::forward<Arguments>(arguments)...);
    made->places = places;
    made->serial = ++serial_;
    state_bytes_ += bytes;
    all_[size_++] = made;
    return *made;
  }

  /// Destroys all but the oldest `size`, whose states took so many bytes; the youngest goes first.
  void cut(std::size_t size, std::size_t state_bytes) noexcept {
    while (size_ > size) all_[--size_]->~operation<T>();
    state_bytes_ = state_bytes;
  }

  std::size_t size() const noexcept { return size_; }
  std::size_t state_bytes() const noexcept { return state_bytes_; }
  /// Of their states and of the list of them.
  std::size_t bytes() const noexcept { return state_bytes_ + size_ * sizeof(operation<T>*); }
  /// Serial number of the youngest that was ever made.
  std::uint32_t serial() const noexcept { return serial_; }
  /// Whether there is such an operation, and not another in the place of one that was destroyed.
  bool holds(std::size_t index, std::uint32_t serial) const noexcept {
    return index < size_ && all_[index]->serial == serial;
  }
  operation<T>& operator[](std::size_t index) const noexcept { return *all_[index]; }
  operation<T>* const* data() const noexcept { return all_.data(); }

 private:
  static constexpr std::size_t alignment = 16;

  std::span<operation<T>*> all_;
  std::span<std::byte> states_;
  std::size_t size_ = 0, state_bytes_ = 0;
  std::uint32_t serial_ = 0;
};

}  // namespace autodiff
