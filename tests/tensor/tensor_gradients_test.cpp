// The lines of the structured operations that have no table of their own.

#include <autodiff/tensor/affine.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensor/gradient_table.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace {

using namespace gradient_table;
using reference::real;

/// [m, k] x [k, n] on a[0] and a[1], by definition.
reals product(const operands& a, std::size_t m, std::size_t k, std::size_t n) {
  reals c(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t l = 0; l < k; ++l) c[i * n + j] += a[0][i * k + l] * a[1][l * n + j];
    }
  }
  return c;
}

reals log_softmax_rows(const reals& x, std::size_t k) {
  reals y(x.size());
  for (std::size_t row = 0; row < x.size(); row += k) {
    real total = 0;
    for (std::size_t j = 0; j < k; ++j) total += std::exp(x[row + j]);
    for (std::size_t j = 0; j < k; ++j) y[row + j] = x[row + j] - std::log(total);
  }
  return y;
}

const std::vector<std::size_t> picked{2, 0, 2, 1};

std::vector<structured_operation> table() {
  return {
      line(
          "add, broadcast", {{2, 3}, {3}}, [](auto x) { return x[0] + x[1]; },
          [](const operands& x) {
            reals y = x[0];
            for (std::size_t i = 0; i < 6; ++i) y[i] += x[1][i % 3];
            return y;
          }),
      line(
          "multiply, both broadcast", {{2, 1}, {3}}, [](auto x) { return x[0] * x[1]; },
          [](const operands& x) {
            reals y(6);
            for (std::size_t i = 0; i < 6; ++i) y[i] = x[0][i / 3] * x[1][i % 3];
            return y;
          }),
      line(
          "divide by a scalar tensor", {{4}, {}}, [](auto x) { return x[0] / (x[1] + 3.0); },
          [](const operands& x) {
            reals y = x[0];
            for (real& v : y) v /= x[1][0] + 3;
            return y;
          }),
      line(
          "tanh", {{5}}, [](auto x) { return tanh(x[0]); },
          [](const operands& x) {
            reals y = x[0];
            for (real& v : y) v = std::tanh(v);
            return y;
          }),
      line(
          "matmul, matrices", {{2, 3}, {3, 4}}, [](auto x) { return matmul(x[0], x[1]); },
          [](const operands& x) { return product(x, 2, 3, 4); }),
      line(
          "matmul, matrices in tiles", {{5, 6}, {6, 7}}, [](auto x) { return matmul(x[0], x[1]); },
          [](const operands& x) { return product(x, 5, 6, 7); }),
      line(
          "matmul, matrix and vector", {{2, 3}, {3}}, [](auto x) { return matmul(x[0], x[1]); },
          [](const operands& x) { return product(x, 2, 3, 1); }),
      line(
          "matmul, vector and matrix", {{3}, {3, 2}}, [](auto x) { return matmul(x[0], x[1]); },
          [](const operands& x) { return product(x, 1, 3, 2); }),
      line(
          "matmul, vectors", {{4}, {4}}, [](auto x) { return matmul(x[0], x[1]); },
          [](const operands& x) { return product(x, 1, 4, 1); }),
      line(
          "matmul, a matrix by itself", {{3, 3}}, [](auto x) { return matmul(x[0], x[0]); },
          [](const operands& x) {
            return product({x[0], x[0]}, 3, 3, 3);
          }),
      line(
          "affine, rows", {{4, 2}, {2, 3}, {3}}, [](auto x) { return affine(x[0], x[1], x[2]); },
          [](const operands& x) {
            reals y = product(x, 4, 2, 3);
            for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[2][i % 3];
            return y;
          }),
      line(
          "affine, one row", {{2}, {2, 3}, {3}}, [](auto x) { return affine(x[0], x[1], x[2]); },
          [](const operands& x) {
            reals y = product(x, 1, 2, 3);
            for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[2][i];
            return y;
          }),
      line(
          "transpose", {{2, 3}}, [](auto x) { return transpose(x[0]); },
          [](const operands& x) {
            return reals{x[0][0], x[0][3], x[0][1], x[0][4], x[0][2], x[0][5]};
          }),
      line(
          "sum, all", {{2, 3}}, [](auto x) { return sum(x[0]); },
          [](const operands& x) {
            real total = 0;
            for (const real v : x[0]) total += v;
            return reals{total};
          }),
      line(
          "sum, first axis", {{2, 3}}, [](auto x) { return sum(x[0], {0}); },
          [](const operands& x) {
            return reals{x[0][0] + x[0][3], x[0][1] + x[0][4], x[0][2] + x[0][5]};
          }),
      line(
          "sum, middle axis kept", {{2, 2, 2}}, [](auto x) { return sum(x[0], {1}, true); },
          [](const operands& x) {
            return reals{x[0][0] + x[0][2], x[0][1] + x[0][3], x[0][4] + x[0][6],
                         x[0][5] + x[0][7]};
          }),
      line(
          "mean, all", {{3, 2}}, [](auto x) { return mean(x[0]); },
          [](const operands& x) {
            real total = 0;
            for (const real v : x[0]) total += v;
            return reals{total / 6};
          }),
      line(
          "mean, outer axes", {{2, 2, 2}},
          [](auto x) {
            return mean(x[0], {0, -1});
          },
          [](const operands& x) {
            return reals{(x[0][0] + x[0][1] + x[0][4] + x[0][5]) / 4,
                         (x[0][2] + x[0][3] + x[0][6] + x[0][7]) / 4};
          }),
      line(
          "reshape", {{2, 3}},
          [](auto x) {
            return reshape(x[0], {3, 2});
          },
          [](const operands& x) { return x[0]; }),
      line(
          "take_rows", {{3, 2}}, [](auto x) { return take_rows(x[0], picked); },
          [](const operands& x) {
            reals y;
            for (const std::size_t row : picked)
              y.insert(y.end(), {x[0][row * 2], x[0][row * 2 + 1]});
            return y;
          }),
      line(
          "softmax", {{2, 4}}, [](auto x) { return softmax(x[0]); },
          [](const operands& x) {
            reals y = log_softmax_rows(x[0], 4);
            for (real& v : y) v = std::exp(v);
            return y;
          }),
      line(
          "log_softmax", {{2, 4}}, [](auto x) { return log_softmax(x[0]); },
          [](const operands& x) { return log_softmax_rows(x[0], 4); }),
      line(
          "softmax_cross_entropy", {{3, 4}, {3, 4}},
          [](auto x) { return softmax_cross_entropy(x[0], x[1]); },
          [](const operands& x) {
            const reals log_p = log_softmax_rows(x[0], 4);
            real total = 0;
            for (std::size_t i = 0; i < log_p.size(); ++i) total -= x[1][i] * log_p[i];
            return reals{total / 3};
          }),
      line(
          "a network: affine, tanh, affine, cross-entropy",
          {{3, 2}, {2, 4}, {4}, {4, 3}, {3}, {3, 3}},
          [](auto x) {
            return softmax_cross_entropy(affine(tanh(affine(x[0], x[1], x[2])), x[3], x[4]), x[5]);
          },
          [](const operands& x) {
            reals hidden = product(x, 3, 2, 4);
            for (std::size_t i = 0; i < hidden.size(); ++i)
              hidden[i] = std::tanh(hidden[i] + x[2][i % 4]);
            reals z = product({hidden, x[3]}, 3, 4, 3);
            for (std::size_t i = 0; i < z.size(); ++i) z[i] += x[4][i % 3];
            const reals log_p = log_softmax_rows(z, 3);
            real total = 0;
            for (std::size_t i = 0; i < z.size(); ++i) total -= x[5][i] * log_p[i];
            return reals{total / 3};
          }),
  };
}

}  // namespace

TEST_CASE(
    "structured operations have the values of plain loops and adjoints of their differences") {
  gradient_table::check_values_and_adjoints(table());
}

TEST_CASE("structured operations add their share to what others left") {
  gradient_table::check_accumulation(table());
}

TEST_CASE("structured operations give each input its adjoint when it alone is recorded") {
  gradient_table::check_each_input_alone(table());
}

TEST_CASE("structured operations on duals have the tangents of their differences, without a tape") {
  gradient_table::check_duals(table());
}

TEST_CASE("duals on a tape give Hessian-vector products of structured operations") {
  gradient_table::check_duals_on_tape(table());
}

TEST_CASE("structured operations on float have the gradient of double") {
  gradient_table::check_floats(table());
}
