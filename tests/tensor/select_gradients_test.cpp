// One line per operation that joins, picks or chooses; see gradient_table.hpp.

#include <autodiff/tensor/comparison.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/join.hpp>
#include <autodiff/tensor/roll.hpp>
#include <autodiff/tensor/ternary.hpp>
#include <autodiff/tensor/triangle.hpp>

#include <tests/catch.hpp>
#include <tests/tensor/gradient_table.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace {

using autodiff::index_array;
using autodiff::mask;
using autodiff::shape;
using autodiff::tensor;
using gradient_table::line;
using gradient_table::operands;
using gradient_table::structured_operation;
using reference::real;

using reals = gradient_table::reals;

const mask chosen(shape{2, 3}, {true, false, true, true, false, false});

/// Far below, between and far above any of the sampled numbers.
template <class T>
tensor<T> spread_out() {
  return tensor<T>({T(-5.0), T(0.0), T(5.0)});
}
constexpr std::array<real, 3> spread_values{-5, 0, 5};

template <class X>
using number_of = typename std::remove_cvref_t<decltype(std::declval<X>()[0])>::value_type;

/// The elements of x at these places.
reals at(const reals& x, const std::vector<std::size_t>& places) {
  reals y;
  for (const std::size_t place : places) y.push_back(x[place]);
  return y;
}

std::vector<structured_operation> choices() {
  return {
      line(
          "where", {{2, 3}, {2, 3}}, [](auto x) { return where(chosen, x[0], exp(x[1])); },
          [](const operands& x) {
            reals y(6);
            for (std::size_t i = 0; i < 6; ++i)
              y[i] = chosen.values()[i] ? x[0][i] : std::exp(x[1][i]);
            return y;
          }),
      line(
          "where, all broadcast", {{3}, {2, 1, 1}},
          [](auto x) { return where(chosen, x[0] * x[0], x[1] * x[1] * x[1]); },
          [](const operands& x) {
            reals y(12);
            for (std::size_t i = 0; i < 12; ++i) {
              const real a = x[0][i % 3], b = x[1][i / 6];
              y[i] = chosen.values()[i % 6] ? a * a : b * b * b;
            }
            return y;
          }),
      line(
          "where with the same tensor on both sides", {{2, 3}},
          [](auto x) { return where(chosen, x[0], x[0] * x[0]); },
          [](const operands& x) {
            reals y = x[0];
            for (std::size_t i = 0; i < 6; ++i) y[i] *= chosen.values()[i] ? 1 : x[0][i];
            return y;
          }),
      line(
          "where beside a number", {{2, 3}}, [](auto x) { return where(chosen, sin(x[0]), 2.0); },
          [](const operands& x) {
            reals y(6);
            for (std::size_t i = 0; i < 6; ++i) y[i] = chosen.values()[i] ? std::sin(x[0][i]) : 2;
            return y;
          }),
      line(
          "masked_fill", {{2, 3}}, [](auto x) { return masked_fill(exp(x[0]), chosen, 0.5); },
          [](const operands& x) {
            reals y(6);
            for (std::size_t i = 0; i < 6; ++i)
              y[i] = chosen.values()[i] ? 0.5L : std::exp(x[0][i]);
            return y;
          }),
      line(
          "masked_select", {{2, 3}}, [](auto x) { return masked_select(x[0] * x[0], chosen); },
          [](const operands& x) {
            reals y = at(x[0], {0, 2, 3});
            for (real& v : y) v *= v;
            return y;
          }),
      line(
          "clamp, three tensors", {{2, 3}, {3}, {2, 1}},
          [](auto x) {
            return clamp(x[0] + spread_out<number_of<decltype(x)>>(), x[1] - 3.0, x[2] + 3.0);
          },
          [](const operands& x) {
            reals y(6);
            for (std::size_t i = 0; i < 6; ++i)
              y[i] = std::clamp(x[0][i] + spread_values[i % 3], x[1][i % 3] - 3, x[2][i / 3] + 3);
            return y;
          }),
      line(
          "clamp between numbers", {{3}},
          [](auto x) { return clamp(x[0] + spread_out<number_of<decltype(x)>>(), -3.0, 3.0); },
          [](const operands& x) {
            reals y(3);
            for (std::size_t i = 0; i < 3; ++i)
              y[i] = std::clamp<real>(x[0][i] + spread_values[i], -3, 3);
            return y;
          }),
      line(
          "fma, broadcast", {{2, 1}, {3}, {}}, [](auto x) { return fma(x[0], x[1], x[2]); },
          [](const operands& x) {
            reals y(6);
            for (std::size_t i = 0; i < 6; ++i) y[i] = x[0][i / 3] * x[1][i % 3] + x[2][0];
            return y;
          }),
      line(
          "fma of one tensor", {{4}}, [](auto x) { return fma(x[0], x[0], x[0]); },
          [](const operands& x) {
            reals y = x[0];
            for (real& v : y) v = v * v + v;
            return y;
          }),
      line(
          "hypot of three", {{3}, {2, 3}}, [](auto x) { return hypot(x[0] + 2.0, x[1], 1.5); },
          [](const operands& x) {
            reals y(6);
            for (std::size_t i = 0; i < 6; ++i)
              y[i] = std::hypot(x[0][i % 3] + 2, x[1][i], real(1.5));
            return y;
          }),
  };
}

