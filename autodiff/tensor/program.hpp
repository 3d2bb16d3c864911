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

/// One value of a program: the result of a row on earlier values, or an input or a constant.
template <class T>
struct instruction {
  static constexpr std::size_t most_operands = 3;

  const unary_loops<T>* unary = nullptr;  // one of these, or none
  const binary_loops<T>* binary = nullptr;
  const ternary_loops<T>* ternary = nullptr;
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
  index apply(const ternary_loops<T>& f, index a, index b, index c);
  /// Declares the result. One that no row computes becomes one times itself.
  void finish(index result);

  index inputs() const noexcept { return inputs_; }
  index result() const noexcept { return result_; }
  /// All values: inputs, constants and results of rows.
  index size() const noexcept { return size_; }
  const instruction<T>& operator[](std::size_t at) const noexcept { return code_.data()[at]; }

 private:
  instruction<T>& append();

  array<instruction<T>> code_;
  index inputs_, size_, result_ = 0;
};

}  // namespace autodiff
