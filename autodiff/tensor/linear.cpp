#include <autodiff/tensor/linear.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/blas.hpp>
#include <autodiff/tensor/product_operand.hpp>

#include <fmt/format.h>

namespace autodiff {
namespace {

/// Extents of a product a [m, k] x b [k, n] and the shape of its result.
struct product_shape {
  std::size_t m, k, n;
  shape result;
};

product_shape fit(const shape& a, const shape& b, std::string_view operation) {
  const bool ranks = (a.rank() == 1 || a.rank() == 2) && (b.rank() == 1 || b.rank() == 2);
  if (!ranks || a[a.rank() - 1] != b[0]) {
    throw shape_error(operation, fmt::format("{} x {} do not fit", to_string(a), to_string(b)),
                      ranks
                          ? "the last extent of the first operand and the first of the second must "
                            "be equal; transpose one of them"
                          : "both operands must have rank 1 or 2; reshape them");
  }
  const std::size_t m = a.rank() == 2 ? a[0] : 1, n = b.rank() == 2 ? b[1] : 1;
  if (a.rank() == 2) return {m, b[0], n, b.rank() == 2 ? shape{m, n} : shape{m}};
  return {m, b[0], n, b.rank() == 2 ? shape{n} : shape{}};
}

template <class T>
T beta_for(store how) {
  return how == store::write ? T(0) : T(1);
}

// y = a b: da = dy b^T, db = a^T dy.
// Source: Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008),
// section 2.2.2.
template <class T>
void pull_product(const product_shape& s, const product_operand<T>& a, const product_operand<T>& b,
                  const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
  const matrix_factor<T> share{dy.data(), transposed::no, s.n};
  if (da) {
    const auto into = da->open();
    matrix_product(share, b.turned(), s.m, s.k, s.n, beta_for<T>(into.how), into.data);
  }
  if (db) {
    const auto into = db->open();
    matrix_product(a.turned(), share, s.k, s.n, s.m, beta_for<T>(into.how), into.data);
  }
}

}  // namespace

template <class T>
tensor<T> matmul(const tensor<T>& a, const tensor<T>& b) {
  const product_shape s = fit(a.shape(), b.shape(), "matmul");
  array<T> y(s.result);
  const product_operand<T> in_a(a.stored(), s.m, s.k), in_b(b.stored(), s.k, s.n);
  matrix_product(in_a.factor(), in_b.factor(), s.m, s.n, s.k, T(0), y.writable());
  return record(
      "matmul", y,
      [s, in_a, in_b](const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
        pull_product(s, in_a, in_b, dy, da, db);
      },
      a, b);
}

#define INSTANTIATE(T) template tensor<T> matmul(const tensor<T>&, const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
