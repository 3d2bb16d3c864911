#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using autodiff::shape;
using autodiff::shape_error;
using autodiff::tape;
using autodiff::tape_error;
using autodiff::tensor;
using autodiff::var;
using reference::message;
using reference::says;

template <class T>
std::vector<T> numbers(const tensor<T>& x) {
  return {x.values().begin(), x.values().end()};
}

using doubles = std::vector<double>;

}  // namespace

TEST_CASE("a backward that is refused leaves the adjoints of tensors") {
  tape t;
  const auto x = t.variable(tensor<double>({1.0, 2.0}));
  const auto y = square(x);
  t.backward(y, tensor<double>({1.0, 10.0}));
  CHECK_THROWS_AS(t.backward(y), shape_error);
  CHECK_THROWS_AS(t.backward(y, tensor<double>({1.0, 1.0, 1.0})), shape_error);
  CHECK(t.adjoint(x).value(0) == 2.0);
  CHECK(t.adjoint(x).value(1) == 40.0);
}

TEST_CASE("a tensor is made from nested lists of one to three levels") {
  const tensor<double> a({1.0, 2.0, 3.0});
  CHECK(a.shape() == shape{3});
  CHECK(numbers(a) == doubles{1, 2, 3});

  const tensor<double> b({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}});
  CHECK(b.shape() == shape{3, 2});
  CHECK(numbers(b) == doubles{1, 2, 3, 4, 5, 6});

  const tensor<double> c({{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}});
  CHECK(c.shape() == shape{1, 2, 3});
  CHECK(numbers(c) == doubles{1, 2, 3, 4, 5, 6});

  const tensor<float> d = {{0.1f, 0.2f}, {0.3f, 0.4f}};
  CHECK(d.value(1, 0) == 0.3f);
}

TEST_CASE("rows of one number are a column") {
  const tensor<double> column({{1.0}, {2.0}});
  CHECK(column.shape() == shape{2, 1});
  CHECK(numbers(column) == doubles{1, 2});
  CHECK(tensor<double>({{1.0}}).shape() == shape{1, 1});
  const tensor<float> of_whole_numbers = {{1}, {2}, {3}};
  CHECK(of_whole_numbers.shape() == shape{3, 1});
  CHECK(tensor<double>({1, 2.5}).shape() == shape{2});
}

TEST_CASE("a tensor is made from a shape and a fill, or a shape and its values") {
  CHECK(numbers(tensor<double>(shape{2, 2}, 5.0)) == doubles{5, 5, 5, 5});
  CHECK(numbers(tensor<double>(shape{2})) == doubles{0, 0});
  CHECK(numbers(autodiff::zeros<double>({3})) == doubles{0, 0, 0});
  CHECK(numbers(autodiff::ones<double>({3})) == doubles{1, 1, 1});
  const doubles values{1, 2, 3, 4, 5, 6};
  const tensor<double> a(shape{2, 3}, values);
  CHECK(a.shape() == shape{2, 3});
  CHECK(numbers(a) == values);
  const tensor<double> scalar(2.5);
  CHECK(scalar.shape() == shape{});
  CHECK(scalar.item() == 2.5);
}

TEST_CASE("tensors may be empty") {
  CHECK(tensor<double>().size() == 0);
  CHECK(tensor<double>().shape() == shape{0});
  const tensor<double> a(shape{0, 3});
  CHECK(a.size() == 0);
  CHECK(a.shape() == shape{0, 3});
  CHECK(tensor<double>(shape{2, 0}, doubles{}).shape() == shape{2, 0});
}

TEST_CASE("rows that differ in length are an error with both lengths") {
  CHECK(says(message<shape_error>([] {
               tensor<double>({{1.0, 2.0}, {3.0}});
             }),
             "tensor: ", "row 1 has 1", "row 0 has 2"));
  CHECK(says(message<shape_error>([] {
               tensor<double>({{1.0}, {2.0}, {3.0, 4.0}});
             }),
             "row 2 has 2", "row 0 has 1"));
  CHECK_THROWS_AS(tensor<double>({{{1.0, 2.0}, {3.0, 4.0}}, {{5.0, 6.0}}}), shape_error);
  CHECK_THROWS_AS(tensor<double>({{{1.0, 2.0}, {2.0}}, {{3.0, 4.0}, {5.0, 6.0}}}), shape_error);
}

