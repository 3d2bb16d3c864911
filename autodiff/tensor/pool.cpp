#include <autodiff/tensor/pool.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

namespace autodiff {
namespace {

struct size_step {
  std::size_t index, bytes;
};

// At most a quarter of a large block is unused.
size_step round_up(std::size_t bytes) noexcept {
  if (bytes <= block_pool::most_small_bytes) {
    const std::size_t index = (std::max<std::size_t>(bytes, 1) - 1) / 64;
    return {index, (index + 1) * 64};
  }
  const auto power = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;
  const std::size_t quarter = std::size_t{1} << power >> 2;
  const std::size_t rounded = (bytes + quarter - 1) & ~(quarter - 1);
  const auto top = static_cast<std::size_t>(std::bit_width(rounded)) - 1;
  return {top * 4 + (rounded >> (top - 2)) - 4, rounded};
}

/// Empties the pool when its thread ends.
struct pool_closing {
  pool_closing() { own_pool.state = block_pool::state::open; }
  ~pool_closing() {
    own_pool.trim();
    own_pool.state = block_pool::state::closed;
  }
};

void open_pool() {
  thread_local const pool_closing closing;
  static_cast<void>(closing);
}

}  // namespace

void block_pool::trim() noexcept {
  for (storage_block*& list : free_) {
    while (list) {
      storage_block* block = list;
      list = list->next;
      std::free(block);
    }
  }
}

storage_block* take_block_slowly(std::size_t bytes) {
  const size_step step = round_up(bytes);
  if (storage_block* block = own_pool.take(step.index)) return block;
  void* memory = std::aligned_alloc(64, sizeof(storage_block) + step.bytes);
  if (!memory) {
    throw memory_error("tensor", fmt::format("the system grants no {} bytes", step.bytes),
                       "free tensors or rewind the tape earlier");
  }
  open_pool();
  auto* block = new (memory) storage_block;
  block->size_class = step.index;
  block->pool = &own_pool;
  return block;
}

void give_block_slowly(storage_block* block) noexcept {
  // A block may come from a thread that ended and whose pool stood at the same address.
  open_pool();
  if (blocks_are_reused && block->pool == &own_pool && own_pool.state == block_pool::state::open)
    own_pool.give(block);
  else
    std::free(block);
}

void trim_memory() noexcept { own_pool.trim(); }

}  // namespace autodiff
