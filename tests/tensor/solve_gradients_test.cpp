// Linear systems, factors, inverses and determinants, each with a line of the gradient-check table.

#include <autodiff/tensor/determinant.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/slice.hpp>
#include <autodiff/tensor/solve.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/tensor/gradient_table.hpp>
#include <tests/tensor/matrices.hpp>

#include <cmath>

namespace {

using namespace gradient_table;
using autodiff::range;
using autodiff::triangular_form;
using reference::elimination;

/// x + factor times the identity, for every matrix of x.
template <class T>
tensor<T> shifted(const tensor<T>& x, double factor) {
  const std::size_t n = x.shape()[x.rank() - 1];
  tensor<T> identity(shape{n, n});
  for (std::size_t i = 0; i < n; ++i) identity.mutable_values()[i * (n + 1)] = T(factor);
  return x + identity;
}

/// x x^T + n times the identity: symmetric and positive definite.
template <class T>
tensor<T> definite(const tensor<T>& x) {
  return shifted(matmul(x, transpose(x)), static_cast<double>(x.shape()[0]));
}
reals definite(const reals& x, std::size_t n) {
  return reference::shifted(reference::product(x, reference::transposed(x, n, n), n, n, n), n, n);
}

/// Part `index` of a batch, a matrix of n n numbers shifted by 3.
reals regular(const reals& x, std::size_t n, std::size_t index) {
  const auto first = x.begin() + static_cast<std::ptrdiff_t>(index * n * n);
  return reference::shifted(reals(first, first + static_cast<std::ptrdiff_t>(n * n)), n, 3);
}

reals part(const reals& x, std::size_t size, std::size_t index) {
  const auto first = x.begin() + static_cast<std::ptrdiff_t>(index * size);
  return reals(first, first + static_cast<std::ptrdiff_t>(size));
}

void append(reals& all, const reals& more) { all.insert(all.end(), more.begin(), more.end()); }

/// What a triangular_form stands for.
reals triangle_of(const reals& a, std::size_t n, triangular_form form) {
  reals t(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i == j)
        t[i * n + j] = form.unit_diagonal ? 1 : a[i * n + j];
      else if ((i < j) == form.upper)
        t[i * n + j] = a[i * n + j];
    }
  }
  return form.transposed ? reference::transposed(t, n, n) : t;
}

structured_operation triangular(const char* name, triangular_form form) {
  return line(
      name, {{3, 3}, {3, 2}},
      [form](auto x) { return triangular_solve(shifted(x[0], 3), x[1], form); },
      [form](const operands& x) {
        return elimination(triangle_of(regular(x[0], 3, 0), 3, form), x[1], 3).x;
      });
}

std::vector<structured_operation> systems() {
  return {
      line(
          "solve, transposed matrix and right sides", {{3, 3}, {2, 3}},
          [](auto x) { return solve(transpose(shifted(x[0], 3)), transpose(x[1])); },
          [](const operands& x) {
            return elimination(reference::transposed(regular(x[0], 3, 0), 3, 3),
                               reference::transposed(x[1], 2, 3), 3)
                .x;
          }),
      line(
          "solve, a matrix of right sides", {{3, 3}, {3, 2}},
          [](auto x) { return solve(shifted(x[0], 3), x[1]); },
          [](const operands& x) { return elimination(regular(x[0], 3, 0), x[1], 3).x; }),
      line(
          "solve, a vector", {{3, 3}, {3}}, [](auto x) { return solve(shifted(x[0], 3), x[1]); },
          [](const operands& x) { return elimination(regular(x[0], 3, 0), x[1], 3).x; }),
      line(
          "solve, a batch", {{2, 2, 2}, {2, 2, 3}},
          [](auto x) { return solve(shifted(x[0], 3), x[1]); },
          [](const operands& x) {
            reals all;
            for (std::size_t i = 0; i < 2; ++i)
              append(all, elimination(regular(x[0], 2, i), part(x[1], 6, i), 2).x);
            return all;
          }),
      line(
          "solve, one matrix for a batch", {{2, 2}, {3, 2, 1}},
          [](auto x) { return solve(shifted(x[0], 3), x[1]); },
          [](const operands& x) {
            reals all;
            for (std::size_t i = 0; i < 3; ++i)
              append(all, elimination(regular(x[0], 2, 0), part(x[1], 2, i), 2).x);
            return all;
          }),
      line(
          "solve, one vector for a batch", {{3, 2, 2}, {2}},
          [](auto x) { return solve(shifted(x[0], 3), x[1]); },
          [](const operands& x) {
            reals all;
            for (std::size_t i = 0; i < 3; ++i)
              append(all, elimination(regular(x[0], 2, i), x[1], 2).x);
            return all;
          }),
      line(
          "solve, a matrix by itself", {{3, 3}},
          [](auto x) {
            const auto a = shifted(x[0], 3);
            return solve(a, a * a);
          },
          [](const operands& x) {
            const reals a = regular(x[0], 3, 0);
            reals b = a;
            for (real& v : b) v *= v;
            return elimination(a, b, 3).x;
          }),
      triangular("triangular_solve, lower", {}),
      triangular("triangular_solve, upper", {.upper = true}),
      triangular("triangular_solve, lower transposed", {.transposed = true}),
      triangular("triangular_solve, upper transposed", {.upper = true, .transposed = true}),
      triangular("triangular_solve, unit diagonal", {.unit_diagonal = true}),
      triangular("triangular_solve, upper transposed with unit diagonal",
                 {.upper = true, .transposed = true, .unit_diagonal = true}),
      line(
          "triangular_solve, one matrix for a batch", {{2, 2}, {2, 2, 2}},
          [](auto x) { return triangular_solve(shifted(x[0], 3), x[1]); },
          [](const operands& x) {
            reals all;
            for (std::size_t i = 0; i < 2; ++i) {
              append(all,
                     elimination(triangle_of(regular(x[0], 2, 0), 2, {}), part(x[1], 4, i), 2).x);
            }
            return all;
          }),
  };
}

