// Rewinding: what stays, what goes, and which marks hold.

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cmath>

using autodiff::tape;
using autodiff::tape_error;
using autodiff::var;
using reference::message;
using reference::says;

// The checked build leaves the places of a rewound part as a block that nobody may use: there the
// counts after a rewind differ.

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
  const auto text = message<tape_error>([&] { second.rewind(mark); });
  CHECK(says(text, "rewind", "mark", "another tape"));
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
  CHECK(says(message<tape_error>([&] { t.rewind(late); }), "rewind", "already rewound"));
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
  CHECK(says(message<tape_error>([&] { t.rewind(stale); }), "rewind", "already rewound"));
  // Nothing was damaged by the attempt.
  t.backward(y * y);
  CHECK(t.adjoint(x) == 4);
  // Neither do marks at the same height deceive it.
  t.rewind();
  x = t.variable(3.0);
  y = x * x * x;
  const auto fresh = t.mark();
  CHECK_THROWS_AS(t.rewind(stale), tape_error);
  CHECK_NOTHROW(t.rewind(fresh));
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
  CHECK(says(message<tape_error>([&] { t.adjoint(z); }), "adjoint", "after the last sweep"));
  CHECK(t.adjoint(x) == 6);
}

TEST_CASE("a variable beyond the end of a rewound tape is refused") {
  tape t;
  const var x = t.variable(1.0);
  const auto mark = t.mark();
  const var y = x * x;
  t.rewind(mark);
  CHECK(says(message<tape_error>([&] { var(y * 2.0); }), "statement", "rewound"));
  CHECK(says(message<tape_error>([&] { t.backward(y); }), "backward", "rewound"));
}
