#pragma once
// The operations of a tape: objects of many types, each with a sweep of its own, one after the
// other in memory that is reserved, so that recording one allocates nothing.

#include <autodiff/misuse.hpp>
#include <autodiff/sweep.hpp>

#include <algorithm>
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
    constexpr std::size_t bytes = state_size<Operation>();
    require_room(1, bytes);
    auto* made =
        new (states_.data() + state_bytes_) Operation(std::forward<Arguments>(arguments)...);
    made->places = places;
    made->serial = ++serial_;
    state_bytes_ += bytes;
    all_[size_++] = made;
    return *made;
  }

  /// Makes at most `count` on top that own nothing and no places: make_all(make) calls
  /// make(arguments...) for each of them, which gives its index and serial number. None is there
  /// when it throws. Returns how many were made. Throws memory_error when they do not fit.
  template <class Operation, class MakeAll>
  std::size_t add_run(std::size_t count, MakeAll&& make_all) {
    constexpr std::size_t bytes = state_size<Operation>();
    require_room(count, bytes);
    std::byte* state = states_.data() + state_bytes_;
    operation<T>** const all = all_.data();
    std::size_t size = size_;
    make_all([&](auto&&... arguments) __attribute__((always_inline)) {
      auto* made = new (state) Operation(std::forward<decltype(arguments)>(arguments)...);
      // Also where this is not to stay, so that none after it has the same.
      made->serial = ++serial_;
      all[size] = made;
      state += bytes;
      return identity{size++, made->serial};
    });
    const std::size_t made = size - size_;
    if (bare_ == size_) bare_ = size;
    size_ = size;
    state_bytes_ += made * bytes;
    return made;
  }

  /// Destroys all but the oldest `size`, whose states took so many bytes; the youngest goes first.
  void cut(std::size_t size, std::size_t state_bytes) noexcept {
    const std::size_t owning = std::max(bare_, size);
    for (std::size_t i = size_; i > owning;) all_[--i]->~operation<T>();
    size_ = size;
    bare_ = std::min(bare_, size);
    state_bytes_ = state_bytes;
  }

  /// How an operation is found again.
  struct identity {
    std::size_t index;
    std::uint32_t serial;
  };

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

  template <class Operation>
  static constexpr std::size_t state_size() noexcept {
    static_assert(alignof(Operation) <= alignment);
    return (sizeof(Operation) + alignment - 1) / alignment * alignment;
  }
  /// Throws memory_error unless `count` more operations of so many bytes fit.
  [[gnu::always_inline]] void require_room(std::size_t count, std::size_t bytes) const {
    if (count * bytes > states_.size() - state_bytes_) [[unlikely]] {
      tape_errors::out_of_memory(state_bytes_ + count * bytes, states_.size());
    }
    if (count > all_.size() - size_) [[unlikely]] {
      tape_errors::out_of_memory(all_.size_bytes() + count * sizeof(operation<T>*),
                                 all_.size_bytes());
    }
  }

  std::span<operation<T>*> all_;
  std::span<std::byte> states_;
  std::size_t size_ = 0, state_bytes_ = 0;
  std::size_t bare_ = 0;  // the oldest, which own nothing: they are dropped without a call
  std::uint32_t serial_ = 0;
};

}  // namespace autodiff
