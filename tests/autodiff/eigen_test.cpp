#if __has_include(<Eigen/Dense>)

#include <autodiff/eigen.hpp>
#include <autodiff/gradient.hpp>
#include <autodiff/hessian.hpp>
#include <autodiff/jacobian.hpp>

#include <tests/autodiff/eigen_matrices.hpp>
#include <tests/catch.hpp>

#include <cmath>
#include <limits>
#include <sstream>
#include <type_traits>

namespace ad = autodiff;
using ad::dual;
using ad::tape;
using ad::var;

using namespace eigen_matrices;

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
