// Tapes beside each other: nested, on threads, destroyed in any order.

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using autodiff::basic_tape;
using autodiff::basic_var;
using autodiff::tape;
using autodiff::tape_error;
using autodiff::var;
using reference::message;
using reference::says;

TEST_CASE("a tape inside a tape records for itself") {
  tape outer;
  const var x = outer.variable(2.0);
  const var y = x * x;
  {
    tape inner;
    const var u = inner.variable(y.value());
    const var v = u * u * 3.0 + var(1.0);
    inner.backward(v);
    CHECK(inner.adjoint(u) == 24);
    CHECK(outer.statistics().statements == 1);
    // The outer tape can be swept and read meanwhile.
    outer.backward(y);
    CHECK(outer.adjoint(x) == 4);
  }
  const var z = y * x;
  outer.backward(z);
  CHECK(outer.adjoint(x) == 12);
}

TEST_CASE("an outer tape's variable is refused while an inner tape records") {
  tape outer;
  const var x = outer.variable(2.0);
  {
    tape inner;
    const var u = inner.variable(1.0);
    CHECK(says(message<tape_error>([&] { var(x * u); }), "statement", "another tape", "x.value()"));
    CHECK_THROWS_AS(var(x * 2.0), tape_error);
    // The inner tape is none the worse.
    const var v = u * x.value();
    inner.backward(v);
    CHECK(inner.adjoint(u) == 2);
  }
  const var again = x * 2.0;
  outer.backward(again);
  CHECK(outer.adjoint(x) == 2);
}

TEST_CASE("an inner tape's variable is refused after its tape is gone") {
  tape outer;
  const var x = outer.variable(2.0);
  var left;
  {
    tape inner;
    left = inner.variable(1.0) * 2.0;
  }
  CHECK(says(message<tape_error>([&] { var(x * left); }), "statement", "another tape"));
}

TEST_CASE("a variable without any tape is refused") {
  var left;
  {
    tape t;
    left = t.variable(1.0);
  }
  CHECK(says(message<tape_error>([&] { var(left * 2.0); }), "statement", "not active"));
  const var copy = left;
  CHECK(copy.value() == 1);
}

TEST_CASE("tapes may be destroyed out of order") {
  auto first = std::make_unique<tape>();
  const var x = first->variable(1.0);
  auto second = std::make_unique<tape>();
  const var y = second->variable(2.0);
  auto third = std::make_unique<tape>();
  const var z = third->variable(3.0);
  second.reset();
  third->backward(z * z);
  CHECK(third->adjoint(z) == 6);
  CHECK_THROWS_AS(var(y * 1.0), tape_error);
  third.reset();
  first->backward(x * x * x);
  CHECK(first->adjoint(x) == 3);
  // The oldest goes first.
  auto fourth = std::make_unique<tape>();
  const var w = fourth->variable(4.0);
  first.reset();
  fourth->backward(w * w);
  CHECK(fourth->adjoint(w) == 8);
  fourth.reset();
  CHECK_FALSE(var(var(1.0) * 2.0).is_recorded());
}

TEST_CASE("tapes of tapes give second and third derivatives") {
  const auto f = [](const auto& x) { return sin(x) * exp(x * x); };
  const double at = 0.6;
  // Derivatives of s(x) e(x) with s = sin x, e = exp(x^2).
  const double s = std::sin(at), c = std::cos(at), e = std::exp(at * at);
  const double e1 = 2 * at * e, e2 = (2 + 4 * at * at) * e, e3 = (12 * at + 8 * at * at * at) * e;
  const double first = c * e + s * e1;
  const double second = -s * e + 2 * c * e1 + s * e2;
  const double third = -c * e - 3 * s * e1 + 3 * c * e2 + s * e3;
  tape t;
  basic_tape<var> tt;
  basic_tape<basic_var<var>> ttt;
  const var x = t.variable(at);
  const basic_var<var> xx = tt.variable(x);
  const auto xxx = ttt.variable(xx);
  const basic_var<basic_var<var>> y = f(xxx);
  ttt.backward(y);
  const basic_var<var> dy = ttt.adjoint(xxx);
  CHECK(dy.value().value() == Approx(first).epsilon(1e-14));
  tt.backward(dy);
  const var ddy = tt.adjoint(xx);
  CHECK(ddy.value() == Approx(second).epsilon(1e-14));
  t.backward(ddy);
  CHECK(t.adjoint(x) == Approx(third).epsilon(1e-13));
}

TEST_CASE("nested tapes keep what depends on the inner variables alone") {
  tape inner;
  basic_tape<var> outer;
  const var p = inner.variable(3.0);
  const basic_var<var> x = outer.variable(var(2.0));
  // p is a constant for the outer tape and a variable for the inner one.
  const basic_var<var> y = x * x * p;
  outer.backward(y);
  const var slope = outer.adjoint(x);
  CHECK(slope.value() == 12);
  inner.backward(slope);
  CHECK(inner.adjoint(p) == 4);
}

TEST_CASE("threads record on tapes of their own and share passive leaves") {
  const std::vector<var> shared{1.5, 2.5, -0.5};
  std::array<double, 4> slopes{};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        tape t;
        const var x = t.variable(double(i) + 1);
        const var y = shared[0] * x * x + shared[1] * sin(x) + shared[2];
        t.backward(y);
        slopes[i] = t.adjoint(x);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    const double x = double(i) + 1;
    CHECK(slopes[i] == Approx(3 * x + 2.5 * std::cos(x)).epsilon(1e-15));
  }
}

TEST_CASE("a variable used on another thread is refused") {
  tape t;
  const var x = t.variable(1.0);
  std::string without_tape, with_tape;
  std::thread([&] {
    try {
      [[maybe_unused]] const var y = x * 2.0;
    } catch (const tape_error& e) {
      without_tape = e.what();
    }
    tape own;
    const var u = own.variable(1.0);
    try {
      [[maybe_unused]] const var y = x * u;
    } catch (const tape_error& e) {
      with_tape = e.what();
    }
  }).join();
  CHECK(says(without_tape, "statement", "not active on this thread"));
  CHECK(says(with_tape, "statement", "another tape"));
}

TEST_CASE("a static tape may outlive its thread's memory pool") {
  // Destroyed after the thread-local objects of the main thread; a use after free would show under
  // the address sanitizer when this program ends.
  static std::optional<tape> kept(std::in_place);
  const var x = kept->variable(3.0);
  kept->backward(x * x);
  CHECK(kept->adjoint(x) == 6);
}
