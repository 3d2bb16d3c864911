// Tensors and the life of their tape: rewinds, nested and dead tapes, threads.

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cstddef>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace tensors;
using autodiff::tape_error;
using autodiff::var;

}  // namespace

TEST_CASE("a sweep of operations alone stops at a mark and goes on, as one with statements does") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const tensor<double> y = square(x);
  const auto mark = t.mark();
  const var z = (y * 3.0)(1);
  t.backward_to(mark, z);
  CHECK(numbers(t.adjoint(y)) == doubles{0.0, 3.0});
  CHECK(numbers(t.adjoint(x)) == doubles{0.0, 0.0});
  t.resume();
  CHECK(numbers(t.adjoint(x)) == doubles{0.0, 12.0});
  const var squared = z * z;
  const tensor<double> both = y * squared;
  t.backward(both, tensor<double>({1.0, 0.0}));
  CHECK(numbers(t.adjoint(x)) == doubles{2.0 * 144.0, 24.0 * 12.0});
}

TEST_CASE("a rewound tape records tensors again from the mark") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const auto mark = t.mark();
  const auto before = t.statistics();
  for (int round = 0; round < 4; ++round) {
    const tensor<double> y = sum(square(x) * static_cast<double>(round));
    t.backward(y);
    CHECK(numbers(t.adjoint(x)) == doubles{2.0 * round, 4.0 * round});
    t.rewind(mark);
    CHECK(t.statistics().operations == before.operations);
    CHECK(t.statistics().bytes == before.bytes);
    // What stays keeps its adjoint.
    CHECK(numbers(t.adjoint(x)) == doubles{2.0 * round, 4.0 * round});
  }
}

TEST_CASE("a tensor from a rewound part is an error wherever it is used") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const auto mark = t.mark();
  const tensor<double> stale = square(x);
  t.rewind(mark);
  CHECK(says(message<tape_error>([&] { exp(stale); }), "exp: ", "rewound"));
  CHECK(says(message<tape_error>([&] { matmul(x, stale); }), "matmul: ", "rewound"));
  CHECK(says(message<tape_error>([&] { t.backward(stale, stale.detached()); }),
             "backward: ", "rewound"));
  CHECK(says(message<tape_error>([&] { t.adjoint(stale); }), "adjoint: ", "rewound"));
  CHECK(says(message<tape_error>([&] { stale[0]; }), "rewound"));
  CHECK(says(message<tape_error>([&] { elements(stale); }), "rewound"));
  CHECK_THROWS_AS(t.keep(stale), tape_error);
}

TEST_CASE("a tensor from a rewound part is an error even when another operation took its place") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const auto mark = t.mark();
  const tensor<double> stale = square(x);
  t.rewind(mark);
  SECTION("of the same kind") {
    const tensor<double> y = square(x);
    CHECK(y.tag() == stale.tag());
    t.backward(sum(y));
  }
  SECTION("of another number type") {
    const tensor<float> y = t.variable(tensor<float>({1.0f, 2.0f, 3.0f}));
    CHECK(y.tag() == stale.tag());
    t.backward(sum(y));
  }
  SECTION("that holds scalars") {
    const var y = t.variable(3.0);
    t.backward(y);
  }
  SECTION("that reads an element") {
    const var y = x[0];
    t.backward(y);
  }
  CHECK_THROWS_AS(t.adjoint(stale), tape_error);
  CHECK_THROWS_AS(t.keep(stale), tape_error);
  CHECK_THROWS_AS(t.backward(stale, stale.detached()), tape_error);
  CHECK_THROWS_AS(stale * x, tape_error);
  CHECK_THROWS_AS(stale[1], tape_error);
  CHECK_THROWS_AS(elements(stale), tape_error);
  CHECK_THROWS_AS(reshape(stale, {2, 1}), tape_error);
}