TEST_CASE("a wrong number of values is an error with the number and the shape") {
  const std::string text = message<shape_error>([] { tensor<double>(shape{2, 3}, doubles(5)); });
  CHECK(says(text, "tensor: ", "5 values", "[2, 3]", "6"));
}

TEST_CASE("value reads one number by its indices") {
  const tensor<double> a({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  CHECK(a.value(0, 0) == 1);
  CHECK(a.value(1, 0) == 4);
  CHECK(a.value(1, 2) == 6);
  CHECK(tensor<double>(7.0).value() == 7);
}

TEST_CASE("an index that does not fit is an error with the index and the shape") {
  const tensor<double> a({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  CHECK(says(message<shape_error>([&] { a.value(2, 0); }), "(2, 0)", "[2, 3]"));
  CHECK(says(message<shape_error>([&] { a.value(0, 3); }), "(0, 3)", "[2, 3]"));
  CHECK(says(message<shape_error>([&] { a.value(0); }), "(0)", "[2, 3]"));
  CHECK(says(message<shape_error>([&] { a.value(0, 0, 0); }), "(0, 0, 0)", "[2, 3]"));
  CHECK(says(message<shape_error>([&] { a(0, 3); }), "(0, 3)", "[2, 3]"));
  CHECK(says(message<shape_error>([&] { a[0]; }), "(0)", "[2, 3]"));
  // A negative one is not a huge one.
  CHECK(says(message<shape_error>([&] { a.value(-1, 0); }), "(-1, 0)", "[2, 3]", "from 0"));
  CHECK(says(message<shape_error>([&] { a(0, -2); }), "(0, -2)", "[2, 3]"));
  CHECK(says(message<shape_error>([] { tensor<double>({1.0, 2.0})[-1]; }), "(-1)", "[2]"));
  CHECK_THROWS_AS(tensor<double>().value(0), shape_error);
  CHECK_THROWS_AS(tensor<double>(1.0).value(0), shape_error);
}

TEST_CASE("item reads the number of a tensor with one element, of any rank") {
  CHECK(tensor<double>(2.0).item() == 2);
  CHECK(tensor<double>(shape{1, 1, 1}, 3.0).item() == 3);
  CHECK(says(message<shape_error>([] { tensor<double>(shape{2, 1}).item(); }), "item: ", "[2, 1]"));
  CHECK_THROWS_AS(tensor<double>().item(), shape_error);
}

TEST_CASE("a tensor prints as nested brackets") {
  CHECK(to_string(tensor<double>(1.5)) == "1.5");
  CHECK(to_string(tensor<float>({0.1f, -2.0f})) == "[0.1, -2]");
  CHECK(to_string(tensor<double>({{1.0, 2.0}, {3.0, 4.0}})) == "[[1, 2],\n [3, 4]]");
  CHECK(to_string(tensor<double>(shape{2, 2, 1}, doubles{1, 2, 3, 4})) ==
        "[[[1],\n  [2]],\n [[3],\n  [4]]]");
  CHECK(to_string(tensor<double>()) == "[]");
  CHECK(to_string(tensor<double>(shape{0, 3})) == "[]");
  CHECK(to_string(tensor<double>(shape{2, 0})) == "[[],\n []]");
  CHECK(to_string(tensor<double>({1.0, std::nan(""), INFINITY})) == "[1, nan, inf]");
  std::ostringstream out;
  out << tensor<double>({1.0, 2.0});
  CHECK(out.str() == "[1, 2]");
}

TEST_CASE("long axes print their ends") {
  doubles count(13);
  std::iota(count.begin(), count.end(), 0.0);
  CHECK(to_string(tensor<double>(shape{12}, doubles(12))) ==
        "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]");
  CHECK(to_string(tensor<double>(shape{13}, count)) == "[0, 1, 2, ..., 10, 11, 12]");
  CHECK(to_string(tensor<double>(shape{13, 1}, count)) ==
        "[[0],\n [1],\n [2],\n ...,\n [10],\n [11],\n [12]]");
}

TEST_CASE("a tensor of duals prints values beside tangents") {
  using dual = autodiff::dual<double>;
  const std::vector<dual> values{dual(1, 2), dual(3)};
  CHECK(to_string(tensor<dual>(shape{2}, values)) == "[(1, 2), (3, 0)]");
}

TEST_CASE("copies of a tensor do not alias") {
  tensor<double> a({1.0, 2.0, 3.0});
  tensor<double> b = a;
  CHECK(a.values().data() == b.values().data());
  b.mutable_values()[0] = 10;
  CHECK(numbers(a) == doubles{1, 2, 3});
  CHECK(numbers(b) == doubles{10, 2, 3});
  a.mutable_values()[1] = 20;
  CHECK(numbers(b) == doubles{10, 2, 3});
}

TEST_CASE("a moved tensor leaves an empty one") {
  tensor<double> a({1.0, 2.0});
  const tensor<double> b = std::move(a);
  CHECK(a.size() == 0);
  CHECK(a.shape() == shape{0});
  CHECK(a.mutable_values().empty());
  CHECK(numbers(b) == doubles{1, 2});
}

TEST_CASE("a passive tensor is not recorded, nor what is computed from it") {
  tape t;
  const tensor<double> a({1.0, 2.0});
  CHECK_FALSE(a.is_recorded());
  CHECK_FALSE(sum(square(a) + 1.0).is_recorded());
  CHECK(t.statistics().operations == 0);
  const tensor<double> x = t.variable(a);
  CHECK(x.is_recorded());
  CHECK(x.values().data() == a.values().data());
  CHECK(square(x).is_recorded());
  CHECK((a * x).is_recorded());
}

TEST_CASE("a detached tensor is a constant of the same values") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({2.0, 3.0}));
  const tensor<double> constant = square(x).detached();
  CHECK_FALSE(constant.is_recorded());
  CHECK(numbers(constant) == doubles{4, 9});
  t.backward(sum(x * constant));
  CHECK(numbers(t.adjoint(x)) == doubles{4, 9});
}

TEST_CASE("a recorded tensor refuses to be changed in place") {
  tape t;
  tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  CHECK(says(message<tape_error>([&] { x.mutable_values(); }), "mutable_values", "detached"));
  tensor<double> copy = x.detached();
  copy.mutable_values()[0] = 7;
  CHECK(numbers(x) == doubles{1, 2});
}

TEST_CASE("a change in place after recording cannot disturb a pullback") {
  tape t;
  tensor<double> start({1.0, 2.0}), factor({3.0, 4.0});
  const tensor<double> x = t.variable(start);
  const tensor<double> y = sum(square(x) * factor);
  start.mutable_values()[0] = 100;
  factor.mutable_values()[1] = 100;
  t.backward(y);
  CHECK(numbers(t.adjoint(x)) == doubles{6, 16});
  CHECK(numbers(x) == doubles{1, 2});
}

TEST_CASE("an adjoint that was read is a value of its own") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const tensor<double> y = sum(square(x));
  t.backward(y);
  tensor<double> g = t.adjoint(x);
  const tensor<double> first = g;
  g.mutable_values()[0] = -1;
  CHECK(numbers(t.adjoint(x)) == doubles{2, 4});
  t.backward(sum(x));
  CHECK(numbers(first) == doubles{2, 4});
  CHECK_FALSE(first.is_recorded());
}

TEST_CASE("adjoints of leaves and of everything between can be read") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, -2.0, 3.0}));
  const tensor<double> a = x * 2.0;
  const tensor<double> b = square(a);
  const tensor<double> y = sum(b);
  t.backward(y);
  CHECK(numbers(t.adjoint(y)) == doubles{1});
  CHECK(t.adjoint(y).shape() == shape{});
  CHECK(numbers(t.adjoint(b)) == doubles{1, 1, 1});
  CHECK(numbers(t.adjoint(a)) == doubles{4, -8, 12});
  CHECK(numbers(t.adjoint(x)) == doubles{8, -16, 24});
}

