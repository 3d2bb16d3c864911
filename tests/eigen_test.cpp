#if __has_include(<Eigen/Dense>)

#include <autodiff/eigen.hpp>
//
#include <autodiff/gradient.hpp>
#include <autodiff/hessian.hpp>
#include <autodiff/jacobian.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <type_traits>

namespace ad = autodiff;
using ad::dual;
using ad::tape;
using ad::var;

namespace {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

matrix<double> random_matrix(int rows, int columns, std::uint64_t seed) {
  reference::random random(seed);
  return matrix<double>::NullaryExpr(rows, columns, [&] { return random.uniform(-1, 1); });
}
// Far from singular, symmetric where asked for.
matrix<double> regular(int n, std::uint64_t seed) {
  return random_matrix(n, n, seed) + 3.0 * matrix<double>::Identity(n, n);
}
matrix<double> definite(int n, std::uint64_t seed) {
  const matrix<double> a = random_matrix(n, n, seed);
  return a * a.transpose() + matrix<double>::Identity(n, n);
}

template <class A, class B>
bool near(const A& a, const B& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         (a - b).cwiseAbs().maxCoeff() <= 1e-11 * (1 + b.cwiseAbs().maxCoeff());
}

}  // namespace

TEST_CASE("a matrix is an argument, and its gradient is a matrix of the same kind") {
  const auto f = [](const auto& x) { return x(0) * x(1) + sin(x(2)); };
  const Eigen::Vector3d x(2.0, 3.0, 0.5);
  const auto g = ad::gradient(f, x);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(g)>, Eigen::Vector3d>);
  CHECK(near(g, Eigen::Vector3d(3.0, 2.0, std::cos(0.5))));
  CHECK(near(ad::gradient(f, vector<double>(x)), g));
  CHECK(ad::hessian(f, x).value(0, 1) == 1);
  CHECK(ad::jvp(f, x, x).tangent == Approx(12 + 0.5 * std::cos(0.5)));
  CHECK(near(ad::hessian_vector_product(f, x, Eigen::Vector3d(1.0, 0.0, 0.0)),
             Eigen::Vector3d(0.0, 1.0, 0.0)));
}

TEST_CASE("products of matrices have the gradients of the textbook, small and blocked") {
  for (const int n : {2, 7, 33}) {
    const matrix<double> a = random_matrix(n, n + 1, 1), b = random_matrix(n + 1, n, 2),
                         w = random_matrix(n, n, 3);
    // d sum(W o AB) = W B' in A and A' W in B
    const auto f = [&](const auto& x, const auto& y) {
      return (x * y).eval().cwiseProduct(w).sum();
    };
    const auto [da, db] = ad::gradient(f, a, b);
    CHECK(near(da, (w * b.transpose()).eval()));
    CHECK(near(db, (a.transpose() * w).eval()));
    const auto left = [&](const auto& x) { return (x * b).eval().cwiseProduct(w).sum(); };
    CHECK(near(ad::gradient(left, a), (w * b.transpose()).eval()));
    const auto right = [&](const auto& y) { return (a * y).eval().cwiseProduct(w).sum(); };
    CHECK(near(ad::gradient(right, b), (a.transpose() * w).eval()));
    const vector<double> u = w.col(0), v = b.col(0);
    const auto by_vector = [&](const auto& x) { return u.dot(x * v); };
    CHECK(near(ad::gradient(by_vector, a), (u * v.transpose()).eval()));
    const auto quadratic = [&](const auto& x) { return x.dot(w * x); };
    CHECK(near(ad::gradient(quadratic, u), ((w + w.transpose()) * u).eval()));
  }
}

TEST_CASE("matrices mix with plain numbers and scalars of their own kind") {
  const Eigen::Matrix2d m{{1.0, 2.0}, {3.0, 4.0}};
  const auto f = [&](const auto& x) {
    using T = typename std::remove_cvref_t<decltype(x)>::Scalar;
    const Eigen::Matrix<T, 2, 2> y = 2 * x + x * 0.5 - x / 4 + m - 3 * m * x(0, 0) + x * x(1, 1);
    return T((m * y - y * m.cast<T>()).sum() + m.cwiseProduct(x).sum() + (x - m).trace());
  };
  const auto g = ad::gradient(f, m);
  for (int i = 0; i < 4; ++i) {
    Eigen::Matrix2d direction = Eigen::Matrix2d::Zero();
    direction(i) = 1e-5;
    const double slope =
        (f(Eigen::Matrix2d(m + direction)) - f(Eigen::Matrix2d(m - direction))) / 2e-5;
    CHECK(g(i) == Approx(slope).epsilon(1e-8));
  }
}

TEST_CASE("norms and reductions have their closed-form gradients") {
  const vector<double> x = random_matrix(6, 1, 4);
  CHECK(near(ad::gradient([](const auto& v) { return v.norm(); }, x), (x / x.norm()).eval()));
  CHECK(near(ad::gradient([](const auto& v) { return v.squaredNorm(); }, x), (2 * x).eval()));
  CHECK(near(ad::gradient([](const auto& v) { return v.mean(); }, x),
             vector<double>::Constant(6, 1 / 6.0).eval()));
  CHECK(near(ad::gradient([](const auto& v) { return v.prod(); }, x),
             (x.prod() / x.array()).matrix().eval()));
  CHECK(near(ad::gradient([](const auto& v) { return v.template lpNorm<1>(); }, x),
             x.array().sign().matrix().eval()));
  CHECK(near(ad::gradient([](const auto& v) { return v.array().exp().sum(); }, x),
             x.array().exp().matrix().eval()));
  vector<double> largest = vector<double>::Zero(6);
  Eigen::Index at = 0;
  x.maxCoeff(&at);
  largest(at) = 1;
  CHECK(near(ad::gradient([](const auto& v) { return v.maxCoeff(); }, x), largest));
}

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

TEST_CASE("limits reach Eigen, and a matrix prints its values") {
  CHECK(Eigen::NumTraits<var>::epsilon() == std::numeric_limits<double>::epsilon());
  CHECK(Eigen::NumTraits<dual<double, 4>>::highest() == std::numeric_limits<double>::max());
  static_assert(!Eigen::NumTraits<var>::IsComplex && !Eigen::NumTraits<var>::IsInteger);
  Eigen::Matrix<var, 1, 2> m;
  m << 1.5, 2.0;
  std::ostringstream out;
  out << m;
  CHECK(out.str() == "1.5   2");
}

#else

#include <tests/catch.hpp>

TEST_CASE("matrices of Eigen") { WARN("skipped: Eigen is not installed (package libeigen3-dev)"); }

#endif
