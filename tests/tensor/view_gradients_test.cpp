// The lines of views, alone and as operands of what reads strided or packed values.

#include <autodiff/tensor/affine.hpp>
#include <autodiff/tensor/comparison.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/slice.hpp>
#include <autodiff/tensor/ternary.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensor/gradient_table.hpp>
#include <tests/tensor/view_lines.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace {

using namespace gradient_table;
using autodiff::range;
using reference::real;

/// Each view alone: a plain loop picks its elements.
std::vector<structured_operation> views() {
  std::vector<structured_operation> lines;
  for (const view_lines::view_line& view : view_lines::table()) {
    lines.push_back({view.name,
                     {view.input},
                     [f = view.of_doubles](auto x) { return f(x[0]); },
                     [f = view.of_floats](auto x) { return f(x[0]); },
                     [f = view.of_duals](auto x) { return f(x[0]); },
                     [picked = view.picked()](const operands& x) {
                       reals y;
                       for (const std::size_t from : picked) y.push_back(x[0][from]);
                       return y;
                     }});
  }
  return lines;
}

/// Element (i, j) of a row-major matrix with so many columns.
struct matrix {
  const reals& values;
  std::size_t columns;
  real operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }
};

/// sum over l of a(i, l) b(l, j).
template <class A, class B>
reals product(std::size_t m, std::size_t k, std::size_t n, A&& a, B&& b) {
  reals c(m * n);
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t l = 0; l < k; ++l) c[i * n + j] += a(i, l) * b(l, j);
  return c;
}

/// An [m, n] result, element by element.
template <class Element>
reals elements(std::size_t m, std::size_t n, Element&& element) {
  reals y;
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j) y.push_back(element(i, j));
  return y;
}

std::vector<structured_operation> products_of_views() {
  return {
      line(
          "a transpose by a matrix", {{3, 2}, {3, 4}},
          [](auto x) { return matmul(transpose(x[0]), x[1]); },
          [](const operands& x) {
            const matrix a{x[0], 2}, b{x[1], 4};
            return product(
                2, 3, 4, [&](auto i, auto l) { return a(l, i); }, b);
          }),
      line(
          "a matrix by a transpose, in tiles", {{5, 6}, {7, 6}},
          [](auto x) { return matmul(x[0], transpose(x[1])); },
          [](const operands& x) {
            const matrix a{x[0], 6}, b{x[1], 6};
            return product(5, 6, 7, a, [&](auto l, auto j) { return b(j, l); });
          }),
      line(
          "a transpose by a transpose, in tiles", {{6, 5}, {7, 6}},
          [](auto x) { return matmul(transpose(x[0]), transpose(x[1])); },
          [](const operands& x) {
            const matrix a{x[0], 5}, b{x[1], 6};
            return product(
                5, 6, 7, [&](auto i, auto l) { return a(l, i); },
                [&](auto l, auto j) { return b(j, l); });
          }),
      line(
          "a matrix by its own transpose", {{5, 6}},
          [](auto x) { return matmul(x[0], transpose(x[0])); },
          [](const operands& x) {
            const matrix a{x[0], 6};
            return product(5, 6, 5, a, [&](auto l, auto j) { return a(j, l); });
          }),
      line(
          "columns by rows, cut out of larger matrices, in tiles", {{5, 8}, {7, 9}},
          [](auto x) {
            return matmul(slice(x[0], 1, {1, 7}), slice(x[1], {range{1, 7}, range{2, 7}}));
          },
          [](const operands& x) {
            const matrix a{x[0], 8}, b{x[1], 9};
            return product(
                5, 6, 5, [&](auto i, auto l) { return a(i, l + 1); },
                [&](auto l, auto j) { return b(l + 1, j + 2); });
          }),
      line(
          "a transposed cut with every other row, in tiles", {{6, 10}, {5, 6}},
          [](auto x) {
            return matmul(transpose(slice(x[0], {range{}, range{.step = 2}})), transpose(x[1]));
          },
          [](const operands& x) {
            const matrix a{x[0], 10}, b{x[1], 6};
            return product(
                5, 6, 5, [&](auto i, auto l) { return a(l, 2 * i); },
                [&](auto l, auto j) { return b(j, l); });
          }),
      line(
          "every other row by a flipped matrix", {{4, 3}, {3, 2}},
          [](auto x) { return matmul(slice(x[0], 0, {.step = 2}), flip(x[1], 0)); },
          [](const operands& x) {
            const matrix a{x[0], 3}, b{x[1], 2};
            return product(
                2, 3, 2, [&](auto i, auto l) { return a(2 * i, l); },
                [&](auto l, auto j) { return b(2 - l, j); });
          }),
      line(
          "an expanded row by a column", {{3}, {3, 2}},
          [](auto x) {
            return matmul(expand(x[0], {2, 3}), select(x[1], 1, 1));
          },
          [](const operands& x) {
            const matrix b{x[1], 2};
            return product(
                2, 3, 1, [&](auto, auto l) { return x[0][l]; },
                [&](auto l, auto) { return b(l, 1); });
          }),
      line(
          "affine of a batch cut out, by transposed weights", {{6, 4}, {5, 4}, {10}},
          [](auto x) {
            return affine(slice(x[0], 0, {1, 6}), transpose(x[1]), slice(x[2], 0, {.step = 2}));
          },
          [](const operands& x) {
            const matrix a{x[0], 4}, w{x[1], 4};
            reals y = product(
                5, 4, 5, [&](auto i, auto l) { return a(i + 1, l); },
                [&](auto l, auto j) { return w(j, l); });
            for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[2][2 * (i % 5)];
            return y;
          }),
  };
}

