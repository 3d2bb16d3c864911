// What is recorded, how much of it, and where that ends.

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cstddef>
#include <vector>

using autodiff::memory_error;
using autodiff::tape;
using autodiff::var;
using reference::message;
using reference::says;

namespace {

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
  const auto text = message<memory_error>(run_over);
  CHECK(says(text, "tape", "limit", "1048576 bytes", "tape.limit"));
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
  CHECK_THROWS_AS(run_over(), memory_error);
  // The checked build keeps a block of unusable places where something was rewound.
  CHECK(recorded + (autodiff::checked_build ? 1 : 0) == first);
  // A raised limit holds at once.
  t.limit(4 << 20);
  t.rewind(mark);
  CHECK_THROWS_AS(run_over(), memory_error);
  CHECK(recorded > 3 * first);
  t.limit(0);
  t.rewind(mark);
  CHECK_THROWS_AS(var(x * 2.0), memory_error);
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
  CHECK_THROWS_AS(run_over([&] { y += 1.0; }), memory_error);
  CHECK_THROWS_AS(run_over([&] { y = +y; }), memory_error);
  CHECK_THROWS_AS(run_over([&] { y = y - 1.0; }), memory_error);
  CHECK_THROWS_AS(run_over([&] { y += x; }), memory_error);
  CHECK_THROWS_AS(run_over([&] { y += x * y; }), memory_error);
  t.rewind(mark);
  t.backward(x * x);
  CHECK(t.adjoint(x) == 2);
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
  const auto text = message<memory_error>([&] { t.reserve(std::size_t{1} << 30); });
  CHECK(says(text, "1073741824", "67108864"));
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
