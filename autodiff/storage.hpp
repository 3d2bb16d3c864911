#pragma once
// Where a tape keeps its record and its adjoints: streams that grow side by side in one reserved
// region (memory.hpp). None ever moves, and what is not written costs no memory.

#include <autodiff/memory.hpp>
#include <autodiff/sweep.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

namespace autodiff {

/// The shares of one region. Statements have as much room for partials, arguments, codes and
/// adjoints as for arguments, of which each has one at least; a limit in bytes may be lower.
template <class T>
class record_storage {
 public:
  /// Throws memory_error when no address space is left.
  record_storage();
  record_storage(const record_storage&) = delete;
  record_storage& operator=(const record_storage&) = delete;

  T* partials() const noexcept { return partials_; }
  std::uint32_t* arguments() const noexcept { return arguments_; }
  std::uint8_t* codes() const noexcept { return codes_; }
  T* adjoints() const noexcept { return adjoints_; }
  std::span<operation<T>*> operations() const noexcept { return operations_; }
  std::span<std::byte> states() const noexcept { return states_; }

  /// So many arguments, codes and places there is address space for.
  std::size_t capacity() const noexcept { return capacity_; }
  /// So many arguments the limit allows.
  std::size_t allowed() const noexcept { return std::min(limit_ / bytes_by_argument, capacity_); }
  std::size_t limit() const noexcept { return limit_; }
  void limit(std::size_t bytes) noexcept { limit_ = bytes; }

  /// Commits memory for the arguments from `used` on, as many as these bytes hold in all.
  void reserve(std::size_t used, std::size_t bytes);
  /// Tells how much was written, so that a large region gives its pages back on destruction.
  void touched(std::size_t bytes) noexcept { memory_.touched(bytes); }

  /// A partial and a place.
  static constexpr std::size_t argument_bytes = sizeof(T) + sizeof(std::uint32_t);
  /// A record has at least one argument, so with its code and its adjoint an argument takes at most
  /// this.
  static constexpr std::size_t bytes_by_argument = argument_bytes + 1 + sizeof(T);

 private:
  reserved_memory memory_;
  std::size_t capacity_, limit_;
  T* partials_;
  std::uint32_t* arguments_;
  std::uint8_t* codes_;
  T* adjoints_;
  std::span<operation<T>*> operations_;
  std::span<std::byte> states_;
};

template <class T>
record_storage<T>::record_storage()
    : capacity_(memory_.size() / 4 * 3 / bytes_by_argument / 4096 * 4096),
      limit_(physical_memory() / 4 * 3) {
  // The odd offsets keep streams that advance together from meeting in the same cache sets.
  std::byte* at = memory_.data();
  const auto take = [&at](std::size_t bytes, std::size_t stagger) {
    std::byte* start = at + stagger;
    at += (bytes + stagger + 4095) / 4096 * 4096;
    return start;
  };
  partials_ = reinterpret_cast<T*>(take(capacity_ * sizeof(T), 0));
  arguments_ = reinterpret_cast<std::uint32_t*>(take(capacity_ * sizeof(std::uint32_t), 1088));
  codes_ = reinterpret_cast<std::uint8_t*>(take(capacity_, 2240));
  adjoints_ = reinterpret_cast<T*>(take(capacity_ * sizeof(T), 3392));
  const std::size_t most_operations = memory_.size() / 64 / sizeof(operation<T>*);
  operations_ = {
      reinterpret_cast<operation<T>**>(take(most_operations * sizeof(operation<T>*), 640)),
      most_operations};
  std::byte* const states = take(0, 1792);
  states_ = {states, memory_.data() + memory_.size()};
}

template <class T>
void record_storage<T>::reserve(std::size_t used, std::size_t bytes) {
  for (std::size_t i = used; i < bytes / bytes_by_argument; ++i) {
    new (partials_ + i) T(0);
    arguments_[i] = 0;
  }
  memory_.touched(bytes);
}

}  // namespace autodiff
