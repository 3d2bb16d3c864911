#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using autodiff::basic_tape;
using autodiff::basic_var;
using autodiff::tape;
using autodiff::tensor;
using autodiff::var;

namespace {

/// What f says when it throws an Error; fails when it does not.
template <class Error, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  FAIL("nothing was thrown");
  return {};
}

bool says(const std::string& message, std::initializer_list<std::string_view> words) {
  UNSCOPED_INFO(message);
  for (const std::string_view word : words) {
    if (message.find(word) == std::string::npos) {
      UNSCOPED_INFO("misses: " << word);
      return false;
    }
  }
  return true;
}

// The checked build leaves the places of a rewound part as a block that nobody may use: there the
// counts after a rewind differ.

constexpr double infinity = std::numeric_limits<double>::infinity();

/// x[first] (first + 1) + x[first + 1] (first + 2) + ..., N terms as one statement. By halves:
/// equal halves have one type, which keeps the compiler quick.
template <std::size_t N>
auto weighted_sum(const std::vector<var>& x, std::size_t first = 0) {
  if constexpr (N == 1)
    return x[first] * double(first + 1);
  else
    return weighted_sum<N / 2>(x, first) + weighted_sum<N - N / 2>(x, first + N / 2);
}
template <std::size_t N>
void sweep_long_statement() {
  tape t;
  std::vector<double> values(N);
  for (std::size_t i = 0; i < N; ++i) values[i] = 0.25 * double(i);
  const std::vector<var> x = t.variable(values);
  const var before = x[0] * x[1];
  const var sum = weighted_sum<N>(x);
  const var after = sum * before + x[N - 1];
  double expected = 0;
  for (std::size_t i = 0; i < N; ++i) expected += double(i + 1) * values[i];
  CHECK(sum.value() == Approx(expected).epsilon(1e-14));
  t.backward(sum);
  for (std::size_t i = 0; i < N; ++i) CHECK(t.adjoint(x[i]) == double(i + 1));
  // Records on both sides of the long one keep their places.
  t.backward(after);
  CHECK(t.adjoint(sum) == before.value());
  CHECK(t.adjoint(x[2]) == 3 * before.value());
  CHECK(t.adjoint(x[N - 1]) == double(N) * before.value() + 1);
  CHECK(t.adjoint(x[1]) == Approx(2 * before.value() + sum.value() * values[0]));
}

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

TEST_CASE("passive and active arguments mix in a statement") {
  tape t;
  const var x = t.variable(2.0), c = 3.0, d(4.0);
  const var y = x * c + d * x * x + c * d;
  CHECK(y.value() == 34);
  t.backward(y);
  CHECK(t.adjoint(x) == 3 + 2 * 4 * 2);
  // One for each active leaf, fewer where the compiler sees that they are the same variable.
  CHECK(t.statistics().arguments <= 3);
  CHECK(t.statistics().arguments >= 1);
}

TEST_CASE("passive arithmetic leaves the tape empty") {
  tape t;
  var a = 2.0, b = 3.0;
  var c = a * b + sin(a);
  c += b;
  c = max(c, a);
  CHECK_FALSE(c.is_recorded());
  const auto s = t.statistics();
  CHECK(s.statements == 0);
  CHECK(s.arguments == 0);
  CHECK(s.operations == 0);
  CHECK(s.places == 0);
  CHECK(s.bytes == 0);
}

TEST_CASE("statistics count records exactly") {
  tape t;
  const var x = t.variable(1.0), y = t.variable(2.0);
  CHECK(t.statistics().statements == 0);
  CHECK(t.statistics().places == 2);
  CHECK(t.statistics().operations == 1);
  const auto inputs = t.statistics().bytes;
  const var a = x * y;
  const var b = a * x * y;
  [[maybe_unused]] const var copy = b;
  const var c = 3.0;
  [[maybe_unused]] const var d = c * c;
  const auto s = t.statistics();
  CHECK(s.statements == 2);
  CHECK(s.arguments == 5);
  CHECK(s.places == 4);
  CHECK(s.operations == 1);
  // A partial, a place and, per statement, a count.
  CHECK(s.bytes == inputs + 5 * (sizeof(double) + 4) + 2);
}

