#pragma once
// Values of a tensor without derivatives: a shape over shared, pooled, aligned storage. Copies
// share the storage; writing to a shared one copies it first, so arrays behave as values.

#include <autodiff/tensor/pool.hpp>
#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/strides.hpp>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace autodiff {

/// Where the elements of a strided array lie, in a block of its own that the copies of the array
/// share, with their row-major copy once somebody asked for it.
struct strided_layout {
  stride_list strides;
  std::atomic<storage_block*> packed{nullptr};
};

storage_block* make_layout(const stride_list& strides);
void release_layout(storage_block* layout) noexcept;
/// The row-major copy of the elements from `first` on, made at the first call. Any thread may ask.
storage_block* packed_block(storage_block* layout, const shape& s, std::size_t element_size,
                            const void* first);

/// A share of a block: what a pullback keeps of an operand whose shape it does not need.
template <class T>
class storage {
 public:
  storage() = default;
  storage(storage_block* block, const T* data) noexcept : block_(block), data_(data) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  /// One that comes with its count.
  static storage adopted(storage_block* block, const T* data) noexcept {
    storage s;
    s.block_ = block;
    s.data_ = data;
    return s;
  }
  storage(const storage& other) noexcept : storage(other.block_, other.data_) {}
  storage(storage&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), data_(std::exchange(other.data_, nullptr)) {}
  storage& operator=(storage other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~storage() {
    if (block_) release(block_);
  }
  const T* data() const noexcept { return data_; }

 private:
  storage_block* block_ = nullptr;
  const T* data_ = nullptr;
};

/// Row-major values, or a strided view of them: the same storage read in another order or in part.
/// data() and values() are row-major for both; a strided array packs itself when first asked.
template <class T>
class array {
  static_assert(std::is_trivially_copyable_v<T>, "arrays hold trivially copyable numbers");

 public:
  using value_type = T;

