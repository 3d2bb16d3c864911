#include <autodiff/tensor/linear.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/blas.hpp>
#include <autodiff/tensor/product_operand.hpp>
#include <autodiff/tensor/strides.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace autodiff {
namespace {

/// What the pullback to `other` keeps of x: nothing when it has nothing to do.
template <class T>
storage<T> kept_for(const tensor<T>& other, const tensor<T>& x) {
  return other.is_recorded() ? x.stored().share() : storage<T>();
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

constexpr operation_rule of_matmul{"matmul", "y = a b", "ā = ȳ bᵀ, b̄ = aᵀ ȳ"};

// Source: Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008),
// section 2.2.2.
template <class T>
void pull_product(const product_shape& s, const kept_factor<T>& a, const kept_factor<T>& b,
                  const T* dy, input_adjoint<T> da, input_adjoint<T> db) {
  if (da) {
    const auto into = da->open();
    multiply_into(rows_of(dy, s.n), b.turned(), s.m, s.k, s.n, into.how, into.data);
  }
  if (db) {
    const auto into = db->open();
    multiply_into(a.turned(), rows_of(dy, s.n), s.k, s.n, s.m, into.how, into.data);
  }
}

/// y = a b of two dimensions at most, recorded.
template <class T>
tensor<T> product(const operation_rule& operation, const product_shape& s, const tensor<T>& a,
                  const tensor<T>& b) {
  const auto in_a = factor_of(a.stored(), s.m, s.k), in_b = factor_of(b.stored(), s.k, s.n);
  array<T> y(s.result);
  multiply_into(in_a, in_b, s.m, s.n, s.k, store::write, y.writable());
  return record(
      operation, std::move(y),
      [s, a_kept = kept_factor<T>(b.is_recorded(), a.stored(), in_a),
       b_kept = kept_factor<T>(a.is_recorded(), b.stored(), in_b)](
          const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
        pull_product(s, a_kept, b_kept, dy.data(), da, db);
      },
      a, b);
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
        walk_(broadcast_walk<3>(batch_, {&batch_, &batch_a_, &batch_b_})),
        joined_(walk_.stride(1) == 1 && walk_.stride(2) == 0) {}

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
      multiply_into(rows_of(a + at_a, k_), rows_of(b + at_b, n_), m, n_, k_, store::write,
                    y + at_y);
    });
  }
  template <class T>
  void pull_a(const T* b, const T* dy, input_adjoint<T> da) const {
    const auto into = da->open(batch_a_.size() == batch_.size());
    for_each([&](std::size_t m, std::size_t at_y, std::size_t at_a, std::size_t at_b) {
      multiply_into(rows_of(dy + at_y, n_), rows_of(b + at_b, n_).turned(), m, k_, n_, into.how,
                    into.data + at_a);
    });
  }
  template <class T>
  void pull_b(const T* a, const T* dy, input_adjoint<T> db) const {
    const std::size_t products = walk_.rows() * (joined_ ? 1 : walk_.row_size());
    const auto into = db->open(products == batch_b_.size());
    for_each([&](std::size_t m, std::size_t at_y, std::size_t at_a, std::size_t at_b) {
      multiply_into(rows_of(a + at_a, k_).turned(), rows_of(dy + at_y, n_), k_, n_, m, into.how,
                    into.data + at_b);
    });
  }

 private:
  static shape batch_of(const shape& s) {
    return shape(s.extents().first(s.rank() < 2 ? 0 : s.rank() - 2));
  }

  /// visit(rows, offset in y, in a, in b) for each product.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    const auto visit_pair = [&](std::size_t m, const strided_walk<3>::offsets& at) {
      visit(m, static_cast<std::size_t>(at[0]) * m_ * n_, static_cast<std::size_t>(at[1]) * m_ * k_,
            static_cast<std::size_t>(at[2]) * k_ * n_);
    };
    if (joined_) {
      walk_.for_each_row([&](const auto& at) { visit_pair(m_ * walk_.row_size(), at); });
    } else {
      walk_.for_each([&](const auto& at) { visit_pair(m_, at); });
    }
  }

  std::size_t m_, k_, n_;
  shape batch_a_, batch_b_, batch_;
  strided_walk<3> walk_;  // result, a, b
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
      of_matmul, std::move(y),
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
  return product(of_matmul, fit(a.shape(), b.shape(), of_matmul), a, b);
}

template <class T>
tensor<T> dot(const tensor<T>& a, const tensor<T>& b) {
  if (a.rank() != 1 || b.rank() != 1 || a.size() != b.size())
    refuse("dot", a.shape(), b.shape(), "both operands must be vectors of one length");
  array<T> y(shape{}, plain<T>().dot(a.size(), a.values().data(), b.values().data()));
  static constexpr operation_rule rule{"dot", "y = Σ a ⊙ b", "ā = ȳ b, b̄ = ȳ a"};
  return record(
      rule, std::move(y),
      [a_kept = kept_for(b, a), b_kept = kept_for(a, b)](const array<T>& dy, input_adjoint<T> da,
                                                         input_adjoint<T> db) {
        // A zero adjoint wins over an infinite element, as in the rows of ops.def.
        if (is_zero(*dy.data())) return;
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
  static constexpr operation_rule rule{"outer", "y = a bᵀ", "ā = ȳ b, b̄ = ȳᵀ a"};
  return product(rule, {a.size(), 1, b.size(), shape{a.size(), b.size()}}, a, b);
}

#define INSTANTIATE(T)                                           \
  template tensor<T> matmul(const tensor<T>&, const tensor<T>&); \
  template tensor<T> dot(const tensor<T>&, const tensor<T>&);    \
  template tensor<T> outer(const tensor<T>&, const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
