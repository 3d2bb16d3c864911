#pragma once
// How matrix products read the operands of an operation.

#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/blas.hpp>
#include <autodiff/tensor/sum_loops.hpp>

#include <cstddef>
#include <utility>

namespace autodiff {

/// An operand as products read it: a matrix lies in rows, or a view of one in columns; any other
/// view is packed. A vector is the row or column that its place asks for.
template <class T>
struct product_operand {
  storage<T> values;
  transposed is;
  std::size_t lead;

  product_operand(const array<T>& x, std::size_t rows, std::size_t columns)
      : is(transposed::no), lead(columns) {
    if (x.is_contiguous() || x.shape().rank() != 2) {
      values = x.share();
      return;
    }
    const stride_list strides = x.strides();
    // Along an extent of 1 any stride will do.
    const auto is_lead = [](std::ptrdiff_t stride, std::size_t across, std::size_t along) {
      return across == 1 || (stride > 0 && static_cast<std::size_t>(stride) >= along);
    };
    const auto lead_of = [](std::ptrdiff_t stride, std::size_t across, std::size_t along) {
      return across == 1 ? along : static_cast<std::size_t>(stride);
    };
    if ((strides[1] == 1 || columns == 1) && is_lead(strides[0], rows, columns)) {
      values = x.share_as_laid();
      lead = lead_of(strides[0], rows, columns);
    } else if ((strides[0] == 1 || rows == 1) && is_lead(strides[1], columns, rows)) {
      values = x.share_as_laid();
      is = transposed::yes;
      lead = lead_of(strides[1], columns, rows);
    } else {
      values = x.share();
    }
  }
  matrix_factor<T> factor() const { return {values.data(), is, lead}; }
  matrix_factor<T> turned() const { return factor().turned(); }
  /// For a pullback, which keeps the values where it needs them.
  product_operand kept(bool needed) && {
    if (!needed) values = {};
    return std::move(*this);
  }
};

/// A matrix whose rows lie without gaps.
template <class T>
matrix_factor<T> rows_of(const T* data, std::size_t columns) {
  return {data, transposed::no, columns};
}

/// c = or += a b, [m, k] x [k, n].
template <class T>
void multiply_into(const matrix_factor<T>& a, const matrix_factor<T>& b, std::size_t m,
                   std::size_t n, std::size_t k, store how, T* c) {
  matrix_product(a, b, m, n, k, how == store::write ? T(0) : T(1), c);
}

}  // namespace autodiff
