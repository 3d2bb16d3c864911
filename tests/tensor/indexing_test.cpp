#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace {

using namespace tensors;
using autodiff::index_array;
using autodiff::mask;

using indices = std::vector<std::size_t>;

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
             "take_rows: ", "row 3 at position 1", "[3, 2]", "0 to 2"));
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
             "one_hot: ", "label 3 at position 1", "3 classes"));
}

TEST_CASE("rearranged duals keep their tangents") {
  std::vector<dual<double>> values;
  for (int i = 0; i < 6; ++i) values.emplace_back(i, -i);
  const tensor<dual<double>> x(shape{3, 2}, values);
  CHECK(reshape(x, {2, 3}).value(1, 2).tangent() == -5);
  CHECK(take_rows(x, indices{2}).value(0, 1).tangent() == -5);
  CHECK(autodiff::one_hot<dual<double>>(indices{1}, 2).value(0, 1).value() == 1);
}

TEST_CASE("indices are given in braces, vectors, spans and arrays of any whole numbers") {
  const doubles expected{5, 6, 1, 2};
  CHECK(numbers(take_rows(table, {2, 0})) == expected);
  CHECK(numbers(take_rows(table, {std::size_t{2}, std::size_t{0}})) == expected);
  CHECK(numbers(take_rows(table, std::vector<int>{2, 0})) == expected);
  CHECK(numbers(take_rows(table, std::array<std::uint8_t, 2>{2, 0})) == expected);
  const std::vector<std::int64_t> list{2, 0};
  CHECK(numbers(take_rows(table, std::span<const std::int64_t>(list))) == expected);
  CHECK(take_rows(table, {}).shape() == shape{0, 2});
  CHECK(index_array({{1, 2}, {3, 4}, {5, 6}}).shape() == shape{3, 2});
  CHECK(index_array({{1}, {2}}).shape() == shape{2, 1});
  CHECK(index_array(shape{2, 1}, list).shape() == shape{2, 1});
}

TEST_CASE("a wrong number of indices is an error with both numbers") {
  CHECK(says(message<shape_error>([] {
               index_array({{1, 2}, {3}});
             }),
             "index_array: ", "1 indices", "2"));
  CHECK(says(message<shape_error>([] { index_array(shape{3}, std::vector<int>{1}); }),
             "index_array: ", "1 indices", "3"));
}

TEST_CASE("index_select picks slices along any axis") {
  const tensor<double> columns = index_select(table, 1, {1, 1, 0});
  CHECK(columns.shape() == shape{3, 3});
  CHECK(numbers(columns) == doubles{2, 2, 1, 4, 4, 3, 6, 6, 5});
  CHECK(numbers(index_select(table, -2, {1})) == doubles{3, 4});
  const tensor<double> deep(shape{2, 2, 2}, doubles{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(numbers(index_select(deep, 1, {1})) == doubles{3, 4, 7, 8});
  CHECK(index_select(table, 1, {}).shape() == shape{3, 0});
  CHECK(index_select(tensor<double>(shape{0, 2}), 1, {0}).shape() == shape{0, 1});
  tape t;
  const tensor<double> x = t.variable(table);
  t.backward(index_select(x, 1, {1, 1}), tensor<double>({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}}));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 3, 0, 7, 0, 11});
}

TEST_CASE("an index that is not there is named with its position and the range") {
  CHECK(says(message<shape_error>([] {
               index_select(table, 1, {0, -1});
             }),
             "index_select: ", "index -1 at position 1", "axis 1", "[3, 2]", "0 to 1"));
  CHECK(says(message<shape_error>([] {
               gather(table, 0, {{0, 1}, {2, 3}});
             }),
             "gather: ", "index 3 at position (1, 1)", "axis 0", "[3, 2]", "0 to 2"));
  CHECK(says(message<shape_error>([] {
               index_select(tensor<double>(shape{2, 0}), 1, {0});
             }),
             "index_select: ", "extent 0"));
  CHECK(says(message<shape_error>([] {
               index_select(table, 0, {{0, 1}});
             }),
             "index_select: ", "[1, 2]", "gather"));
  CHECK(
      says(message<shape_error>([] { index_select(table, 2, {0}); }), "index_select: ", "axis 2"));
}

TEST_CASE("masked_select keeps the elements under a mask") {
  tape t;
  const tensor<double> x = t.variable(table);
  const tensor<double> y =
      masked_select(x, mask(shape{3, 2}, {true, false, false, true, true, false}));
  CHECK(numbers(y) == doubles{1, 4, 5});
  t.backward(y, tensor<double>({10.0, 20.0, 30.0}));
  CHECK(numbers(t.adjoint(x)) == doubles{10, 0, 0, 20, 30, 0});
  CHECK(masked_select(x, mask(shape{3, 2})).shape() == shape{0});
  CHECK(says(message<shape_error>([&] { masked_select(x, mask(shape{2})); }),
             "masked_select: ", "[2]", "[3, 2]"));
}

