// When fuse() makes one operation of a chain, and when it leaves it as it is.

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/fusion.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cstddef>

namespace {

using namespace tensors;
using autodiff::fuse;
using autodiff::fuse_always;
using autodiff::symbol;
using autodiff::worth_a_program;
using reference::real;

const auto chain = [](auto x, auto y) {
  x *= 1.5;
  return relu(x + y) / (2.0 + square(y)) - +x;
};
constexpr std::size_t operations_of_chain = 7;

constexpr std::size_t limit = worth_a_program / sizeof(double);

/// Operations that f records.
template <class F>
std::size_t recorded(tape& t, F&& f) {
  const std::size_t before = t.statistics().operations;
  f();
  return t.statistics().operations - before;
}

}  // namespace

TEST_CASE("fuse leaves a chain of few elements as it is and makes one operation of many") {
  tape t;
  const auto operations_at = [&](const shape& a, const shape& b) {
    const tensor<double> x = t.variable(tensor<double>(a, 0.5)),
                         y = t.variable(tensor<double>(b, 0.25));
    return recorded(t, [&] { fuse(chain, x, y); });
  };
  CHECK(operations_at({limit - 1}, {limit - 1}) == operations_of_chain);
  CHECK(operations_at({limit}, {limit}) == 1);
  CHECK(operations_at({0}, {0}) == operations_of_chain);
  CHECK(operations_at({}, {}) == operations_of_chain);
  // What counts is the result, larger than either operand.
  CHECK(operations_at({limit / 2, 1}, {2}) == 1);
  CHECK(operations_at({limit / 2 - 1, 1}, {2}) == operations_of_chain);
}

TEMPLATE_TEST_CASE("fuse gives values and adjoints of the chain on either side of the limit", "",
                   float, double) {
  using T = TestType;
  const auto gate = [](auto v, auto w) { return v * tanh(v + w) / (T(1) + square(v)); };
  reference::random random(51);
  for (const std::size_t rows : {1, 100, 2000}) {
    const shape whole{rows, 3}, row{3};
    const tensor<T> at(whole, random.uniform<T>(whole.size(), -1, 1)),
        beside(row, random.uniform<T>(row.size(), -1, 1)),
        weights(whole, random.uniform<T>(whole.size(), -1, 1));
    tape t;
    const tensor<T> x = t.variable(at), w = t.variable(beside), x2 = t.variable(at),
                    w2 = t.variable(beside);
    const tensor<T> y = fuse(gate, x, w), y2 = gate(x2, w2);
    CHECK(reference::all_close(y.values(), y2.values(), 0));
    t.backward(sum(y * weights) + sum(y2 * weights));
    const real bound = 64 * real{std::numeric_limits<T>::epsilon()};
    CHECK(reference::all_close(t.adjoint(x).values(), t.adjoint(x2).values(), bound));
    CHECK(reference::all_close(t.adjoint(w).values(), t.adjoint(w2).values(), 100 * bound));
  }
}

TEST_CASE("an argument fused into itself is an operation of its own, at any size") {
  for (const std::size_t n : {std::size_t{2}, limit}) {
    tape t;
    const tensor<double> x = t.variable(tensor<double>(shape{n}, 3.0));
    const tensor<double> y = fuse([](auto v) { return v; }, x);
    t.backward(sum(y * x), autodiff::keep_all);
    CHECK(t.adjoint(y).value(0) == 3);
    CHECK(t.adjoint(x).value(0) == 6);
  }
}

TEST_CASE("an operand that is not read widens a fused chain of few elements") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0, 3.0}));
  const tensor<double> y =
      fuse([](auto v, auto) { return 2.0 * v; }, x, tensor<double>(shape{2, 1}));
  REQUIRE(y.shape() == shape{2, 3});
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(x)) == doubles{4, 4, 4});
}

TEST_CASE("a function of symbols alone is one operation at any size") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  CHECK(recorded(t, [&] {
          const tensor<double> y = fuse(
              [](symbol<double> v) {
                symbol<double> sum = v;
                for (int i = 0; i < 3; ++i) sum = sum + v;
                return sum;
              },
              x);
          CHECK(numbers(y) == doubles{4, 8});
        }) == 1);
  CHECK(recorded(t, [&] { fuse_always(chain, x, x); }) == 1);
}

TEST_CASE("shapes that do not fit are an error of fuse at any size") {
  const auto add = [](auto a, auto b) { return a + b; };
  for (const std::size_t n : {std::size_t{4}, limit}) {
    const tensor<double> x(shape{2, 3}), y(shape{n});
    CHECK_THROWS_WITH(fuse(add, x, y), Catch::Matchers::StartsWith("fuse: shapes [2, 3] and ["));
  }
}
