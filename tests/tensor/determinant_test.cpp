#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/determinant.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <tests/catch.hpp>
#include <tests/tensor/matrices.hpp>
#include <tests/tensors.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace {

using namespace tensors;
using reference::reals;

/// The cofactors of a [n, n], each by elimination of what is left without its row and column.
doubles cofactors(const tensor<double>& a) {
  const std::size_t n = a.shape()[0];
  doubles all;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      reals minor;
      for (std::size_t row = 0; row < n; ++row) {
        for (std::size_t column = 0; column < n; ++column) {
          if (row != i && column != j) minor.push_back(a.value(row, column));
        }
      }
      reference::real value = 0;
      if (n == 1) value = 1;
      if (n == 2) value = minor[0];
      if (n == 3) value = minor[0] * minor[3] - minor[1] * minor[2];
      all.push_back(static_cast<double>((i + j) % 2 == 0 ? value : -value));
    }
  }
  return all;
}

const tensor<double> rank_two({{1.0, 2.0, 3.0}, {2.0, 4.0, 6.0}, {5.0, -1.0, 2.0}});
const tensor<double> rank_one({{1.0, 2.0, 3.0}, {2.0, 4.0, 6.0}, {-1.0, -2.0, -3.0}});
const tensor<double> rank_zero(shape{3, 3});

}  // namespace

TEST_CASE("determinants of small and structured matrices") {
  CHECK(determinant(tensor<double>(shape{1, 1}, 3.0)).item() == 3);
  CHECK(determinant(tensor<double>({{1.0, 2.0}, {3.0, 4.0}})).item() == Approx(-2));
  CHECK(determinant(tensor<double>({{0.0, 1.0}, {1.0, 0.0}})).item() == -1);
  CHECK(determinant(tensor<double>({{2.0, 0.0, 0.0}, {5.0, 3.0, 0.0}, {7.0, 1.0, -4.0}})).item() ==
        Approx(-24));
  // Hilbert's of order 3: 1 / 2160.
  CHECK(determinant(tensor<double>({{1.0, 1.0 / 2, 1.0 / 3},
                                    {1.0 / 2, 1.0 / 3, 1.0 / 4},
                                    {1.0 / 3, 1.0 / 4, 1.0 / 5}}))
            .item() == Approx(1.0 / 2160).epsilon(1e-12));
  const tensor<double> batch(shape{3, 1, 2, 2}, doubles{1, 0, 0, 1, 2, 0, 0, 3, 0, 1, 1, 0});
  CHECK(determinant(batch).shape() == shape{3, 1});
  CHECK(reference::all_close(determinant(batch).values(), doubles{1, 6, -1}, 1e-15L));
}

TEST_CASE("the determinant of a matrix without rows is the product of nothing") {
  CHECK(determinant(tensor<double>(shape{0, 0})).item() == 1);
  CHECK(log_det(tensor<double>(shape{0, 0})).item() == 0);
  CHECK(sign_log_det(tensor<double>(shape{2, 0, 0})).sign.value(1) == 1);
  CHECK(determinant(tensor<double>(shape{0, 3, 3})).shape() == shape{0});
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{2, 0, 0}));
  t.backward(sum(determinant(x)) + sum(log_det(x)));
  CHECK(t.adjoint(x).shape() == shape{2, 0, 0});
}

TEST_CASE("the slopes of the determinant of a singular matrix are its cofactors, at any rank") {
  for (const tensor<double>& a : {rank_two, rank_one, rank_zero, tensor<double>(shape{1, 1}),
                                  tensor<double>({{1.0, 2.0}, {2.0, 4.0}})}) {
    INFO(a);
    tape t;
    const tensor<double> x = t.variable(a);
    const tensor<double> y = determinant(x);
    CHECK(y.item() == 0);
    t.backward(y);
    CHECK(reference::all_close(t.adjoint(x).values(), cofactors(a), 1e-14L));
  }
}