TEST_CASE("a tensor on which the output does not depend has adjoint 0") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const tensor<double> unused = t.variable(tensor<double>(shape{2, 3}, 1.0));
  const tensor<double> dead_end = square(unused);
  t.backward(sum(x));
  CHECK(t.adjoint(unused).shape() == shape{2, 3});
  CHECK(numbers(t.adjoint(unused)) == doubles(6));
  CHECK(numbers(t.adjoint(dead_end)) == doubles(6));
  t.backward(sum(x), autodiff::leaves_only);
  CHECK(numbers(t.adjoint(dead_end)) == doubles(6));
}

TEST_CASE("backward may be called again, for the same or another output, and starts from 0") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const tensor<double> y = sum(square(x)), z = sum(3.0 * x);
  for (int round = 0; round < 3; ++round) {
    t.backward(y);
    CHECK(numbers(t.adjoint(x)) == doubles{2, 4});
    t.backward(z);
    CHECK(numbers(t.adjoint(x)) == doubles{3, 3});
    CHECK(numbers(t.adjoint(y)) == doubles{0});
  }
}

TEST_CASE("leaves_only gives adjoints of intermediates back, except those asked for") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const tensor<double> a = 2.0 * x;
  const tensor<double> b = square(a);
  const tensor<double> y = sum(b);
  t.keep(a);
  t.backward(y, autodiff::leaves_only);
  CHECK(numbers(t.adjoint(x)) == doubles{8, 16});
  CHECK(numbers(t.adjoint(a)) == doubles{4, 8});
  // Zeros would be a wrong answer.
  CHECK(says(message<tape_error>([&] { t.adjoint(b); }), "adjoint: ", "leaves_only", "keep"));
  CHECK_THROWS_AS(t.adjoint(y), tape_error);
  t.backward(y, autodiff::keep_all);
  CHECK(numbers(t.adjoint(b)) == doubles{1, 1});
  CHECK(numbers(t.adjoint(x)) == doubles{8, 16});
}

