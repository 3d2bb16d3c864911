// Values: how a tensor is made, read, printed and copied.

#include <autodiff/error.hpp>
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

#include <numeric>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace tensors;
using autodiff::tape_error;

}  // namespace

TEST_CASE("a tensor is made from nested lists, and their depth is its rank") {
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

  const tensor<double> e = {{{{1.0, 2.0}}}, {{{3.0, 4.0}}}};
  CHECK(e.shape() == shape{2, 1, 1, 2});
  CHECK(numbers(e) == doubles{1, 2, 3, 4});
}

TEST_CASE("braces around single numbers count like any others") {
  const double x = 2;
  CHECK(tensor<double>({{{1.0}}, {{x}}}).shape() == shape{2, 1, 1});
  CHECK(tensor<float>({{{1}}}).shape() == shape{1, 1, 1});
  CHECK(tensor<dual<double>>({{{1.0}}, {{x}}}).shape() == shape{2, 1, 1});
  CHECK(autodiff::tensor({{{1.0F}}, {{2.0F}}}).shape() == shape{2, 1, 1});
  CHECK(numbers(autodiff::tensor({1.5, x})) == doubles{1.5, 2});
}

TEST_CASE("empty braces are a list without entries") {
  CHECK(tensor<double>({}).shape() == shape{0});
  CHECK(tensor<double>({{}, {}}).shape() == shape{2, 0});
  CHECK(tensor<double>({{{}}, {{}}}).shape() == shape{2, 1, 0});
  tensor<double> x({1.0, 2.0});
  x = {};
  CHECK(x.shape() == shape{0});
  x = {{3.0}};
  CHECK(x.shape() == shape{1, 1});
}

TEST_CASE("braces round constants but no variables") {
  CHECK(tensor<float>({0.1, 2}).value(0) == 0.1F);
  // Not from double, nor from int.
  using float_list = autodiff::nested_list<float>;
  CHECK(autodiff::exactly_convertible<float, float>);
  CHECK_FALSE(autodiff::exactly_convertible<double, float>);
  CHECK_FALSE(autodiff::exactly_convertible<int, double>);
  CHECK_FALSE(std::is_constructible_v<float_list, std::string>);
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
             "tensor: ", "a list has 1 entries", "first beside it 2"));
  CHECK(says(message<shape_error>([] {
               tensor<double>({{1.0}, {2.0}, {3.0, 4.0}});
             }),
             "a list has 2 entries", "first beside it 1"));
  CHECK_THROWS_AS(tensor<double>({{{1.0, 2.0}, {3.0, 4.0}}, {{5.0, 6.0}}}), shape_error);
  CHECK_THROWS_AS(tensor<double>({{{1.0, 2.0}, {2.0}}, {{3.0, 4.0}, {5.0, 6.0}}}), shape_error);
  CHECK_THROWS_AS(tensor<double>({{}, {1.0}}), shape_error);
  CHECK(says(message<shape_error>([] {
               tensor<double>({{1.0}, 2.0});
             }),
             "tensor: ", "a number stands beside a list", "as many entries"));
  CHECK_THROWS_AS(tensor<double>({2.0, {1.0}}), shape_error);
}

TEST_CASE("braces nested deeper than a tensor has dimensions are an error with that number") {
  CHECK(tensor<double>({{{{{{{{1.0}}}}}}}}).rank() == 8);
  CHECK(says(message<shape_error>([] { tensor<double>({{{{{{{{{1.0}}}}}}}}}); }),
             "tensor: ", "deeper than 8"));
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
  CHECK(a.size() == 0);  // NOLINT(bugprone-use-after-move): that is what is tested
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

TEST_CASE("a tensor attached to a tape is a leaf until it is detached") {
  tape t;
  tensor<double> x({1.0, 2.0});
  const double* data = x.values().data();
  attach(t, x);
  CHECK(x.is_recorded());
  CHECK_THROWS_AS(x.mutable_values(), autodiff::tape_error);
  t.backward(sum(square(x)));
  CHECK(numbers(t.adjoint(x)) == doubles{2, 4});
  x.detach();
  CHECK_FALSE(x.is_recorded());
  t.rewind();
  x.mutable_values()[0] = 3;
  CHECK(x.values().data() == data);
  CHECK(numbers(x) == doubles{3, 2});
}

TEST_CASE("a second sweep finds the shape of an adjoint that the first one gave away") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({{1.0, 2.0}, {3.0, 4.0}}));
  const tensor<double> y = square(x);
  const tensor<double> e = sum(y);
  t.backward(e, autodiff::leaves_only);
  CHECK_THROWS_AS(t.adjoint(y), autodiff::tape_error);
  t.backward(e);
  CHECK(t.adjoint(y).shape() == shape{2, 2});
  CHECK(numbers(t.adjoint(y)) == doubles{1, 1, 1, 1});
  CHECK(numbers(t.adjoint(x)) == doubles{2, 4, 6, 8});
}

