// Sweeps beside the plain one: several seeds, accumulated, in parts.

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

using autodiff::tape;
using autodiff::tape_error;
using autodiff::tensor;
using autodiff::var;
using reference::message;
using reference::real;
using reference::says;

TEST_CASE("several outputs with cotangents give the vector-Jacobian product") {
  tape t;
  const std::array<var, 2> x = t.variable(std::array{2.0, 3.0});
  const std::vector<var> y{x[0] * x[1], sin(x[0]), var(5.0), x[0]};
  t.backward(y, std::vector{10.0, 4.0, 100.0, 0.5});
  CHECK(t.adjoint(x[0]) == Approx(10 * 3 + 4 * std::cos(2.0) + 0.5).epsilon(1e-15));
  CHECK(t.adjoint(x[1]) == 20);
  CHECK(t.adjoint(y[0]) == 10);
  t.backward(std::array{y[0], y[0]}, std::array{1.0, 2.0});
  CHECK(t.adjoint(x[1]) == 6);
  CHECK(says(message<autodiff::shape_error>([&] { t.backward(y, std::vector{1.0}); }), "backward",
             "4 outputs and 1 cotangents"));
}

TEST_CASE("accumulate adds to the adjoints of variables, sweep after sweep") {
  tape t;
  const var x = t.variable(2.0), z = t.variable(7.0);
  const var square = x * x, cube = square * x;
  t.accumulate(square);
  CHECK(t.adjoint(x) == 4);
  t.accumulate(cube);
  CHECK(t.adjoint(x) == 4 + 12);
  CHECK(t.adjoint(square) == 2);  // of the last sweep alone
  t.accumulate(cube, 10.0);
  CHECK(t.adjoint(x) == 16 + 120);
  CHECK(t.adjoint(z) == 0);
  t.backward(z);
  CHECK(t.adjoint(x) == 0);
}

TEST_CASE("gradients accumulate over parts that are recorded one after the other") {
  tape t;
  const var x = t.variable(3.0);
  const tensor<double> w = t.variable(tensor<double>({1.0, 2.0}));
  const auto mark = t.mark();
  double by_x = 0;
  std::array<double, 2> by_w{};
  t.backward(x, 0.0);
  for (const double data : {1.0, -2.0, 0.5}) {
    t.rewind(mark);
    const var late = t.variable(data);  // made after the last sweep: starts from zero
    const var e = late * x * sum(square(w))();
    t.accumulate(e);
    by_x += data * 5;
    by_w[0] += data * 3 * 2 * 1;
    by_w[1] += data * 3 * 2 * 2;
    CHECK(t.adjoint(late) == 3 * 5);
  }
  CHECK(t.adjoint(x) == Approx(by_x).epsilon(1e-15));
  CHECK(t.adjoint(w).value(0) == Approx(by_w[0]).epsilon(1e-15));
  CHECK(t.adjoint(w).value(1) == Approx(by_w[1]).epsilon(1e-15));
}

TEST_CASE("a sweep may stop at a mark and go on from there") {
  tape t;
  const var x = t.variable(0.4);
  const var a = sin(x);
  const auto first = t.mark();
  const var b = exp(a);
  const auto second = t.mark();
  const var y = b * b * a;
  t.backward_to(second, y);
  CHECK(t.adjoint(b) == Approx(2 * b.value() * a.value()).epsilon(1e-15));
  CHECK(t.adjoint(a) == Approx(b.value() * b.value()).epsilon(1e-15));
  CHECK(t.adjoint(x) == 0);
  t.resume_to(first);
  const double by_a = b.value() * b.value() * (1 + 2 * a.value());
  CHECK(t.adjoint(a) == Approx(by_a).epsilon(1e-15));
  CHECK(t.adjoint(x) == 0);
  t.add_adjoint(a, 100.0);
  t.resume();
  CHECK(t.adjoint(x) == Approx((by_a + 100) * std::cos(0.4)).epsilon(1e-15));
  t.backward(y);
  CHECK(t.adjoint(x) == Approx(by_a * std::cos(0.4)).epsilon(1e-15));
}