TEST_CASE("a cotangent weighs the elements of the output") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({{1.0, 2.0}, {3.0, 4.0}}));
  const tensor<double> y = square(x);
  tensor<double> w({{1.0, 10.0}, {100.0, 0.0}});
  t.backward(y, w);
  w.mutable_values()[0] = -5;
  CHECK(numbers(t.adjoint(x)) == doubles{2, 40, 600, 0});
  CHECK(numbers(t.adjoint(y)) == doubles{1, 10, 100, 0});
  t.backward(y, tensor<double>(shape{2, 2}, 1.0), autodiff::leaves_only);
  CHECK(numbers(t.adjoint(x)) == doubles{2, 4, 6, 8});
}

TEST_CASE("backward of a tensor with several elements is an error with its shape") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{2, 3}, 1.0));
  const tensor<double> y = square(x);
  CHECK(says(message<shape_error>([&] { t.backward(y); }), "backward: ", "[2, 3]"));
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(x)) == doubles(6, 2.0));
  const tensor<double> one = t.variable(tensor<double>(shape{1, 1}, 3.0));
  t.backward(square(one));
  CHECK(numbers(t.adjoint(one)) == doubles{6});
  const tensor<double> none = t.variable(tensor<double>(shape{0}));
  CHECK_THROWS_AS(t.backward(square(none)), shape_error);
}

TEST_CASE("a cotangent of another shape is an error with both shapes") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{2, 3}, 1.0));
  const tensor<double> y = square(x);
  const auto text = message<shape_error>([&] { t.backward(y, tensor<double>(shape{3, 2}, 1.0)); });
  CHECK(says(text, "backward: ", "[2, 3]", "[3, 2]"));
  CHECK_THROWS_AS(t.backward(y, tensor<double>(1.0)), shape_error);
}

TEST_CASE("backward of a passive tensor is an error") {
  tape t;
  CHECK(says(message<tape_error>([&] {
               t.backward(sum(tensor<double>({1.0, 2.0})));
             }),
             "backward: ", "passive"));
}

TEST_CASE("an adjoint that was not computed is an error that says why") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  CHECK(says(message<tape_error>([&] { t.adjoint(x); }), "adjoint: ", "no sweep"));
  CHECK(
      says(message<tape_error>([&] { t.adjoint(tensor<double>({1.0})); }), "adjoint: ", "passive"));
  t.backward(sum(x));
  const tensor<double> later = square(x);
  CHECK(says(message<tape_error>([&] { t.adjoint(later); }), "after the last sweep"));
  CHECK(numbers(t.adjoint(x)) == doubles{1, 1});
}

