#include <autodiff/tensor/solve.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/factors.hpp>
#include <autodiff/tensor/product_operand.hpp>
#include <autodiff/tensor/strides.hpp>
#include <autodiff/tensor/view.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace autodiff {
namespace {

[[noreturn]] void refuse_singular(std::string_view operation, std::size_t matrix, const shape& s,
                                  std::size_t pivot) {
  throw domain_error(operation,
                     fmt::format("{} is singular: pivot {} is 0", name_of_matrix(matrix, s), pivot),
                     "remove rows that depend on others, or add a small multiple of the identity");
}

/// Matrices a [..., n, n] and right sides b [..., n, columns], or one vector b [n] for all.
class linear_system {
 public:
  std::size_t n, columns;
  shape result;

  linear_system(std::string_view operation, const shape& a, const shape& b)
      : n(checked_order(operation, a, b)),
        columns(b.rank() == 1 ? 1 : b[b.rank() - 1]),
        batch_a_(batch_of_squares(operation, a)),
        batch_b_(b.extents().first(b.rank() == 1 ? 0 : b.rank() - 2)),
        batch_(broadcast(batch_a_, batch_b_, operation)),
        walk_(broadcast_walk<3>(batch_, {&batch_, &batch_a_, &batch_b_})) {
    std::array<std::size_t, most_dimensions + 2> extents{};
    auto* end = std::copy(batch_.begin(), batch_.end(), extents.begin());
    *end++ = n;
    if (b.rank() > 1) *end++ = columns;
    result = shape(std::span<const std::size_t>(extents.begin(), end));
  }

  std::size_t block() const { return n * columns; }
  bool repeats_b() const { return batch_b_.size() != batch_.size(); }

  /// visit(number of the result, of the matrix, of the right side).
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    walk_.for_each([&](const auto& at) {
      visit(static_cast<std::size_t>(at[0]), static_cast<std::size_t>(at[1]),
            static_cast<std::size_t>(at[2]));
    });
  }

 private:
  static std::size_t checked_order(std::string_view operation, const shape& a, const shape& b) {
    batch_of_squares(operation, a);
    const std::size_t order = a[a.rank() - 1];
    if (b.rank() == 0 || b[b.rank() == 1 ? 0 : b.rank() - 2] != order) {
      throw shape_error(
          operation,
          fmt::format("matrices {} and right sides {} do not fit", to_string(a), to_string(b)),
          "right sides are a vector [n] or matrices [..., n, k]");
    }
    return order;
  }

  shape batch_a_, batch_b_, batch_;
  strided_walk<3> walk_;  // result, a, b
};

/// Solves for every right side. solve_one(matrix, x) replaces the block x by its solution.
template <class T, class SolveOne>
array<T> solutions(const linear_system& s, const array<T>& b, SolveOne&& solve_one) {
  array<T> x(s.result);
  T* out = x.writable();
  s.for_each([&](std::size_t to, std::size_t matrix, std::size_t from) {
    T* block = out + to * s.block();
    std::copy_n(b.data() + from * s.block(), s.block(), block);
    solve_one(matrix, block);
  });
  return x;
}

// a' x = b, where a' is a or its transpose: db = a'^-T dx, da' = -db x^T.
// Source: Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008),
// section 2.3.1.
template <class T, class SolveTurned, class Reads>
void pull_solutions(const linear_system& s, transposed a_is, const storage<T>& x,
                    const array<T>& dx, input_adjoint<T> da, input_adjoint<T> db,
                    SolveTurned&& solve_turned, Reads&& reads) {
  array<T> shares(s.result);
  T* out = shares.writable();
  std::copy_n(dx.data(), dx.size(), out);
  s.for_each([&](std::size_t at, std::size_t matrix, std::size_t) {
    solve_turned(matrix, out + at * s.block());
  });
  if (da) {
    T* into = da->open_zeroed();
    array<T> product(shape{s.n * s.n});
    T* slopes = product.writable();
    s.for_each([&](std::size_t at, std::size_t matrix, std::size_t) {
      const T *left = out + at * s.block(), *right = x.data() + at * s.block();
      if (a_is == transposed::yes) std::swap(left, right);
      multiply_into(rows_of(left, s.columns), rows_of(right, s.columns).turned(), s.n, s.n,
                    s.columns, store::write, slopes);
      for (std::size_t i = 0; i < s.n; ++i) {
        for (std::size_t j = 0; j < s.n; ++j) {
          if (reads(i, j)) into[(matrix * s.n + i) * s.n + j] -= slopes[i * s.n + j];
        }
      }
    });
  }
  if (!db) return;
  if (!s.repeats_b()) return db->add(shares);
  T* into = db->open_zeroed();
  s.for_each([&](std::size_t at, std::size_t, std::size_t to) {
    plain<T>().accumulate(s.block(), T(1), out + at * s.block(), 1, into + to * s.block(),
                          store::add);
  });
}

template <class T>
lu_factors<T> regular_factors(std::string_view operation, const tensor<T>& a) {
  batch_of_squares(operation, a.shape());
  lu_factors<T> factors(a.stored());
  for (std::size_t i = 0; i < factors.count(); ++i) {
    const std::size_t pivot = factors.zero_pivot(i);
    if (pivot != factors.order()) refuse_singular(operation, i, a.shape(), pivot);
  }
  return factors;
}

