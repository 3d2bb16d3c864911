#pragma once
// A chain of elementwise operations as data: rows of ops.def applied to the inputs, to constants
// and to earlier results. It runs block by block: every instruction passes by its vector loop over
// a piece that stays in the first-level cache, so memory sees the inputs and the result once,
// whatever the length of the chain. The pullback goes over the same blocks: it computes again, from
// the inputs, the values that slopes need, and takes the instructions backwards with adjoints that
// are no larger than a block.

#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace autodiff {

/// One value of a program: the result of a row on earlier values, or an input or a constant.
template <class T>
struct instruction {
  static constexpr std::size_t most_operands = 2;

  const unary_loops<T>* unary = nullptr;    // one of these,
  const binary_loops<T>* binary = nullptr;  // or none
  std::array<std::uint32_t, most_operands> operands{};
  std::uint32_t arity = 0;
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
  /// Declares the result. One that no row computes becomes one times itself.
  void finish(index result);

  /// The result for inputs broadcast to one shape. Throws shape_error with the shapes that do not
  /// fit.
  array<T> evaluate(std::span<const array<T>> inputs) const;
  /// Drops the values of inputs that pull() does not read; shapes stay. active[k]: input k has an
  /// adjoint.
  void drop_unread(std::span<array<T>> inputs, std::span<const bool> active) const;
  /// Adds to the adjoint of each active input its vector-Jacobian product with dy.
  void pull(const array<T>& dy, std::span<const array<T>> inputs, std::span<const bool> active,
            std::span<const input_adjoint<T>> adjoints) const;

  index inputs() const noexcept { return inputs_; }
  index result() const noexcept { return result_; }
  /// All values: inputs, constants and results of rows.
  index size() const noexcept { return size_; }
  const instruction<T>& operator[](std::size_t at) const noexcept { return code_.data()[at]; }

 private:
  index append(const instruction<T>& next);

  array<instruction<T>> code_;
  index inputs_, size_, result_ = 0;
};

}  // namespace autodiff
