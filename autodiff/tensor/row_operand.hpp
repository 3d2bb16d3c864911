#pragma once
// What elementwise operations on several operands have in common. The result is passed in rows, as
// long as strides allow; along a row each operand is contiguous or repeats one element. Broadcast
// operands, views that lie in such rows and numbers are read where they are.

#include <autodiff/tensor/operand.hpp>
#include <autodiff/tensor/strides.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace autodiff {

/// An operand of an operation: its values, and their strides along the axes of the result. Without
/// values, what a pullback keeps of an operand that it does not read.
template <class T>
struct row_operand {
  storage<T> values;
  stride_list strides{};

  const T* data() const noexcept { return values.data(); }
};

/// The stride along the fastest axis of the result that has one: 1 or 0 where rows can be read.
inline std::ptrdiff_t stride_in_rows(const shape& whole, const stride_list& strides) noexcept {
  std::size_t last = whole.rank();
  while (last > 0 && whole[last - 1] == 1) --last;
  return last == 0 ? 1 : strides[last - 1];
}

/// x, which broadcasts to `whole`. `advances` rules out the row of a view that repeats one element:
/// a pullback that reads it and writes to its adjoint steps in both alike.
template <class T>
row_operand<T> operand_in_rows(const array<T>& x, const shape& whole, bool advances) {
  const stride_list packed = broadcast_strides(whole, x.shape(), row_major_strides(x.shape()));
  if (x.is_contiguous()) return {x.share(), packed};
  const stride_list laid = broadcast_strides(whole, x.shape(), x.strides());
  const std::ptrdiff_t step = stride_in_rows(whole, laid);
  if (step == stride_in_rows(whole, packed) || (step == 0 && !advances))
    return {x.share_as_laid(), laid};
  return {x.share(), packed};
}
template <class T>
row_operand<T> operand_in_rows(const tensor_or_number<T>& x, const shape& whole, bool advances) {
  if (x.is_number()) return {array<T>(shape{}, *x.data()).share(), {}};
  return operand_in_rows(x.recorded().stored(), whole, advances);
}

/// A result as its pullback keeps it.
template <class T>
row_operand<T> kept_result(const array<T>& y, bool needed) {
  if (!needed) return {};
  return {y.share(), row_major_strides(y.shape())};
}

/// Adds to the adjoint of one operand its share of dy; a repeated operand collects those of its
/// rows. row(walk, at, dy, into, how) adds the share of one row: at[k] and walk.stride(k) are the
/// offset and step of what has strides[k], and walk.stride(N + 1) is the step of `into`.
template <class T, std::size_t N, class Row>
void pull_in_rows(input_adjoint<T> adjoint, const array<T>& dy,
                  const std::array<stride_list, N>& strides, Row&& row) {
  const shape &whole = dy.shape(), &own = adjoint->shape();
  const auto into = adjoint->open(own.size() == whole.size());
  std::array<stride_list, N + 2> all;
  std::copy(strides.begin(), strides.end(), all.begin());
  all[N] = row_major_strides(whole);
  all[N + 1] = broadcast_strides(whole, own, row_major_strides(own));
  const auto walk = walk_over(whole, all);
  walk.for_each_row([&, from = dy.data()](const auto& at) {
    row(walk, at, from + at[N], into.data + at[N + 1], into.how);
  });
}

}  // namespace autodiff
