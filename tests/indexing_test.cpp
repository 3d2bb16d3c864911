#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cstddef>
#include <vector>

namespace {

using autodiff::dual;
using autodiff::shape;
using autodiff::shape_error;
using autodiff::tape;
using autodiff::tensor;
using reference::message;
using reference::says;

using doubles = std::vector<double>;
using indices = std::vector<std::size_t>;

template <class T>
std::vector<T> numbers(const tensor<T>& x) {
  return {x.values().begin(), x.values().end()};
}

const tensor<double> table({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}});

}  // namespace

TEST_CASE("reshape gives the same elements another shape and shares them") {
  const tensor<double> y = reshape(table, {2, 3});
  CHECK(y.shape() == shape{2, 3});
  CHECK(numbers(y) == doubles{1, 2, 3, 4, 5, 6});
  CHECK(y.values().data() == table.values().data());
  CHECK(reshape(table, {6}).shape() == shape{6});
  CHECK(reshape(tensor<double>(4.0), {1, 1}).shape() == shape{1, 1});
  CHECK(reshape(tensor<double>(shape{1, 1}, 4.0), {}).item() == 4);
  CHECK(reshape(tensor<double>(shape{0, 3}), {5, 0}).shape() == shape{5, 0});
  CHECK(reshape(tensor<double>(), {0, 2}).shape() == shape{0, 2});
}

TEST_CASE("the adjoint of reshape has the shape of its argument") {
  tape t;
  const tensor<double> x = t.variable(table);
  t.backward(reshape(square(x), {2, 3}), tensor<double>({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}));
  CHECK(t.adjoint(x).shape() == shape{3, 2});
  CHECK(numbers(t.adjoint(x)) == doubles{2, 8, 18, 32, 50, 72});
  t.backward(reshape(x, {6}), tensor<double>({1.0, 2.0, 3.0, 4.0, 5.0, 6.0}));
  CHECK(t.adjoint(x).shape() == shape{3, 2});
}

TEST_CASE("reshaping to another size is an error with both shapes and sizes") {
  CHECK(says(message<shape_error>([] {
               reshape(table, {4, 2});
             }),
             "reshape: ", "[3, 2]", "6", "[4, 2]", "8"));
  CHECK_THROWS_AS(reshape(table, {}), shape_error);
}

TEST_CASE("take_rows picks rows by index, in order, some several times") {
  const tensor<double> y = take_rows(table, indices{2, 0, 2});
  CHECK(y.shape() == shape{3, 2});
  CHECK(numbers(y) == doubles{5, 6, 1, 2, 5, 6});
  CHECK(numbers(take_rows(tensor<double>({7.0, 8.0, 9.0}), indices{1})) == doubles{8});
  const tensor<double> deep(shape{2, 2, 2}, doubles{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(take_rows(deep, indices{1}).shape() == shape{1, 2, 2});
  CHECK(numbers(take_rows(deep, indices{1})) == doubles{5, 6, 7, 8});
}

TEST_CASE("take_rows of no indices or no columns is empty") {
  CHECK(take_rows(table, indices{}).shape() == shape{0, 2});
  CHECK(take_rows(tensor<double>(shape{3, 0}), indices{0, 1}).shape() == shape{2, 0});
  CHECK(take_rows(tensor<double>(shape{0, 2}), indices{}).shape() == shape{0, 2});
  tape t;
  const tensor<double> x = t.variable(table);
  t.backward(sum(take_rows(x, indices{})));
  CHECK(numbers(t.adjoint(x)) == doubles(6));
}

TEST_CASE("the adjoint of take_rows adds up rows that were taken several times") {
  tape t;
  const tensor<double> x = t.variable(table);
  const tensor<double> w({{1.0, 10.0}, {2.0, 20.0}, {3.0, 30.0}, {4.0, 40.0}});
  const tensor<double> taken = take_rows(x, indices{2, 0, 2, 2});
  t.backward(taken, w);
  CHECK(numbers(t.adjoint(x)) == doubles{2, 20, 0, 0, 8, 80});
  // Beside another contribution, before and after it.
  t.backward(sum(taken * w) + sum(x));
  CHECK(numbers(t.adjoint(x)) == doubles{3, 21, 1, 1, 9, 81});
  t.backward(sum(square(x)) + sum(take_rows(x, indices{1})));
  CHECK(numbers(t.adjoint(x)) == doubles{2, 4, 7, 9, 10, 12});
}

TEST_CASE("the indices of take_rows may change after it was recorded") {
  tape t;
  const tensor<double> x = t.variable(table);
  indices at{2, 0};
  const tensor<double> y = sum(take_rows(x, at));
  at = {1, 1};
  t.backward(y);
  CHECK(numbers(t.adjoint(x)) == doubles{1, 1, 0, 0, 1, 1});
}

TEST_CASE("a row that is not there is an error with the index and the shape") {
  CHECK(says(message<shape_error>([] {
               take_rows(table, indices{0, 3});
             }),
             "take_rows: ", "row 3", "[3, 2]", "0 to 2"));
  CHECK(says(message<shape_error>([] { take_rows(tensor<double>(1.0), indices{0}); }),
             "take_rows: ", "rank 0"));
  CHECK_THROWS_AS(take_rows(tensor<double>(shape{0, 2}), indices{0}), shape_error);
}

TEST_CASE("one_hot has a 1 at each label") {
  const tensor<double> y = autodiff::one_hot<double>(indices{2, 0, 2}, 3);
  CHECK(y.shape() == shape{3, 3});
  CHECK(numbers(y) == doubles{0, 0, 1, 1, 0, 0, 0, 0, 1});
  CHECK_FALSE(y.is_recorded());
  CHECK(autodiff::one_hot<float>(indices{}, 4).shape() == shape{0, 4});
}

TEST_CASE("a label that is no class is an error with both numbers") {
  CHECK(says(message<shape_error>([] {
               autodiff::one_hot<float>(indices{1, 3}, 3);
             }),
             "one_hot: ", "label 3", "3 classes"));
}

TEST_CASE("rearranged duals keep their tangents") {
  std::vector<dual<double>> values;
  for (int i = 0; i < 6; ++i) values.emplace_back(i, -i);
  const tensor<dual<double>> x(shape{3, 2}, values);
  CHECK(reshape(x, {2, 3}).value(1, 2).tangent() == -5);
  CHECK(take_rows(x, indices{2}).value(0, 1).tangent() == -5);
  CHECK(autodiff::one_hot<dual<double>>(indices{1}, 2).value(0, 1).value() == 1);
}
