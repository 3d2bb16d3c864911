// Second derivatives do not depend on how number types are nested: a dual of duals, which
// reference_table_test.cpp holds to mathematics, a dual of variables and a variable of variables
// agree on every row.

#include <autodiff/dual.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <array>
#include <cmath>
#include <cstddef>

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

template <class Rule>
void check_unary(double at) {
  CAPTURE(Rule::name, at);
  using twice = dual<dual<double>>;
  const double expected =
      Rule::call(twice(dual<double>(at, 1.0), dual<double>(1.0, 0.0))).tangent().tangent();
  tape inner;
  const var x = inner.variable(at);
  const dual<var> y = Rule::call(dual<var>(x, var(1.0)));
  CHECK(reference::close(adjoint(inner, y.tangent(), x), expected, tolerance));
  basic_tape<var> outer;
  const basic_var<var> outer_x = outer.variable(x);
  outer.backward(basic_var<var>(Rule::call(outer_x)));
  CHECK(reference::close(adjoint(inner, outer.adjoint(outer_x), x), expected, tolerance));
}

template <class Rule>
void check_binary(double a, double b) {
  CAPTURE(Rule::name, a, b);
  using inside = dual<double, 2>;
  using twice = dual<inside, 2>;
  const twice expected = Rule::call(twice(inside(a, {1.0, 0.0}), {inside(1.0), inside(0.0)}),
                                    twice(inside(b, {0.0, 1.0}), {inside(0.0), inside(1.0)}));
  tape inner;
  basic_tape<var> outer;
  const std::array x{inner.variable(a), inner.variable(b)};
  const std::array outer_x{outer.variable(x[0]), outer.variable(x[1])};
  outer.backward(basic_var<var>(Rule::call(outer_x[0], outer_x[1])));
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
  autodiff::for_each_unary_rule([&]<class Rule>() {
    for (int i = 0; i < 5; ++i) {
      check_unary<Rule>(random.uniform(Rule::sampled[0].from, Rule::sampled[0].to));
    }
  });
}

TEST_CASE("nested variables and duals give one Hessian of every binary row") {
  reference::random random(4);
  autodiff::for_each_binary_rule([&]<class Rule>() {
    for (int i = 0; i < 5; ++i) {
      check_binary<Rule>(random.uniform(Rule::sampled[0].from, Rule::sampled[0].to),
                         random.uniform(Rule::sampled[1].from, Rule::sampled[1].to));
    }
  });
}

TEST_CASE("second derivatives of saturated functions are 0 in every nesting, not NaN") {
  for (const double x : {800.0, -800.0, 1e5, -1e5}) {
    const auto check = [x]<class Rule>(Rule) {
      CAPTURE(Rule::name, x);
      const dual<dual<double>> y =
          Rule::call(dual<dual<double>>(dual<double>(x, 1.0), dual<double>(1.0, 0.0)));
      CHECK(y.tangent().tangent() == 0);
      check_unary<Rule>(x);
    };
    check(autodiff::tanh_rule{});
    check(autodiff::sigmoid_rule{});
    check(autodiff::log_sigmoid_rule{});
    check(autodiff::softplus_rule{});
    check(autodiff::silu_rule{});
    check(autodiff::mish_rule{});
    check(autodiff::gelu_rule{});
    check(autodiff::gelu_tanh_rule{});
    check(autodiff::erf_rule{});
    check(autodiff::normal_cdf_rule{});
    check(autodiff::hard_tanh_rule{});
  }
}
