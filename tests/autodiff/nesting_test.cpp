// Second derivatives do not depend on how number types are nested: a dual of duals, which
// reference_table_test.cpp holds to mathematics, a dual of variables and a variable of variables
// agree on every row.

#include <autodiff/dual.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/rows.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

using autodiff::basic_tape;
using autodiff::basic_var;
using autodiff::dual;
using autodiff::tape;
using autodiff::var;

namespace {

/// Each nesting rounds in its own order.
constexpr double tolerance = 1e-13;

/// The adjoint of x, 0 where the output does not depend on a variable.
double adjoint(tape& t, const var& y, const var& x) {
  if (!y.is_recorded()) return 0;
  t.backward(y);
  return t.adjoint(x);
}

using twice = dual<dual<double>>;
using unary_row = rows::row<twice(twice), dual<var>(dual<var>), basic_var<var>(basic_var<var>)>;

void check_unary(const unary_row& row, double at) {
  CAPTURE(row.name, at);
  const double expected =
      row(twice(dual<double>(at, 1.0), dual<double>(1.0, 0.0))).tangent().tangent();
  tape inner;
  const var x = inner.variable(at);
  const dual<var> y = row(dual<var>(x, var(1.0)));
  CHECK(reference::close(adjoint(inner, y.tangent(), x), expected, tolerance));
  basic_tape<var> outer;
  const basic_var<var> outer_x = outer.variable(x);
  outer.backward(row(outer_x));
  CHECK(reference::close(adjoint(inner, outer.adjoint(outer_x), x), expected, tolerance));
}

using inside = dual<double, 2>;
using both_twice = dual<inside, 2>;
using binary_row =
    rows::row<both_twice(both_twice, both_twice), basic_var<var>(basic_var<var>, basic_var<var>)>;

void check_binary(const binary_row& row, double a, double b) {
  CAPTURE(row.name, a, b);
  const both_twice expected = row(both_twice(inside(a, {1.0, 0.0}), {inside(1.0), inside(0.0)}),
                                  both_twice(inside(b, {0.0, 1.0}), {inside(0.0), inside(1.0)}));
  tape inner;
  basic_tape<var> outer;
  const std::array x{inner.variable(a), inner.variable(b)};
  const std::array outer_x{outer.variable(x[0]), outer.variable(x[1])};
  outer.backward(row(outer_x[0], outer_x[1]));
  for (std::size_t i = 0; i < 2; ++i) {
    const var slope = outer.adjoint(outer_x[i]);
    for (std::size_t j = 0; j < 2; ++j) {
      const double got = adjoint(inner, slope, x[j]);
      if (std::isnan(slope.value())) continue;
      CHECK(reference::close(got, expected.tangent(i).tangent(j), tolerance));
    }
  }
}

}  // namespace

TEST_CASE("nested variables and duals give one second derivative of every unary row") {
  reference::random random(3);
  for (const unary_row& row : rows::unary<unary_row>()) {
    for (int i = 0; i < 5; ++i) {
      check_unary(row, random.uniform(row.sampled[0].from, row.sampled[0].to));
    }
  }
}

TEST_CASE("nested variables and duals give one Hessian of every binary row") {
  reference::random random(4);
  for (const binary_row& row : rows::binary<binary_row>()) {
    for (int i = 0; i < 5; ++i) {
      check_binary(row, random.uniform(row.sampled[0].from, row.sampled[0].to),
                   random.uniform(row.sampled[1].from, row.sampled[1].to));
    }
  }
}

TEST_CASE("second derivatives of saturated functions are 0 in every nesting, not NaN") {
  constexpr std::array<std::string_view, 11> saturated{
      "tanh", "sigmoid",   "log_sigmoid", "softplus",   "silu",     "mish",
      "gelu", "gelu_tanh", "erf",         "normal_cdf", "hard_tanh"};
  std::size_t found = 0;
  for (const unary_row& row : rows::unary<unary_row>()) {
    if (std::find(saturated.begin(), saturated.end(), row.name) == saturated.end()) continue;
    ++found;
    for (const double x : {800.0, -800.0, 1e5, -1e5}) {
      CAPTURE(row.name, x);
      const twice y = row(twice(dual<double>(x, 1.0), dual<double>(1.0, 0.0)));
      CHECK(y.tangent().tangent() == 0);
      check_unary(row, x);
    }
  }
  CHECK(found == saturated.size());
}
