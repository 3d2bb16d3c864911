#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/solve.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/tensor/matrices.hpp>
#include <tests/tensors.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace tensors;
using autodiff::domain_error;
using reference::real;
using reference::reals;

template <class T>
reals wide(const std::vector<T>& x) {
  return {x.begin(), x.end()};
}

/// Entries 1 / (i + j + 1).
tensor<double> hilbert(std::size_t n) {
  tensor<double> h(shape{n, n});
  for (std::size_t i = 0; i < n * n; ++i)
    h.mutable_values()[i] = 1 / static_cast<double>(i / n + i % n + 1);
  return h;
}

}  // namespace

TEST_CASE("the inverse of a Hilbert matrix is made of integers") {
  CHECK(reference::all_close(matrix_inverse(hilbert(3)).values(),
                             doubles{9, -36, 30, -36, 192, -180, 30, -180, 180}, 1e-13L));
  // Its condition number is 5e5.
  const doubles exact{25,     -300,   1050,   -1400,  630,     -300,   4800,  -18900, 26880,
                      -12600, 1050,   -18900, 79380,  -117600, 56700,  -1400, 26880,  -117600,
                      179200, -88200, 630,    -12600, 56700,   -88200, 44100};
  CHECK(reference::all_close(matrix_inverse(hilbert(5)).values(), exact, 1e-10L));
}

TEMPLATE_TEST_CASE("solve agrees with elimination in long double, with exchanges or without", "",
                   float, double) {
  using T = TestType;
  reference::random random(71);
  for (const std::size_t n : {1, 2, 5, 20, 70}) {
    for (const std::size_t columns : {1, 3, 40}) {
      INFO(n << " " << columns);
      auto a = random.uniform<T>(n * n, -1, 1);
      for (std::size_t i = 0; i < n; ++i) a[i * n + (n - 1 - i)] += static_cast<T>(n);
      const auto b = random.uniform<T>(n * columns, -1, 1);
      const tensor<T> x = solve(tensor<T>(shape{n, n}, a), tensor<T>(shape{n, columns}, b));
      const reals exact = reference::elimination(wide(a), wide(b), n).x;
      CHECK(reference::all_close(x.values(), exact, 20 * std::numeric_limits<T>::epsilon()));
    }
  }
}

TEST_CASE("solve takes a vector, batches, and broadcasts the axes before the matrices") {
  const tensor<double> a({{0.0, 2.0}, {1.0, 0.0}}), v({6.0, 5.0});
  CHECK(solve(a, v).shape() == shape{2});
  CHECK(numbers(solve(a, v)) == doubles{5, 3});
  const tensor<double> scales(shape{3, 1, 2, 2}, doubles{1, 0, 0, 1, 2, 0, 0, 2, 4, 0, 0, 4});
  const tensor<double> sides(shape{2, 2, 1}, doubles{4, 8, 12, 16});
  const tensor<double> x = solve(scales, sides);
  CHECK(x.shape() == shape{3, 2, 2, 1});
  CHECK(numbers(x) == doubles{4, 8, 12, 16, 2, 4, 6, 8, 1, 2, 3, 4});
  CHECK(solve(scales, v).shape() == shape{3, 1, 2});
}

TEST_CASE("triangular_solve reads its triangle only") {
  const double never = std::numeric_limits<double>::quiet_NaN();
  const tensor<double> lower({{2.0, never}, {1.0, 4.0}}), upper({{2.0, 1.0}, {never, 4.0}}),
      unit({{never, never}, {3.0, never}}), b({4.0, 10.0});
  CHECK(numbers(triangular_solve(lower, b)) == doubles{2, 2});
  CHECK(numbers(triangular_solve(lower, b, {.transposed = true})) == doubles{0.75, 2.5});
  CHECK(numbers(triangular_solve(upper, b, {.upper = true})) == doubles{0.75, 2.5});
  CHECK(numbers(triangular_solve(unit, b, {.unit_diagonal = true})) == doubles{4, -2});
  tape t;
  const tensor<double> x = t.variable(lower);
  t.backward(sum(triangular_solve(x, b)));
  CHECK(t.adjoint(x).value(0, 1) == 0);
}

TEST_CASE("cholesky finds the factor a matrix was made of") {
  const tensor<double> lower({{2.0, 0.0, 0.0}, {6.0, 1.0, 0.0}, {-8.0, 5.0, 3.0}});
  const tensor<double> a = matmul(lower, transpose(lower));
  CHECK(numbers(cholesky(a)) == numbers(lower));
  CHECK(reference::all_close(cholesky_solve(lower, a).values(), reference::identity(3), 1e-13L));
  reference::random random(72);
  for (const std::size_t n : {1, 10, 80}) {
    doubles factor(n * n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < i; ++j) factor[i * n + j] = random.uniform(-0.1, 0.1);
      factor[i * (n + 1)] = random.uniform(1, 2);
    }
    const tensor<double> l(shape{n, n}, factor);
    CHECK(reference::all_close(cholesky(matmul(l, transpose(l))).values(), factor, 1e-13L));
  }
}

TEST_CASE("the adjoint of a through its Cholesky factor is symmetric") {
  // The sum of the squares of the factor is the trace.
  tape t;
  const tensor<double> a = t.variable(tensor<double>({{4.0, 2.0}, {2.0, 3.0}}));
  t.backward(sum(square(cholesky(a))));
  CHECK(reference::all_close(t.adjoint(a).values(), doubles{1, 0, 0, 1}, 1e-15L));
}

