// What a sweep gives, and what is said where there is nothing to give.

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cmath>
#include <limits>
#include <vector>

using autodiff::tape;
using autodiff::tape_error;
using autodiff::tensor;
using autodiff::var;
using reference::message;
using reference::says;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("a sweep gives the gradient of the README's function") {
  tape t;
  const var x = t.variable(1.5), y = t.variable(-0.3);
  const auto z = sin(x) * y + exp(x * y);
  t.backward(z);
  const double e = std::exp(1.5 * -0.3);
  CHECK(t.adjoint(x) == Approx(std::cos(1.5) * -0.3 - 0.3 * e).epsilon(1e-15));
  CHECK(t.adjoint(y) == Approx(std::sin(1.5) + 1.5 * e).epsilon(1e-15));
}

TEST_CASE("inputs made between statements keep their own adjoints") {
  tape t;
  const var x = t.variable(1.5);
  const var y = x * x;
  const var z = t.variable(2.0);
  const var u = t.variable(3.0);
  const var w = y * z * u;
  const var v = t.variable(5.0);
  const var result = w * v * x;
  t.backward(result);
  CHECK(t.adjoint(x) == Approx(3 * 1.5 * 1.5 * 30));
  CHECK(t.adjoint(y) == Approx(45));
  CHECK(t.adjoint(z) == Approx(2.25 * 3 * 5 * 1.5));
  CHECK(t.adjoint(u) == Approx(2.25 * 2 * 5 * 1.5));
  CHECK(t.adjoint(v) == Approx(2.25 * 6 * 1.5));
  CHECK(t.adjoint(w) == Approx(7.5));
}

TEST_CASE("adjoints of intermediate variables are readable") {
  tape t;
  const var x = t.variable(0.7);
  const var a = sin(x), b = a * a, c = exp(b) * a;
  t.backward(c);
  const double s = std::sin(0.7), e = std::exp(s * s);
  CHECK(t.adjoint(c) == 1);
  CHECK(t.adjoint(b) == Approx(e * s));
  CHECK(t.adjoint(a) == Approx(e + e * s * 2 * s));
  CHECK(t.adjoint(x) == Approx((e + e * s * 2 * s) * std::cos(0.7)));
}

TEST_CASE("a backward that is refused leaves the adjoints of the last one") {
  tape t;
  const var x = t.variable(3.0);
  const var y = x * x;
  t.backward(y);
  CHECK_THROWS_AS(t.backward(var(2.0)), tape_error);
  CHECK(t.adjoint(x) == 6);
  CHECK(t.adjoint(y) == 1);
}

TEST_CASE("backward may be called again, for the same or another output") {
  tape t;
  const var x = t.variable(3.0), y = t.variable(4.0);
  const var a = x * y, b = x / y;
  for (int repeat = 0; repeat < 3; ++repeat) {
    t.backward(a);
    CHECK(t.adjoint(x) == 4);
    CHECK(t.adjoint(y) == 3);
    CHECK(t.adjoint(b) == 0);
    t.backward(b);
    CHECK(t.adjoint(x) == 0.25);
    CHECK(t.adjoint(y) == Approx(-3.0 / 16));
    CHECK(t.adjoint(a) == 0);
  }
  // An input is an output, too.
  t.backward(x);
  CHECK(t.adjoint(x) == 1);
  CHECK(t.adjoint(y) == 0);
}

TEST_CASE("backward takes a cotangent") {
  tape t;
  const var x = t.variable(3.0);
  const var y = x * x;
  t.backward(y, -2.5);
  CHECK(t.adjoint(x) == -15);
  CHECK(t.adjoint(y) == -2.5);
  t.backward(y, 2);
  CHECK(t.adjoint(x) == 12);
  t.backward(x * 2.0, 0.5);
  CHECK(t.adjoint(x) == 1);
}

TEST_CASE("backward from an expression records it first") {
  tape t;
  const var x = t.variable(2.0);
  t.backward(x * x * x);
  CHECK(t.adjoint(x) == 12);
  CHECK(t.statistics().statements == 1);
}

TEST_CASE("an edge with zero adjoint is skipped, even where its partial is infinite") {
  tape t;
  const var x = t.variable(0.0), y = t.variable(2.0);
  const var root = sqrt(x);
  const var logarithm = log(x);
  const var unused = root / x;
  const var z = y * y + root * 0.0;
  t.backward(z);
  CHECK(t.adjoint(x) == 0);
  CHECK(t.adjoint(y) == 4);
  CHECK(t.adjoint(logarithm) == 0);
  CHECK(std::isnan(unused.value()));
  t.backward(root);
  CHECK(t.adjoint(x) == infinity);
}

