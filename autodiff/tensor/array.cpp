#include <autodiff/tensor/array.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <new>

namespace autodiff {
namespace {

constexpr std::size_t class_count = 4 * 64;

struct size_step {
  std::size_t index, bytes;
};

// Four steps per power of two: at most a quarter of a block is unused.
size_step round_up(std::size_t bytes) noexcept {
  if (bytes <= 64) return {24, 64};
  const auto power = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;
  const std::size_t quarter = std::max<std::size_t>(std::size_t{1} << power >> 2, 64);
  const std::size_t rounded = (bytes + quarter - 1) & ~(quarter - 1);
  const auto top = static_cast<std::size_t>(std::bit_width(rounded)) - 1;
  return {top * 4 + (top >= 2 ? (rounded >> (top - 2)) - 4 : 0), rounded};
}

/// The unused blocks of this thread. Needs no construction, so that reaching it costs nothing.
class block_pool {
 public:
  storage_block* take(std::size_t size_class) noexcept {
    storage_block* block = free_[size_class];
    if (block) free_[size_class] = block->next;
    return block;
  }
  void give(storage_block* block) noexcept {
    block->next = free_[block->size_class];
    free_[block->size_class] = block;
  }
  void trim() noexcept {
    for (storage_block*& list : free_) {
      while (list) {
        storage_block* block = list;
        list = list->next;
        std::free(block);
      }
    }
  }
  // Static tensors outlive the thread-local objects of the main thread; they then free their
  // storage directly.
  bool closed = false;

 private:
  std::array<storage_block*, class_count> free_{};
};

constinit thread_local block_pool pool;

/// Empties the pool when its thread ends.
struct pool_closing {
  ~pool_closing() {
    pool.trim();
    pool.closed = true;
  }
};

void close_pool_at_exit() {
  thread_local const pool_closing closing;
  static_cast<void>(closing);
}

// A sanitizer sees a use after free only where blocks are not reused.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool pooled = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool pooled = false;
#else
constexpr bool pooled = true;
#endif
#else
constexpr bool pooled = true;
#endif

}  // namespace

storage_block* take_block(std::size_t bytes) {
  const size_step step = round_up(bytes);
  if (storage_block* block = pool.take(step.index)) {
    block->references.store(1, std::memory_order_relaxed);
    return block;
  }
  void* memory = std::aligned_alloc(64, sizeof(storage_block) + step.bytes);
  if (!memory) {
    throw memory_error("tensor", fmt::format("the system grants no {} bytes", step.bytes),
                       "free tensors or rewind the tape earlier");
  }
  close_pool_at_exit();
  auto* block = new (memory) storage_block;
  block->size_class = step.index;
  block->pool = &pool;
  return block;
}

void give_block(storage_block* block) noexcept {
  // Also here: a block may come from a thread that ended and stood at the same address.
  close_pool_at_exit();
  if (pooled && block->pool == &pool && !pool.closed)
    pool.give(block);
  else
    std::free(block);
}

storage_block* make_layout(const stride_list& strides) {
  storage_block* block = take_block(sizeof(strided_layout));
  new (block->data()) strided_layout{strides, nullptr};
  return block;
}

void release_layout(storage_block* block) noexcept {
  if (block->references.load(std::memory_order_acquire) != 1 &&
      block->references.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  if (storage_block* packed = static_cast<strided_layout*>(block->data())->packed.load())
    release(packed);
  give_block(block);
}

storage_block* packed_block(storage_block* layout, const shape& s, std::size_t element_size,
                            const void* first) {
  auto& [strides, packed] = *static_cast<strided_layout*>(layout->data());
  storage_block* there = packed.load(std::memory_order_acquire);
  if (there) return there;
  storage_block* made = take_block(s.size() * element_size);
  pack(s, strides, element_size, first, made->data());
  if (packed.compare_exchange_strong(there, made, std::memory_order_acq_rel)) return made;
  release(made);
  return there;
}

void trim_memory() noexcept { pool.trim(); }

}  // namespace autodiff
