#pragma once
// A tensor on the tape: the place where sweeps gather its adjoint. Pullbacks see those of their
// inputs.

#include <autodiff/dual.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/sum_loops.hpp>

#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace autodiff {

/// The record of a tensor: knows where its adjoint is gathered during a sweep and read afterwards.
template <class T>
class tensor_node : public operation<double> {
 public:
  /// There, which has the shape of the tensor and no storage, and outlives this.
  explicit tensor_node(array<T>& adjoint) noexcept : adjoint_(&adjoint) {}

  struct place_for_share {
    T* data;
    store how;
  };
  /// Where a pullback puts its share: undefined values to write for the first, values to add to
  /// later.
  [[gnu::always_inline]] place_for_share open() {
    if (adjoint_->has_storage()) [[unlikely]]
      return {adjoint_->writable(), store::add};
    return {adjoint_->allocate(), store::write};
  }
  /// Where a pullback adds scattered shares: zeros for the first.
  T* open_zeroed();
  /// The one or the other, by whether each element gets one share.
  place_for_share open(bool each_once) {
    if (each_once) return open();
    return {open_zeroed(), store::add};
  }
  /// Adds a share. The first is adopted without a copy.
  void add(const array<T>& share);

  const autodiff::shape& shape() const noexcept { return adjoint_->shape(); }
  /// Without storage where nothing was added.
  const array<T>& adjoint() const noexcept { return *adjoint_; }
  /// Whether the adjoint was computed by the last sweep and not kept.
  bool is_released() const noexcept { return released_; }
  void clear() noexcept override {
    adjoint_->reset();
    released_ = false;
  }
  void sweep(tape&, std::uint32_t) override {}
  void keep() noexcept { kept_ = true; }
  /// Sets the adjoint aside, or puts it back, in exchange for another of the same shape.
  void exchange_adjoint(array<T>& other) noexcept { std::swap(*adjoint_, other); }

 protected:
  /// Whether the adjoint is to be read after this sweep.
  bool is_kept(const tape& t) const noexcept { return t.kept() != leaves_only || kept_; }
  void release_unless_kept(const tape& t) noexcept {
    if (is_kept(t)) return;
    released_ = true;
    adjoint_->reset();
  }

 private:
  array<T>* adjoint_;  // its shape stays when its storage goes
  bool kept_ = false, released_ = false;
};

/// One that holds the adjoint itself.
template <class T>
class owning_tensor_node : public tensor_node<T> {
 public:
  explicit owning_tensor_node(const autodiff::shape& s)
      : tensor_node<T>(own_), own_(array<T>::unallocated(s)) {}

 protected:
  array<T> own_;
};

/// What a pullback sees of an input: nothing to do when it is passive.
template <class T>
class input_adjoint {
 public:
  explicit input_adjoint(tensor_node<T>* node) : node_(node) {}
  explicit operator bool() const noexcept { return node_ != nullptr; }
  tensor_node<T>* operator->() const noexcept { return node_; }

 private:
  tensor_node<T>* node_;
};

/// One with a pullback, which may change the adjoint where it takes it as array<T>&.
template <class T, class Pullback, class... Inputs>
class recorded_operation final : public owning_tensor_node<T> {
 public:
  /// make_pullback() gives the pullback.
  template <class MakePullback>
  recorded_operation(const autodiff::shape& s, const MakePullback& make_pullback,
                     input_adjoint<Inputs>... inputs)
      : owning_tensor_node<T>(s), pullback_(make_pullback()), inputs_(inputs...) {}
  void sweep(tape& t, std::uint32_t) override {
    if (!this->own_.has_storage()) return;
    if (only_reads || !this->is_kept(t)) {
      pull(this->own_);
    } else {
      array<T> copy = this->own_;
      pull(copy);
    }
    this->release_unless_kept(t);
  }

 private:
  static constexpr bool only_reads =
      std::is_invocable_v<Pullback&, const array<T>&, input_adjoint<Inputs>...>;

  void pull(array<T>& adjoint) {
    std::apply([&](const auto&... inputs) { pullback_(adjoint, inputs...); }, inputs_);
  }

  Pullback pullback_;
  std::tuple<input_adjoint<Inputs>...> inputs_;
};

/// The number types for which tensors and their operations are compiled: the sources of structured
/// operations instantiate their templates with it.
#define AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE) \
  INSTANTIATE(float)                                 \
  INSTANTIATE(double)                                \
  INSTANTIATE(dual<float>)                           \
  INSTANTIATE(dual<double>)

}  // namespace autodiff
