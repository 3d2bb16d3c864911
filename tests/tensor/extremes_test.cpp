#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/extremes.hpp>
#include <autodiff/tensor/scan.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace {

using namespace tensors;

using indices = std::vector<std::size_t>;

indices numbers(const autodiff::array<std::size_t>& x) {
  return {x.values().begin(), x.values().end()};
}

const tensor<double> sample({{1.0, 5.0, 2.0}, {5.0, -3.0, 4.0}});

}  // namespace

TEST_CASE("max and min over all or some axes") {
  CHECK(max(sample).item() == 5);
  CHECK(min(sample).item() == -3);
  CHECK(numbers(max(sample, {0})) == doubles{5, 5, 4});
  CHECK(numbers(min(sample, {-1})) == doubles{1, -3});
  CHECK(max(sample, {0, 1}, true).shape() == shape{1, 1});
  CHECK(min(sample, std::vector<int>{0}, true).shape() == shape{1, 3});
  CHECK(max(tensor<double>(7.0)).item() == 7);
  // A number beside a tensor is elementwise.
  CHECK(numbers(max(sample, 3)) == doubles{3, 5, 3, 5, 3, 4});
}

TEST_CASE("equal extremes share the derivative, forward and reverse") {
  tape t;
  const tensor<double> x = t.variable(sample);
  t.backward(max(x));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0.5, 0, 0.5, 0, 0});
  t.backward(min(x, {0}), tensor<double>({1.0, 2.0, 3.0}));
  CHECK(numbers(t.adjoint(x)) == doubles{1, 0, 3, 0, 2, 0});
  const std::vector<dual<double>> tied{{2.0, 1.0}, {2.0, 4.0}, {1.0, 7.0}};
  CHECK(max(tensor<dual<double>>(shape{3}, tied)).item().tangent() == 2.5);
  CHECK(min(tensor<dual<double>>(shape{3}, tied)).item().tangent() == 7);
}

TEST_CASE("a NaN is the largest and the smallest, and the derivative is NaN") {
  const double nan = std::nan("");
  const tensor<double> x({{1.0, nan, 2.0}, {1.0, 0.0, 2.0}});
  CHECK(std::isnan(max(x).item()));
  CHECK(std::isnan(min(x, {1}).value(0)));
  CHECK(numbers(argmax(x, 1)) == indices{1, 2});
  CHECK(numbers(argmin(x, 1)) == indices{1, 1});
  tape t;
  const tensor<double> v = t.variable(x);
  t.backward(max(v, {1}), tensor<double>({1.0, 1.0}));
  CHECK(std::isnan(t.adjoint(v).value(0, 0)));
  CHECK(t.adjoint(v).value(1, 2) == 1);
  t.backward(max(v, {1}), tensor<double>({0.0, 1.0}));
  CHECK(numbers(t.adjoint(v)) == doubles{0, 0, 0, 0, 0, 1});
}

TEST_CASE("argmax and argmin find the first of equal elements, over all or an axis") {
  CHECK(argmax(sample) == 1);
  CHECK(argmin(sample) == 4);
  CHECK(numbers(argmax(sample, -1)) == indices{1, 0});
  CHECK(numbers(argmax(sample, 0)) == indices{1, 0, 1});
  CHECK(numbers(argmin(sample, 0)) == indices{0, 1, 0});
  CHECK(argmax(sample, 0, true).shape() == shape{1, 3});
  CHECK(argmax(tensor<double>(3.0)) == 0);
  CHECK(numbers(argmax(tensor<float>({2.0f, 7.0f}), 0)) == indices{1});
  CHECK(argmax(tensor<double>(shape{0, 3}), 1).size() == 0);
  tape t;
  CHECK(argmax(t.variable(sample)) == 1);
}

TEST_CASE("choosing from nothing is an error with the shape") {
  const tensor<double> none(shape{2, 0});
  CHECK(says(message<shape_error>([&] { max(none); }), "max: ", "[2, 0]", "at least one"));
  CHECK(says(message<shape_error>([&] { min(none, {1}); }), "min: ", "[2, 0]"));
  CHECK(says(message<shape_error>([&] { argmax(none, 1); }), "argmax: ", "[2, 0]"));
  CHECK(says(message<shape_error>([&] { argmin(none); }), "argmin: ", "[2, 0]"));
  CHECK(says(message<shape_error>([&] { argmax(sample, 2); }), "argmax: ", "axis 2"));
  CHECK(max(none, {0}).shape() == shape{0});
}

TEST_CASE("running sums and products along any axis") {
  CHECK(numbers(cumsum(sample, 1)) == doubles{1, 6, 8, 5, 2, 6});
  CHECK(numbers(cumsum(sample, 0)) == doubles{1, 5, 2, 6, 2, 6});
  CHECK(numbers(cumprod(sample, -1)) == doubles{1, 5, 10, 5, -15, -60});
  CHECK(cumsum(tensor<double>(shape{0, 2}), 0).shape() == shape{0, 2});
  CHECK(says(message<shape_error>([] { cumsum(tensor<double>(1.0), 0); }), "cumsum: ", "rank 0"));
}

TEST_CASE("the derivative of a running product is right at zeros") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({2.0, 0.0, 3.0, 0.0}));
  t.backward(cumprod(x, 0), tensor<double>({1.0, 1.0, 1.0, 1.0}));
  CHECK(numbers(t.adjoint(x)) == doubles{1, 2 + 6, 0, 0});
}