std::vector<structured_operation> loops_over_views() {
  return {
      line(
          "a matrix times its transpose, element by element", {{3, 3}},
          [](auto x) { return x[0] * transpose(x[0]); },
          [](const operands& x) {
            const matrix a{x[0], 3};
            return elements(3, 3, [&](auto i, auto j) { return a(i, j) * a(j, i); });
          }),
      line(
          "overlapping slices of one tensor", {{5}},
          [](auto x) {
            return slice(x[0], 0, {0, 4}) * slice(x[0], 0, {1, 5});
          },
          [](const operands& x) {
            return elements(1, 4, [&](auto, auto j) { return x[0][j] * x[0][j + 1]; });
          }),
      line(
          "overlapping slices of inner rows", {{2, 5}},
          [](auto x) {
            return slice(x[0], 1, {0, 4}) * slice(x[0], 1, {1, 5});
          },
          [](const operands& x) {
            const matrix a{x[0], 5};
            return elements(2, 4, [&](auto i, auto j) { return a(i, j) * a(i, j + 1); });
          }),
      line(
          "an expanded row divided by an expanded column", {{3}, {2}},
          [](auto x) {
            return expand(x[0], {2, 3}) / expand(unsqueeze(x[1] + 3.0, 1), {2, 3});
          },
          [](const operands& x) {
            return elements(2, 3, [&](auto i, auto j) { return x[0][j] / (x[1][i] + 3); });
          }),
      line(
          "an expanded column whose slope needs itself", {{2}, {2, 3}},
          [](auto x) {
            return pow(expand(unsqueeze(x[0] + 2.0, 1), {2, 3}), x[1]);
          },
          [](const operands& x) {
            return elements(2, 3,
                            [&](auto i, auto j) { return std::pow(x[0][i] + 2, x[1][i * 3 + j]); });
          }),
      line(
          "expanded on both sides", {{}, {}},
          [](auto x) {
            return hypot(expand(x[0] + 2.0, {2, 3}), expand(x[1], {2, 3}));
          },
          [](const operands& x) { return reals(6, std::hypot(x[0][0] + 2, x[1][0])); }),
      line(
          "a view beside a broadcast view", {{4, 3}, {2, 6}},
          [](auto x) {
            return slice(x[0], {range{1, 3}, range{0, 2}}) * slice(x[1], {1, range{2, 4}});
          },
          [](const operands& x) {
            const matrix a{x[0], 3}, b{x[1], 6};
            return elements(2, 2, [&](auto i, auto j) { return a(i + 1, j) * b(1, j + 2); });
          }),
      line(
          "backwards times forwards", {{4}}, [](auto x) { return flip(x[0], 0) * x[0]; },
          [](const operands& x) {
            return elements(1, 4, [&](auto, auto j) { return x[0][3 - j] * x[0][j]; });
          }),
      line(
          "unary rows and numbers", {{2, 4}},
          [](auto x) {
            return tanh(slice(x[0], 1, {1, 3})) * 2.0 - square(slice(x[0], 1, {2, 4}));
          },
          [](const operands& x) {
            const matrix a{x[0], 4};
            return elements(2, 2, [&](auto i, auto j) {
              return std::tanh(a(i, j + 1)) * 2 - a(i, j + 2) * a(i, j + 2);
            });
          }),
      line(
          "unary rows and numbers over rows long enough to be read in place", {{2, 34}},
          [](auto x) {
            const auto left = slice(x[0], 1, {0, 32}), right = slice(x[0], 1, {2, 34});
            return tanh(left) * 2.0 - square(right) + 3.0 / (left + 4.0);
          },
          [](const operands& x) {
            const matrix a{x[0], 34};
            return elements(2, 32, [&](auto i, auto j) {
              return std::tanh(a(i, j)) * 2 - a(i, j + 2) * a(i, j + 2) + 3 / (a(i, j) + 4);
            });
          }),
      line(
          "three operands in rows, and a choice of two", {{3, 4}, {2, 4}, {4}},
          [](auto x) {
            const autodiff::mask m(shape{4}, {true, false, false, true});
            const auto a = slice(x[0], 0, {1, 3}), b = flip(x[1], 0), c = expand(x[2], {2, 4});
            return fma(a, b, c) * where(m, a, c);
          },
          [](const operands& x) {
            const matrix a{x[0], 4}, b{x[1], 4};
            return elements(2, 4, [&](auto i, auto j) {
              const real left = a(i + 1, j), sum = left * b(1 - i, j) + x[2][j];
              return sum * (j == 0 || j == 3 ? left : x[2][j]);
            });
          }),
      line(
          "sums over axes of a transpose", {{3, 4}},
          [](auto x) { return sum(square(transpose(x[0])), {0}) + mean(transpose(x[0]), {0}); },
          [](const operands& x) {
            return elements(1, 3, [&](auto, auto j) {
              real total = 0;
              for (std::size_t i = 0; i < 4; ++i)
                total += x[0][j * 4 + i] * x[0][j * 4 + i] + x[0][j * 4 + i] / 4;
              return total;
            });
          }),
      line(
          "softmax of a transpose", {{3, 2}}, [](auto x) { return softmax(transpose(x[0])); },
          [](const operands& x) {
            return elements(2, 3, [&](auto i, auto j) {
              real total = 0;
              for (std::size_t l = 0; l < 3; ++l) total += std::exp(x[0][l * 2 + i]);
              return std::exp(x[0][j * 2 + i]) / total;
            });
          }),
      line(
          "pieces of a split, joined", {{6}},
          [](auto x) {
            const auto pieces = split(x[0], 3);
            return pieces[0] * pieces[1] + pieces[2] * pieces[0];
          },
          [](const operands& x) {
            return elements(
                1, 2, [&](auto, auto j) { return x[0][j] * x[0][2 + j] + x[0][4 + j] * x[0][j]; });
          }),
      line(
          "a diamond of views", {{3, 3}},
          [](auto x) {
            const auto y = tanh(x[0]);
            return matmul(transpose(y), flip(y, 1)) + y * transpose(y) +
                   expand(diagonal(y), {3, 3});
          },
          [](const operands& x) {
            reals values = x[0];
            for (real& v : values) v = std::tanh(v);
            const matrix y{values, 3};
            const reals c = product(
                3, 3, 3, [&](auto i, auto l) { return y(l, i); },
                [&](auto l, auto j) { return y(l, 2 - j); });
            return elements(
                3, 3, [&](auto i, auto j) { return c[i * 3 + j] + y(i, j) * y(j, i) + y(j, j); });
          }),
  };
}

}  // namespace

TEST_CASE("views have the adjoints of plain loops") { gradient_table::check_table(views()); }

TEST_CASE("products of views have the values and adjoints of plain loops") {
  gradient_table::check_table(products_of_views());
}

TEST_CASE("loops over views have the values and adjoints of plain loops") {
  gradient_table::check_table(loops_over_views());
}