TEST_CASE("an error while recording leaves the record as it was") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const tensor<double> y = sum(square(x));
  const auto before = t.statistics();
  CHECK_THROWS_AS(x + tensor<double>({1.0, 2.0, 3.0}), shape_error);
  CHECK_THROWS_AS(matmul(x, tensor<double>(shape{3, 1})), shape_error);
  CHECK_THROWS_AS(x[2], shape_error);
  CHECK(t.statistics().operations == before.operations);
  CHECK(t.statistics().bytes == before.bytes);
  CHECK(t.statistics().places == before.places);
  t.backward(y);
  CHECK(numbers(t.adjoint(x)) == doubles{2, 4});
}

TEST_CASE("a tensor of an outer tape is an error while an inner one records") {
  tape outer;
  const tensor<double> x = outer.variable(tensor<double>({1.0, 2.0}));
  {
    tape inner;
    const tensor<double> z = inner.variable(tensor<double>({3.0, 4.0}));
    CHECK(says(message<tape_error>([&] { square(x); }), "square: ", "another tape"));
    CHECK(says(message<tape_error>([&] { x* z; }), "multiply: "));
    CHECK_THROWS_AS(inner.adjoint(x), tape_error);
    CHECK_THROWS_AS(inner.backward(x, x.detached()), tape_error);
    inner.backward(sum(z * x.detached()));
    CHECK(numbers(inner.adjoint(z)) == doubles{1, 2});
  }
  outer.backward(sum(square(x)));
  CHECK(numbers(outer.adjoint(x)) == doubles{2, 4});
}

TEST_CASE("a tensor of a dead tape is an error, and its values stay readable") {
  tensor<double> x, y;
  {
    tape t;
    x = t.variable(tensor<double>({1.0, 2.0}));
    y = square(x);
  }
  CHECK(numbers(y) == doubles{1, 4});
  CHECK(says(message<tape_error>([&] { square(x); }), "square: ", "not active"));
  CHECK_THROWS_AS(y[0], tape_error);
  tape next;
  const tensor<double> z = next.variable(tensor<double>({1.0, 2.0}));
  CHECK(says(message<tape_error>([&] { square(x); }), "square: ", "another tape"));
  CHECK_THROWS_AS(z * y, tape_error);
  CHECK_THROWS_AS(next.backward(sum(z), y), autodiff::error);
  CHECK_THROWS_AS(next.adjoint(x), tape_error);
  CHECK(numbers(sum(x.detached())) == doubles{3});
}

TEST_CASE("a tensor of another thread's tape is an error there") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  std::string without_tape, with_tape;
  std::thread([&] {
    without_tape = message<tape_error>([&] { square(x); });
    tape own;
    const tensor<double> z = own.variable(tensor<double>({1.0, 2.0}));
    with_tape = message<tape_error>([&] { x + z; });
  }).join();
  CHECK(says(without_tape, "square: ", "not active on this thread"));
  CHECK(says(with_tape, "add: ", "another tape"));
}

TEST_CASE("threads with tapes of their own share leaves") {
  const tensor<double> weights(shape{3, 3}, doubles{1, 2, 3, 4, 5, 6, 7, 8, 9});
  std::vector<doubles> gradients(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    threads.emplace_back([&, i] {
      tape t;
      for (int round = 0; round < 50; ++round) {
        const tensor<double> w = t.variable(weights);
        const tensor<double> input(shape{3}, static_cast<double>(i + 1));
        t.backward(sum(matmul(w, input)));
        gradients[i] = numbers(t.adjoint(w));
        t.rewind();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < gradients.size(); ++i)
    CHECK(gradients[i] == doubles(9, static_cast<double>(i + 1)));
}

TEST_CASE("a tensor may be made on one thread and used on the tape of another") {
  tensor<double> made;
  std::thread([&] {
    tape t;
    const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
    t.backward(sum(square(x)));
    made = t.adjoint(x);
  }).join();
  tape t;
  const tensor<double> x = t.variable(made);
  t.backward(sum(square(x)));
  CHECK(numbers(t.adjoint(x)) == doubles{4, 8});
}