TEST_CASE("so are those along a direction, and second derivatives are those of the cofactors") {
  const doubles along{1, -2, 3, 0.5, 1, -1, 2, 0.25, -3};
  for (const tensor<double>& a : {rank_two, rank_one, rank_zero}) {
    INFO(a);
    std::vector<dual<double>> values;
    for (std::size_t i = 0; i < 9; ++i) values.emplace_back(a.values()[i], along[i]);
    tape t;
    const auto x = t.variable(tensor<dual<double>>(shape{3, 3}, values));
    const auto y = determinant(x);
    const doubles slopes = cofactors(a);
    double tangent = 0;
    for (std::size_t i = 0; i < 9; ++i) tangent += slopes[i] * along[i];
    CHECK(y.item().value() == 0);
    CHECK(y.item().tangent() == Approx(tangent).margin(1e-13));
    t.backward(y);
    // Cofactors of order 3 are quadratic: differences across are exact.
    tensor<double> ahead = a, behind = a;
    for (std::size_t i = 0; i < 9; ++i) {
      ahead.mutable_values()[i] += along[i];
      behind.mutable_values()[i] -= along[i];
    }
    const doubles up = cofactors(ahead), down = cofactors(behind);
    for (std::size_t i = 0; i < 9; ++i) {
      const dual<double> adjoint = t.adjoint(x).values()[i];
      CHECK(reference::close(adjoint.value(), slopes[i], 1e-14L));
      CHECK(reference::close(adjoint.tangent(), (up[i] - down[i]) / 2, 1e-13L));
    }
  }
}

TEST_CASE("a determinant may leave the range of numbers on the way to its value") {
  const tensor<double> wide({{1e-200, 0.0, 0.0, 0.0},
                             {0.0, 1e-200, 0.0, 0.0},
                             {0.0, 0.0, 1e200, 0.0},
                             {0.0, 0.0, 0.0, 1e200}});
  CHECK(determinant(wide).item() == Approx(1));
}

TEST_CASE("sign and logarithm of determinants beyond the range of numbers") {
  const std::size_t n = 400;
  tensor<double> a(shape{n, n});
  for (std::size_t i = 0; i < n; ++i) a.mutable_values()[i * (n + 1)] = i == 7 ? -10.0 : 10.0;
  const auto [sign, log] = sign_log_det(a);
  CHECK(sign.item() == -1);
  CHECK(log.item() == Approx(static_cast<double>(n) * std::log(10.0)));
  CHECK(std::isinf(determinant(a).item()));
}

TEST_CASE("log_det of a singular matrix is -inf, with slopes NaN where anything depends on it") {
  const tensor<double> batch(shape{2, 2, 2}, doubles{1, 2, 2, 4, 2, 0, 0, 2});
  tape t;
  const tensor<double> x = t.variable(batch);
  const auto [sign, log] = sign_log_det(x);
  CHECK(sign.value(0) == 0);
  CHECK(sign.value(1) == 1);
  CHECK_FALSE(sign.is_recorded());
  CHECK(log.value(0) == -std::numeric_limits<double>::infinity());
  t.backward(log, tensor<double>({0.0, 1.0}));
  CHECK(reference::all_close(t.adjoint(x).values(), doubles{0, 0, 0, 0, 0.5, 0, 0, 0.5}, 1e-15L));
  t.backward(log, tensor<double>({1.0, 1.0}));
  CHECK(std::isnan(t.adjoint(x).value(0, 0, 0)));
  CHECK(t.adjoint(x).value(1, 1, 1) == Approx(0.5));
  const tensor<dual<double>> moving(shape{1, 1}, dual<double>(0.0, 1.0));
  CHECK(std::isnan(log_det(moving).item().tangent()));
}

TEST_CASE("determinants of what holds no square matrices are errors with the shape") {
  CHECK(says(message<shape_error>([] {
               determinant(tensor<double>(shape{2, 3}));
             }),
             "determinant: [2, 3] holds no square matrices", "last two extents"));
  CHECK(says(message<shape_error>([] { log_det(tensor<double>(shape{3})); }), "log_det: [3]"));
  CHECK(says(message<shape_error>([] { sign_log_det(tensor<double>(shape{3})); }),
             "sign_log_det: [3]"));
}
