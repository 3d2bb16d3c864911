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

/// An operand as products read it: a matrix lies in rows, or a view of one in columns; any other
/// view is packed. A vector is the row or column that its place asks for.
template <class T>
struct product_operand {
  storage<T> values;
  transposed is;
  std::size_t lead;

  product_operand(const array<T>& x, std::size_t rows, std::size_t columns)
      : is(transposed::no), lead(columns) {
    const stride_list strides = x.strides();
    // Along an extent of 1 any stride will do.
    const auto is_lead = [](std::ptrdiff_t stride, std::size_t across, std::size_t along) {
      return across == 1 || (stride > 0 && static_cast<std::size_t>(stride) >= along);
    };
    const auto lead_of = [](std::ptrdiff_t stride, std::size_t across, std::size_t along) {
      return across == 1 ? along : static_cast<std::size_t>(stride);
    };
    if (x.is_contiguous() || x.shape().rank() != 2) {
      values = x.share();
    } else if ((strides[1] == 1 || columns == 1) && is_lead(strides[0], rows, columns)) {
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
  matrix_factor<T> turned() const {
    return {values.data(), is == transposed::no ? transposed::yes : transposed::no, lead};
  }
};

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

template <class T>
tensor<T> affine(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b) {
  const product_shape s = fit(x.shape(), w.shape(), "affine");
  if (w.rank() != 2 || b.rank() != 1 || b.shape()[0] != s.n) {
    throw shape_error("affine",
                      fmt::format("weights {} and bias {} do not fit", to_string(w.shape()),
                                  to_string(b.shape())),
                      "weights are [in, out] and the bias [out]");
  }
  array<T> y(s.result);
  T* rows = y.writable();
  for (std::size_t i = 0; i < s.m; ++i) {
    plain<T>().accumulate(s.n, T(1), b.values().data(), 1, rows + i * s.n, store::write);
  }
  const product_operand<T> in_x(x.stored(), s.m, s.k), in_w(w.stored(), s.k, s.n);
  matrix_product(in_x.factor(), in_w.factor(), s.m, s.n, s.k, T(1), rows);
  return record(
      "affine", y,
      [s, in_x, in_w](const array<T>& dy, input_adjoint<T> dx, input_adjoint<T> dw,
                      input_adjoint<T> db) {
        pull_product(s, in_x, in_w, dy, dx, dw);
        if (!db) return;
        auto into = db->open();
        for (std::size_t i = 0; i < s.m; ++i) {
          plain<T>().accumulate(s.n, T(1), dy.data() + i * s.n, 1, into.data,
                                i == 0 ? into.how : store::add);
        }
        if (s.m == 0 && into.how == store::write) {
          for (std::size_t j = 0; j < s.n; ++j) into.data[j] = T(0);
        }
      },
      x, w, b);
}

#define INSTANTIATE(T)                                           \
  template tensor<T> matmul(const tensor<T>&, const tensor<T>&); \
  template tensor<T> affine(const tensor<T>&, const tensor<T>&, const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
