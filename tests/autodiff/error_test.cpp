#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>

#include <stdexcept>
#include <string>
#include <type_traits>

namespace ad = autodiff;

TEST_CASE("a message says which operation, what happened and what to do") {
  const ad::error e("matmul", "[2, 3] meets [2, 3]", "transpose one of them");
  CHECK(std::string(e.what()) == "matmul: [2, 3] meets [2, 3]; transpose one of them");
  CHECK(e.operation() == "matmul");
}

TEST_CASE("a message without a remedy ends with what happened") {
  const ad::io_error e("read", "the file is empty", "");
  CHECK(std::string(e.what()) == "read: the file is empty");
}

TEMPLATE_TEST_CASE("every kind of error is caught as the family and as a runtime error", "",
                   ad::shape_error, ad::tape_error, ad::domain_error, ad::io_error,
                   ad::memory_error) {
  static_assert(std::is_base_of_v<ad::error, TestType>);
  const auto raise = [] { throw TestType("operation", "happened", "remedy"); };
  CHECK_THROWS_AS(raise(), TestType);
  CHECK_THROWS_AS(raise(), ad::error);
  CHECK_THROWS_AS(raise(), std::runtime_error);
  try {
    raise();
  } catch (const ad::error& e) {
    // The operation survives a catch by the base.
    CHECK(e.operation() == "operation");
    CHECK(std::string(e.what()) == "operation: happened; remedy");
  }
}

TEST_CASE("the kinds of errors are told apart") {
  const auto raise = [] {
    throw ad::shape_error("sum", "no axis 3 in [2, 3]", "name axes 0 to 1");
  };
  try {
    raise();
  } catch (const ad::tape_error&) {
    FAIL("a shape error is no tape error");
  } catch (const ad::shape_error& e) {
    CHECK(e.operation() == "sum");
  }
}

TEST_CASE("after an error the tape can be used and operands are as they were") {
  ad::tape tape;
  const ad::var x = tape.variable(2.0);
  ad::tensor<double> a = tape.variable(ad::tensor<double>{1.0, 2.0}), b{1.0, 2.0, 3.0};
  const auto before = tape.statistics();
  CHECK_THROWS_AS(a = a * b, ad::shape_error);
  CHECK_THROWS_AS(a += b, ad::shape_error);
  CHECK_THROWS_AS(a(2), ad::shape_error);
  CHECK_THROWS_AS(a(0, 0), ad::shape_error);
  CHECK_THROWS_AS(a.item(), ad::shape_error);
  CHECK_THROWS_AS(a.mutable_values(), ad::tape_error);
  CHECK_THROWS_AS(tape.backward(a), ad::shape_error);
  CHECK(tape.statistics().bytes == before.bytes);
  CHECK(a.shape() == ad::shape{2});
  CHECK(a.value(1) == 2);
  tape.backward(sum(a * x));
  CHECK(tape.adjoint(x) == 3);
  CHECK(tape.adjoint(a).value(0) == 2);
}