TEST_CASE("a segment is swept with the adjoints that its outputs have from elsewhere") {
  // Checkpointing by hand: y = g(f(x)), recorded and swept half by half.
  tape t;
  const auto half = [](const var& u) { return sin(u) * u; };
  const double middle = std::sin(0.7) * 0.7;
  const var m = t.variable(middle);
  t.backward(var(half(m)));
  const double by_middle = t.adjoint(m);
  t.rewind();
  const var x = t.variable(0.7);
  const auto mark = t.mark();
  const var again = half(x);
  t.backward_to(mark, again, by_middle);
  const auto slope = [](double u) { return std::cos(u) * u + std::sin(u); };
  CHECK(t.adjoint(x) == Approx(slope(middle) * slope(0.7)).epsilon(1e-14));
}

TEST_CASE("sweeps in parts that make no sense are refused") {
  tape t;
  const var x = t.variable(2.0);
  const var a = x * x;
  const auto early = t.mark();
  const var b = a * a;
  const auto late = t.mark();
  const var y = b + a;
  CHECK(says(message<tape_error>([&] { t.resume(); }), "resume", "backward_to"));
  CHECK(says(message<tape_error>([&] { t.add_adjoint(a, 1.0); }), "no sweep"));
  t.backward_to(early, y);
  CHECK(says(message<tape_error>([&] { t.resume_to(late); }), "resume", "older mark"));
  t.backward_to(late, y);
  t.rewind(early);
  CHECK(says(message<tape_error>([&] { t.resume(); }), "rewound"));
  CHECK(says(message<tape_error>([&] { t.backward_to(late, a); }), "backward_to", "mark"));
  tape inner;
  CHECK(says(message<tape_error>([&] { inner.resume_to(early); }), "resume_to", "mark"));
  t.backward(a);
  CHECK(t.adjoint(x) == 4);
}

TEST_CASE("every way to start a sweep names itself in what it refuses") {
  tape t;
  const var x = t.variable(2.0), passive = 1.0;
  const tensor<double> u = t.variable(tensor<double>({1.0, -2.0}));
  const auto mark = t.mark();
  const var y = x * x;
  const auto named = [](const std::string& text, const std::string& operation) {
    INFO(text);
    return text.starts_with(operation + ":");
  };
  CHECK(named(message<tape_error>([&] { t.backward(passive); }), "backward"));
  CHECK(named(message<tape_error>([&] { t.accumulate(passive); }), "accumulate"));
  CHECK(named(message<tape_error>([&] { t.backward_to(mark, passive); }), "backward_to"));
  CHECK(named(message<tape_error>([&] { t.add_adjoint(x, 1.0); }), "add_adjoint"));
  CHECK(named(message<tape_error>([&] { t.add_adjoint(u, u); }), "add_adjoint"));
  CHECK(named(message<tape_error>([&] { t.add_adjoint(passive, 1.0); }), "add_adjoint"));
  CHECK(named(message<tape_error>([&] { t.resume(); }), "resume"));
  CHECK(named(message<tape_error>([&] { t.resume_to(mark); }), "resume_to"));

  using autodiff::shape_error;
  const std::vector<var> outputs{y, x};
  const std::vector<double> one{1.0};
  CHECK(named(message<shape_error>([&] { t.accumulate(outputs, one); }), "accumulate"));
  CHECK(named(message<shape_error>([&] { t.accumulate(u); }), "accumulate"));
  CHECK(named(message<shape_error>([&] { t.accumulate(u, tensor<double>({1.0})); }), "accumulate"));
  t.backward(y, autodiff::leaves_only);
  t.add_adjoint(std::vector{x, y}, std::vector{1.0, 2.0});
  CHECK(t.adjoint(x) == 5);
  CHECK(t.adjoint(y) == 3);
  CHECK(named(message<tape_error>([&] {
                t.add_adjoint(std::vector{x, passive}, one);
              }),
              "add_adjoint"));
  CHECK(named(message<shape_error>([&] { t.add_adjoint(std::vector{x, y}, one); }), "add_adjoint"));
  CHECK(
      named(message<shape_error>([&] { t.add_adjoint(u, tensor<double>({1.0})); }), "add_adjoint"));
}

