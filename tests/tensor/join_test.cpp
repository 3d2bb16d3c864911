#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/join.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace {

using namespace tensors;
using autodiff::concat;
using autodiff::padding;
using autodiff::stack;
using autodiff::var;

const tensor<double> square_of_four({{1.0, 2.0}, {3.0, 4.0}});
const tensor<double> row({{5.0, 6.0}});
const tensor<double> column({{7.0}, {8.0}});

}  // namespace

TEST_CASE("concat joins tensors along an axis they have") {
  const tensor<double> down = concat({square_of_four, row});
  CHECK(down.shape() == shape{3, 2});
  CHECK(numbers(down) == doubles{1, 2, 3, 4, 5, 6});
  const tensor<double> across = concat({square_of_four, column, square_of_four}, -1);
  CHECK(across.shape() == shape{2, 5});
  CHECK(numbers(across) == doubles{1, 2, 7, 1, 2, 3, 4, 8, 3, 4});
  const tensor<double> deep(shape{2, 1, 2}, doubles{1, 2, 3, 4});
  CHECK(numbers(concat({deep, deep}, 1)) == doubles{1, 2, 1, 2, 3, 4, 3, 4});
  CHECK(numbers(concat({row})) == doubles{5, 6});
}

TEST_CASE("concat takes a braced list, a vector and a span") {
  const std::vector<tensor<double>> list{square_of_four, row};
  const doubles expected{1, 2, 3, 4, 5, 6};
  CHECK(numbers(concat(list)) == expected);
  CHECK(numbers(concat(std::span<const tensor<double>>(list), 0)) == expected);
  CHECK(numbers(concat(list, -2)) == expected);
}

TEST_CASE("empty parts of a concat leave no trace") {
  tape t;
  const tensor<double> x = t.variable(square_of_four),
                       nothing = t.variable(tensor<double>(shape{0, 2}));
  const tensor<double> y = concat({nothing, x, nothing});
  CHECK(numbers(y) == numbers(square_of_four));
  t.backward(sum(y * y));
  CHECK(numbers(t.adjoint(x)) == doubles{2, 4, 6, 8});
  CHECK(t.adjoint(nothing).shape() == shape{0, 2});
  // No rows at all.
  const tensor<double> none = concat({tensor<double>(shape{0, 2}), tensor<double>(shape{0, 3})}, 1);
  CHECK(none.shape() == shape{0, 5});
}

