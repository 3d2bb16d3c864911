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
