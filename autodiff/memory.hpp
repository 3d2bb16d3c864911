#pragma once
// Address space for a tape. A tape reserves far more than it will need and the system commits pages
// as they are first written, so recording never moves what was recorded and never checks chunks.
// Regions go back to a pool of the thread: a tape in a loop costs no system call.

#include <algorithm>
#include <cstddef>

namespace autodiff {

/// A reserved region, page aligned, contents undefined. Move only.
class reserved_memory {
 public:
  /// Takes a region from this thread's pool, or reserves one of region_size() bytes.
  /// Throws memory_error when the system grants no address space.
  reserved_memory();
  ~reserved_memory();
  reserved_memory(const reserved_memory&) = delete;
  reserved_memory& operator=(const reserved_memory&) = delete;

  std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

  /// Tells how much was written, so that a large region gives its pages back on destruction.
  void touched(std::size_t bytes) noexcept { touched_ = std::max(touched_, bytes); }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t touched_ = 0;
};

/// Bytes of memory in this machine; the default limit of a tape is three quarters of it.
std::size_t physical_memory() noexcept;

}  // namespace autodiff