std::vector<structured_operation> joins() {
  return {
      line(
          "concat of rows, one of them twice", {{1, 2}, {2, 2}},
          [](auto x) {
            return autodiff::concat({x[0], x[1], x[0] * x[0]});
          },
          [](const operands& x) {
            return reals{x[0][0], x[0][1], x[1][0],           x[1][1],
                         x[1][2], x[1][3], x[0][0] * x[0][0], x[0][1] * x[0][1]};
          }),
      line(
          "concat along the last axis", {{2, 1}, {2, 2}},
          [](auto x) {
            return autodiff::concat({x[0], x[1], x[0]}, -1);
          },
          [](const operands& x) {
            return reals{x[0][0], x[1][0], x[1][1], x[0][0], x[0][1], x[1][2], x[1][3], x[0][1]};
          }),
      line(
          "concat along a middle axis", {{2, 1, 2}, {2, 2, 2}},
          [](auto x) {
            return exp(autodiff::concat({x[0], x[1]}, 1));
          },
          [](const operands& x) {
            reals y{x[0][0], x[0][1], x[1][0], x[1][1], x[1][2], x[1][3],
                    x[0][2], x[0][3], x[1][4], x[1][5], x[1][6], x[1][7]};
            for (real& v : y) v = std::exp(v);
            return y;
          }),
      line(
          "stack", {{3}, {3}},
          [](auto x) {
            return autodiff::stack({x[0], x[1], x[0]});
          },
          [](const operands& x) {
            reals y = x[0];
            y.insert(y.end(), x[1].begin(), x[1].end());
            y.insert(y.end(), x[0].begin(), x[0].end());
            return y;
          }),
      line(
          "stack along the last axis", {{2, 2}, {2, 2}},
          [](auto x) {
            return autodiff::stack({sin(x[0]), x[1]}, -1);
          },
          [](const operands& x) {
            reals y;
            for (std::size_t i = 0; i < 4; ++i) y.insert(y.end(), {std::sin(x[0][i]), x[1][i]});
            return y;
          }),
      line(
          "pad", {{2, 2}},
          [](auto x) {
            return pad(x[0] * x[0], {{1, 0}, {0, 1}}, 0.5);
          },
          [](const operands& x) {
            reals y(9, 0.5L);
            for (std::size_t i = 0; i < 4; ++i) y[3 + i / 2 * 3 + i % 2] = x[0][i] * x[0][i];
            return y;
          }),
      line(
          "tile", {{2, 2}},
          [](auto x) {
            return tile(sin(x[0]), {2, 1, 2});
          },
          [](const operands& x) {
            reals y;
            for (const std::size_t i : {0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3})
              y.push_back(std::sin(x[0][i]));
            return y;
          }),
      line(
          "repeat", {{2, 2}}, [](auto x) { return repeat(sin(x[0]), 2, 1); },
          [](const operands& x) {
            reals y;
            for (const std::size_t i : {0, 0, 1, 1, 2, 2, 3, 3}) y.push_back(std::sin(x[0][i]));
            return y;
          }),
      line(
          "roll", {{2, 3}}, [](auto x) { return roll(x[0] * x[0], -1, 1); },
          [](const operands& x) {
            reals y = at(x[0], {1, 2, 0, 4, 5, 3});
            for (real& v : y) v *= v;
            return y;
          }),
  };
}