  /// No storage, shape [0].
  array() noexcept : shape_(autodiff::shape::empty()) {}
  /// Values undefined.
  explicit array(const autodiff::shape& s)
      : block_(take_block(s.size() * sizeof(T))),
        first_(static_cast<T*>(block_->data())),
        shape_(s) {}
  /// This shape, and no storage before allocate().
  static array unallocated(const autodiff::shape& s) noexcept {
    return array(nullptr, nullptr, s, nullptr);
  }
  array(const autodiff::shape& s, const T& fill) : array(s) {
    for (T *at = first_, *end = at + size(); at != end; ++at) new (at) T(fill);
  }
  array(const autodiff::shape& s, std::span<const T> values) : array(s) {
    if (!values.empty()) std::memcpy(static_cast<void*>(first_), values.data(), size() * sizeof(T));
  }
  array(const array& other) noexcept
      : block_(other.block_), first_(other.first_), shape_(other.shape_), layout_(other.layout_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
    if (layout_) [[unlikely]]
      layout_->references.fetch_add(1, std::memory_order_relaxed);
  }
  array(array&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        first_(std::exchange(other.first_, nullptr)),
        shape_(other.shape_),
        layout_(std::exchange(other.layout_, nullptr)) {
    other.shape_.clear();
  }
  array& operator=(const array& other) noexcept {
    if (this != &other) *this = array(other);
    return *this;
  }
  array& operator=(array&& other) noexcept {
    if (this != &other) {
      reset();
      block_ = std::exchange(other.block_, nullptr);
      layout_ = std::exchange(other.layout_, nullptr);
      first_ = std::exchange(other.first_, nullptr);
      shape_ = other.shape_;
      other.shape_.clear();
    }
    return *this;
  }
  ~array() { reset(); }

  /// Whether it has values: not before allocate().
  bool has_storage() const noexcept { return first_ != nullptr; }
  const autodiff::shape& shape() const noexcept { return shape_; }
  std::size_t size() const noexcept { return first_ ? shape_.size() : 0; }
  /// Row-major values; null without storage. A strided array packs itself once for all its copies,
  /// and may then throw memory_error.
  const T* data() const {
    if (layout_) [[unlikely]]
      return static_cast<const T*>(packed()->data());
    return first_;
  }
  std::span<const T> values() const { return {data(), size()}; }
  /// The values alone, row-major.
  autodiff::storage<T> share() const& {
    if (layout_) [[unlikely]]
      return contiguous().share();
    return {block_, first_};
  }
  autodiff::storage<T> share() && {
    if (layout_) [[unlikely]]
      return contiguous().share();
    return autodiff::storage<T>::adopted(std::exchange(block_, nullptr),
                                         std::exchange(first_, nullptr));
  }

  /// Whether the elements lie row by row without gaps, so that data() is first().
  bool is_contiguous() const noexcept { return layout_ == nullptr; }
  /// For loops that take strides: the element of index 0, ..., 0, what to add to the address for
  /// the next one along each axis, and what keeps both alive.
  const T* first() const noexcept { return first_; }
  stride_list strides() const noexcept {
    return layout_ ? static_cast<const strided_layout*>(layout_->data())->strides
                   : row_major_strides(shape_);
  }
  autodiff::storage<T> share_as_laid() const noexcept { return {block_, first_}; }
  /// Whether a strided array has been packed.
  bool is_packed() const noexcept {
    return layout_ && static_cast<const strided_layout*>(layout_->data())->packed.load();
  }

  /// Storage for a shape that has none. Values undefined.
  T* allocate() {
    if (!block_) block_ = take_block(shape_.size() * sizeof(T));
    return first_ = static_cast<T*>(block_->data());
  }
  /// Makes it unallocated(s). What allocate() would take from the pool in a moment, it keeps; large
  /// storage serves others until then.
  void deallocate(const autodiff::shape& s) noexcept {
    if (shape_.size() == s.size() && is_small_and_own()) {
      first_ = nullptr;
      shape_ = s;
    } else {
      *this = unallocated(s);
    }
  }
  /// The storage under the same shape; here the shape stays, without storage.
  array take_storage() noexcept {
    return array(std::exchange(block_, nullptr), std::exchange(first_, nullptr), shape_,
                 std::exchange(layout_, nullptr));
  }
  /// Writable values. What other arrays share, or see in another order, is copied first.
  T* writable() {
    if (layout_ || (block_ && block_->references.load(std::memory_order_acquire) != 1)) [[unlikely]]
      take_own_copy();
    return first_;
  }
  /// An array whose element (i, j, ...) is the one at offset + i * strides[0] + j * strides[1] +
  /// ... from first(). Shares the storage. All of them must lie inside this array.
  array viewed(const autodiff::shape& s, std::ptrdiff_t offset, const stride_list& strides) const {
    array view;
    if (!is_row_major(s, strides)) view.layout_ = make_layout(strides);
    view.block_ = block_;
    view.first_ = s.size() == 0 ? first_ : first_ + offset;
    view.shape_ = s;
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
    return view;
  }
  /// The same values, row by row, under another shape of the same size. Shares the storage, or that
  /// of the packed copy where no strides give this shape.
  array reshaped(const autodiff::shape& s) const {
    if (layout_) {
      if (const auto strides = reshaped_strides(shape_, this->strides(), s))
        return viewed(s, 0, *strides);
    }
    array same = contiguous();
    same.shape_ = s;
    return same;
  }
  /// The same values row by row.
  array contiguous() const {
    if (!layout_) return *this;
    array same;
    same.first_ = static_cast<T*>(packed()->data());
    same.block_ = packed();
    same.shape_ = shape_;
    same.block_->references.fetch_add(1, std::memory_order_relaxed);
    return same;
  }
  void reset() noexcept {
    if (block_) release(block_);
    if (layout_) [[unlikely]]
      release_layout(layout_);
    block_ = layout_ = nullptr;
    first_ = nullptr;
  }

 private:
  array(storage_block* block, T* first, const autodiff::shape& s, storage_block* layout) noexcept
      : block_(block), first_(first), shape_(s), layout_(layout) {}

  bool is_small_and_own() const noexcept {
    return block_ && !layout_ && block_->references.load(std::memory_order_acquire) == 1 &&
           shape_.size() * sizeof(T) <= block_pool::most_small_bytes;
  }
  // Out of line, so that what is inlined everywhere stays small.
  [[gnu::noinline]] void take_own_copy() {
    array own(shape_);
    if (size() > 0) pack(shape_, strides(), sizeof(T), first_, own.first_);
    *this = std::move(own);
  }
  [[gnu::noinline]] storage_block* packed() const {
    return packed_block(layout_, shape_, sizeof(T), first_);
  }

  // In this order a tiny operation costs a tenth less than with the pointers side by side.
  storage_block* block_ = nullptr;
  T* first_ = nullptr;
  autodiff::shape shape_;
  storage_block* layout_ = nullptr;  // of a strided array
};

}  // namespace autodiff
