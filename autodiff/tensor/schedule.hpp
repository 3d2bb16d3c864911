#pragma once
// What a run of a program computes and where: which values and adjoints are needed, in which block
// buffers they lie, and which share of an adjoint is the first. A buffer is taken again once its
// content has been used, so that few of them stay in the first-level cache.

#include <autodiff/tensor/program.hpp>
#include <autodiff/tensor/scratch.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace autodiff {

/// Numbers of block buffers. Those given back are taken again first.
class slot_list {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  explicit slot_list(std::size_t most) : free_(most) {}
  std::uint32_t take() { return free_count_ > 0 ? free_.data()[--free_count_] : count_++; }
  void give(std::uint32_t slot) {
    if (slot != none) free_.data()[free_count_++] = slot;
  }
  /// All that were ever taken.
  std::size_t count() const noexcept { return count_; }

 private:
  scratch<std::uint32_t, 64> free_;
  std::size_t free_count_ = 0;
  std::uint32_t count_ = 0;
};

/// What a schedule says about one value of a program.
template <class T>
struct scheduled {
  static constexpr std::size_t most_operands = instruction<T>::most_operands;

  bool is_active = false;  // it depends on an input with an adjoint
  bool is_read = false;    // by a slope
  bool is_needed = false;  // its value is computed: for a slope, or for a value that is
  bool has_shares = false;
  // Of the share in the adjoint of each operand: whether it is the first one there, and whether the
  // operand takes this adjoint over as it is.
  std::array<bool, most_operands> is_first{}, is_lent{};
  std::uint32_t readers = 0;  // of its value, still to come
  std::uint32_t value_slot = slot_list::none, adjoint_slot = slot_list::none;
};

template <class T>
class schedule {
 public:
  using index = typename program<T>::index;

  /// Of a forward run: all that the result depends on is needed.
  explicit schedule(const program<T>& p);
  /// Of a pullback to the inputs that are active: what their slopes need.
  schedule(const program<T>& p, std::span<const bool> active);

  scheduled<T>& operator[](index value) { return values_[value]; }
  const scheduled<T>& operator[](index value) const { return values_[value]; }
  bool is_input(const scheduled<T>& value) const { return &value < values_ + p_.inputs(); }
  /// How many rows a run passes, computing values or pulling adjoints.
  std::size_t passes() const noexcept { return passes_; }

  /// Gives slots to values and adjoints of rows; inputs have theirs already. The result of a
  /// forward run has none, nor has the adjoint that a pullback starts from: they are in memory.
  void place_values(slot_list& slots);
  void place_adjoints(slot_list& slots);

  /// visit(operand, its position)
  template <class Visitor>
  void for_each_operand(index row, Visitor&& visit) {
    for (std::size_t o = 0; o < p_[row].arity; ++o) visit(values_[p_[row].operands[o]], o);
  }
  /// visit(index, row)
  template <class Visitor>
  void for_each_row(Visitor&& visit) {
    for (index i = p_.inputs(); i <= p_.result(); ++i) {
      if (p_[i].is_row()) visit(i, values_[i]);
    }
  }
  template <class Visitor>
  void for_each_row_backwards(Visitor&& visit) {
    for (index i = p_.result() + 1; i-- > p_.inputs();) {
      if (p_[i].is_row()) visit(i, values_[i]);
    }
  }

 private:
  const program<T>& p_;
  scratch<scheduled<T>, 24> memory_;
  scheduled<T>* values_;
  std::size_t passes_ = 0;
};

}  // namespace autodiff
