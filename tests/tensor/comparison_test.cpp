#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/comparison.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace {

using namespace tensors;
using autodiff::mask;
using autodiff::var;

using answers = std::vector<int>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

answers of(const mask& m) { return {m.values().begin(), m.values().end()}; }

}  // namespace

TEMPLATE_TEST_CASE("tensors compare element by element", "", float, double, dual<double>) {
  using T = TestType;
  const tensor<T> a({T(1.0), T(2.0), T(3.0)}), b({T(2.0), T(2.0), T(2.0)});
  CHECK(of(a < b) == answers{1, 0, 0});
  CHECK(of(a <= b) == answers{1, 1, 0});
  CHECK(of(a > b) == answers{0, 0, 1});
  CHECK(of(a >= b) == answers{0, 1, 1});
  CHECK(of(a == b) == answers{0, 1, 0});
  CHECK(of(a != b) == answers{1, 0, 1});
}

TEST_CASE("tensors compare with numbers on either side and with scalar variables") {
  const tensor<double> x({-1.0, 0.0, 2.0});
  CHECK(of(x > 0.0) == answers{0, 0, 1});
  CHECK(of(x > 0) == answers{0, 0, 1});
  CHECK(of(0.0 > x) == answers{1, 0, 0});
  CHECK(of(0 == x) == answers{0, 1, 0});
  CHECK(of(x != 2.0f) == answers{1, 1, 0});
  tape t;
  const var limit = t.variable(1.0);
  CHECK(of(x < limit) == answers{1, 1, 0});
  CHECK(of(2.0 * limit <= x) == answers{0, 0, 1});
  CHECK(of(tensor<float>({0.5f, 1.5f}) < limit) == answers{1, 0});
}

TEST_CASE("comparing records nothing") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const std::size_t before = t.statistics().operations;
  CHECK(of(x > square(tensor<double>({1.0, 1.0}))) == answers{0, 1});
  CHECK(of(x == x) == answers{1, 1});
  CHECK(t.statistics().operations == before);
}

TEST_CASE("comparisons broadcast and name the operator when shapes do not fit") {
  const tensor<double> column({{1.0}, {2.0}}), row({1.0, 2.0, 3.0});
  CHECK((column < row).shape() == shape{2, 3});
  CHECK(of(column < row) == answers{0, 1, 1, 0, 0, 1});
  CHECK(of(row >= column) == answers{1, 1, 1, 0, 1, 1});
  CHECK(says(message<shape_error>([&] {
               (void)(row <= tensor<double>({1.0, 2.0}));
             }),
             "<=: ", "[3]", "[2]"));
}

TEST_CASE("a NaN is related to nothing and differs from itself") {
  const tensor<double> x({undefined, 1.0});
  CHECK(of(x == x) == answers{0, 1});
  CHECK(of(x != x) == answers{1, 0});
  CHECK(of(x < 2.0) == answers{0, 1});
  CHECK(of(x >= 0.0) == answers{0, 1});
}

TEST_CASE("elements are classified as in cmath") {
  const tensor<double> x({undefined, infinity, -infinity, -0.0, 0.0, -1.0});
  CHECK(of(isnan(x)) == answers{1, 0, 0, 0, 0, 0});
  CHECK(of(isinf(x)) == answers{0, 1, 1, 0, 0, 0});
  CHECK(of(isfinite(x)) == answers{0, 0, 0, 1, 1, 1});
  const tensor<double> no_nan({infinity, -infinity, -0.0, 0.0, -1.0});
  CHECK(of(signbit(no_nan)) == answers{0, 1, 1, 0, 1});
  const tensor<dual<double>> duals({dual<double>(undefined, 1.0), dual<double>(1.0, undefined)});
  CHECK(of(isnan(duals)) == answers{1, 0});
}

TEST_CASE("empty tensors and tensors of rank 0 compare") {
  CHECK((tensor<double>(shape{0, 2}) < 1.0).shape() == shape{0, 2});
  CHECK((tensor<double>() == tensor<double>()).shape() == shape{0});
  CHECK((tensor<double>(1.0) < 2.0).shape() == shape{});
  CHECK((tensor<double>(1.0) < 2.0).all());
}

TEST_CASE("a mask becomes numbers by a cast") {
  const tensor<double> x = autodiff::cast<double>(tensor<double>({1.0, -1.0}) > 0.0);
  CHECK(numbers(x) == doubles{1, 0});
  CHECK_FALSE(x.is_recorded());
}

TEST_CASE("where takes one tensor where the mask is true and the other where it is not") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({-1.0, 2.0, -3.0}));
  const tensor<double> a = t.variable(tensor<double>({10.0, 20.0, 30.0})),
                       b = t.variable(tensor<double>({1.0, 2.0, 3.0}));
  const tensor<double> y = where(x > 0.0, a, b);
  CHECK(numbers(y) == doubles{1, 20, 3});
  t.backward(y, tensor<double>({5.0, 6.0, 7.0}));
  CHECK(numbers(t.adjoint(a)) == doubles{0, 6, 0});
  CHECK(numbers(t.adjoint(b)) == doubles{5, 0, 7});
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0, 0});
  // The same tensor on both sides, and beside another share.
  t.backward(sum(where(x > 0.0, a, a) + a));
  CHECK(numbers(t.adjoint(a)) == doubles{2, 2, 2});
}

