#include <autodiff/tensor/linear.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/blas.hpp>

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
void pull_product(const product_shape& s, const array<T>& a, const array<T>& b, const array<T>& dy,
                  input_adjoint<T> da, input_adjoint<T> db) {
  using enum transposed;
  if (da) {
    const auto into = da->open();
    matrix_product(no, yes, s.m, s.k, s.n, dy.data(), b.data(), beta_for<T>(into.how), into.data);
  }
  if (db) {
    const auto into = db->open();
    matrix_product(yes, no, s.k, s.n, s.m, a.data(), dy.data(), beta_for<T>(into.how), into.data);
  }
}

}  // namespace

template <class T>
tensor<T> matmul(const tensor<T>& a, const tensor<T>& b) {
  const product_shape s = fit(a.shape(), b.shape(), "matmul");
  array<T> y(s.result);
  matrix_product(transposed::no, transposed::no, s.m, s.n, s.k, a.values().data(),
                 b.values().data(), T(0), y.writable());
  return record(
      "matmul", y,
      [s, a_kept = a.stored(), b_kept = b.stored()](const array<T>& dy, input_adjoint<T> da,
                                                    input_adjoint<T> db) {
        pull_product(s, a_kept, b_kept, dy, da, db);
      },
      a, b);
}

template <class T>
tensor<T> transpose(const tensor<T>& x) {
  if (x.rank() != 2) {
    throw shape_error("transpose", fmt::format("the tensor has shape {}", to_string(x.shape())),
                      "rows and columns need rank 2; reshape it");
  }
  const std::size_t m = x.shape()[0], n = x.shape()[1];
  array<T> y(shape{n, m});
  const auto turn = [](const T* from, std::size_t rows, std::size_t columns, T* to, store how) {
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < columns; ++j) {
        T& out = to[j * rows + i];
        out = how == store::write ? from[i * columns + j] : T(out + from[i * columns + j]);
      }
    }
  };
  turn(x.values().data(), m, n, y.writable(), store::write);
  return record(
      "transpose", y,
      [turn, m, n](const array<T>& dy, input_adjoint<T> dx) {
        const auto into = dx->open();
        turn(dy.data(), n, m, into.data, into.how);
      },
      x);
}

#define INSTANTIATE(T)                                           \
  template tensor<T> matmul(const tensor<T>&, const tensor<T>&); \
  template tensor<T> transpose(const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