TEST_CASE("a sweep that goes on gives no adjoints to what was recorded since it began") {
  tape t;
  const var x = t.variable(0.5);
  const auto mark = t.mark();
  const tensor<double> u = t.variable(tensor<double>({1.0, -2.0}));
  const var y = sin(x);
  const auto check_later = [&](const var& scalar, const tensor<double>& array) {
    for (const bool resumed : {false, true}) {
      CAPTURE(resumed);
      if (resumed) t.resume();
      const auto refused = [](const std::string& text) { return says(text, "after the last"); };
      CHECK(refused(message<tape_error>([&] { t.adjoint(scalar); })));
      CHECK(refused(message<tape_error>([&] { t.adjoint(array); })));
      CHECK(refused(message<tape_error>([&] { t.add_adjoint(scalar, 1.0); })));
      CHECK(refused(message<tape_error>([&] { t.add_adjoint(array, array); })));
    }
    CHECK(t.adjoint(x) == std::cos(0.5));
  };
  t.backward_to(mark, y);
  check_later(x * x, square(u));
  t.backward_to(mark, y);
  t.rewind(mark);
  check_later(t.variable(1.0), t.variable(tensor<double>({3.0})));
}

TEST_CASE("the adjoints of a partial sweep over tensors go on, too") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, -2.0}));
  const tensor<double> s = square(x);
  const auto mark = t.mark();
  const tensor<double> y = sum(s * s);
  t.backward_to(mark, y);
  CHECK(t.adjoint(s).value(1) == 8);
  CHECK(t.adjoint(x).value(1) == 0);
  t.resume();
  CHECK(t.adjoint(x).value(0) == 4);
  CHECK(t.adjoint(x).value(1) == -32);
}

TEST_CASE("runs of products are swept like single ones, whatever they alias") {
  // The sweep takes four records of s += a b at a time where arguments are neighbours and nothing
  // else reads the sums between. Here they are neighbours or not, overlap, repeat, and are sums of
  // the run itself.
  constexpr std::size_t n = 13;
  enum { forward, backward, anywhere, squares, own_sums, read_between, patterns };
  reference::random random(7);
  for (int pattern = 0; pattern < patterns; ++pattern) {
    for (std::size_t length = 1; length < 24; ++length) {
      tape t;
      const std::vector<double> values = random.uniform(n, 0.5, 1.5);
      const std::vector<var> x = t.variable(values);
      struct truth {
        real value;
        std::array<real, n> gradient{};
      };
      var s = x[0];
      truth exact{values[0]};
      exact.gradient[0] = 1;
      // Sums of earlier steps, whose places stand inside the run.
      std::vector<var> sums{s};
      std::vector<truth> exact_sums{exact};
      for (std::size_t k = 0; k < length; ++k) {
        std::size_t i = k % (n - 4), j = (k + 4) % n;
        if (pattern == backward) i = (n - 1) - k % n, j = k % n;
        if (pattern == anywhere) i = random.below(n), j = random.below(n);
        if (pattern == squares) i = k % n, j = k % n;
        if (pattern == own_sums && k > 2) {
          const std::size_t back = 1 + random.below(3);
          const var older = sums[sums.size() - back];
          const truth exact_older = exact_sums[exact_sums.size() - back];
          s += older * x[i];
          exact.gradient[i] += exact_older.value;
          for (std::size_t v = 0; v < n; ++v) {
            exact.gradient[v] += exact_older.gradient[v] * real(values[i]);
          }
          exact.value += exact_older.value * real(values[i]);
        } else {
          s += x[i] * x[j];
          exact.gradient[i] += values[j];
          exact.gradient[j] += values[i];
          exact.value += real(values[i]) * real(values[j]);
        }
        sums.push_back(s);
        exact_sums.push_back(exact);
      }
      var y = s;
      truth expected = exact;
      if (pattern == read_between) {
        const std::size_t middle = length / 2;
        const truth exact_middle = exact_sums[middle];
        y = s * sums[middle];
        for (std::size_t v = 0; v < n; ++v) {
          expected.gradient[v] =
              exact.gradient[v] * exact_middle.value + exact_middle.gradient[v] * exact.value;
        }
      }
      t.backward(y);
      for (std::size_t v = 0; v < n; ++v) {
        INFO("pattern " << pattern << ", length " << length << ", variable " << v);
        CHECK(t.adjoint(x[v]) == Approx(double(expected.gradient[v])).epsilon(1e-13));
      }
    }
  }
}