TEST_CASE("each part of a concat gets its part of the adjoint") {
  tape t;
  const tensor<double> a = t.variable(square_of_four), b = t.variable(column);
  const tensor<double> y = concat({a, b, column, a}, 1);
  t.backward(y, tensor<double>({{1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, {7.0, 8.0, 9.0, 1.0, 2.0, 3.0}}));
  CHECK(numbers(t.adjoint(a)) == doubles{6, 8, 9, 11});
  CHECK(numbers(t.adjoint(b)) == doubles{3, 9});
  t.backward(sum(concat({a, b}, 1)) + sum(a));
  CHECK(numbers(t.adjoint(a)) == doubles{2, 2, 2, 2});
  CHECK_FALSE(concat({column, column}).is_recorded());
}

TEST_CASE("a long list is one record") {
  tape t;
  std::vector<tensor<double>> list;
  for (int i = 0; i < 1000; ++i) list.push_back(t.variable(tensor<double>({double(i), 1.0})));
  const tensor<double> y = concat(list);
  CHECK(y.shape() == shape{2000});
  t.backward(sum(square(y)));
  for (int i = 0; i < 1000; ++i) {
    CHECK(numbers(t.adjoint(list[static_cast<std::size_t>(i)])) == doubles{2.0 * i, 2});
  }
}

TEST_CASE("concat says which shapes do not fit") {
  CHECK(says(message<shape_error>([] {
               concat({square_of_four, row, column});
             }),
             "concat: ", "tensor 2", "[2, 1]", "[2, 2]", "axis 0"));
  CHECK(says(message<shape_error>([] {
               concat({square_of_four, tensor<double>({1.0})}, 1);
             }),
             "concat: ", "[1]", "[2, 2]"));
  CHECK(says(message<shape_error>([] { concat({row, row}, 2); }), "concat: ", "axis 2", "[1, 2]"));
  CHECK(says(message<shape_error>([] {
               concat({tensor<double>(1.0), tensor<double>(2.0)});
             }),
             "concat: ", "rank 0", "stack"));
  CHECK(says(message<shape_error>([] { concat(std::vector<tensor<double>>()); }),
             "concat: ", "empty"));
}

TEST_CASE("stack joins tensors of one shape along a new axis") {
  const tensor<double> a({1.0, 2.0, 3.0}), b({4.0, 5.0, 6.0});
  CHECK(stack({a, b}).shape() == shape{2, 3});
  CHECK(numbers(stack({a, b})) == doubles{1, 2, 3, 4, 5, 6});
  CHECK(stack({a, b}, 1).shape() == shape{3, 2});
  CHECK(numbers(stack({a, b}, 1)) == doubles{1, 4, 2, 5, 3, 6});
  CHECK(numbers(stack({a, b}, -1)) == numbers(stack({a, b}, 1)));
  CHECK(stack({square_of_four, square_of_four, square_of_four}, 1).shape() == shape{2, 3, 2});
  // Tensors of rank 0 make a vector.
  CHECK(numbers(stack({tensor<double>(1.0), tensor<double>(2.0)})) == doubles{1, 2});
  CHECK(stack({tensor<double>(shape{0, 2}), tensor<double>(shape{0, 2})}, 1).shape() ==
        shape{0, 2, 2});
}

TEST_CASE("each tensor of a stack gets its slice of the adjoint") {
  tape t;
  const tensor<double> a = t.variable(tensor<double>({1.0, 2.0})),
                       b = t.variable(tensor<double>({3.0, 4.0}));
  t.backward(stack({a, b, a}, 1), tensor<double>({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}));
  CHECK(t.adjoint(a).shape() == shape{2});
  CHECK(numbers(t.adjoint(a)) == doubles{4, 10});
  CHECK(numbers(t.adjoint(b)) == doubles{2, 5});
}

TEST_CASE("scalars still stack beside tensors") {
  tape t;
  const var x = t.variable(1.0), y = t.variable(2.0);
  CHECK(numbers(stack({x, y})) == doubles{1, 2});
  CHECK(stack(std::vector<var>{x, y, x, y}, {2, 2}).shape() == shape{2, 2});
  CHECK(numbers(stack({stack({x, y}), stack({y, x})})) == doubles{1, 2, 2, 1});
}

TEST_CASE("stack says which shapes differ") {
  CHECK(says(message<shape_error>([] {
               stack({square_of_four, row});
             }),
             "stack: ", "tensor 1", "[1, 2]", "[2, 2]", "concat"));
  CHECK(says(message<shape_error>([] { stack({row, row}, 3); }), "stack: ", "axis 3"));
  CHECK(
      says(message<shape_error>([] { stack(std::vector<tensor<float>>()); }), "stack: ", "empty"));
  const tensor<double> deepest(shape{1, 1, 1, 1, 1, 1, 1, 1});
  CHECK(says(message<shape_error>([&] { stack({deepest, deepest}); }), "stack: ", "at most 8"));
}

TEST_CASE("pad puts a margin around a tensor") {
  const tensor<double> y = pad(square_of_four, {{1, 0}, {0, 2}}, 9.0);
  CHECK(y.shape() == shape{3, 4});
  CHECK(numbers(y) == doubles{9, 9, 9, 9, 1, 2, 9, 9, 3, 4, 9, 9});
  CHECK(numbers(pad(square_of_four, {1, 1})) ==
        doubles{0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0});
  CHECK(numbers(pad(tensor<double>({1.0}), {{2, 1}})) == doubles{0, 0, 1, 0});
  const std::vector<padding> none(2);
  CHECK(numbers(pad(square_of_four, none)) == numbers(square_of_four));
  CHECK(pad(tensor<double>(4.0), padding{3, 3}).item() == 4);
  CHECK(numbers(pad(tensor<double>(shape{0, 1}), {{1, 1}, {0, 1}}, 5.0)) == doubles{5, 5, 5, 5});
}

TEST_CASE("the adjoint of pad is what lies within the margin") {
  tape t;
  const tensor<double> x = t.variable(square_of_four);
  const tensor<double> y = pad(x, {{0, 1}, {1, 0}}, 7.0);
  t.backward(y, tensor<double>({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}, {7.0, 8.0, 9.0}}));
  CHECK(numbers(t.adjoint(x)) == doubles{2, 3, 5, 6});
  t.backward(sum(pad(x, {1, 2})) + sum(x));
  CHECK(numbers(t.adjoint(x)) == doubles{2, 2, 2, 2});
}