template <class T>
tensor<T> triangular_solve_as(const operation_rule& operation, const tensor<T>& a,
                              const tensor<T>& b, triangular_form form) {
  const linear_system s(operation, a.shape(), b.shape());
  const T* matrices = a.values().data();
  for (std::size_t row = 0; !form.unit_diagonal && row * s.n < a.size(); ++row) {
    const std::size_t pivot = row % s.n;
    if (matrices[row * s.n + pivot] == T(0))
      refuse_singular(operation, row / s.n, a.shape(), pivot);
  }
  const auto solve_one = [n = s.n, columns = s.columns](triangular_form f, const T* all,
                                                        std::size_t matrix, T* block) {
    solve_triangle(side::left, f, n, columns, all + matrix * n * n, block);
  };
  array<T> x = solutions(s, b.stored(), [&](std::size_t matrix, T* block) {
    solve_one(form, matrices, matrix, block);
  });
  if (!a.is_recorded() && !b.is_recorded()) return tensor<T>(std::move(x));
  return record(
      operation, x,
      [s, form, solve_one, a_kept = a.stored().share(),
       x_kept = a.is_recorded() ? x.share() : storage<T>()](const array<T>& dx, input_adjoint<T> da,
                                                            input_adjoint<T> db) {
        triangular_form turned = form;
        turned.transposed = !form.transposed;
        pull_solutions(
            s, transposed{form.transposed}, x_kept, dx, da, db,
            [&](std::size_t matrix, T* block) { solve_one(turned, a_kept.data(), matrix, block); },
            [&](std::size_t i, std::size_t j) { return form.reads(i, j); });
      },
      a, b);
}

}  // namespace

template <class T>
tensor<T> solve(const tensor<T>& a, const tensor<T>& b) {
  const linear_system s("solve", a.shape(), b.shape());
  const lu_factors<T> lu = regular_factors("solve", a);
  array<T> x = solutions(s, b.stored(), [&](std::size_t matrix, T* block) {
    lu.solve(transposed::no, matrix, s.columns, block);
  });
  if (!a.is_recorded() && !b.is_recorded()) return tensor<T>(std::move(x));
  static constexpr operation_rule rule{"solve", "a y = b", "b̄ = a⁻ᵀ ȳ, ā = −b̄ yᵀ"};
  return record(
      rule, x,
      [s, lu, x_kept = a.is_recorded() ? x.share() : storage<T>()](
          const array<T>& dx, input_adjoint<T> da, input_adjoint<T> db) {
        pull_solutions(
            s, transposed::no, x_kept, dx, da, db,
            [&](std::size_t matrix, T* block) {
              lu.solve(transposed::yes, matrix, s.columns, block);
            },
            [](std::size_t, std::size_t) { return true; });
      },
      a, b);
}

template <class T>
tensor<T> triangular_solve(const tensor<T>& a, const tensor<T>& b, triangular_form form) {
  static constexpr operation_rule rule{"triangular_solve", "op(a) y = b",
                                       "b̄ = op(a)⁻ᵀ ȳ, op(ā) = −b̄ yᵀ in the triangle"};
  return triangular_solve_as(rule, a, b, form);
}

template <class T>
tensor<T> cholesky_solve(const tensor<T>& lower, const tensor<T>& b) {
  // As a column: a vector for a batch becomes a batch of vectors on the way, which would be taken
  // for a matrix.
  const bool is_vector = b.rank() == 1;
  const tensor<T> right = is_vector ? unsqueeze(b, -1) : b;
  static constexpr operation_rule rule{"cholesky_solve", "op(l) y = b",
                                       "b̄ = op(l)⁻ᵀ ȳ, op(l̄) = −b̄ yᵀ in the triangle"};
  const tensor<T> inner = triangular_solve_as(rule, lower, right, {});
  const tensor<T> x = triangular_solve_as(rule, lower, inner, {.transposed = true});
  return is_vector ? squeeze(x, -1) : x;
}

template <class T>
tensor<T> matrix_inverse(const tensor<T>& a) {
  const lu_factors<T> lu = regular_factors("matrix_inverse", a);
  const std::size_t n = lu.order(), block = n * n;
  array<T> x(a.shape());
  T* out = x.writable();
  for (std::size_t i = 0; i < lu.count(); ++i) {
    fill_identity(n, out + i * block);
    lu.solve(transposed::no, i, n, out + i * block);
  }
  if (!a.is_recorded()) return tensor<T>(std::move(x));
  // da = -x^T dx x^T. Source: Giles (2008), section 2.2.3.
  static constexpr operation_rule rule{"matrix_inverse", "y = a⁻¹", "ā = −yᵀ ȳ yᵀ"};
  return record(
      rule, x,
      [n, block, kept = x.share()](const array<T>& dx, input_adjoint<T> da) {
        const auto into = da->open();
        array<T> inner(shape{block}), whole(shape{block});
        T *left = inner.writable(), *slopes = whole.writable();
        for (std::size_t at = 0; at < dx.size(); at += block) {
          const matrix_factor<T> turned = rows_of(kept.data() + at, n).turned();
          multiply_into(turned, rows_of(dx.data() + at, n), n, n, n, store::write, left);
          multiply_into(rows_of(left, n), turned, n, n, n, store::write, slopes);
          plain<T>().accumulate(block, T(-1), slopes, 1, into.data + at, into.how);
        }
      },
      a);
}

#define INSTANTIATE(T)                                                                      \
  template tensor<T> solve(const tensor<T>&, const tensor<T>&);                             \
  template tensor<T> triangular_solve(const tensor<T>&, const tensor<T>&, triangular_form); \
  template tensor<T> cholesky_solve(const tensor<T>&, const tensor<T>&);                    \
  template tensor<T> matrix_inverse(const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
