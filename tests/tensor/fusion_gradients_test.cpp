// The gradient-check table of fused chains.

#include <autodiff/tensor/fusion.hpp>

#include <tests/catch.hpp>
#include <tests/tensor/gradient_table.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace {

using gradient_table::line;
using gradient_table::operands;
using gradient_table::reals;
using reference::real;

/// y[i] = f(i) for each of n elements.
template <class Function>
reals each(std::size_t n, Function f) {
  reals y;
  for (std::size_t i = 0; i < n; ++i) y.push_back(f(i));
  return y;
}

const std::vector<gradient_table::structured_operation>& table() {
  static const std::vector<gradient_table::structured_operation> lines{
      line(
          "fuse, a chain", {{5}},
          [](auto x) {
            return fuse_always([](auto v) { return tanh(2.0 * v + 1.0) / (1.0 + square(v)); },
                               x[0]);
          },
          [](const operands& x) {
            return each(5, [&](std::size_t i) {
              return std::tanh(2 * x[0][i] + 1) / (1 + x[0][i] * x[0][i]);
            });
          }),
      line(
          "fuse, three operands", {{4}, {4}, {4}},
          [](auto x) {
            return fuse_always([](auto a, auto b, auto c) { return exp(a) * b - c / (2.0 + b); },
                               x[0], x[1], x[2]);
          },
          [](const operands& x) {
            return each(4, [&](std::size_t i) {
              return std::exp(x[0][i]) * x[1][i] - x[2][i] / (2 + x[1][i]);
            });
          }),
      line(
          "fuse, broadcast operands", {{3, 4}, {4}, {3, 1}, {}},
          [](auto x) {
            return fuse_always(
                [](auto a, auto b, auto c, auto k) { return sin(a + b) * c + k * b; }, x[0], x[1],
                x[2], x[3]);
          },
          [](const operands& x) {
            return each(12, [&](std::size_t i) {
              return std::sin(x[0][i] + x[1][i % 4]) * x[2][i / 4] + x[3][0] * x[1][i % 4];
            });
          }),
      line(
          "fuse, operands smaller than the result", {{3, 1}, {1, 2}},
          [](auto x) {
            return fuse_always([](auto a, auto b) { return a * exp(a * b); }, x[0], x[1]);
          },
          [](const operands& x) {
            return each(6, [&](std::size_t i) {
              return x[0][i / 2] * std::exp(x[0][i / 2] * x[1][i % 2]);
            });
          }),
      line(
          "fuse, the same tensor twice", {{3}},
          [](auto x) { return fuse_always([](auto a, auto b) { return a * cos(b); }, x[0], x[0]); },
          [](const operands& x) {
            return each(3, [&](std::size_t i) { return x[0][i] * std::cos(x[0][i]); });
          }),
      line(
          "fuse, values used several times", {{4}, {4}},
          [](auto x) {
            return fuse_always(
                [](auto a, auto b) {
                  const auto s = a + b, d = s - a * b;
                  return fma(s, d, exp(s - d)) + (d - s);
                },
                x[0], x[1]);
          },
          [](const operands& x) {
            return each(4, [&](std::size_t i) {
              const real s = x[0][i] + x[1][i], d = s - x[0][i] * x[1][i];
              return s * d + std::exp(s - d) + (d - s);
            });
          }),
  };
  return lines;
}

}  // namespace

TEST_CASE("fused chains have the values and adjoints of plain loops") {
  gradient_table::check_values_and_adjoints(table());
}
TEST_CASE("fused chains add to the adjoints of inputs that others use too") {
  gradient_table::check_accumulation(table());
}
TEST_CASE("fused chains give each input its adjoint when it alone is recorded") {
  gradient_table::check_each_input_alone(table());
}
TEST_CASE("fused chains of duals carry the tangents of plain loops") {
  gradient_table::check_duals(table());
}
TEST_CASE("fused chains of duals on a tape give Hessian-vector products") {
  gradient_table::check_duals_on_tape(table());
}
TEST_CASE("fused chains of floats have the gradient of doubles") {
  gradient_table::check_floats(table());
}