TEST_CASE("pad wants one padding per axis") {
  CHECK(says(message<shape_error>([] {
               pad(square_of_four, {{1, 1}, {1, 1}, {1, 1}});
             }),
             "pad: ", "3 paddings", "[2, 2]"));
}

TEST_CASE("tile repeats a tensor along its axes") {
  CHECK(numbers(tile(square_of_four, {2, 1})) == doubles{1, 2, 3, 4, 1, 2, 3, 4});
  const tensor<double> y = tile(square_of_four, {1, 3});
  CHECK(y.shape() == shape{2, 6});
  CHECK(numbers(y) == doubles{1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4});
  // Counts and axes are aligned at the end.
  CHECK(tile(square_of_four, {2}).shape() == shape{2, 4});
  CHECK(tile(tensor<double>({1.0, 2.0}), {2, 1}).shape() == shape{2, 2});
  CHECK(numbers(tile(tensor<double>(3.0), {2, 2})) == doubles{3, 3, 3, 3});
  CHECK(tile(square_of_four, {0, 1}).shape() == shape{0, 2});
  CHECK(tile(tensor<double>(shape{0, 2}), {3, 2}).shape() == shape{0, 4});
  CHECK(numbers(tile(square_of_four, {})) == numbers(square_of_four));
  CHECK(says(message<shape_error>([] {
               tile(row, {1, 1, 1, 1, 1, 1, 1, 1, 1});
             }),
             "tile: ", "9 counts", "at most 8"));
}

TEST_CASE("every axis of the highest rank can be tiled") {
  const doubles x = reference::random(3).uniform(256, -1, 1);
  tape t;
  const tensor<double> deep =
      t.variable(tensor<double>(shape{2, 2, 2, 2, 2, 2, 2, 2}, std::span<const double>(x)));
  const tensor<double> y = tile(deep, {2, 2, 2, 2, 2, 2, 2, 2});
  CHECK(y.size() == 256 * 256);
  CHECK(y.value(2, 0, 2, 1, 3, 0, 1, 2) == deep.value(0, 0, 0, 1, 1, 0, 1, 0));
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(deep)) == doubles(256, 256.0));
}

TEST_CASE("the adjoint of tile adds up the copies") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  t.backward(tile(x, {2, 2}), tensor<double>({{1.0, 2.0, 3.0, 4.0}, {10.0, 20.0, 30.0, 40.0}}));
  CHECK(numbers(t.adjoint(x)) == doubles{44, 66});
  t.backward(sum(tile(x, {0})) + sum(x));
  CHECK(numbers(t.adjoint(x)) == doubles{1, 1});
}

TEST_CASE("repeat repeats each slice in place") {
  CHECK(numbers(repeat(tensor<double>({1.0, 2.0}), 3, 0)) == doubles{1, 1, 1, 2, 2, 2});
  CHECK(numbers(repeat(square_of_four, 2, 0)) == doubles{1, 2, 1, 2, 3, 4, 3, 4});
  CHECK(numbers(repeat(square_of_four, 2, -1)) == doubles{1, 1, 2, 2, 3, 3, 4, 4});
  CHECK(repeat(square_of_four, 0, 1).shape() == shape{2, 0});
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  t.backward(repeat(x, 2, 0), tensor<double>({1.0, 2.0, 3.0, 4.0}));
  CHECK(numbers(t.adjoint(x)) == doubles{3, 7});
  CHECK(
      says(message<shape_error>([] { repeat(tensor<double>(1.0), 2, 0); }), "repeat: ", "axis 0"));
}

TEST_CASE("an extent that no axis can have is an error, and nothing is written") {
  constexpr auto minus_one = static_cast<std::size_t>(-1);
  const tensor<double> x({1.0, 2.0, 3.0});
  CHECK(says(message<shape_error>([&] {
               pad(x, {minus_one, 1});
             }),
             "pad: ", "18446744073709551615 + 3", "negative"));
  CHECK_THROWS_AS(pad(x, {0, minus_one}), shape_error);
  CHECK(says(message<shape_error>([&] { tile(x, {minus_one}); }),
             "tile: ", "3 * 18446744073709551615", "negative"));
  CHECK(says(message<shape_error>([&] { repeat(square_of_four, minus_one / 2 + 2, 0); }),
             "repeat: ", "2 * 9223372036854775809", "negative"));
}
