#pragma once
// Where tensors keep their numbers: aligned blocks with a count of their owners. Each thread keeps
// the blocks that it does not use, so that a loop which makes the same tensors again and again asks
// the system for nothing.

#include <array>
#include <atomic>
#include <cstddef>

namespace autodiff {

class block_pool;

/// A block of the pool: 64 bytes of head, then the data.
struct alignas(64) storage_block {
  std::atomic<std::size_t> references{1};
  std::size_t size_class = 0;
  storage_block* next = nullptr;
  const block_pool* pool = nullptr;  // of the thread that took it

  void* data() noexcept { return this + 1; }
};

/// The unused blocks of a thread. Needs no construction, so that reaching it costs nothing.
class block_pool {
 public:
  /// Up to so many bytes there is a class for each 64; beyond, four for each power of two.
  static constexpr std::size_t most_small_bytes = 512;
  static constexpr std::size_t class_count = 4 * 64;

  /// Null where there is none.
  storage_block* take(std::size_t size_class) noexcept {
    storage_block* const block = free_[size_class];
    if (block) {
      free_[size_class] = block->next;
      block->references.store(1, std::memory_order_relaxed);
    }
    return block;
  }
  void give(storage_block* block) noexcept {
    block->next = free_[block->size_class];
    free_[block->size_class] = block;
  }
  void trim() noexcept;

  /// Blocks are given to open pools only: to one whose thread will empty it when it ends. Static
  /// tensors outlive the thread-local objects of the main thread, and free their storage directly.
  enum class state : unsigned char { unused, open, closed } state = state::unused;

 private:
  std::array<storage_block*, class_count> free_{};
};

inline constinit thread_local block_pool own_pool;

/// What the next one does where the pool has nothing to offer, or the block is large.
storage_block* take_block_slowly(std::size_t bytes);
/// Takes a block for `bytes` of data, 64-byte aligned, from this thread's pool or the system.
/// Throws memory_error. Sizes are rounded up: to 64 bytes where they are small, else to one of four
/// steps per power of two.
inline storage_block* take_block(std::size_t bytes) {
  // Of no bytes this is the largest number.
  if (bytes - 1 < block_pool::most_small_bytes) {
    if (storage_block* const block = own_pool.take((bytes - 1) / 64)) return block;
  }
  return take_block_slowly(bytes);
}

// A sanitizer sees a use after free only where blocks are not reused.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool blocks_are_reused = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool blocks_are_reused = false;
#else
inline constexpr bool blocks_are_reused = true;
#endif
#else
inline constexpr bool blocks_are_reused = true;
#endif

void give_block_slowly(storage_block* block) noexcept;
/// Gives a block back: to this thread's pool when it was taken from it, else to the system, so that
/// what one thread makes and another drops does not pile up there.
inline void give_block(storage_block* block) noexcept {
  if (blocks_are_reused && block->pool == &own_pool && own_pool.state == block_pool::state::open)
      [[likely]]
    own_pool.give(block);
  else
    give_block_slowly(block);
}

/// One owner less. The last one needs no locked instruction.
inline void release(storage_block* block) noexcept {
  if (block->references.load(std::memory_order_acquire) == 1 ||
      block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    give_block(block);
  }
}

/// Returns the pooled, unused memory of this thread to the system.
void trim_memory() noexcept;

}  // namespace autodiff
