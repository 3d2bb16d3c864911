#include <autodiff/tensor/array.hpp>

#include <new>

namespace autodiff {

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

}  // namespace autodiff
