#include <autodiff/tensor/affine.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/distance.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/slice.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensor/gradient_table.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace {

using autodiff::affine;
using autodiff::shape;
using autodiff::squared_distance;
using autodiff::tape;
using autodiff::tensor;
using gradient_table::line;
using gradient_table::operands;
using gradient_table::reals;
using reference::real;

/// h(x w + b) of m rows, by definition.
template <class Function>
reals layer(const operands& in, std::size_t m, std::size_t k, std::size_t n, Function&& h) {
  reals y(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      real a = in[2][j];
      for (std::size_t l = 0; l < k; ++l) a += in[0][i * k + l] * in[1][l * n + j];
      y[i * n + j] = h(a);
    }
  }
  return y;
}

#define LAYER(TITLE, NAME, ROWS, H)                                      \
  line(                                                                  \
      TITLE #NAME, {{ROWS, 2}, {2, 3}, {3}},                             \
      [](auto x) {                                                       \
        using number = typename decltype(x)::value_type::value_type;     \
        return affine(x[0], x[1], x[2], autodiff::loops<number>().NAME); \
      },                                                                 \
      [](const operands& x) { return layer(x, ROWS, 2, 3, [](real a) -> real { H; }); })

std::vector<gradient_table::structured_operation> table() {
  return {
      LAYER("affine with ", tanh, 4, return std::tanh(a)),
      LAYER("affine with ", sigmoid, 4, return 1 / (1 + std::exp(-a))),
      LAYER("affine with ", relu, 4, return a > 0 ? a : 0),
      LAYER("affine with ", softplus, 4, return std::log1p(std::exp(a))),
      LAYER("affine with ", selu, 4,
            return a > 0 ? 1.0507009873554804934193349852946L * a
                         : 1.0507009873554804934193349852946L * 1.6732632423543772848170429916717L *
                               std::expm1(a)),
      LAYER("affine with ", silu, 4, return a / (1 + std::exp(-a))),
      LAYER("affine with ", exp, 4, return std::exp(a)),
      line(
          "affine on a stack of rows", {{2, 2, 3}, {3, 2}, {2}},
          [](auto x) { return affine(x[0], x[1], x[2]); },
          [](const operands& x) { return layer(x, 4, 3, 2, [](real a) { return a; }); }),
      line(
          "affine on a block longer than one pass", {{35, 1}, {1, 61}, {61}},
          [](auto x) {
            using number = typename decltype(x)::value_type::value_type;
            return affine(x[0], x[1], x[2], autodiff::loops<number>().tanh);
          },
          [](const operands& x) {
            return layer(x, 35, 1, 61, [](real a) { return std::tanh(a); });
          }),
      line(
          "affine on one row of few numbers", {{2}, {2, 3}, {3}},
          [](auto x) {
            using number = typename decltype(x)::value_type::value_type;
            return affine(x[0], x[1], x[2], autodiff::loops<number>().tanh);
          },
          [](const operands& x) { return layer(x, 1, 2, 3, [](real a) { return std::tanh(a); }); }),
      line(
          "affine on one row whose weights serve twice", {{1, 2}, {2, 2}, {2}},
          [](auto x) {
            using number = typename decltype(x)::value_type::value_type;
            const auto& gelu = autodiff::loops<number>().gelu;
            return affine(affine(x[0], x[1], x[2], gelu), x[1], x[2]);
          },
          [](const operands& x) {
            const auto gelu = [](real a) { return a * std::erfc(-a / std::sqrt(real{2})) / 2; };
            operands again = x;
            again[0] = layer(x, 1, 2, 2, gelu);
            return layer(again, 1, 2, 2, [](real a) { return a; });
          }),
      line(
          "affine on one row that is a column, factors turned", {{2, 3}, {3, 2}, {3}},
          [](auto x) {
            const auto row = transpose(slice(x[0], 1, {1, 2}));
            return affine(row, transpose(x[1]), x[2]);
          },
          [](const operands& x) {
            operands turned{{x[0][1], x[0][4]}, x[1], x[2]};
            for (std::size_t i = 0; i < 2; ++i) {
              for (std::size_t j = 0; j < 3; ++j) turned[1][i * 3 + j] = x[1][j * 2 + i];
            }
            return layer(turned, 1, 2, 3, [](real a) { return a; });
          }),
      line(
          "squared distance of more than a few numbers", {{3, 3}, {3, 3}},
          [](auto x) {
            using number = typename decltype(x)::value_type::value_type;
            return squared_distance(x[0], x[1], number(2));
          },
          [](const operands& x) {
            real total = 0;
            for (std::size_t i = 0; i < 9; ++i) {
              total += 2 * (x[0][i] - x[1][i]) * (x[0][i] - x[1][i]);
            }
            return reals{total};
          }),
      line(
          "squared distance", {{2, 3}, {2, 3}},
          [](auto x) {
            using number = typename decltype(x)::value_type::value_type;
            return squared_distance(x[0], x[1], number(0.5));
          },
          [](const operands& x) {
            real total = 0;
            for (std::size_t i = 0; i < 6; ++i) {
              total += (x[0][i] - x[1][i]) * (x[0][i] - x[1][i]) / 2;
            }
            return reals{total};
          }),
  };
}

