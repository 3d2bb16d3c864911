#pragma once
// Holds a convention in every mode at once: reverse, forward and tensors.

#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace conventions {

using autodiff::dual;
using autodiff::tape;
using autodiff::tensor;
using autodiff::var;

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

inline bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// The slope of f at x, in every mode.
template <class F>
void check_slope(F f, double x, double expected) {
  CAPTURE(x, expected);
  tape t;
  const var v = t.variable(x);
  const var y = f(v);
  t.backward(y);
  const double reverse = t.adjoint(v);
  CAPTURE(reverse);
  CHECK(same(reverse, expected));

  const double forward = dual<double>(f(dual<double>(x, 1.0))).tangent();
  CAPTURE(forward);
  CHECK(same(forward, expected));

  const auto check_tensor = [&]<class T>(T) {
    const tensor<T> u = t.variable(tensor<T>(autodiff::shape{11}, T(x)));
    t.backward(f(u), tensor<T>(autodiff::shape{11}, T(1)));
    const tensor<T> du = t.adjoint(u);
    for (const T by_tensor : du.values()) {
      CAPTURE(by_tensor);
      CHECK(same(by_tensor, expected));
    }
  };
  check_tensor(1.0);
  check_tensor(1.0F);
}

/// Both slopes of f(a, b), in every mode.
template <class F>
void check_slopes(F f, double a, double b, double expected_a, double expected_b) {
  CAPTURE(a, b, expected_a, expected_b);
  tape t;
  const var x = t.variable(a), y = t.variable(b);
  t.backward(var(f(x, y)));
  const std::array reverse{t.adjoint(x), t.adjoint(y)};
  CAPTURE(reverse[0], reverse[1]);
  CHECK(same(reverse[0], expected_a));
  CHECK(same(reverse[1], expected_b));

  using both = dual<double, 2>;
  const both forward = f(both(a, {1.0, 0.0}), both(b, {0.0, 1.0}));
  CAPTURE(forward.tangent(0), forward.tangent(1));
  CHECK(same(forward.tangent(0), expected_a));
  CHECK(same(forward.tangent(1), expected_b));

  const autodiff::shape nine{9};
  const tensor<double> u = t.variable(tensor<double>(nine, a)),
                       v = t.variable(tensor<double>(nine, b));
  t.backward(f(u, v), tensor<double>(nine, 1.0));
  const tensor<double> du = t.adjoint(u), dv = t.adjoint(v);
  for (std::size_t i = 0; i < 9; ++i) {
    CHECK(same(du.value(i), expected_a));
    CHECK(same(dv.value(i), expected_b));
  }
}

/// The slope of f(x, constant) and f's second argument as a number, a passive var, a passive
/// tensor.
template <class F>
void check_slope_beside_constant(F f, double x, double constant, double expected) {
  check_slope([&](const auto& v) { return f(v, constant); }, x, expected);
  tape t;
  const var v = t.variable(x);
  t.backward(var(f(v, var(constant))));
  CAPTURE(x, constant, expected);
  CHECK(same(t.adjoint(v), expected));
  const autodiff::shape five{5};
  const tensor<double> u = t.variable(tensor<double>(five, x));
  t.backward(f(u, tensor<double>(five, constant)), tensor<double>(five, 1.0));
  const tensor<double> du = t.adjoint(u);
  for (const double slope : du.values()) CHECK(same(slope, expected));
}

}  // namespace conventions
