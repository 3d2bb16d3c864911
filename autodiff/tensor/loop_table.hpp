#pragma once
// The loops of every row of ops.def and of what tensors need besides, as one table of functions on
// one number type: what each computes, and not yet how.

#include <autodiff/operation_rule.hpp>
#include <autodiff/ops.hpp>
#include <autodiff/tensor/row_loops.hpp>
#include <autodiff/tensor/sum_loops.hpp>

#include <array>
#include <cstddef>

namespace autodiff {

/// The loops of a unary rule over n elements: y = f(x), and dx = (or +=) f'(x, y) * dy.
/// x (y) may be null in the pullback when needs_x (needs_y) is false, and x in pullback_by_value,
/// which itself is null where there is no such form.
template <class T>
struct unary_loops {
  using pullback_loop = void(std::size_t n, const T* x, const T* y, const T* dy, T* dx, store how);
  operation_rule rule;
  bool needs_x, needs_y;
  void (*forward)(std::size_t n, const T* x, T* y);
  pullback_loop* pullback;
  pullback_loop* pullback_by_value;
};

/// What the pullback to one operand of a binary rule reads, and whether its slope is exactly 1.
struct slope_needs {
  bool a, b, y, is_unit;
};

/// The loops of a binary rule over n elements. stride_a and stride_b are 1, or 0 for an operand
/// that is repeated; the pullback to a repeated operand adds the sum over the row into its one
/// element. `tie` is the share of a tie. Arguments that the slope does not need may be null.
template <class T>
struct binary_loops {
  using pullback_loop = void(std::size_t n, const T* a, std::size_t stride_a, const T* b,
                             std::size_t stride_b, const T* y, const T* dy, T* into, store how,
                             double tie);
  operation_rule rule;
  bool needs_a, needs_b, needs_y;  // for either operand
  slope_needs for_a, for_b;
  void (*forward)(std::size_t n, const T* a, std::size_t stride_a, const T* b, std::size_t stride_b,
                  T* y);
  pullback_loop* pullback_a;
  pullback_loop* pullback_b;
};

/// A row of an operand: values one after another, or with stride 0 one value repeated.
template <class T>
struct operand_row {
  const T* values;
  std::size_t stride;
};

/// What the pullback to one operand of a ternary rule reads.
struct ternary_reads {
  std::array<bool, 3> operands;
  bool y;
};

/// The loops of a ternary rule over n elements; the pullbacks, and what each reads, by the operand
/// they lead to. Arguments that a slope does not need may be null.
template <class T>
struct ternary_loops {
  using pullback_loop = void(std::size_t n, operand_row<T> a, operand_row<T> b, operand_row<T> c,
                             const T* y, const T* dy, T* into, store how);
  operation_rule rule;
  std::array<ternary_reads, 3> reads;
  void (*forward)(std::size_t n, operand_row<T> a, operand_row<T> b, operand_row<T> c, T* y);
  std::array<pullback_loop*, 3> pullbacks;
};

/// Loops that belong to no rule.
template <class T>
struct plain_loops {
  /// Sum with error growing as the logarithm of n (blocked).
  T (*sum)(std::size_t n, const T* x);
  /// y = or += factor * x; x is repeated when stride_x is 0.
  void (*accumulate)(std::size_t n, T factor, const T* x, std::size_t stride_x, T* y, store how);
  /// Adds x to each of so many rows of n elements.
  void (*add_to_rows)(std::size_t rows, std::size_t n, const T* x, T* y);
  /// Sum of (a[i] - b[i])^2, blocked likewise.
  T (*squared_distance)(std::size_t n, const T* a, const T* b);
  /// y = or += factor * (a - b).
  void (*scaled_difference)(std::size_t n, T factor, const T* a, const T* b, T* y, store how);
  /// Sum of a[i] * b[i], blocked likewise.
  T (*dot)(std::size_t n, const T* a, const T* b);
  T (*max)(std::size_t n, const T* x);
};

/// The loops of every row of ops.def on one number type, each under its name.
template <class T>
struct loop_table {
#define UNARY(NAME, ...) unary_loops<T> NAME;
#define BINARY(NAME, ...) binary_loops<T> NAME;
#define TERNARY(NAME, ...) ternary_loops<T> NAME##_ternary;
#include <autodiff/ops.def>
  plain_loops<T> plain;
  row_loops<T> rows;
};

}  // namespace autodiff
