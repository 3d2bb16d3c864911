#include <autodiff/dual.hpp>
#include <autodiff/error.hpp>
#include <autodiff/lanes.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

using autodiff::adjoint_lanes;
using autodiff::basic_tape;
using autodiff::basic_var;
using autodiff::dual;
using autodiff::tape;
using autodiff::var;
using reference::message;
using reference::says;

namespace {

/// The cylinder coordinates (r, phi, z) as Cartesian ones: a Jacobian that every textbook prints.
template <class T>
std::array<T, 3> cartesian(const std::array<T, 3>& c) {
  return {T(c[0] * cos(c[1])), T(c[0] * sin(c[1])), c[2]};
}
double cartesian_jacobian(double r, double phi, std::size_t row, std::size_t column) {
  const double entries[3][3] = {
      {std::cos(phi), -r * std::sin(phi), 0}, {std::sin(phi), r * std::cos(phi), 0}, {0, 0, 1}};
  return entries[row][column];
}

template <class T, std::size_t N>
void check_cylinder() {
  basic_tape<T> t;
  adjoint_lanes<T, N> lanes(t);
  const auto x = t.variable(std::array<T, 3>{T(2), T(0.5), T(-1)});
  const auto y = cartesian(x);
  for (std::size_t first = 0; first < 3; first += N) {
    const std::size_t count = std::min<std::size_t>(N, 3 - first);
    lanes.backward(std::span(y).subspan(first, count));
    for (std::size_t row = first; row < first + count; ++row) {
      for (std::size_t column = 0; column < 3; ++column) {
        CHECK(autodiff::innermost(lanes.adjoint(x[column], row - first)) ==
              Approx(cartesian_jacobian(2, 0.5, row, column)).epsilon(1e-6).margin(1e-7));
      }
    }
  }
}

}  // namespace

TEST_CASE("lanes carry one output each through one sweep") {
  check_cylinder<double, 1>();
  check_cylinder<double, 2>();
  check_cylinder<double, 3>();
  check_cylinder<double, 4>();
  check_cylinder<double, 8>();
  check_cylinder<float, 4>();
  check_cylinder<dual<double>, 4>();
}

TEST_CASE("lanes of nested tapes differentiate again") {
  tape outer;
  const var at = outer.variable(0.5);
  basic_tape<var> inner;
  adjoint_lanes<var, 2> lanes(inner);
  const basic_var<var> x = inner.variable(at);
  const std::array<basic_var<var>, 2> y{sin(x), x * x * x};
  lanes.backward(y);
  const var second = lanes.adjoint(x, 0) + 10.0 * lanes.adjoint(x, 1);
  outer.backward(second);
  CHECK(outer.adjoint(at) == Approx(-std::sin(0.5) + 60 * 0.5).epsilon(1e-14));
}

TEST_CASE("a lane on which nothing depends is not touched by infinite partials") {
  tape t;
  const var zero = t.variable(0.0), x = t.variable(3.0);
  const var root = sqrt(zero);
  const std::array<var, 4> y{x * 2.0, root * 0.0 + x, root, var(1.0)};
  adjoint_lanes<double, 4> lanes(t);
  lanes.backward(y);
  CHECK(lanes.adjoint(zero, 0) == 0);
  CHECK(lanes.adjoint(zero, 1) == 0);
  CHECK(std::isinf(lanes.adjoint(zero, 2)));
  CHECK(lanes.adjoint(x, 0) == 2);
  CHECK(lanes.adjoint(x, 1) == 1);
  CHECK(lanes.adjoint(x, 2) == 0);
  CHECK(lanes.adjoint(x, 3) == 0);  // a passive output
}

TEST_CASE("lanes keep the sums that grow term by term apart") {
  tape t;
  const std::vector<double> values{0.5, 1.5, -2.0, 3.0, 0.25, 1.0, -1.0};
  const std::vector<var> x = t.variable(values);
  var s = 0.0, middle;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    s += x[i] * x[i + 1];
    if (i == 2) middle = s;
  }
  const std::array<var, 2> y{s, middle};
  adjoint_lanes<double, 2> lanes(t);
  lanes.backward(y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double left = i > 0 ? values[i - 1] : 0, right = i + 1 < x.size() ? values[i + 1] : 0;
    CHECK(lanes.adjoint(x[i], 0) == left + right);
    CHECK(lanes.adjoint(x[i], 1) == (i <= 3 ? left : 0) + (i <= 2 ? right : 0));
  }
}

TEST_CASE("lanes of a tape with tensor operations are swept one by one") {
  tape t;
  const autodiff::tensor<double> x = t.variable(autodiff::tensor<double>({0.5, 2.0}));
  const var scale = t.variable(3.0);
  const std::vector<var> e = autodiff::elements(square(x));
  const std::array<var, 2> y{e[0] * scale, e[1] * scale * scale};
  adjoint_lanes<double, 2> lanes(t);
  lanes.backward(y);
  CHECK(lanes.adjoint(scale, 0) == 0.25);
  CHECK(lanes.adjoint(scale, 1) == 4.0 * 6.0);
  CHECK(lanes.adjoint(e[1], 1) == 9);
}

TEST_CASE("misuse of lanes is answered") {
  tape t;
  const var x = t.variable(1.0);
  const std::vector<var> y{x * 2.0, x * 3.0, x * 4.0};
  adjoint_lanes<double, 2> lanes(t);
  CHECK(says(message<autodiff::shape_error>([&] { lanes.backward(y); }), "backward",
             "3 outputs for 2 lanes"));
  CHECK_THROWS_AS(lanes.adjoint(x, 0), autodiff::tape_error);
  lanes.backward(std::span(y).first(2));
  const var later = x * x;
  CHECK(says(message<autodiff::tape_error>([&] { lanes.adjoint(later, 0); }), "after the last"));
  CHECK(says(message<autodiff::tape_error>([&] { lanes.adjoint(var(1.0), 0); }), "passive"));
  CHECK(says(message<autodiff::shape_error>([&] { lanes.adjoint(x, 2); }), "no lane 2 among 2"));
  const auto mark = t.mark();
  lanes.backward(std::span(y).first(2));
  t.rewind(mark);
  CHECK(says(message<autodiff::tape_error>([&] { lanes.adjoint(x, 0); }), "rewound since"));
  tape inner;
  const std::vector<var> foreign{inner.variable(1.0)};
  CHECK(says(message<autodiff::tape_error>([&] { lanes.backward(foreign); }), "another tape"));
}