std::vector<structured_operation> factors() {
  return {
      line(
          "cholesky", {{3, 3}}, [](auto x) { return cholesky(definite(x[0])); },
          [](const operands& x) { return reference::cholesky(definite(x[0], 3), 3); }),
      line(
          "cholesky, not symmetric", {{3, 3}}, [](auto x) { return cholesky(shifted(x[0], 3)); },
          [](const operands& x) {
            reals a = regular(x[0], 3, 0);
            const reals turned = reference::transposed(a, 3, 3);
            for (std::size_t i = 0; i < 9; ++i) a[i] = (a[i] + turned[i]) / 2;
            return reference::cholesky(a, 3);
          }),
      line(
          "cholesky_solve", {{3, 3}, {3, 2}},
          [](auto x) { return cholesky_solve(cholesky(definite(x[0])), x[1]); },
          [](const operands& x) { return elimination(definite(x[0], 3), x[1], 3).x; }),
      line(
          "matrix_inverse", {{3, 3}}, [](auto x) { return matrix_inverse(shifted(x[0], 3)); },
          [](const operands& x) {
            return elimination(regular(x[0], 3, 0), reference::identity(3), 3).x;
          }),
      line(
          "matrix_inverse, a batch", {{2, 2, 2}},
          [](auto x) { return matrix_inverse(shifted(x[0], 3)); },
          [](const operands& x) {
            reals all;
            for (std::size_t i = 0; i < 2; ++i)
              append(all, elimination(regular(x[0], 2, i), reference::identity(2), 2).x);
            return all;
          }),
      line(
          "determinant", {{3, 3}}, [](auto x) { return determinant(x[0]); },
          [](const operands& x) { return reals{elimination(x[0], {}, 3).determinant}; }),
      line(
          "determinant, a batch", {{2, 2, 2}}, [](auto x) { return determinant(x[0]); },
          [](const operands& x) {
            return reals{elimination(part(x[0], 4, 0), {}, 2).determinant,
                         elimination(part(x[0], 4, 1), {}, 2).determinant};
          }),
      line(
          "determinant of a matrix cut out of another", {{4, 4}},
          [](auto x) {
            return determinant(slice(x[0], {range{1, 4}, range{0, 3}}));
          },
          [](const operands& x) {
            reals cut;
            for (std::size_t i = 1; i < 4; ++i)
              for (std::size_t j = 0; j < 3; ++j) cut.push_back(x[0][i * 4 + j]);
            return reals{elimination(cut, {}, 3).determinant};
          }),
      line(
          "log_det", {{3, 3}}, [](auto x) { return log_det(shifted(x[0], 3)); },
          [](const operands& x) {
            return reals{std::log(std::fabs(elimination(regular(x[0], 3, 0), {}, 3).determinant))};
          }),
      line(
          "log_det, a batch of negative determinants", {{2, 2, 2}},
          [](auto x) { return log_det(0.0 - shifted(x[0], 3)); },
          [](const operands& x) {
            reals all;
            for (std::size_t i = 0; i < 2; ++i)
              all.push_back(std::log(elimination(regular(x[0], 2, i), {}, 2).determinant));
            return all;
          }),
  };
}

}  // namespace

TEST_CASE("solutions of linear systems have the values and derivatives of elimination") {
  gradient_table::check_table(systems());
}

TEST_CASE("factors, inverses and determinants have the values and derivatives of elimination") {
  gradient_table::check_table(factors());
}