/// One row of so few numbers that loops are unrolled, of one more, and of all between.
std::vector<gradient_table::structured_operation> short_rows() {
  std::vector<gradient_table::structured_operation> rows{
      LAYER("affine on one row with ", tanh, 1, return std::tanh(a)),
      LAYER("affine on one row with ", silu, 1, return a / (1 + std::exp(-a))),
      LAYER("affine on one row with ", exp, 1, return std::exp(a))};
  for (std::size_t k = 1; k <= 5; ++k) {
    for (std::size_t n = 1; n <= 5; ++n) {
      rows.push_back(line(
          fmt::format("affine on one row, {} to {}", k, n), {{k}, {k, n}, {n}},
          [](auto x) { return affine(x[0], x[1], x[2]); },
          [=](const operands& x) { return layer(x, 1, k, n, [](real a) { return a; }); }));
    }
  }
  return rows;
}

}  // namespace

TEST_CASE("affine on one row has the values and derivatives of plain loops, however short it is") {
  gradient_table::check_table(short_rows());
}

TEST_CASE("layers and distances in one operation have the values and derivatives of plain loops") {
  gradient_table::check_table(table());
}

TEST_CASE("affine on no rows gives no rows, and zeros for weights and bias") {
  tape t;
  const auto x = t.variable(tensor<double>(shape{0, 2}));
  const auto w = t.variable(tensor<double>({{1, 2, 3}, {4, 5, 6}}));
  const auto b = t.variable(tensor<double>({1, 2, 3}));
  const auto y = affine(x, w, b, autodiff::loops<double>().tanh);
  CHECK(y.shape() == shape{0, 3});
  t.backward(sum(y));
  CHECK(t.adjoint(x).shape() == shape{0, 2});
  for (const double v : t.adjoint(w).values()) CHECK(v == 0);
  for (const double v : t.adjoint(b).values()) CHECK(v == 0);
}

TEST_CASE("affine without inputs gives the bias") {
  const tensor<double> x(shape{2, 0}), w(shape{0, 3}), b({1, 2, 3});
  const auto y = affine(x, w, b);
  CHECK(reference::all_close(y.values(), reals{1, 2, 3, 1, 2, 3}, 0));
}

TEST_CASE("a layer that computes in the place of its adjoint leaves the one that is asked for") {
  tape t;
  const auto x = t.variable(tensor<double>({{0.5, -0.25}}));
  const auto w = t.variable(tensor<double>({{0.1, 0.3}, {0.2, 0.4}}));
  const auto b = t.variable(tensor<double>({0.01, 0.02}));
  const auto y = affine(x, w, b, autodiff::loops<double>().tanh);
  const tensor<double> ones(shape{1, 2}, 1.0);
  t.backward(y, ones);
  CHECK(reference::all_close(t.adjoint(y).values(), reals{1, 1}, 0));
  const tensor<double> dx = t.adjoint(x);
  t.keep(y);
  t.backward(y, ones, autodiff::leaves_only);
  CHECK(reference::all_close(t.adjoint(y).values(), reals{1, 1}, 0));
  CHECK(t.adjoint(x).value(0, 0) == dx.value(0, 0));
  // Nor does it change the cotangent, whose values it shares.
  CHECK(reference::all_close(ones.values(), reals{1, 1}, 0));
}

TEST_CASE("affine and squared distance name the shapes that do not fit") {
  const tensor<double> x(shape{4, 2}), w(shape{3, 5}), b(shape{5});
  CHECK_THROWS_WITH(affine(x, w, b),
                    "affine: [4, 2] x [3, 5] + [5] do not fit; inputs are [n, in], weights [in, "
                    "out] and the bias is [out]");
  CHECK_THROWS_AS(affine(x, w, b, autodiff::loops<double>().relu), autodiff::shape_error);
  CHECK_THROWS_WITH(squared_distance(x, w),
                    "squared_distance: [4, 2] and [3, 5]; nothing is broadcast: reshape one of "
                    "them");
}

TEST_CASE("the adjoint of a bias does not drift over many rows of float") {
  constexpr std::size_t rows = 1'000'000;
  tape t;
  const auto b = t.variable(tensor<float>({0.0f}));
  const auto y = affine(tensor<float>(shape{rows, 1}), tensor<float>(shape{1, 1}), b);
  t.backward(y, tensor<float>(y.shape(), 0.1f));
  CHECK(reference::close(t.adjoint(b).value(0), rows * real{0.1f}, 1e-6L));
}

TEST_CASE("the squared distance of a tensor from itself has no derivative") {
  tape t;
  const auto x = t.variable(tensor<double>({1.0, 2.0, 3.0}));
  const auto e = squared_distance(x, x);
  CHECK(e.item() == 0);
  t.backward(e);
  for (const double v : t.adjoint(x).values()) CHECK(v == 0);
}

TEST_CASE("a distance outlives what it was computed from") {
  tape t;
  auto x = t.variable(tensor<double>({1.0, 2.0}));
  auto target = tensor<double>({0.0, 4.0});
  const auto e = squared_distance(x, target, 0.5);
  const auto leaf = x;
  x = tensor<double>({7.0, 7.0});
  target.mutable_values()[0] = 100;
  t.backward(e);
  CHECK(reference::all_close(t.adjoint(leaf).values(), reals{1, -2}, 0));
}