TEST_CASE("statements of any length are recorded") {
  // Up to `longest` arguments are counted by the code of the record, more by an entry of their own.
  sweep_long_statement<4>();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Sanitizers make the compiler spend a minute on it; the next test has a long one there, too.
  sweep_long_statement<autodiff::tape_code::longest>();
  sweep_long_statement<autodiff::tape_code::longest + 1>();
#endif
}

TEST_CASE("a long statement with passive arguments records the active ones") {
  // Two of three are active, still more than the code of a record can count.
  constexpr std::size_t n = 210;
  static_assert(n / 3 * 2 > autodiff::tape_code::longest);
  tape t;
  std::vector<var> x;
  for (std::size_t i = 0; i < n; ++i) x.push_back(i % 3 == 0 ? var(1.0) : t.variable(1.0));
  const var sum = weighted_sum<n>(x);
  CHECK(t.statistics().statements == 1);
  t.backward(sum);
  for (std::size_t i = 0; i < n; ++i) {
    if (i % 3 != 0) CHECK(t.adjoint(x[i]) == double(i + 1));
  }
}

TEST_CASE("a backward that is refused leaves the adjoints of the last one") {
  tape t;
  const var x = t.variable(3.0);
  const var y = x * x;
  t.backward(y);
  CHECK_THROWS_AS(t.backward(var(2.0)), autodiff::tape_error);
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

TEST_CASE("a rewound tape records again from the mark") {
  tape t;
  const var x = t.variable(2.0);
  const var y = x * x;
  const auto mark = t.mark();
  const auto at_mark = t.statistics();
  for (int i = 1; i <= 5; ++i) {
    const var z = y * double(i) + x;
    t.backward(z);
    CHECK(t.adjoint(x) == 4.0 * i + 1);
    CHECK(t.adjoint(y) == i);
    t.rewind(mark);
    CHECK(t.statistics().statements == at_mark.statements);
    CHECK(t.statistics().arguments == at_mark.arguments);
    if (!autodiff::checked_build) {
      CHECK(t.statistics().operations == at_mark.operations);
      CHECK(t.statistics().places == at_mark.places);
      CHECK(t.statistics().bytes == at_mark.bytes);
    }
    // What stays keeps its adjoints.
    CHECK(t.adjoint(x) == 4.0 * i + 1);
    CHECK(t.adjoint(y) == i);
  }
}

TEST_CASE("marks nest") {
  tape t;
  const var x = t.variable(3.0);
  const auto outer = t.mark();
  const var a = x * x;
  const auto inner = t.mark();
  var b = a * x;
  t.backward(b);
  CHECK(t.adjoint(x) == 27);
  t.rewind(inner);
  b = a + x;
  t.backward(b);
  CHECK(t.adjoint(x) == 7);
  t.rewind(outer);
  b = x * 5.0;
  t.backward(b);
  CHECK(t.adjoint(x) == 5);
  t.rewind(outer);
  t.rewind(outer);
  CHECK(t.statistics().statements == 0);
}

TEST_CASE("inputs made after a mark go with the rewind") {
  tape t;
  const var x = t.variable(3.0);
  const auto mark = t.mark();
  for (int i = 0; i < 3; ++i) {
    const var y = t.variable(4.0), z = t.variable(5.0);
    t.backward(x * y * z);
    CHECK(t.adjoint(x) == 20);
    CHECK(t.adjoint(y) == 15);
    CHECK(t.adjoint(z) == 12);
    t.rewind(mark);
  }
  if (!autodiff::checked_build) CHECK(t.statistics().places == 1);
}

TEST_CASE("taking the same mark again costs nothing") {
  tape t;
  const var x = t.variable(1.0);
  const auto mark = t.mark();
  const auto bytes = t.statistics().bytes;
  for (int i = 0; i < 100; ++i) {
    const auto again = t.mark();
    [[maybe_unused]] const var y = x * x;
    t.rewind(again);
  }
  if (!autodiff::checked_build) CHECK(t.statistics().bytes == bytes);
  t.rewind(mark);
}

TEST_CASE("a tape rewound to its start is as new") {
  tape t;
  const auto start = t.mark();
  for (int i = 0; i < 4; ++i) {
    const var x = t.variable(double(i));
    t.backward(exp(x) * x);
    CHECK(t.adjoint(x) == Approx(std::exp(i) * (1 + i)));
    if (i % 2 == 0)
      t.rewind();
    else
      t.rewind(start);
    CHECK(t.statistics().statements == 0);
    if (autodiff::checked_build) continue;
    CHECK(t.statistics().bytes == 0);
    CHECK(t.statistics().places == 0);
  }
}

TEST_CASE("a mark of another tape is refused") {
  tape first;
  [[maybe_unused]] const var x = first.variable(1.0);
  const auto mark = first.mark();
  tape second;
  const var y = second.variable(2.0);
  const auto message = message_of<autodiff::tape_error>([&] { second.rewind(mark); });
  CHECK(says(message, {"rewind", "mark", "another tape"}));
  CHECK(second.statistics().places == 1);
  second.backward(y * y);
  CHECK(second.adjoint(y) == 4);
}

TEST_CASE("a mark beyond the present end is refused") {
  tape t;
  const auto start = t.mark();
  const var x = t.variable(1.0);
  [[maybe_unused]] const var y = x * x;
  const auto late = t.mark();
  t.rewind(start);
  CHECK(says(message_of<autodiff::tape_error>([&] { t.rewind(late); }),
             {"rewind", "already rewound"}));
}

TEST_CASE("a mark of a part that was rewound and recorded again is refused") {
  tape t;
  var x = t.variable(1.0);
  var y = x * x * x;
  const auto stale = t.mark();
  y = y + 1.0;
  t.rewind();
  x = t.variable(2.0);
  for (int i = 0; i < 20; ++i) y = x * 1.0;
  CHECK(says(message_of<autodiff::tape_error>([&] { t.rewind(stale); }),
             {"rewind", "already rewound"}));
  // Nothing was damaged by the attempt.
  t.backward(y * y);
  CHECK(t.adjoint(x) == 4);
  // Neither do marks at the same height deceive it.
  t.rewind();
  x = t.variable(3.0);
  y = x * x * x;
  const auto fresh = t.mark();
  CHECK_THROWS_AS(t.rewind(stale), autodiff::tape_error);
  CHECK_NOTHROW(t.rewind(fresh));
}

TEST_CASE("the adjoint of a passive value is refused") {
  tape t;
  const var x = t.variable(1.0), passive = 2.0;
  t.backward(x * passive);
  CHECK(says(message_of<autodiff::tape_error>([&] { t.adjoint(passive); }),
             {"adjoint", "passive", "tape.variable"}));
}

TEST_CASE("a sweep from a passive value is refused") {
  tape t;
  const var passive = 2.0;
  CHECK(says(message_of<autodiff::tape_error>([&] { t.backward(passive); }),
             {"backward", "passive"}));
  CHECK(says(message_of<autodiff::tape_error>([&] { t.backward(passive * passive); }),
             {"backward", "passive"}));
  CHECK(says(message_of<autodiff::tape_error>([&] { t.backward(passive, 2.0); }),
             {"backward", "passive"}));
}

TEST_CASE("the adjoint of another tape's variable is refused") {
  tape first;
  const var x = first.variable(1.0);
  tape second;
  const var y = second.variable(1.0);
  second.backward(y);
  CHECK(says(message_of<autodiff::tape_error>([&] { second.adjoint(x); }),
             {"adjoint", "another tape"}));
  CHECK(says(message_of<autodiff::tape_error>([&] { second.backward(x); }),
             {"backward", "another tape"}));
}

TEST_CASE("an adjoint before the first sweep is refused") {
  tape t;
  const var x = t.variable(1.0);
  CHECK(says(message_of<autodiff::tape_error>([&] { t.adjoint(x); }),
             {"adjoint", "no sweep", "backward"}));
}

TEST_CASE("the adjoint of a variable recorded after the sweep is refused") {
  tape t;
  const var x = t.variable(1.0);
  t.backward(x * x);
  const var late = x + x, late_input = t.variable(2.0);
  CHECK(says(message_of<autodiff::tape_error>([&] { t.adjoint(late); }),
             {"adjoint", "after the last sweep", "backward"}));
  CHECK_THROWS_AS(t.adjoint(late_input), autodiff::tape_error);
  CHECK(t.adjoint(x) == 2);
}

TEST_CASE("a variable recorded where another was rewound has no adjoint before the next sweep") {
  tape t;
  const var x = t.variable(3.0);
  const auto mark = t.mark();
  const var y = x * x;
  t.backward(y);
  CHECK(t.adjoint(y) == 1);
  t.rewind(mark);
  const var z = x * 2.0;
  CHECK(says(message_of<autodiff::tape_error>([&] { t.adjoint(z); }),
             {"adjoint", "after the last sweep"}));
  CHECK(t.adjoint(x) == 6);
}

TEST_CASE("a variable beyond the end of a rewound tape is refused") {
  tape t;
  const var x = t.variable(1.0);
  const auto mark = t.mark();
  const var y = x * x;
  t.rewind(mark);
  CHECK(says(message_of<autodiff::tape_error>([&] { var(y * 2.0); }), {"statement", "rewound"}));
  CHECK(says(message_of<autodiff::tape_error>([&] { t.backward(y); }), {"backward", "rewound"}));
}

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
    CHECK(says(message_of<autodiff::tape_error>([&] { var(x * u); }),
               {"statement", "another tape", "x.value()"}));
    CHECK_THROWS_AS(var(x * 2.0), autodiff::tape_error);
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
  CHECK(says(message_of<autodiff::tape_error>([&] { var(x * left); }),
             {"statement", "another tape"}));
}