TEST_CASE("where takes numbers and scalar variables") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({-1.0, 2.0, -3.0}));
  CHECK(numbers(where(x > 0.0, x, 0.0)) == doubles{0, 2, 0});
  CHECK(numbers(where(x > 0, 0, x)) == doubles{-1, 0, -3});
  const tensor<double> signs = where(x > 0.0, 1.0, -1.0);
  CHECK(numbers(signs) == doubles{-1, 1, -1});
  CHECK_FALSE(signs.is_recorded());
  CHECK(numbers(where(x > 0.0, 1.0f, 0.0f)) == std::vector<float>{0, 1, 0});
  CHECK(numbers(where(x > 0.0, 1, 0)) == doubles{0, 1, 0});
  const var v = t.variable(7.0);
  const tensor<double> y = where(x > 0.0, x, v);
  CHECK(numbers(y) == doubles{7, 2, 7});
  t.backward(y, tensor<double>({1.0, 10.0, 100.0}));
  CHECK(t.adjoint(v) == 101);
  CHECK(numbers(t.adjoint(x)) == doubles{0, 10, 0});
  CHECK(numbers(where(x > 0.0, v, 0.0)) == doubles{0, 7, 0});
}

TEST_CASE("where broadcasts all three and repeated operands add up what chose them") {
  tape t;
  const mask m(shape{2, 1}, {true, false});
  const tensor<double> a = t.variable(tensor<double>({1.0, 2.0, 3.0})),
                       b = t.variable(tensor<double>(9.0));
  const tensor<double> y = where(m, a, b);
  CHECK(y.shape() == shape{2, 3});
  CHECK(numbers(y) == doubles{1, 2, 3, 9, 9, 9});
  t.backward(y, tensor<double>({{1.0, 2.0, 4.0}, {8.0, 16.0, 32.0}}));
  CHECK(numbers(t.adjoint(a)) == doubles{1, 2, 4});
  CHECK(t.adjoint(b).item() == 56);
  // A mask of rank 0 chooses for all, and a mask may be the largest of the three.
  CHECK(numbers(where(mask(shape{}, true), a, b)) == doubles{1, 2, 3});
  CHECK(numbers(where(mask(shape{2}, {true, false}), tensor<double>(1.0), 2.0)) == doubles{1, 2});
}

TEST_CASE("the side that was not chosen does not leak a NaN or an infinity") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({4.0, 0.0, -1.0}));
  const tensor<double> y = where(x > 0.0, sqrt(x), 0.0);
  CHECK(numbers(y) == doubles{2, 0, 0});
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(x)) == doubles{0.25, 0, 0});
  // Nor where its value is infinite, and with it the slope.
  const tensor<double> large = t.variable(tensor<double>({1.0, 800.0}));
  t.backward(sum(where(large < 700.0, exp(large), large)));
  CHECK(reference::all_close(numbers(t.adjoint(large)), doubles{std::exp(1.0), 1}, 1e-15L));
  // Nor does an adjoint that is no number reach the other side.
  const tensor<double> a = t.variable(tensor<double>({1.0, 2.0}));
  t.backward(where(mask(shape{2}, {true, false}), a, 0.0), tensor<double>({1.0, undefined}));
  CHECK(numbers(t.adjoint(a)) == doubles{1, 0});
  const tensor<double> divided = where(a > 1.0, 1.0 / (a - 1.0), a);
  t.backward(sum(divided));
  CHECK(numbers(t.adjoint(a)) == doubles{1, -1});
}

TEST_CASE("where of no elements is empty and its repeated operands get zeros") {
  tape t;
  const tensor<double> a = t.variable(tensor<double>(shape{0, 2})),
                       b = t.variable(tensor<double>(1.0));
  const tensor<double> y = where(mask(shape{1, 2}, true), a, b);
  CHECK(y.shape() == shape{0, 2});
  t.backward(sum(y));
  CHECK(t.adjoint(a).shape() == shape{0, 2});
  CHECK(t.adjoint(b).item() == 0);
}

TEST_CASE("where names itself and the shapes that do not fit") {
  CHECK(says(message<shape_error>([] { where(mask(shape{2}), tensor<double>(shape{3}), 1.0); }),
             "where: ", "[2]", "[3]"));
  CHECK(says(message<shape_error>(
                 [] { where(mask(shape{2}), tensor<double>(shape{2}), tensor<double>(shape{3})); }),
             "where: ", "[2]", "[3]"));
}

TEST_CASE("masked_fill writes a value where the mask is true") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({{1.0, 2.0}, {3.0, 4.0}}));
  const tensor<double> y = masked_fill(x, mask(shape{2}, {false, true}), -infinity);
  CHECK(numbers(y) == doubles{1, -infinity, 3, -infinity});
  t.backward(y, tensor<double>({{1.0, 2.0}, {3.0, 4.0}}));
  CHECK(numbers(t.adjoint(x)) == doubles{1, 0, 3, 0});
  const var v = t.variable(8.0);
  t.backward(sum(masked_fill(x, x > 2.0, v)));
  CHECK(t.adjoint(v) == 2);
}

TEST_CASE("masked_fill does not enlarge a tensor") {
  CHECK(says(message<shape_error>([] {
               masked_fill(tensor<double>(shape{2}), mask(shape{3, 2}), 0.0);
             }),
             "masked_fill: ", "[3, 2]", "[2]", "where"));
  CHECK(
      says(message<shape_error>([] { masked_fill(tensor<double>(shape{2}), mask(shape{3}), 0.0); }),
           "masked_fill: ", "[3]", "[2]"));
}