TEST_CASE("the adjoint of a passive value is refused") {
  tape t;
  const var x = t.variable(1.0), passive = 2.0;
  t.backward(x * passive);
  CHECK(says(message<tape_error>([&] { t.adjoint(passive); }), "adjoint", "passive",
             "tape.variable"));
}

TEST_CASE("a sweep from a passive value is refused") {
  tape t;
  const var passive = 2.0;
  CHECK(says(message<tape_error>([&] { t.backward(passive); }), "backward", "passive"));
  CHECK(says(message<tape_error>([&] { t.backward(passive * passive); }), "backward", "passive"));
  CHECK(says(message<tape_error>([&] { t.backward(passive, 2.0); }), "backward", "passive"));
}

TEST_CASE("the adjoint of another tape's variable is refused") {
  tape first;
  const var x = first.variable(1.0);
  tape second;
  const var y = second.variable(1.0);
  second.backward(y);
  CHECK(says(message<tape_error>([&] { second.adjoint(x); }), "adjoint", "another tape"));
  CHECK(says(message<tape_error>([&] { second.backward(x); }), "backward", "another tape"));
}

TEST_CASE("an adjoint before the first sweep is refused") {
  tape t;
  const var x = t.variable(1.0);
  CHECK(says(message<tape_error>([&] { t.adjoint(x); }), "adjoint", "no sweep", "backward"));
}

TEST_CASE("the adjoint of a variable recorded after the sweep is refused") {
  tape t;
  const var x = t.variable(1.0);
  t.backward(x * x);
  const var late = x + x, late_input = t.variable(2.0);
  CHECK(says(message<tape_error>([&] { t.adjoint(late); }), "adjoint", "after the last sweep",
             "backward"));
  CHECK_THROWS_AS(t.adjoint(late_input), tape_error);
  CHECK(t.adjoint(x) == 2);
}

TEST_CASE("sums that grow term by term have the gradient of their terms") {
  tape t;
  const var x = t.variable(2.0), z = t.variable(3.0);
  const var first = x * z;
  var sum = first;
  std::vector<var> partial_sums;
  for (int i = 0; i < 20; ++i) {
    sum += x;
    if (i % 3 == 0) sum += z * double(i);
    if (i % 5 == 0) sum -= x * z;
    if (i % 7 == 0) sum = sum + sum;
    if (i % 4 == 0) sum = 2.0 * sum;
    partial_sums.push_back(sum);
  }
  // The same by hand: the sum is alpha first + beta x + gamma z + delta x z.
  double beta = 0, gamma = 0, delta = 0, alpha = 1;
  const auto scale = [&](double by) {
    for (double* c : {&alpha, &beta, &gamma, &delta}) *c *= by;
  };
  for (int i = 0; i < 20; ++i) {
    beta += 1;
    if (i % 3 == 0) gamma += i;
    if (i % 5 == 0) delta -= 1;
    if (i % 7 == 0) scale(2);
    if (i % 4 == 0) scale(2);
  }
  t.backward(sum);
  CHECK(t.adjoint(x) == (alpha + delta) * 3 + beta);
  CHECK(t.adjoint(z) == (alpha + delta) * 2 + gamma);
  CHECK(t.adjoint(first) == alpha);
  CHECK(t.adjoint(partial_sums.back()) == 1);
  // From the middle, and of a term that is an input, a tensor's element, or used twice.
  t.backward(partial_sums[2]);
  CHECK(t.adjoint(partial_sums[2]) == 1);
  CHECK(t.adjoint(partial_sums[3]) == 0);
  const tensor<double> v = t.variable(tensor<double>{1.0, 2.0});
  var s = v[1];
  s += x;
  s += s;
  s += v[0];
  const var last_input = t.variable(1.0);
  s = last_input + s;
  s = s - last_input * s;
  t.backward(s);
  CHECK(t.adjoint(v).value(0) == 0);
  CHECK(t.adjoint(last_input) == 1 - (1 + 2 * (2 + 2) + 1) - 1);
}

TEST_CASE("records of scalars and tensors are swept in one order") {
  tape t;
  const var x = t.variable(2.0);
  const var y = x * x;
  const tensor<double> v = t.variable(tensor<double>{1.0, 2.0, 3.0});
  const tensor<double> w = v * y;
  const var s = sum(w)() * x;
  const var last = s + w[1];
  t.backward(last);
  // last = 6 x^3 + 2 x^2.
  CHECK(t.adjoint(x) == 6 * 3 * 4 + 2 * 2 * 2);
  CHECK(t.adjoint(y) == 6 * 2 + 2);
  const tensor<double> dv = t.adjoint(v);
  CHECK(dv.value(0) == 8);
  CHECK(dv.value(1) == 12);
  CHECK(dv.value(2) == 8);
}
