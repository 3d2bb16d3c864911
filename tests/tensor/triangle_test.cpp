#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/triangle.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace {

using namespace tensors;

const tensor<double> x({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}, {7.0, 8.0, 9.0}});

}  // namespace

TEST_CASE("a triangle keeps one side of a diagonal") {
  CHECK(numbers(upper(x)) == doubles{1, 2, 3, 0, 5, 6, 0, 0, 9});
  CHECK(numbers(lower(x)) == doubles{1, 0, 0, 4, 5, 0, 7, 8, 9});
  CHECK(numbers(upper(x, 1)) == doubles{0, 2, 3, 0, 0, 6, 0, 0, 0});
  CHECK(numbers(upper(x, -1)) == doubles{1, 2, 3, 4, 5, 6, 0, 8, 9});
  CHECK(numbers(lower(x, -1)) == doubles{0, 0, 0, 4, 0, 0, 7, 8, 0});
  CHECK(numbers(lower(x, 1)) == doubles{1, 2, 0, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("beside the triangle on one side of a diagonal lies the one on the other") {
  for (const shape& s : {shape{3, 3}, shape{2, 5}, shape{5, 2}, shape{2, 3, 4}, shape{1, 1}}) {
    const doubles values = reference::random(5).uniform(s.size(), -1, 1);
    const tensor<double> matrix(s, std::span<const double>(values));
    for (std::ptrdiff_t k = -7; k <= 7; ++k) {
      CHECK(numbers(upper(matrix, k) + lower(matrix, k - 1)) == values);
    }
  }
}

TEST_CASE("a diagonal far beyond the corners keeps all or nothing") {
  constexpr auto far = std::numeric_limits<std::ptrdiff_t>::max();
  CHECK(numbers(upper(x, far)) == doubles(9));
  CHECK(numbers(lower(x, far)) == numbers(x));
  CHECK(numbers(upper(x, -far)) == numbers(x));
  CHECK(numbers(lower(x, -far)) == doubles(9));
}

TEST_CASE("triangles of no elements are empty") {
  CHECK(upper(tensor<double>(shape{0, 3})).shape() == shape{0, 3});
  CHECK(lower(tensor<double>(shape{3, 0})).shape() == shape{3, 0});
  CHECK(lower(tensor<double>(shape{0, 3, 3})).shape() == shape{0, 3, 3});
}

TEST_CASE("the adjoint of a triangle is the triangle of the adjoint, without what was cut") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  tape t;
  const tensor<double> a = t.variable(tensor<double>({{1.0, 2.0}, {nan, 4.0}}));
  const tensor<double> y = upper(a);
  CHECK(numbers(y) == doubles{1, 2, 0, 4});
  t.backward(y, tensor<double>({{1.0, 2.0}, {nan, 4.0}}));
  CHECK(numbers(t.adjoint(a)) == doubles{1, 2, 0, 4});
  t.backward(sum(lower(a, -1)) + sum(a));
  CHECK(numbers(t.adjoint(a)) == doubles{1, 1, 2, 1});
}

TEST_CASE("a triangle needs rows and columns") {
  CHECK(says(message<shape_error>([] { upper(tensor<double>({1.0, 2.0})); }), "upper: ", "[2]"));
  CHECK(says(message<shape_error>([] { lower(tensor<double>(1.0)); }), "lower: ", "[]"));
}
