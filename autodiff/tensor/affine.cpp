#include <autodiff/tensor/affine.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/column_sums.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/parallel.hpp>
#include <autodiff/tensor/parallel_loops.hpp>
#include <autodiff/tensor/product_operand.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace autodiff {
namespace {

[[noreturn, gnu::cold, gnu::noinline]] void refuse(const shape& x, const shape& w, const shape& b) {
  throw shape_error(
      "affine", fmt::format("{} x {} + {} do not fit", to_string(x), to_string(w), to_string(b)),
      "inputs are [n, in], weights [in, out] and the bias is [out]");
}

[[gnu::always_inline]] inline void require_fit(const shape& x, const shape& w, const shape& b) {
  if (x.rank() == 0 || w.rank() != 2 || b.rank() != 1 || x[x.rank() - 1] != w[0] || b[0] != w[1])
    refuse(x, w, b);
}

/// f(n), n being a constant where it is 1 to 4: loops over a handful of numbers are unrolled.
template <class F>
[[gnu::always_inline]] inline void with_constant(std::size_t n, const F& f) {
  switch (n) {
    case 1: return f(std::integral_constant<std::size_t, 1>{});
    case 2: return f(std::integral_constant<std::size_t, 2>{});
    case 3: return f(std::integral_constant<std::size_t, 3>{});
    case 4: return f(std::integral_constant<std::size_t, 4>{});
    default: return f(n);
  }
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

// A layer maps x to a = x w + b, and as an object keeps what its pullback needs: x for dw, and w
// for dx. That is dx = da w^T, dw = x^T da, db = sum of the rows of da.
// Source: Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008),
// section 2.2.2.

/// A single row and few weights, lying row by row: their products are loops inline, since a call
/// costs more than they.
template <class T>
class row_layer {
 public:
  static bool is(const tensor<T>& x, const tensor<T>& w) {
    const std::size_t k = w.shape()[0], n = w.shape()[1];
    return k > 0 && x.size() == k && is_small_product(1, n, k) && x.is_contiguous() &&
           w.is_contiguous();
  }

  row_layer(const tensor<T>& x, const tensor<T>& w)
      : k_(w.shape()[0]),
        n_(w.shape()[1]),
        x_(w.is_recorded() ? x.stored().share_as_laid() : storage<T>()),
        w_(x.is_recorded() ? w.stored().share_as_laid() : storage<T>()) {}

  /// y = x w + b.
  static void map(const tensor<T>& x, const tensor<T>& w, const T* b, T* y) {
    map(w.shape()[0], w.shape()[1], x.stored().first(), w.stored().first(), b, y);
  }
  /// y = f(a), a = x w + b.
  static void map(const tensor<T>& x, const tensor<T>& w, const T* b, const unary_loops<T>& f, T* a,
                  T* y) {
    map(x, w, b, a);
    f.forward(w.shape()[1], a, y);
  }
  void pull(const T* da, input_adjoint<T> dx, input_adjoint<T> dw, input_adjoint<T> db) const;

 private:
  static void map(std::size_t k, std::size_t n, const T* x, const T* w, const T* b, T* y);

  std::size_t k_, n_;
  storage<T> x_, w_;
};

template <class T>
[[gnu::noinline]] void row_layer<T>::map(std::size_t k, std::size_t n, const T* x, const T* w,
                                         const T* b, T* y) {
  with_constant(
      k, [=](auto inputs) __attribute__((always_inline)) {
        for (std::size_t j = 0; j < n; ++j) {
          T sum(0);
          for (std::size_t i = 0; i < inputs; ++i) sum += x[i] * w[i * n + j];
          y[j] = sum + b[j];
        }
      });
}

template <class T>
void row_layer<T>::pull(const T* da, input_adjoint<T> dx, input_adjoint<T> dw,
                        input_adjoint<T> db) const {
  with_constant(
      n_, [&](auto n) __attribute__((always_inline)) {
        if (db) {
          const auto into = db->open();
          put(into.how, n, into.data, [=](std::size_t j) { return da[j]; });
        }
        if (dw) {
          const auto into = dw->open();
          T* row = into.data;
          for (const T *x = x_.data(), *end = x + k_; x != end; ++x, row += n)
            put(into.how, n, row, [=, x_i = *x](std::size_t j) { return x_i * da[j]; });
        }
        if (dx) {
          const auto into = dx->open();
          put(into.how, k_, into.data, [=, w = w_.data()](std::size_t i) {
            T sum(0);
            for (std::size_t j = 0; j < n; ++j) sum += da[j] * w[i * n + j];
            return sum;
          });
        }
      });
}

/// x [m, k] w [k, n].
struct layer_size {
  std::size_t m = 1, k, n;

  layer_size(const shape& x, const shape& w) : k(w[0]), n(w[1]) {
    for (std::size_t i = 0; i + 1 < x.rank(); ++i) m *= x[i];
  }
};

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

/// Any other, by products of matrices.
template <class T>
class matrix_layer {
 public:
  matrix_layer(const tensor<T>& x, const tensor<T>& w)
      : size_(x.shape(), w.shape()),
        x_(w.is_recorded(), x.stored(), factor_of(x.stored(), size_.m, size_.k)),
        w_(x.is_recorded(), w.stored(), factor_of(w.stored(), size_.k, size_.n)) {}

  static void map(const tensor<T>& x, const tensor<T>& w, const T* b, T* y) {
    add_bias(product(x, w, y), b, y);
  }
  static void map(const tensor<T>& x, const tensor<T>& w, const T* b, const unary_loops<T>& f, T* a,
                  T* y) {
    add_bias_and_apply(product(x, w, a), b, f, a, y);
  }
  void pull(const T* da, input_adjoint<T> dx, input_adjoint<T> dw, input_adjoint<T> db) const;

 private:
  /// a = x w.
  static layer_size product(const tensor<T>& x, const tensor<T>& w, T* a) {
    const layer_size s(x.shape(), w.shape());
    multiply_into(factor_of(x.stored(), s.m, s.k), factor_of(w.stored(), s.k, s.n), s.m, s.n, s.k,
                  store::write, a);
    return s;
  }

  layer_size size_;
  kept_factor<T> x_, w_;
};

template <class T>
void matrix_layer<T>::pull(const T* da, input_adjoint<T> dx, input_adjoint<T> dw,
                           input_adjoint<T> db) const {
  const auto [m, k, n] = size_;
  const matrix_factor<T> share{da, transposed::no, n};
  if (dw) {
    const auto into = dw->open();
    multiply_into(x_.turned(), share, k, n, m, into.how, into.data);
  }
  if (db) {
    const auto into = db->open();
    column_sums(m, n, da, into.data, into.how);
  }
  if (dx) {
    const auto into = dx->open();
    multiply_into(share, w_.turned(), m, k, n, into.how, into.data);
  }
}

/// x with the last extent of b, which for a single row is the shape of b.
template <class T>
[[gnu::always_inline]] inline tensor<T> undefined_result(const tensor<T>& x, const tensor<T>& b) {
  if (x.rank() == 1) return tensor<T>::undefined(b.shape());
  return tensor<T>::undefined(x.shape().with_extent(x.rank() - 1, b.size()));
}

constexpr operation_rule of_product{"affine", "y = x w + b",
                                    "x̄ = ȳ wᵀ, w̄ = xᵀ ȳ, b̄ = Σ ȳ over the rows"},
    of_activated{"affine", "a = x w + b, y = h(a)",
                 "ā = ȳ ⊙ h′(a), x̄ = ā wᵀ, w̄ = xᵀ ā, b̄ = Σ ā over the rows"};

// Each is a function of its own, so that the compiler has registers enough for a small row.

template <class Layer, class T>
[[gnu::noinline]] tensor<T> affine_alone(const tensor<T>& x, const tensor<T>& w,
                                         const tensor<T>& b) {
  tensor<T> y = undefined_result(x, b);
  Layer::map(x, w, b.values().data(), y.mutable_values().data());
  record(
      of_product, y,
      [&] {
        return [layer = Layer(x, w)](const array<T>& da, input_adjoint<T> dx, input_adjoint<T> dw,
                                     input_adjoint<T> db) { layer.pull(da.data(), dx, dw, db); };
      },
      x, w, b);
  return y;
}

/// Where the slope of f follows from its value, which then overwrites its argument.
template <class Layer, class T>
[[gnu::noinline]] tensor<T> affine_by_value(const tensor<T>& x, const tensor<T>& w,
                                            const tensor<T>& b, const unary_loops<T>& f) {
  tensor<T> y = undefined_result(x, b);
  T* const values = y.mutable_values().data();
  Layer::map(x, w, b.values().data(), f, values, values);
  record(
      of_activated, y,
      [&] {
        return [&f, layer = Layer(x, w), y_kept = y.stored().share_as_laid()](
                   array<T>& dy, input_adjoint<T> dx, input_adjoint<T> dw, input_adjoint<T> db) {
          T* const da = dy.writable();
          pull_elements<T>(f.pullback_by_value, dy.size(), nullptr, y_kept.data(), da, da,
                           store::write);
          layer.pull(da, dx, dw, db);
        };
      },
      x, w, b);
  return y;
}

/// Where it follows from the argument.
template <class Layer, class T>
[[gnu::noinline]] tensor<T> affine_by_argument(const tensor<T>& x, const tensor<T>& w,
                                               const tensor<T>& b, const unary_loops<T>& f) {
  tensor<T> y = undefined_result(x, b);
  array<T> a(y.shape());
  Layer::map(x, w, b.values().data(), f, a.writable(), y.mutable_values().data());
  record(
      of_activated, y,
      [&] {
        return [&f, layer = Layer(x, w), a_kept = a.share(),
                y_kept = f.needs_y ? y.stored().share_as_laid() : storage<T>()](
                   array<T>& dy, input_adjoint<T> dx, input_adjoint<T> dw, input_adjoint<T> db) {
          T* const da = dy.writable();
          pull_elements(f.pullback, dy.size(), a_kept.data(), y_kept.data(), da, da, store::write);
          layer.pull(da, dx, dw, db);
        };
      },
      x, w, b);
  return y;
}

template <class Layer, class T>
tensor<T> affine_of(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b,
                    const unary_loops<T>& f) {
  return f.pullback_by_value ? affine_by_value<Layer>(x, w, b, f)
                             : affine_by_argument<Layer>(x, w, b, f);
}

}  // namespace

template <class T>
tensor<T> affine(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b) {
  require_fit(x.shape(), w.shape(), b.shape());
  return row_layer<T>::is(x, w) ? affine_alone<row_layer<T>>(x, w, b)
                                : affine_alone<matrix_layer<T>>(x, w, b);
}

template <class T>
tensor<T> affine(const tensor<T>& x, const tensor<T>& w, const tensor<T>& b,
                 const unary_loops<T>& f) {
  if (is_explained()) return elementwise(f, affine(x, w, b));
  require_fit(x.shape(), w.shape(), b.shape());
  return row_layer<T>::is(x, w) ? affine_of<row_layer<T>>(x, w, b, f)
                                : affine_of<matrix_layer<T>>(x, w, b, f);
}

#define INSTANTIATE(T)                                                             \
  template tensor<T> affine(const tensor<T>&, const tensor<T>&, const tensor<T>&); \
  template tensor<T> affine(const tensor<T>&, const tensor<T>&, const tensor<T>&,  \
                            const unary_loops<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
