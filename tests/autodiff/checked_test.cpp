// What only the checked build (-DBACKSWEEP_CHECKED=ON) finds.

#include <tests/catch.hpp>

#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <string>

TEST_CASE("the checked build names a variable from before a rewind whose place was taken since") {
  if constexpr (!autodiff::checked_build) {
    WARN("skipped: this build has no full checks, configure with -DBACKSWEEP_CHECKED=ON");
    return;
  }
  autodiff::tape tape;
  const autodiff::var x = tape.variable(2.0);
  const auto mark = tape.mark();
  const autodiff::var old = x * x;
  for (int repeat = 0; repeat < 3; ++repeat) {
    tape.rewind(mark);
    const autodiff::var taken = 3.0 * x;
    tape.backward(taken);
    CHECK(tape.adjoint(x) == 3.0);
    CHECK(tape.adjoint(taken) == 1.0);
    std::string message;
    try {
      const autodiff::var wrong = old * 2.0;
      FAIL("used " << wrong.value());
    } catch (const autodiff::tape_error& e) {
      message = e.what();
    }
    CHECK(message.find("rewound") != std::string::npos);
    CHECK_THROWS_AS(tape.adjoint(old), autodiff::tape_error);
  }
}

TEST_CASE("the checked build tells the places of several rewinds from those in use") {
  if constexpr (!autodiff::checked_build) {
    WARN("skipped: this build has no full checks, configure with -DBACKSWEEP_CHECKED=ON");
    return;
  }
  autodiff::tape tape;
  const autodiff::var x = tape.variable(2.0);
  const auto early = tape.mark();
  const autodiff::var first_gone = x * x;
  tape.rewind(early);
  const autodiff::var kept = x * 3.0;
  const auto late = tape.mark();
  const autodiff::var second_gone = kept * x;
  tape.rewind(late);
  const autodiff::var last = kept * kept;
  const auto is_refused = [](const autodiff::var& v) {
    try {
      static_cast<void>(autodiff::var(v * 2.0));
      return false;
    } catch (const autodiff::tape_error&) {
      return true;
    }
  };
  CHECK(is_refused(first_gone));
  CHECK(is_refused(second_gone));
  CHECK_FALSE(is_refused(x));
  CHECK_FALSE(is_refused(kept));
  CHECK_FALSE(is_refused(last));
  tape.backward(last);
  CHECK(tape.adjoint(x) == 36);
  // One rewind over all of them.
  tape.rewind(early);
  for (const autodiff::var& gone : {first_gone, kept, second_gone, last}) CHECK(is_refused(gone));
  CHECK_FALSE(is_refused(x));
}
