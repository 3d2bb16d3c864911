#pragma once
// Programs run over arrays block by block: every row passes by its vector loop over a piece that
// stays in the first-level cache, so memory sees the inputs and the result once, whatever the
// length of the program. The pullback goes over the same blocks: it computes again, from the
// inputs, the values that slopes need, and takes the rows backwards with adjoints that are no
// larger than a block.

#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/program.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <span>

namespace autodiff {

/// The result for inputs broadcast to one shape. Throws shape_error with the shapes that do not
/// fit.
template <class T>
array<T> evaluate(const program<T>& p, std::span<const array<T>> inputs);

/// Drops the values of inputs that pull() does not read; shapes stay. active[k]: input k has an
/// adjoint.
template <class T>
void drop_unread(const program<T>& p, std::span<array<T>> inputs, std::span<const bool> active);

/// Adds to the adjoint of each active input its vector-Jacobian product with dy.
template <class T>
void pull(const program<T>& p, const array<T>& dy, std::span<const array<T>> inputs,
          std::span<const input_adjoint<T>> adjoints, std::span<const bool> active);

}  // namespace autodiff
