// Cholesky factors: solve.hpp.

#include <autodiff/error.hpp>
#include <autodiff/tensor/factors.hpp>
#include <autodiff/tensor/product_operand.hpp>
#include <autodiff/tensor/solve.hpp>

#include <fmt/format.h>

#include <utility>

namespace autodiff {

template <class T>
tensor<T> cholesky(const tensor<T>& a) {
  batch_of_squares("cholesky", a.shape());
  const std::size_t n = a.shape()[a.rank() - 1], block = n * n;
  array<T> lower(a.shape());
  T* out = lower.writable();
  for (std::size_t at = 0; at < a.size(); at += block) {
    const T* matrix = a.values().data() + at;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j)
        out[at + i * n + j] = (matrix[i * n + j] + matrix[j * n + i]) / T(2);
    }
    const std::size_t pivot = factor_cholesky(n, out + at);
    if (pivot != n) {
      throw domain_error("cholesky",
                         fmt::format("{} is not positive definite: pivot {} is not positive",
                                     name_of_matrix(at / block, a.shape()), pivot),
                         "add a small multiple of the identity, or factorise by solve()");
    }
  }
  if (!a.is_recorded()) return tensor<T>(std::move(lower));
  // da is the symmetric part of L^-T F(L^T dL) L^-1, where F takes the lower triangle with half of
  // the diagonal. Source: Murray, Differentiation of the Cholesky decomposition (2016),
  // section 3.1.
  static constexpr operation_rule rule{
      "cholesky", "y yᵀ = a",
      "ā = sym(y⁻ᵀ Φ(yᵀ ȳ) y⁻¹), Φ the lower triangle with half the diagonal"};
  return record(
      rule, lower,
      [n, block, kept = lower.share()](const array<T>& dl, input_adjoint<T> da) {
        const auto into = da->open();
        array<T> inner(shape{block});
        T* p = inner.writable();
        for (std::size_t at = 0; at < dl.size(); at += block) {
          const T* l = kept.data() + at;
          multiply_into(rows_of(l, n).turned(), rows_of(dl.data() + at, n), n, n, n, store::write,
                        p);
          halve_lower(n, p);
          solve_triangle(side::left, {.transposed = true}, n, n, l, p);
          solve_triangle(side::right, {}, n, n, l, p);
          for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
              const T share = (p[i * n + j] + p[j * n + i]) / T(2);
              T& slope = into.data[at + i * n + j];
              slope = into.how == store::write ? share : T(slope + share);
            }
          }
        }
      },
      a);
}

#define INSTANTIATE(T) template tensor<T> cholesky(const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
