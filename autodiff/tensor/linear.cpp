#include <autodiff/tensor/linear.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/blas.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace autodiff {
namespace {

/// What the pullback to `other` keeps of x: nothing when it has nothing to do.
template <class T>
storage<T> kept_for(const tensor<T>& other, const tensor<T>& x) {
  return other.is_recorded() ? x.stored().share() : storage<T>();
}

/// The one call into blas.hpp.
template <class T>
void multiply_into(transposed a_is, transposed b_is, std::size_t m, std::size_t n, std::size_t k,
                   const T* a, const T* b, store how, T* c) {
  matrix_product(a_is, b_is, m, n, k, a, b, how == store::write ? T(0) : T(1), c);
}

/// Extents of a product a [m, k] x b [k, n] and the shape of its result.
struct product_shape {
  std::size_t m, k, n;
  shape result;
};

[[noreturn]] void refuse(std::string_view operation, const shape& a, const shape& b,
                         std::string_view remedy) {
  throw shape_error(operation, fmt::format("{} x {} do not fit", to_string(a), to_string(b)),
                    remedy);
}

/// The axis of b that a product sums over.
std::size_t inner_axis(const shape& b) { return b.rank() == 1 ? 0 : b.rank() - 2; }

void require_fit(const shape& a, const shape& b, std::string_view operation) {
  if (a.rank() == 0 || b.rank() == 0) {
    refuse(operation, a, b, "both operands need rank 1 or more; scale by a number with *");
  }
  if (a[a.rank() - 1] != b[inner_axis(b)]) {
    refuse(operation, a, b,
           b.rank() == 1 ? "the last extent of the first operand must be that of the vector"
                         : "the last extent of the first operand and the last but one of the "
                           "second must be equal; transpose one of them");
  }
}

void require_batches_fit(const shape& a, const shape& b) {
  for (std::size_t i = 3; i <= std::min(a.rank(), b.rank()); ++i) {
    const std::size_t in_a = a[a.rank() - i], in_b = b[b.rank() - i];
    if (in_a != in_b && in_a != 1 && in_b != 1) {
      refuse(
          "matmul", a, b,
          "batch axes, those before the last two, are aligned at the end and must be equal or 1");
    }
  }
}

/// Without batch axes.
product_shape fit(const shape& a, const shape& b, std::string_view operation) {
  if (a.rank() > 2 || b.rank() > 2)
    refuse(operation, a, b, "both operands must have rank 1 or 2; reshape them");
  require_fit(a, b, operation);
  const std::size_t m = a.rank() == 2 ? a[0] : 1, n = b.rank() == 2 ? b[1] : 1;
  if (a.rank() == 2) return {m, b[0], n, b.rank() == 2 ? shape{m, n} : shape{m}};
  return {m, b[0], n, b.rank() == 2 ? shape{n} : shape{}};
}

// y = a b: da = dy b^T, db = a^T dy.
// Source: Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008),
// section 2.2.2.
template <class T>
void pull_product(const product_shape& s, const T* a, const T* b, const T* dy, input_adjoint<T> da,
                  input_adjoint<T> db) {
  using enum transposed;
  if (da) {
    const auto into = da->open();
    multiply_into(no, yes, s.m, s.k, s.n, dy, b, into.how, into.data);
  }
  if (db) {
    const auto into = db->open();
    multiply_into(yes, no, s.k, s.n, s.m, a, dy, into.how, into.data);
  }
}

/// A product with batch axes, as a walk over pairs of matrices. Matrices that follow each other in
/// a and share their factor b are rows of one larger matrix: one product.
class batched_product {
 public:
  batched_product(const shape& a, const shape& b)
      : m_(a.rank() > 1 ? a[a.rank() - 2] : 1),
        k_(a[a.rank() - 1]),
        n_(b.rank() > 1 ? b[b.rank() - 1] : 1),
        batch_a_(batch_of(a)),
        batch_b_(batch_of(b)),
        batch_(broadcast(batch_a_, batch_b_, "matmul")),
        walk_(batch_, batch_a_, batch_b_),
        joined_(walk_.stride_b() == 0 && walk_.stride_a() == 1) {}

  /// The batch axes, then the rows of a and the columns of b, where these have them.
  shape result(const shape& a, const shape& b) const {
    std::array<std::size_t, most_dimensions + 2> extents{};
    auto* end = std::copy(batch_.begin(), batch_.end(), extents.begin());
    if (a.rank() > 1) *end++ = m_;
    if (b.rank() > 1) *end++ = n_;
    return shape(std::span<const std::size_t>(extents.begin(), end));
  }

  template <class T>
  void forward(const T* a, const T* b, T* y) const {
    for_each([&](std::size_t m, std::size_t at_y, std::size_t at_a, std::size_t at_b) {
      multiply_into(transposed::no, transposed::no, m, n_, k_, a + at_a, b + at_b, store::write,
                    y + at_y);
    });
  }
  template <class T>
  void pull_a(const T* b, const T* dy, input_adjoint<T> da) const {
    const auto into = open(da, batch_a_.size() == batch_.size());
    for_each([&](std::size_t m, std::size_t at_y, std::size_t at_a, std::size_t at_b) {
      multiply_into(transposed::no, transposed::yes, m, k_, n_, dy + at_y, b + at_b, into.how,
                    into.data + at_a);
    });
  }
  template <class T>
  void pull_b(const T* a, const T* dy, input_adjoint<T> db) const {
    const std::size_t products = walk_.rows() * (joined_ ? 1 : walk_.row_size());
    const auto into = open(db, products == batch_b_.size());
    for_each([&](std::size_t m, std::size_t at_y, std::size_t at_a, std::size_t at_b) {
      multiply_into(transposed::yes, transposed::no, k_, n_, m, a + at_a, dy + at_y, into.how,
                    into.data + at_b);
    });
  }

