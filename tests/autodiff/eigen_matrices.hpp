#pragma once
// Matrices for the tests of autodiff/eigen.hpp, where Eigen is installed.

#include <autodiff/eigen.hpp>

#include <tests/reference.hpp>

#include <Eigen/Dense>
#include <cstdint>

namespace eigen_matrices {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

inline matrix<double> random_matrix(int rows, int columns, std::uint64_t seed) {
  reference::random random(seed);
  return matrix<double>::NullaryExpr(rows, columns, [&] { return random.uniform(-1, 1); });
}
// Far from singular, symmetric where asked for.
inline matrix<double> regular(int n, std::uint64_t seed) {
  return random_matrix(n, n, seed) + 3.0 * matrix<double>::Identity(n, n);
}
inline matrix<double> definite(int n, std::uint64_t seed) {
  const matrix<double> a = random_matrix(n, n, seed);
  return a * a.transpose() + matrix<double>::Identity(n, n);
}

template <class A, class B>
bool near(const A& a, const B& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         (a - b).cwiseAbs().maxCoeff() <= 1e-11 * (1 + b.cwiseAbs().maxCoeff());
}

}  // namespace eigen_matrices
