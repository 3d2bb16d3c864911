#include <autodiff/tensor/affine.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/column_sums.hpp>
#include <autodiff/tensor/parallel.hpp>
#include <autodiff/tensor/parallel_loops.hpp>
#include <autodiff/tensor/product_operand.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace autodiff {
namespace {

/// x [m, k] w [k, n].
struct layer_size {
  std::size_t m, k, n;
  /// A single row and few weights: its products are loops inline, since a call costs more than
  /// they.
  bool is_small_row;
};

[[noreturn, gnu::cold, gnu::noinline]] void refuse(const shape& x, const shape& w, const shape& b) {
  throw shape_error(
      "affine", fmt::format("{} x {} + {} do not fit", to_string(x), to_string(w), to_string(b)),
      "inputs are [n, in], weights [in, out] and the bias is [out]");
}

[[gnu::always_inline]] inline layer_size fit(const shape& x, const shape& w, const shape& b) {
  if (x.rank() == 0 || w.rank() != 2 || b.rank() != 1) refuse(x, w, b);
  const std::size_t k = w[0], n = w[1];
  if (x[x.rank() - 1] != k || b[0] != n) refuse(x, w, b);
  std::size_t rows = 1;
  for (std::size_t i = 0; i + 1 < x.rank(); ++i) rows *= x[i];
  return {rows, k, n, rows == 1 && is_small_product(1, n, k)};
}

/// Rows that stay in the first-level cache between the bias and the function.
template <class T>
std::size_t rows_at_once(std::size_t n) {
  return std::max<std::size_t>(1, 8192 / sizeof(T) / std::max<std::size_t>(1, n));
}

template <class T>
void add_bias(const layer_size& s, const T* b, T* a) {
  parallel_rows(s.m, s.n, 1, [=](std::size_t first, std::size_t rows) {
    plain<T>().add_to_rows(rows, s.n, b, a + first * s.n);
  });
}

template <class T>
void add_bias_and_apply(const layer_size& s, const T* b, const unary_loops<T>& f, T* a, T* y) {
  const std::size_t most = rows_at_once<T>(s.n);
  parallel_rows(s.m, s.n, most, [=, &f](std::size_t first, std::size_t count) {
    for (std::size_t i = first, end = first + count; i < end; i += most) {
      const std::size_t rows = std::min(most, end - i), at = i * s.n;
      plain<T>().add_to_rows(rows, s.n, b, a + at);
      f.forward(rows * s.n, a + at, y + at);
    }
  });
}

/// The factors of the product: read while x and w live.
template <class T>
struct factors {
  matrix_factor<T> x, w;

  factors(const layer_size& s, const tensor<T>& x, const tensor<T>& w)
      : x(factor_of(x.stored(), s.m, s.k)), w(factor_of(w.stored(), s.k, s.n)) {}
};

/// What its pullback keeps of them: x for dw, and w for dx.
template <class T>
struct kept_factors {
  kept_factor<T> x, w;

