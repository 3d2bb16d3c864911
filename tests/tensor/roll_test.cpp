#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/roll.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

namespace {

using namespace tensors;

const tensor<double> table({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}});

}  // namespace

TEST_CASE("roll moves elements along an axis and around its end") {
  CHECK(numbers(roll(tensor<double>({1.0, 2.0, 3.0}), 1, 0)) == doubles{3, 1, 2});
  CHECK(numbers(roll(tensor<double>({1.0, 2.0, 3.0}), -1, 0)) == doubles{2, 3, 1});
  CHECK(numbers(roll(tensor<double>({1.0, 2.0, 3.0}), 7, 0)) == doubles{3, 1, 2});
  CHECK(numbers(roll(table, 1, 0)) == doubles{5, 6, 1, 2, 3, 4});
  CHECK(numbers(roll(table, 1, -1)) == doubles{2, 1, 4, 3, 6, 5});
  CHECK(roll(tensor<double>(shape{0, 2}), 1, 0).shape() == shape{0, 2});
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0, 3.0}));
  t.backward(roll(x, 1, 0), tensor<double>({10.0, 20.0, 30.0}));
  CHECK(numbers(t.adjoint(x)) == doubles{20, 30, 10});
  CHECK(says(message<shape_error>([] { roll(tensor<double>(1.0), 1, 0); }), "roll: ", "axis 0"));
}