TEST_CASE("sweeps put adjoints into tensors that are attached with their variables") {
  tape t;
  tensor<double> x({1.0, 2.0}), unused({3.0}), dx, dunused(shape{2, 2});
  const auto attach_both = [&] {
    attach<double>(t, 2, [&](auto&& attach_one) {
      attach_one(x, dx);
      attach_one(unused, dunused);
    });
  };
  attach_both();
  CHECK_THROWS_AS(t.adjoint(x), tape_error);
  {
    const tensor<double> e = sum(square(x));
    t.backward(e);
    CHECK(numbers(dx) == doubles{2, 4});
    CHECK(numbers(t.adjoint(x)) == doubles{2, 4});
    CHECK(dunused.shape() == shape{1});
    CHECK_FALSE(dunused.stored().has_storage());
    CHECK(numbers(t.adjoint(unused)) == doubles{0});
    t.accumulate(e);
    CHECK(numbers(dx) == doubles{4, 8});
    t.backward(e);
    CHECK(numbers(dx) == doubles{2, 4});
  }
  t.rewind();
  CHECK(t.statistics().operations == 0);
  CHECK(numbers(dx) == doubles{2, 4});

  // The same storage again, but not where a copy shares it.
  const double* const storage = dx.values().data();
  attach_both();
  t.backward(sum(x));
  CHECK(dx.values().data() == storage);
  CHECK(numbers(dx) == doubles{1, 1});
  t.rewind();
  const tensor<double> copy = dx;
  attach_both();
  t.backward(sum(3.0 * x));
  CHECK(numbers(copy) == doubles{1, 1});
  CHECK(numbers(dx) == doubles{3, 3});
}

TEST_CASE("tensors that are attached together stand among other records, and fall alone") {
  tape t;
  tensor<double> x({1.0, 2.0}), w({3.0, 4.0}), dx, dw;
  const tensor<double> first = square(t.variable(tensor<double>({5.0, 6.0})));
  const auto start = t.mark();
  for (int round = 0; round < 3; ++round) {
    attach<double>(t, 2, [&](auto&& attach_one) {
      attach_one(x, dx);
      attach_one(w, dw);
    });
    t.backward(sum(x * w * first));
    CHECK(numbers(dx) == doubles{75, 144});
    CHECK(numbers(dw) == doubles{25, 72});
    CHECK(numbers(t.adjoint(first)) == doubles{3, 8});
    t.rewind(start);
    CHECK(t.statistics().operations == 2);
    CHECK_THROWS_AS(t.adjoint(x), tape_error);
  }
  // Of what throws midway nothing is recorded.
  CHECK_THROWS_AS(attach<double>(t, 2,
                                 [&](auto&& attach_one) {
                                   attach_one(x, dx);
                                   throw tape_error("midway", "stopped", "go on");
                                 }),
                  tape_error);
  CHECK(t.statistics().operations == 2);
  const tensor<double> instead = t.variable(tensor<double>({7.0}));
  CHECK_THROWS_AS(square(x), tape_error);
  t.backward(sum(first));
  CHECK(numbers(t.adjoint(first)) == doubles{1, 1});
}

TEST_CASE("leaves between operations are swept past") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const tensor<double> y = square(x);
  const tensor<double> w = t.variable(tensor<double>({3.0, 4.0}));
  const autodiff::var s = t.variable(2.0);
  const tensor<double> z = y * w;
  const tensor<double> unused = t.variable(tensor<double>({5.0}));
  const tensor<double> e = sum(z * s);
  t.backward(e);
  t.accumulate(e);
  CHECK(numbers(t.adjoint(x)) == doubles{24, 64});
  CHECK(numbers(t.adjoint(w)) == doubles{4, 16});
  CHECK(numbers(t.adjoint(y)) == doubles{6, 8});
  CHECK(t.adjoint(s) == 38);
  CHECK(numbers(t.adjoint(unused)) == doubles{0});
  t.treat_zero_adjoints(autodiff::zero_adjoints::propagate);
  t.backward(e);
  CHECK(numbers(t.adjoint(x)) == doubles{12, 32});
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
