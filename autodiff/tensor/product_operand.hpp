#pragma once
// How matrix products read the operands of an operation.

#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/blas.hpp>
#include <autodiff/tensor/small_product.hpp>
#include <autodiff/tensor/sum_loops.hpp>

#include <cstddef>

namespace autodiff {

/// How products read a view of a matrix that lies in rows or in columns; any other is packed.
template <class T>
[[gnu::noinline]] matrix_factor<T> factor_of_view(const array<T>& x, std::size_t rows,
                                                  std::size_t columns) {
  const stride_list strides = x.strides();
  // Along an extent of 1 any stride will do.
  const auto is_lead = [](std::ptrdiff_t stride, std::size_t across, std::size_t along) {
    return across == 1 || (stride > 0 && static_cast<std::size_t>(stride) >= along);
  };
  const auto lead_of = [](std::ptrdiff_t stride, std::size_t across, std::size_t along) {
    return across == 1 ? along : static_cast<std::size_t>(stride);
  };
  if ((strides[1] == 1 || columns == 1) && is_lead(strides[0], rows, columns))
    return {x.first(), transposed::no, lead_of(strides[0], rows, columns)};
  if ((strides[0] == 1 || rows == 1) && is_lead(strides[1], columns, rows))
    return {x.first(), transposed::yes, lead_of(strides[1], columns, rows)};
  return {x.data(), transposed::no, columns};
}

/// An operand as products read it, while x lives. A vector is the row or column that its place asks
/// for.
template <class T>
matrix_factor<T> factor_of(const array<T>& x, std::size_t rows, std::size_t columns) {
  if (x.is_contiguous() || x.shape().rank() != 2) return {x.data(), transposed::no, columns};
  return factor_of_view(x, rows, columns);
}

/// What a pullback keeps of an operand: nothing where it does not need it.
template <class T>
class kept_factor {
 public:
  /// `factor` is factor_of(x, ...).
  kept_factor(bool needed, const array<T>& x, const matrix_factor<T>& factor)
      : values_(needed ? share(x, factor) : storage<T>()), is_(factor.is), lead_(factor.lead) {}
  matrix_factor<T> factor() const noexcept { return {values_.data(), is_, lead_}; }
  matrix_factor<T> turned() const noexcept { return factor().turned(); }

 private:
  // A view that is read where it lies must not be packed by being shared.
  static storage<T> share(const array<T>& x, const matrix_factor<T>& factor) {
    return factor.data == x.first() ? x.share_as_laid() : x.share();
  }

  storage<T> values_;
  transposed is_;
  std::size_t lead_;
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
  if (is_small_product(m, n, k)) return small_product(a.strided(), b.strided(), m, n, k, how, c, n);
  matrix_product(a, b, m, n, k, how == store::write ? T(0) : T(1), c);
}

}  // namespace autodiff