TEST_CASE("cholesky_solve takes a vector for a batch of factors") {
  // As many matrices as rows, so that a batch of vectors has the shape of a matrix.
  const tensor<double> lower(shape{2, 2, 2}, doubles{1, 0, 0, 2, 2, 0, 2, 1}), v({4.0, 8.0});
  const tensor<double> x = cholesky_solve(lower, v);
  CHECK(x.shape() == shape{2, 2});
  CHECK(numbers(x) == doubles{4, 2, -3, 4});
  CHECK(cholesky_solve(tensor<double>(shape{3, 1, 1}, 2.0), tensor<double>({4.0})).shape() ==
        shape{3, 1});
}

TEST_CASE("systems of extent 0 have empty solutions") {
  const tensor<double> none(shape{0, 0}), no_matrices(shape{0, 2, 2}), no_sides(shape{2, 0});
  CHECK(matrix_inverse(none).shape() == shape{0, 0});
  CHECK(cholesky(none).shape() == shape{0, 0});
  CHECK(solve(none, tensor<double>(shape{0, 3})).shape() == shape{0, 3});
  CHECK(triangular_solve(none, tensor<double>(shape{0})).shape() == shape{0});
  CHECK(matrix_inverse(no_matrices).shape() == shape{0, 2, 2});
  CHECK(cholesky(no_matrices).shape() == shape{0, 2, 2});
  const tensor<double> one({{1.0, 0.0}, {0.0, 1.0}});
  CHECK(solve(one, no_sides).shape() == shape{2, 0});
  tape t;
  const tensor<double> a = t.variable(one), b = t.variable(tensor<double>(shape{0, 2, 1}));
  t.backward(sum(solve(a, b)) + sum(solve(a, no_sides)));
  CHECK(numbers(t.adjoint(a)) == doubles(4));
  CHECK(t.adjoint(b).shape() == shape{0, 2, 1});
}

TEST_CASE("a singular matrix is an error with its place, its pivot and what to do") {
  const tensor<double> batch(shape{2, 2, 2}, doubles{1, 0, 0, 1, 1, 2, 2, 4}), b({1.0, 1.0});
  const std::string text = message<domain_error>([&] { solve(batch, b); });
  CHECK(says(text, "solve: matrix 1 of [2, 2, 2] is singular: pivot 1 is 0", "identity"));
  CHECK(says(message<domain_error>([&] {
               matrix_inverse(tensor<double>(shape{3, 3}));
             }),
             "matrix_inverse: the matrix [3, 3] is singular: pivot 0 is 0"));
  const tensor<double> lower({{1.0, 2.0}, {3.0, 0.0}});
  CHECK(says(message<domain_error>([&] { triangular_solve(lower, b); }),
             "triangular_solve: the matrix [2, 2] is singular: pivot 1 is 0"));
  CHECK(numbers(triangular_solve(lower, b, {.unit_diagonal = true})) == doubles{1, -2});
}

TEST_CASE("a matrix that is not positive definite is an error with its place and pivot") {
  const tensor<double> batch(shape{3, 2, 2}, doubles{1, 0, 0, 1, 1, 2, 2, 1, 1, 0, 0, 1});
  CHECK(says(message<domain_error>([&] { cholesky(batch); }),
             "cholesky: matrix 1 of [3, 2, 2] is not positive definite: pivot 1 is not positive"));
  CHECK(says(message<domain_error>([] {
               cholesky(tensor<double>(shape{2, 2}));
             }),
             "the matrix [2, 2]", "pivot 0"));
}

TEST_CASE("the tape goes on after a singular matrix") {
  tape t;
  const tensor<double> a = t.variable(tensor<double>({{2.0, 0.0}, {0.0, 4.0}}));
  const tensor<double> b({1.0, 1.0});
  CHECK_THROWS_AS(solve(a * 0.0, b), domain_error);
  t.backward(sum(solve(a, b)));
  CHECK(numbers(t.adjoint(a)) == doubles{-0.25, -0.125, -0.125, -0.0625});
}

TEST_CASE("systems of shapes that do not fit are errors with both") {
  const auto refused = [](const shape& a, const shape& b) {
    return message<shape_error>([&] { solve(tensor<double>(a, 1.0), tensor<double>(b)); });
  };
  CHECK(says(refused({2, 3}, {2}), "solve: ", "[2, 3]", "last two extents"));
  CHECK(says(refused({2}, {2}), "solve: ", "[2] holds no square matrices"));
  CHECK(says(refused({2, 2}, {3}), "matrices [2, 2] and right sides [3] do not fit"));
  CHECK(says(refused({2, 2}, {}), "[2, 2]", "[]"));
  CHECK(says(refused({4, 2, 2}, {4, 2}), "[4, 2, 2]", "[4, 2]"));
  CHECK(says(refused({4, 2, 2}, {3, 2, 1}), "solve: ", "[4]", "[3]"));
  CHECK(says(message<shape_error>([] {
               matrix_inverse(tensor<double>(shape{2, 3}));
             }),
             "matrix_inverse: [2, 3] holds no square matrices"));
  CHECK(says(message<shape_error>([] { cholesky(tensor<double>(3.0)); }), "cholesky: []"));
  const tensor<double> a(shape{2, 2});
  CHECK(says(message<shape_error>([&] {
               triangular_solve(a, tensor<double>(shape{3, 1}));
             }),
             "triangular_solve: ", "[2, 2]", "[3, 1]"));
}

TEST_CASE("what is not a number stays so") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const tensor<double> x =
      solve(tensor<double>({{nan, 1.0}, {1.0, 2.0}}), tensor<double>({1.0, 1.0}));
  CHECK(std::isnan(x.value(0)));
}
