#include <autodiff/memory.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace autodiff {
namespace {

constexpr std::size_t gibibyte = std::size_t{1} << 30;
constexpr std::size_t smallest_region = std::size_t{64} << 20;
// A pooled region keeps its pages up to this size: enough for a warm tape of millions of
// operations.
constexpr std::size_t kept_bytes = std::size_t{256} << 20;

struct region {
  std::byte* data;
  std::size_t size;
};

class region_pool {
 public:
  ~region_pool() {
    for (const region& r : free_) munmap(r.data, r.size);
    alive = false;
  }
  region take() {
    if (!free_.empty()) {
      const region r = free_.back();
      free_.pop_back();
      return r;
    }
    return reserve();
  }
  void give_back(region r) noexcept {
    try {
      free_.push_back(r);
    } catch (...) {
      munmap(r.data, r.size);
    }
  }

  // A static tape outlives the pool of the main thread; its region then goes straight back.
  static inline constinit thread_local bool alive = true;

  static region reserve() {
    // Three times the memory: arguments, adjoints and operations may each grow towards the limit.
    std::size_t size = std::max(3 * physical_memory(), 8 * gibibyte);
    size = (size + gibibyte - 1) / gibibyte * gibibyte;
    for (; size >= smallest_region; size /= 2) {
      void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (data != MAP_FAILED) {
        madvise(data, size, MADV_HUGEPAGE);
        return {static_cast<std::byte*>(data), size};
      }
    }
    throw memory_error("tape",
                       fmt::format("the system grants no {} MiB of address space ({})",
                                   smallest_region >> 20, std::strerror(errno)),
                       "raise the process limit on virtual memory (ulimit -v)");
  }

 private:
  std::vector<region> free_;
};

region_pool& pool() {
  thread_local region_pool regions;
  return regions;
}

}  // namespace

reserved_memory::reserved_memory() {
  const region r = region_pool::alive ? pool().take() : region_pool::reserve();
  data_ = r.data;
  size_ = r.size;
}

reserved_memory::~reserved_memory() {
  if (!region_pool::alive) {
    munmap(data_, size_);
    return;
  }
  if (touched_ > kept_bytes) madvise(data_, size_, MADV_DONTNEED);
  pool().give_back({data_, size_});
}

std::size_t physical_memory() noexcept {
  static const std::size_t bytes = [] {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(page)
                                 : gibibyte;
  }();
  return bytes;
}

}  // namespace autodiff