 private:
  static shape batch_of(const shape& s) {
    return shape(s.extents().first(s.rank() < 2 ? 0 : s.rank() - 2));
  }

  /// An adjoint to write to when each of its matrices comes once, else to add to.
  template <class T>
  static typename tensor_node<T>::place_for_share open(input_adjoint<T> into, bool once) {
    if (once) return into->open();
    return {into->open_zeroed(), store::add};
  }

  /// visit(rows, offset in y, in a, in b) for each product.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    walk_.for_each_row([&](std::size_t y, std::size_t a, std::size_t b) {
      if (joined_) return visit(m_ * walk_.row_size(), y * m_ * n_, a * m_ * k_, b * k_ * n_);
      for (std::size_t i = 0; i < walk_.row_size(); ++i) {
        visit(m_, (y + i) * m_ * n_, (a + i * walk_.stride_a()) * m_ * k_,
              (b + i * walk_.stride_b()) * k_ * n_);
      }
    });
  }

  std::size_t m_, k_, n_;
  shape batch_a_, batch_b_, batch_;
  row_walk walk_;
  bool joined_;
};

template <class T>
tensor<T> batched_matmul(const tensor<T>& a, const tensor<T>& b) {
  require_fit(a.shape(), b.shape(), "matmul");
  require_batches_fit(a.shape(), b.shape());
  const batched_product product(a.shape(), b.shape());
  array<T> y(product.result(a.shape(), b.shape()));
  product.forward(a.values().data(), b.values().data(), y.writable());
  return record(
      "matmul", std::move(y),
      [product, a_kept = kept_for(b, a), b_kept = kept_for(a, b)](
          const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
        if (da) product.pull_a(b_kept.data(), dy.data(), da);
        if (db) product.pull_b(a_kept.data(), dy.data(), db);
      },
      a, b);
}

}  // namespace

template <class T>
tensor<T> matmul(const tensor<T>& a, const tensor<T>& b) {
  if (a.rank() > 2 || b.rank() > 2) return batched_matmul(a, b);
  const product_shape s = fit(a.shape(), b.shape(), "matmul");
  array<T> y(s.result);
  multiply_into(transposed::no, transposed::no, s.m, s.n, s.k, a.values().data(), b.values().data(),
                store::write, y.writable());
  return record(
      "matmul", std::move(y),
      [s, a_kept = kept_for(b, a), b_kept = kept_for(a, b)](const array<T>& dy, input_adjoint<T> da,
                                                            input_adjoint<T> db) {
        pull_product(s, a_kept.data(), b_kept.data(), dy.data(), da, db);
      },
      a, b);
}

template <class T>
tensor<T> dot(const tensor<T>& a, const tensor<T>& b) {
  if (a.rank() != 1 || b.rank() != 1 || a.size() != b.size())
    refuse("dot", a.shape(), b.shape(), "both operands must be vectors of one length");
  array<T> y(shape{}, plain<T>().dot(a.size(), a.values().data(), b.values().data()));
  return record(
      "dot", std::move(y),
      [a_kept = kept_for(b, a), b_kept = kept_for(a, b)](const array<T>& dy, input_adjoint<T> da,
                                                         input_adjoint<T> db) {
        const auto pull = [&](input_adjoint<T> into, const storage<T>& other) {
          if (!into) return;
          const auto place = into->open();
          plain<T>().accumulate(into->shape().size(), *dy.data(), other.data(), 1, place.data,
                                place.how);
        };
        pull(da, b_kept);
        pull(db, a_kept);
      },
      a, b);
}

template <class T>
tensor<T> outer(const tensor<T>& a, const tensor<T>& b) {
  if (a.rank() != 1 || b.rank() != 1)
    refuse("outer", a.shape(), b.shape(), "both operands must be vectors; flatten them");
  const product_shape s{a.size(), 1, b.size(), shape{a.size(), b.size()}};
  array<T> y(s.result);
  multiply_into(transposed::no, transposed::no, s.m, s.n, s.k, a.values().data(), b.values().data(),
                store::write, y.writable());
  return record(
      "outer", std::move(y),
      [s, a_kept = kept_for(b, a), b_kept = kept_for(a, b)](const array<T>& dy, input_adjoint<T> da,
                                                            input_adjoint<T> db) {
        pull_product(s, a_kept.data(), b_kept.data(), dy.data(), da, db);
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
  multiply_into(transposed::no, transposed::no, s.m, s.n, s.k, x.values().data(), w.values().data(),
                store::add, rows);
  return record(
      "affine", std::move(y),
      [s, x_kept = kept_for(w, x), w_kept = kept_for(x, w)](
          const array<T>& dy, input_adjoint<T> dx, input_adjoint<T> dw, input_adjoint<T> db) {
        pull_product(s, x_kept.data(), w_kept.data(), dy.data(), dx, dw);
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

#define INSTANTIATE(T)                                                             \
  template tensor<T> matmul(const tensor<T>&, const tensor<T>&);                   \
  template tensor<T> dot(const tensor<T>&, const tensor<T>&);                      \
  template tensor<T> outer(const tensor<T>&, const tensor<T>&);                    \
  template tensor<T> affine(const tensor<T>&, const tensor<T>&, const tensor<T>&); \
  template tensor<T> transpose(const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