TEST_CASE("a variable without any tape is refused") {
  var left;
  {
    tape t;
    left = t.variable(1.0);
  }
  CHECK(says(message_of<autodiff::tape_error>([&] { var(left * 2.0); }),
             {"statement", "not active"}));
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
  CHECK_THROWS_AS(var(y * 1.0), autodiff::tape_error);
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
    } catch (const autodiff::tape_error& e) {
      without_tape = e.what();
    }
    tape own;
    const var u = own.variable(1.0);
    try {
      [[maybe_unused]] const var y = x * u;
    } catch (const autodiff::tape_error& e) {
      with_tape = e.what();
    }
  }).join();
  CHECK(says(without_tape, {"statement", "not active on this thread"}));
  CHECK(says(with_tape, {"statement", "another tape"}));
}

TEST_CASE("recording beyond the limit throws, and the tape serves again after a rewind") {
  tape t;
  const var x = t.variable(1.0);
  const auto mark = t.mark();
  t.limit(1 << 20);
  std::size_t recorded = 0;
  var y;
  const auto run_over = [&] {
    recorded = 0;
    y = x;
    for (;; ++recorded) y = y * 0.5 + x;
  };
  const auto message = message_of<autodiff::memory_error>(run_over);
  CHECK(says(message, {"tape", "limit", "1048576 bytes", "tape.limit"}));
  const std::size_t first = recorded;
  CHECK(first > 10'000);
  CHECK(first < 100'000);
  CHECK(t.statistics().bytes <= 1 << 20);
  // What was recorded is intact: 1 + 1/2 + 1/4 + ...
  t.backward(y);
  CHECK(t.adjoint(x) == 2);
  t.rewind(mark);
  t.backward(x * x * x);
  CHECK(t.adjoint(x) == 3);
  t.rewind(mark);
  CHECK_THROWS_AS(run_over(), autodiff::memory_error);
  // The checked build keeps a block of unusable places where something was rewound.
  CHECK(recorded + (autodiff::checked_build ? 1 : 0) == first);
  // A raised limit holds at once.
  t.limit(4 << 20);
  t.rewind(mark);
  CHECK_THROWS_AS(run_over(), autodiff::memory_error);
  CHECK(recorded > 3 * first);
  t.limit(0);
  t.rewind(mark);
  CHECK_THROWS_AS(var(x * 2.0), autodiff::memory_error);
}

TEST_CASE("the limit holds for sums that pass the adjoint of their last term on") {
  tape t;
  const var x = t.variable(1.0);
  const auto mark = t.mark();
  t.limit(1 << 20);
  var y;
  std::size_t recorded = 0;
  const auto run_over = [&](auto&& step) {
    recorded = 0;
    y = x;
    t.rewind(mark);
    for (; recorded < 1'000'000; ++recorded) step();
  };
  CHECK_THROWS_AS(run_over([&] { y += 1.0; }), autodiff::memory_error);
  CHECK_THROWS_AS(run_over([&] { y = +y; }), autodiff::memory_error);
  CHECK_THROWS_AS(run_over([&] { y = y - 1.0; }), autodiff::memory_error);
  CHECK_THROWS_AS(run_over([&] { y += x; }), autodiff::memory_error);
  CHECK_THROWS_AS(run_over([&] { y += x * y; }), autodiff::memory_error);
  t.rewind(mark);
  t.backward(x * x);
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

TEST_CASE("reserved memory changes no result, and more than the limit is refused") {
  tape t;
  t.limit(std::size_t{64} << 20);
  t.reserve(std::size_t{1} << 20);
  CHECK(t.statistics().bytes == 0);
  const var x = t.variable(2.0);
  var y = x;
  for (int i = 0; i < 10'000; ++i) y = y * 1.0;
  t.reserve(std::size_t{2} << 20);
  t.backward(y * x);
  CHECK(t.adjoint(x) == 4);
  const auto message = message_of<autodiff::memory_error>([&] { t.reserve(std::size_t{1} << 30); });
  CHECK(says(message, {"1073741824", "67108864"}));
}

TEST_CASE("a chain of ten million operations sweeps without recursion") {
  constexpr int length = 10'000'000;
  tape t;
  const var x = t.variable(1.0);
  var y = x;
  // Factors whose product is exact: 2 and 1/2 in turn.
  for (int i = 0; i < length; ++i) y *= i % 2 == 0 ? 2.0 : 0.5;
  CHECK(y.value() == 1);
  CHECK(t.statistics().statements == length);
  t.backward(y);
  CHECK(t.adjoint(x) == 1);
}

TEST_CASE("pooled memory brings no adjoints of an earlier tape") {
  for (int repeat = 0; repeat < 3; ++repeat) {
    tape t;
    std::vector<var> x;
    for (int i = 0; i < 1000; ++i) x.push_back(t.variable(double(i)));
    var sum = 0.0;
    // A third of the inputs is not used and must read 0.
    for (int i = 0; i < 1000; i += 3) sum = sum + x[std::size_t(i)] * 3.0;
    t.backward(sum);
    for (int i = 0; i < 1000; ++i) CHECK(t.adjoint(x[std::size_t(i)]) == (i % 3 == 0 ? 3 : 0));
  }
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

TEST_CASE("a static tape may outlive its thread's memory pool") {
  // Destroyed after the thread-local objects of the main thread; a use after free would show under
  // the address sanitizer when this program ends.
  static std::optional<tape> kept(std::in_place);
  const var x = kept->variable(3.0);
  kept->backward(x * x);
  CHECK(kept->adjoint(x) == 6);
}
