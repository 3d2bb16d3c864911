#pragma once
// A chain of elementwise operations as data: rows of ops.def applied to inputs, to constants and to
// earlier results.

#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace autodiff {

/// What the pullback to one operand of a row reads.
struct slope_reads {
  std::array<bool, 3> operands;
  bool y, is_unit;  // is_unit: the slope is exactly 1
};

/// One value of a program: the result of a row on earlier values, or an input or a constant.
template <class T>
struct instruction {
  static constexpr std::size_t most_operands = 3;

  const unary_loops<T>* unary = nullptr;  // one of these, or none
  const binary_loops<T>* binary = nullptr;
  const ternary_loops<T>* ternary = nullptr;
  std::array<std::uint32_t, most_operands> operands{};
  std::uint32_t arity = 0;
  std::uint32_t uses = 0;  // in a finished program: as operands of rows, and as the result
  std::array<slope_reads, most_operands> reads{};  // by operand
  T constant{};

  bool is_row() const noexcept { return arity > 0; }
};

template <class T>
class program {
 public:
  using index = std::uint32_t;

  /// The inputs are the values 0 to inputs - 1.
  explicit program(std::size_t inputs);

  // Each of these returns the index of the new value.
  index constant(const T& number);
  index apply(const unary_loops<T>& f, index x);
  index apply(const binary_loops<T>& f, index a, index b);
  index apply(const ternary_loops<T>& f, index a, index b, index c);
  /// Declares the result. One that no row computes becomes one times itself. Rows that one of
  /// multiply_add.hpp computes together are joined, and what the result does not depend on, except
  /// inputs, is dropped.
  void finish(index result);

  index inputs() const noexcept { return inputs_; }
  /// Of a finished program: the last value.
  index result() const noexcept { return size_ - 1; }
  /// All values: inputs, constants and results of rows.
  index size() const noexcept { return size_; }
  const instruction<T>& operator[](std::size_t at) const noexcept { return code_.data()[at]; }

 private:
  index append(const instruction<T>& next);
  void count_uses(index result);
  void drop_unused(index result);

  array<instruction<T>> code_;
  index inputs_, size_;
};

}  // namespace autodiff