TEST_CASE("one tensor as both operands gets both shares") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({{1.0, 2.0}, {3.0, 4.0}}));
  t.backward(sum(x * x));
  CHECK(numbers(t.adjoint(x)) == doubles{2, 4, 6, 8});
  t.backward(sum(x - x));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0, 0, 0});
  t.backward(sum(x / x));
  CHECK(reference::all_close(t.adjoint(x).values(), doubles(4), 1e-15L));
  // d/dx sum(x x) = 1 x^T + x^T 1, written out.
  t.backward(sum(matmul(x, x)));
  CHECK(numbers(t.adjoint(x)) == doubles{3 + 4, 7 + 4, 3 + 6, 7 + 6});
}

TEST_CASE("paths that part and meet again add up") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({2.0, 3.0}));
  const tensor<double> left = square(x), right = 5.0 * x;
  const tensor<double> middle = left * right;
  const tensor<double> y = sum(middle + left + x);
  t.backward(y);
  CHECK(numbers(t.adjoint(middle)) == doubles{1, 1});
  CHECK(numbers(t.adjoint(left)) == doubles{11, 16});
  CHECK(numbers(t.adjoint(right)) == doubles{4, 9});
  CHECK(numbers(t.adjoint(x)) == doubles{15 * 4 + 2 * 2 + 1, 15 * 9 + 2 * 3 + 1});
}

TEST_CASE("a shared first contribution is not written by the second") {
  // reshape hands its adjoint on without a copy, to two inputs here.
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const tensor<double> a = reshape(x, {2, 1});
  const tensor<double> b = reshape(a, {1, 2});
  const tensor<double> y = sum(b) + sum(3.0 * a) + sum(10.0 * x);
  t.backward(y);
  CHECK(numbers(t.adjoint(b)) == doubles{1, 1});
  CHECK(numbers(t.adjoint(a)) == doubles{4, 4});
  CHECK(numbers(t.adjoint(x)) == doubles{14, 14});
}

TEST_CASE("a tensor may be used a thousand times") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  tensor<double> total(shape{2}, 0.0);
  for (int i = 1; i <= 1000; ++i) total = total + static_cast<double>(i) * x;
  t.backward(sum(total));
  CHECK(numbers(t.adjoint(x)) == doubles{500500, 500500});
}

TEST_CASE("a chain of ten thousand operations sweeps and is forgotten without deep recursion") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  tensor<double> y = x;
  for (int i = 0; i < 10000; ++i) y = y * 1.0001;
  t.backward(sum(y), autodiff::leaves_only);
  const double slope = std::pow(1.0001, 10000);
  CHECK(reference::all_close(t.adjoint(x).values(), doubles{slope, slope}, 1e-11L));
  t.rewind();
  CHECK(t.statistics().operations == 0);
}

TEST_CASE("float and double tensors share a tape and meet through scalars") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const tensor<float> w = t.variable(tensor<float>({3.0f, 4.0f, 5.0f}));
  const var s = sum(square(x))();
  const tensor<float> product = w * s;
  const tensor<double> y = x * sum(product)();
  // y = x |x|^2 sum(w); d sum(y)/dx = sum(w) (|x|^2 + 2 x sum(x)), d sum(y)/dw = sum(x) |x|^2.
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(x)) == doubles{12 * (5 + 2 * 3), 12 * (5 + 4 * 3)});
  CHECK(numbers(t.adjoint(w)) == std::vector<float>{15, 15, 15});
  CHECK(t.adjoint(s) == 36);
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

TEST_CASE("tensors of no elements flow through the tape") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{0, 3}));
  const tensor<double> y = sum(square(x) * 2.0 + 1.0);
  CHECK(y.item() == 0);
  t.backward(y);
  CHECK(t.adjoint(x).shape() == shape{0, 3});
  CHECK(t.adjoint(x).size() == 0);
  const tensor<double> nothing = t.variable(tensor<double>());
  t.backward(sum(nothing));
  CHECK(t.adjoint(nothing).shape() == shape{0});
}
