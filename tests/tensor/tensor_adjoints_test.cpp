// What a sweep gives to tensors, and what is said where there is nothing to give.

#include <autodiff/error.hpp>
#include <autodiff/operation_rule.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cmath>
#include <vector>

namespace {

using namespace tensors;
using autodiff::array;
using autodiff::input_adjoint;
using autodiff::operation_rule;
using autodiff::tape_error;
using autodiff::var;

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

TEST_CASE("a sweep that failed leaves nothing to accumulate to") {
  tape t;
  const auto x = t.variable(tensor<double>({1.0, 2.0}));
  const auto y = autodiff::record(
      operation_rule{"halfway", "y = x", "throws"}, x.stored(),
      [](const autodiff::array<double>&, autodiff::input_adjoint<double> dx) {
        *dx->open_zeroed() = 99;
        throw autodiff::memory_error("halfway", "no memory", "try again");
      },
      x);
  t.backward(sum(x));
  CHECK_THROWS_AS(t.backward(sum(y)), autodiff::memory_error);
  t.accumulate(sum(x));
  CHECK(numbers(t.adjoint(x)) == doubles{1, 1});
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

TEST_CASE("a pullback that computes in the place of an adjoint leaves one that is kept") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  tensor<double> y({3.0, 6.0});
  const auto pullback = [](array<double>& dy, input_adjoint<double> dx) {
    double* const share = dy.writable();
    for (std::size_t i = 0; i < dy.size(); ++i) share[i] *= 3.0;
    dx->add(dy);
  };
  record(
      operation_rule{"tripled", "y = 3 x", "x̄ = 3 ȳ"}, y, [&] { return pullback; }, x);
  const tensor<double> out = sum(square(y));
  const auto sweep_and_check_x = [&](autodiff::keeping kept) {
    t.backward(out, kept);
    CHECK(numbers(t.adjoint(x)) == doubles{18, 36});
  };
  sweep_and_check_x(autodiff::leaves_only);
  CHECK_THROWS_AS(t.adjoint(y), tape_error);
  sweep_and_check_x(autodiff::keep_all);
  CHECK(numbers(t.adjoint(y)) == doubles{6, 12});
  t.keep(y);
  sweep_and_check_x(autodiff::leaves_only);
  CHECK(numbers(t.adjoint(y)) == doubles{6, 12});
}

TEST_CASE("a pullback is made only where the result is recorded") {
  tape t;
  int made = 0;
  const auto doubled = [&](const tensor<double>& x) {
    tensor<double> y(x.shape(), 2.0 * x.item());
    const auto make_pullback = [&] {
      ++made;
      return [](const array<double>& dy, input_adjoint<double> dx) {
        dx->add(dy);
        dx->add(dy);
      };
    };
    record(operation_rule{"doubled", "y = 2 x", "x̄ = 2 ȳ"}, y, make_pullback, x);
    return y;
  };
  const tensor<double> constant({3.0});
  CHECK_FALSE(doubled(constant).is_recorded());
  CHECK(made == 0);
  const tensor<double> x = t.variable(constant);
  const tensor<double> y = doubled(x);
  CHECK(made == 1);
  t.backward(y);
  CHECK(numbers(t.adjoint(x)) == doubles{2});
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