std::vector<structured_operation> picks() {
  return {
      line(
          "index_select", {{2, 3}},
          [](auto x) {
            return index_select(x[0], 1, {2, 0, 2});
          },
          [](const operands& x) {
            return at(x[0], {2, 0, 2, 5, 3, 5});
          }),
      line(
          "index_select along a middle axis", {{2, 2, 2}},
          [](auto x) {
            return exp(index_select(x[0], 1, {1, 1, 0}));
          },
          [](const operands& x) {
            reals y = at(x[0], {2, 3, 2, 3, 0, 1, 6, 7, 6, 7, 4, 5});
            for (real& v : y) v = std::exp(v);
            return y;
          }),
      line(
          "gather along the last axis", {{2, 3}},
          [](auto x) {
            return gather(x[0] * x[0], 1, {{2, 2}, {0, 1}});
          },
          [](const operands& x) {
            reals y = at(x[0], {2, 2, 3, 4});
            for (real& v : y) v *= v;
            return y;
          }),
      line(
          "gather along the first axis, indices repeated", {{3, 2}},
          [](auto x) {
            return gather(x[0], 0, {{2}, {0}, {2}, {1}});
          },
          [](const operands& x) {
            return at(x[0], {4, 5, 0, 1, 4, 5, 2, 3});
          }),
      line(
          "scatter_add", {{2, 3}, {2, 2}},
          [](auto x) {
            return exp(scatter_add(x[0], 1, {{2, 2}, {0, 1}}, x[1]));
          },
          [](const operands& x) {
            reals y = x[0];
            y[2] += x[1][0] + x[1][1];
            y[3] += x[1][2];
            y[4] += x[1][3];
            for (real& v : y) v = std::exp(v);
            return y;
          }),
      line(
          "scatter_add over zeros", {{4}},
          [](auto x) {
            return scatter_add({3}, 0, {2, 0, 2, 2}, x[0] * x[0]);
          },
          [](const operands& x) {
            reals y(3);
            for (std::size_t i = 0; i < 4; ++i) y[i == 1 ? 0 : 2] += x[0][i] * x[0][i];
            return y;
          }),
      line(
          "upper", {{2, 2, 3}}, [](auto x) { return upper(x[0] * x[0]); },
          [](const operands& x) {
            reals y = x[0];
            for (std::size_t i = 0; i < 12; ++i) y[i] *= i % 6 == 3 ? 0 : y[i];
            return y;
          }),
      line(
          "lower below the diagonal", {{3, 3}}, [](auto x) { return lower(x[0], -1); },
          [](const operands& x) { return reals{0, 0, 0, x[0][3], 0, 0, x[0][6], x[0][7], 0}; }),
  };
}

std::vector<structured_operation> table() {
  std::vector<structured_operation> all;
  for (const auto& part : {choices(), joins(), picks()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

TEST_CASE("operations that select have the values of plain loops and adjoints of differences") {
  gradient_table::check_values_and_adjoints(table());
}

TEST_CASE("operations that select add their share to what others left") {
  gradient_table::check_accumulation(table());
}

TEST_CASE("operations that select give each input its adjoint when it alone is recorded") {
  gradient_table::check_each_input_alone(table());
}

TEST_CASE("operations that select on duals have the tangents of their differences") {
  gradient_table::check_duals(table());
}

TEST_CASE("duals on a tape give Hessian-vector products of operations that select") {
  gradient_table::check_duals_on_tape(table());
}

TEST_CASE("operations that select on float have the gradient of double") {
  gradient_table::check_floats(table());
}