TEST_CASE("gather picks one element per index along an axis") {
  CHECK(numbers(gather(table, 1, {{0}, {1}, {0}})) == doubles{1, 4, 5});
  CHECK(gather(table, 1, {{0}, {1}, {0}}).shape() == shape{3, 1});
  CHECK(numbers(gather(table, 0, {{2, 0}, {1, 1}})) == doubles{5, 2, 3, 4});
  CHECK(numbers(gather(tensor<double>({7.0, 8.0, 9.0}), 0, {2, 2, 0, 1})) == doubles{9, 9, 7, 8});
  // Indices of extent 1 beside the axis serve every row.
  CHECK(numbers(gather(table, 1, {{1, 0}})) == doubles{2, 1, 4, 3, 6, 5});
  const tensor<double> none = gather(table, 1, index_array(shape{3, 0}, indices{}));
  CHECK(none.shape() == shape{3, 0});
  CHECK(gather(tensor<double>(shape{0, 2}), 1, index_array(shape{0, 1}, indices{})).shape() ==
        shape{0, 1});
}

TEST_CASE("the adjoint of gather adds up what was picked several times") {
  tape t;
  const tensor<double> x = t.variable(table);
  t.backward(gather(x, 0, {{2, 0}, {2, 1}}), tensor<double>({{1.0, 2.0}, {3.0, 4.0}}));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 2, 0, 4, 4, 0});
  t.backward(sum(gather(x, 1, {{0}, {0}, {1}})) + sum(x));
  CHECK(numbers(t.adjoint(x)) == doubles{2, 1, 2, 1, 1, 2});
}

TEST_CASE("indices of a shape that does not fit are an error with both shapes") {
  CHECK(says(message<shape_error>([] { gather(table, 1, {0, 1}); }), "gather: ", "[2]", "[3, 2]"));
  CHECK(says(message<shape_error>([] {
               gather(table, 1, {{0}, {1}});
             }),
             "gather: ", "[2, 1]", "[3, 2]", "axis 1"));
  CHECK(says(message<shape_error>([] { gather(tensor<double>(1.0), 0, {0}); }),
             "gather: ", "axis 0"));
}

TEST_CASE("scatter_add adds values at indices") {
  const tensor<double> values({{1.0, 2.0}, {3.0, 4.0}});
  const tensor<double> y = scatter_add(shape{3, 2}, 0, {{2, 0}, {2, 1}}, values);
  CHECK(y.shape() == shape{3, 2});
  CHECK(numbers(y) == doubles{0, 2, 0, 4, 4, 0});
  CHECK(numbers(scatter_add({3, 2}, 0, {{2, 0}, {2, 1}}, values)) == numbers(y));
  CHECK(numbers(scatter_add(table, 0, {{2, 0}, {2, 1}}, values)) == doubles{1, 4, 3, 8, 9, 6});
  // The base is a value of its own.
  CHECK(numbers(table) == doubles{1, 2, 3, 4, 5, 6});
  CHECK(numbers(scatter_add(shape{4}, 0, {3, 3, 1}, tensor<double>({1.0, 2.0, 4.0}))) ==
        doubles{0, 4, 0, 3});
  CHECK(numbers(scatter_add(table, 0, index_array(shape{0, 2}, indices{}),
                            tensor<double>(shape{0, 2}))) == numbers(table));
}

TEST_CASE("scatter_add hands its adjoint to the base and to the values") {
  tape t;
  const tensor<double> base = t.variable(table),
                       values = t.variable(tensor<double>({{1.0, 2.0}, {3.0, 4.0}}));
  const tensor<double> w({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}});
  t.backward(scatter_add(base, 0, {{2, 0}, {2, 1}}, values), w);
  CHECK(numbers(t.adjoint(base)) == numbers(w));
  CHECK(numbers(t.adjoint(values)) == doubles{5, 2, 5, 4});
  t.backward(sum(scatter_add(shape{3, 2}, 0, {{2, 0}, {2, 1}}, values) * w) + sum(values));
  CHECK(numbers(t.adjoint(values)) == doubles{6, 3, 6, 5});
  // One tensor as base and values.
  t.backward(sum(scatter_add(base, 0, {{0, 0}}, index_select(base, 0, {2}))));
  CHECK(numbers(t.adjoint(base)) == doubles{1, 1, 1, 1, 2, 2});
}

TEST_CASE("scatter_add says which shape the values should have") {
  CHECK(says(message<shape_error>([] {
               scatter_add(table, 0, {{2, 0}}, tensor<double>({1.0, 2.0}));
             }),
             "scatter_add: ", "[2]", "[3, 2]", "[1, 2]"));
  CHECK(says(message<shape_error>([] {
               scatter_add(table, 0, {{2, 3}}, tensor<double>({{1.0, 2.0}}));
             }),
             "scatter_add: ", "index 3 at position (0, 1)", "0 to 2"));
}

TEST_CASE("one_hot adds an axis to labels of any shape") {
  CHECK(numbers(autodiff::one_hot<double>({1, 0}, 2)) == doubles{0, 1, 1, 0});
  CHECK(autodiff::one_hot<double>({{1, 0, 2}}, 3).shape() == shape{1, 3, 3});
  CHECK(says(message<shape_error>([] {
               autodiff::one_hot<double>({0, -1}, 2);
             }),
             "one_hot: ", "label -1 at position 1"));
  const index_array deepest(shape{1, 1, 1, 1, 1, 1, 1, 1}, indices{0});
  CHECK(says(message<shape_error>([&] { autodiff::one_hot<double>(deepest, 2); }),
             "one_hot: ", "at most 8"));
}
