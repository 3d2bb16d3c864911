#if __has_include(<Eigen/Dense>)

#include <autodiff/gradient.hpp>
#include <autodiff/hessian.hpp>
#include <autodiff/jacobian.hpp>

#include <tests/autodiff/eigen_matrices.hpp>
#include <tests/catch.hpp>

#include <type_traits>
#include <utility>

namespace ad = autodiff;
using namespace eigen_matrices;

// x = A^-1 b: d(w.x) = A^-T w in b and -(A^-T w) x' in A
TEST_CASE("solves by LU, Householder QR and Cholesky have the gradients of the adjoint equation") {
  const int n = 5;
  const vector<double> b = random_matrix(n, 1, 5), w = random_matrix(n, 1, 6);
  const auto check = [&](const matrix<double>& a, const auto& solve) {
    const vector<double> x = a.lu().solve(b), adjoint = a.transpose().lu().solve(w);
    const auto f = [&](const auto& m, const auto& r) { return solve(m, r).dot(w); };
    const auto [value, gradient] = ad::value_and_gradient(f, a, b);
    CHECK(value == Approx(w.dot(x)).epsilon(1e-13));
    const auto& [da, db] = gradient;
    CHECK(near(db, adjoint));
    return std::pair(da, matrix<double>(-adjoint * x.transpose()));
  };
  const auto same = [](const auto& both) { return near(both.first, both.second); };
  const matrix<double> a = regular(n, 7);
  CHECK(same(
      check(a, [](const auto& m, const auto& r) { return m.partialPivLu().solve(r).eval(); })));
  CHECK(same(check(a, [](const auto& m, const auto& r) { return m.fullPivLu().solve(r).eval(); })));
  CHECK(same(
      check(a, [](const auto& m, const auto& r) { return m.householderQr().solve(r).eval(); })));
  CHECK(same(check(
      a, [](const auto& m, const auto& r) { return m.colPivHouseholderQr().solve(r).eval(); })));
  CHECK(same(check(a, [](const auto& m, const auto& r) { return (m.inverse() * r).eval(); })));
  // Cholesky reads one triangle, so the gradient of both stands there.
  const auto folded = [&](const auto& both) {
    matrix<double> lower = both.second + both.second.transpose();
    lower.diagonal() = both.second.diagonal();
    return near(both.first, matrix<double>(lower.triangularView<Eigen::Lower>()));
  };
  CHECK(folded(
      check(definite(n, 8), [](const auto& m, const auto& r) { return m.llt().solve(r).eval(); })));
  CHECK(folded(check(definite(n, 9),
                     [](const auto& m, const auto& r) { return m.ldlt().solve(r).eval(); })));
}

// d det A = det A A^-T, d log det A = A^-T
TEST_CASE("determinants have the gradients of Jacobi's formula") {
  const auto det = [](const auto& m) { return m.determinant(); };
  const Eigen::Matrix3d fixed = regular(3, 10);
  CHECK(near(ad::gradient(det, fixed), (fixed.determinant() * fixed.inverse().transpose()).eval()));
  const matrix<double> a = regular(6, 11), s = definite(6, 12);
  CHECK(near(ad::gradient(det, a), (a.determinant() * a.inverse().transpose()).eval()));
  CHECK(near(ad::gradient([](const auto& m) { return log(m.determinant()); }, a),
             a.inverse().transpose().eval()));
  const auto by_cholesky = [](const auto& m) {
    return (2 * m.llt().matrixLLT().diagonal().array().log()).sum();
  };
  matrix<double> lower = 2 * s.inverse();
  lower.diagonal() /= 2;
  CHECK(near(ad::gradient(by_cholesky, s), matrix<double>(lower.triangularView<Eigen::Lower>())));
}

TEST_CASE("matrices of duals carry directions through solves, nested ones second derivatives") {
  const matrix<double> a = regular(4, 13), da = random_matrix(4, 4, 14);
  const vector<double> b = random_matrix(4, 1, 15);
  const auto solve = [&](const auto& m) {
    return vector<typename std::remove_cvref_t<decltype(m)>::Scalar>(
        m.lu().solve(b.cast<typename std::remove_cvref_t<decltype(m)>::Scalar>()));
  };
  const auto along = ad::jvp(solve, a, da);
  const vector<double> x = a.lu().solve(b);
  CHECK(near(along.value, x));
  CHECK(near(along.tangent, vector<double>(-a.lu().solve(da * x))));
  // d2 log det A [D, .] = -(A^-1 D A^-1)'
  const auto log_det = [](const auto& m) { return log(m.lu().determinant()); };
  const matrix<double> inverse = a.inverse();
  CHECK(near(ad::hessian_vector_product(log_det, a, da),
             matrix<double>(-(inverse * da * inverse).transpose())));
  const matrix<float> single = a.cast<float>();
  CHECK(near(ad::gradient(log_det, single),
             matrix<double>(single.cast<double>().inverse().transpose())));
}

#else

#include <tests/catch.hpp>

TEST_CASE("solves of Eigen") { WARN("skipped: Eigen is not installed (package libeigen3-dev)"); }

#endif
