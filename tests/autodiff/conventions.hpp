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

/// Refers to a function, called in one form: Signature is Y(X...). The function has to outlive it.
template <class Signature>
class form;
template <class Y, class... X>
class form<Y(X...)> {
 public:
  template <class F>
  explicit form(const F& f)
      : f_(&f),
        call_([](const void* g, const X&... x) { return Y((*static_cast<const F*>(g))(x...)); }) {}
  Y operator()(const X&... x) const { return call_(f_, x...); }

 private:
  const void* f_;
  Y (*call_)(const void*, const X&...);
};

/// A function of one argument in every mode. What is checked of it is compiled once for all.
struct unary_forms {
  form<var(var)> of_var;
  form<dual<double>(dual<double>)> of_dual;
  form<tensor<double>(tensor<double>)> of_doubles;
  form<tensor<float>(tensor<float>)> of_floats;
};

template <class T>
void check_tensor_slope(const form<tensor<T>(tensor<T>)>& f, double x, double expected) {
  tape t;
  const tensor<T> u = t.variable(tensor<T>(autodiff::shape{11}, T(x)));
  t.backward(f(u), tensor<T>(autodiff::shape{11}, T(1)));
  const tensor<T> du = t.adjoint(u);
  for (const T by_tensor : du.values()) {
    CAPTURE(by_tensor);
    CHECK(same(by_tensor, expected));
  }
}

inline void check_slope_of(const unary_forms& f, double x, double expected) {
  CAPTURE(x, expected);
  tape t;
  const var v = t.variable(x);
  t.backward(f.of_var(v));
  const double reverse = t.adjoint(v);
  CAPTURE(reverse);
  CHECK(same(reverse, expected));

  const double forward = f.of_dual(dual<double>(x, 1.0)).tangent();
  CAPTURE(forward);
  CHECK(same(forward, expected));

  check_tensor_slope(f.of_doubles, x, expected);
  check_tensor_slope(f.of_floats, x, expected);
}

/// The slope of f at x, in every mode.
template <class F>
void check_slope(const F& f, double x, double expected) {
  check_slope_of({form<var(var)>(f), form<dual<double>(dual<double>)>(f),
                  form<tensor<double>(tensor<double>)>(f), form<tensor<float>(tensor<float>)>(f)},
                 x, expected);
}

using two_directions = dual<double, 2>;

/// A function of two arguments in every mode.
struct binary_forms {
  form<var(var, var)> of_var;
  form<two_directions(two_directions, two_directions)> of_dual;
  form<tensor<double>(tensor<double>, tensor<double>)> of_doubles;
};

inline void check_slopes_of(const binary_forms& f, double a, double b, double expected_a,
                            double expected_b) {
  CAPTURE(a, b, expected_a, expected_b);
  tape t;
  const var x = t.variable(a), y = t.variable(b);
  t.backward(f.of_var(x, y));
  const std::array reverse{t.adjoint(x), t.adjoint(y)};
  CAPTURE(reverse[0], reverse[1]);
  CHECK(same(reverse[0], expected_a));
  CHECK(same(reverse[1], expected_b));

  const two_directions forward =
      f.of_dual(two_directions(a, {1.0, 0.0}), two_directions(b, {0.0, 1.0}));
  CAPTURE(forward.tangent(0), forward.tangent(1));
  CHECK(same(forward.tangent(0), expected_a));
  CHECK(same(forward.tangent(1), expected_b));

  const autodiff::shape nine{9};
  const tensor<double> u = t.variable(tensor<double>(nine, a)),
                       v = t.variable(tensor<double>(nine, b));
  t.backward(f.of_doubles(u, v), tensor<double>(nine, 1.0));
  const tensor<double> du = t.adjoint(u), dv = t.adjoint(v);
  for (std::size_t i = 0; i < 9; ++i) {
    CHECK(same(du.value(i), expected_a));
    CHECK(same(dv.value(i), expected_b));
  }
}

/// Both slopes of f(a, b), in every mode.
template <class F>
void check_slopes(const F& f, double a, double b, double expected_a, double expected_b) {
  check_slopes_of({form<var(var, var)>(f), form<two_directions(two_directions, two_directions)>(f),
                   form<tensor<double>(tensor<double>, tensor<double>)>(f)},
                  a, b, expected_a, expected_b);
}

/// The slope of f(x, constant) and f's second argument as a number, a passive var, a passive
/// tensor.
template <class F>
void check_slope_beside_constant(const F& f, double x, double constant, double expected) {
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