  [[gnu::always_inline]] kept_factors(const factors<T>& in, const tensor<T>& x, const tensor<T>& w)
      : x(w.is_recorded(), x.stored(), in.x), w(x.is_recorded(), w.stored(), in.w) {}
};

/// f(n), n being a constant where it is 1 to 4: loops over a handful of numbers are unrolled.
template <class F>
void with_constant(std::size_t n, const F& f) {
  switch (n) {
    case 1: return f(std::integral_constant<std::size_t, 1>{});
    case 2: return f(std::integral_constant<std::size_t, 2>{});
    case 3: return f(std::integral_constant<std::size_t, 3>{});
    case 4: return f(std::integral_constant<std::size_t, 4>{});
    default: return f(n);
  }
}

/// y = x w + b for a small row.
template <class T>
void map_row(const layer_size& s, const factors<T>& in, const T* b, T* y) {
  const strided_matrix<T> x = in.x.strided(), w = in.w.strided();
  with_constant(s.k, [=, n = s.n](auto k) {
    const T* column = w.data;
    for (std::size_t j = 0; j < n; ++j, column += w.column) {
      T sum(0);
      for (std::size_t i = 0; i < k; ++i) sum += x.data[i * x.column] * column[i * w.row];
      y[j] = sum + b[j];
    }
  });
}

/// x w + b, and f of it in y where there is an f. Without f, or where they are the same, y is a.
template <class T>
void map_rows(const layer_size& s, const factors<T>& in, const T* b, const unary_loops<T>* f, T* a,
              T* y) {
  if (s.is_small_row) {
    map_row(s, in, b, a);
    if (f) f->forward(s.n, a, y);
    return;
  }
  multiply_into(in.x, in.w, s.m, s.n, s.k, store::write, a);
  if (f)
    add_bias_and_apply(s, b, *f, a, y);
  else
    add_bias(s, b, a);
}

/// Writes or adds n shares, share(i) each.
template <class T, class Share>
void put(store how, auto n, T* into, const Share& share) {
  if (how == store::write) {
    for (std::size_t i = 0; i < n; ++i) into[i] = share(i);
  } else {
    for (std::size_t i = 0; i < n; ++i) into[i] += share(i);
  }
}

/// The shares of a small row.
template <class T>
void pull_row(const layer_size& s, const kept_factors<T>& in, const T* da, input_adjoint<T> dx,
              input_adjoint<T> dw, input_adjoint<T> db) {
  with_constant(s.n, [&](auto n) {
    if (db) {
      const auto into = db->open();
      put(into.how, n, into.data, [=](std::size_t j) { return da[j]; });
    }
    if (dw) {
      const auto into = dw->open();
      const strided_matrix<T> x = in.x.factor().strided();
      for (std::size_t i = 0; i < s.k; ++i) {
        put(into.how, n, into.data + i * n,
            [=, x_i = x.data[i * x.column]](std::size_t j) { return x_i * da[j]; });
      }
    }
    if (dx) {
      const auto into = dx->open();
      put(into.how, s.k, into.data, [=, w = in.w.factor().strided()](std::size_t i) {
        const T* row = w.data + i * w.row;
        T sum(0);
        for (std::size_t j = 0; j < n; ++j) sum += da[j] * row[j * w.column];
        return sum;
      });
    }
  });
}

// a = x w + b: dx = da w^T, dw = x^T da, db = sum of the rows of da.
// Source: Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008),
// section 2.2.2.
template <class T>
void pull(const layer_size& s, const kept_factors<T>& in, const T* da, input_adjoint<T> dx,
          input_adjoint<T> dw, input_adjoint<T> db) {
  if (s.is_small_row) return pull_row(s, in, da, dx, dw, db);
  const matrix_factor<T> share{da, transposed::no, s.n};
  if (dw) {
    const auto into = dw->open();
    multiply_into(in.x.turned(), share, s.k, s.n, s.m, into.how, into.data);
  }
  if (db) {
    const auto into = db->open();
    column_sums(s.m, s.n, da, into.data, into.how);
  }
  if (dx) {
    const auto into = dx->open();
    multiply_into(share, in.w.turned(), s.m, s.k, s.n, into.how, into.data);
  }
}

/// x with the last extent of b, which for a single row is the shape of b.
template <class T>
[[gnu::always_inline]] inline tensor<T> undefined_result(const tensor<T>& x, const tensor<T>& b) {
  if (x.rank() == 1) return tensor<T>::undefined(b.shape());
  return tensor<T>::undefined(x.shape().with_extent(x.rank() - 1, b.size()));
}

// Operations are recorded by functions that have one caller, into which compilers inline them.

template <class T>
tensor<T> affine_alone(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b) {
  const layer_size s = fit(x.shape(), w.shape(), b.shape());
  const factors<T> in(s, x, w);
  tensor<T> y = undefined_result(x, b);
  T* const a = y.mutable_values().data();
  map_rows<T>(s, in, b.values().data(), nullptr, a, a);
  record(
      "affine", y,
      [&] {
        return [s, in = kept_factors<T>(in, x, w)](const array<T>& da, input_adjoint<T> dx,
                                                   input_adjoint<T> dw, input_adjoint<T> db) {
          pull(s, in, da.data(), dx, dw, db);
        };
      },
      x, w, b);
  return y;
}

/// Where the slope of f follows from its value, which then overwrites its argument.
template <class T>
tensor<T> affine_by_value(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b,
                          const unary_loops<T>& f) {
  const layer_size s = fit(x.shape(), w.shape(), b.shape());
  const factors<T> in(s, x, w);
  tensor<T> y = undefined_result(x, b);
  T* const values = y.mutable_values().data();
  map_rows(s, in, b.values().data(), &f, values, values);
  record(
      "affine", y,
      [&] {
        return [s, &f, in = kept_factors<T>(in, x, w), y_kept = y.stored().share_as_laid()](
                   array<T>& dy, input_adjoint<T> dx, input_adjoint<T> dw, input_adjoint<T> db) {
          T* const da = dy.writable();
          pull_elements<T>(f.pullback_by_value, dy.size(), nullptr, y_kept.data(), da, da,
                           store::write);
          pull(s, in, da, dx, dw, db);
        };
      },
      x, w, b);
  return y;
}

/// Where it follows from the argument.
template <class T>
tensor<T> affine_by_argument(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b,
                             const unary_loops<T>& f) {
  const layer_size s = fit(x.shape(), w.shape(), b.shape());
  const factors<T> in(s, x, w);
  tensor<T> y = undefined_result(x, b);
  array<T> a(y.shape());
  map_rows(s, in, b.values().data(), &f, a.writable(), y.mutable_values().data());
  record(
      "affine", y,
      [&] {
        return [s, &f, in = kept_factors<T>(in, x, w), a_kept = a.share(),
                y_kept = f.needs_y ? y.stored().share_as_laid() : storage<T>()](
                   array<T>& dy, input_adjoint<T> dx, input_adjoint<T> dw, input_adjoint<T> db) {
          T* const da = dy.writable();
          pull_elements(f.pullback, dy.size(), a_kept.data(), y_kept.data(), da, da, store::write);
          pull(s, in, da, dx, dw, db);
        };
      },
      x, w, b);
  return y;
}

}  // namespace

template <class T>
tensor<T> affine(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b) {
  return affine_alone(x, w, b);
}

template <class T>
tensor<T> affine(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b,
                 const unary_loops<T>& f) {
  return f.pullback_by_value ? affine_by_value(x, w, b, f) : affine_by_argument(x, w, b, f);
}

#define INSTANTIATE(T)                                                             \
  template tensor<T> affine(const tensor<T>&, const tensor<T>&, const tensor<T>&); \
  template tensor<T> affine(const tensor<T>&, const tensor<T>&, const tensor<T>&,  \
                            const unary_loops<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
