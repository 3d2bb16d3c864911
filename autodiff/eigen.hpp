#pragma once
// Matrices of vars and duals in Eigen: include this header instead of, or before, those of Eigen.
// The library itself does not need Eigen, and autodiff.hpp does not include this file.
//
// Eigen evaluates every coefficient of its own expressions in one number type, so each operation on
// vars inside a product or a solve is a statement of its own. A Matrix is an argument of the
// drivers: gradient(f, Eigen::VectorXd) is an Eigen::VectorXd.

#if !__has_include(<Eigen/Core>)
#error \
    "autodiff/eigen.hpp needs Eigen: install libeigen3-dev, or add its folder to the include path"
#endif

#include <autodiff/argument.hpp>
#include <autodiff/dual.hpp>
#include <autodiff/expression.hpp>
#include <autodiff/var.hpp>

#include <Eigen/Core>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace autodiff {

/// A number that Eigen may use beside a var or dual: one that converts to it, and is no other kind
/// of the same depth.
template <class Plain, class Number>
concept lifts_to =
    number<Plain> && std::convertible_to<Plain, Number> && !std::same_as<Plain, Number>;

/// Costs in Eigen's units, which decide when it evaluates a subexpression into memory.
template <class Number>
struct eigen_number : Eigen::NumTraits<typename Number::value_type> {
  using inner = Eigen::NumTraits<typename Number::value_type>;
  using Real = Number;
  using NonInteger = Number;
  using Nested = Number;
  using Literal = Number;
  enum {
    IsComplex = 0,
    IsInteger = 0,
    IsSigned = 1,
    RequireInitialization = 1,
    ReadCost = 2 * int(inner::ReadCost),
    AddCost = 4 * int(inner::AddCost),
    MulCost = 4 * int(inner::MulCost)
  };
  static Number epsilon() { return inner::epsilon(); }
  static Number dummy_precision() { return inner::dummy_precision(); }
  static Number highest() { return inner::highest(); }
  static Number lowest() { return inner::lowest(); }
  static Number infinity() { return inner::infinity(); }
  static Number quiet_NaN() { return inner::quiet_NaN(); }
};

/// dst(i, j) = sum over k of lhs(i, k) rhs(k, j), or what `put(dst(i, j), sum)` makes of it.
/// Eigen's blocked kernels take no factors of different types, and are not meant for numbers that
/// record: here each term is one statement that the tape carries into the next.
template <class Scalar, class Destination, class Lhs, class Rhs, class Put>
void multiply_matrices(Destination& dst, const Lhs& lhs, const Rhs& rhs, Put&& put) {
  const typename Eigen::internal::nested_eval<Lhs, Eigen::Dynamic>::type a(lhs);
  const typename Eigen::internal::nested_eval<Rhs, Eigen::Dynamic>::type b(rhs);
  const Eigen::internal::evaluator<std::remove_cvref_t<decltype(a)>> left(a);
  const Eigen::internal::evaluator<std::remove_cvref_t<decltype(b)>> right(b);
  for (Eigen::Index j = 0; j < dst.cols(); ++j) {
    for (Eigen::Index i = 0; i < dst.rows(); ++i) {
      Scalar sum(0);
      for (Eigen::Index k = 0; k < a.cols(); ++k) sum += left.coeff(i, k) * right.coeff(k, j);
      put(dst.coeffRef(i, j), sum);
    }
  }
}

template <class Lhs, class Rhs>
using product_number =
    typename Eigen::ScalarBinaryOpTraits<typename Lhs::Scalar, typename Rhs::Scalar>::ReturnType;
template <class Lhs, class Rhs>
concept recorded_product = is_var<product_number<Lhs, Rhs>> || is_dual<product_number<Lhs, Rhs>>;

/// The interface of Eigen's products over multiply_matrices().
template <class Lhs, class Rhs>
struct eigen_product {
  using Scalar = product_number<Lhs, Rhs>;
  template <class Destination>
  static void evalTo(Destination& dst, const Lhs& lhs, const Rhs& rhs) {
    multiply_matrices<Scalar>(dst, lhs, rhs, [](auto& to, const Scalar& sum) { to = sum; });
  }
  template <class Destination>
  static void addTo(Destination& dst, const Lhs& lhs, const Rhs& rhs) {
    multiply_matrices<Scalar>(dst, lhs, rhs, [](auto& to, const Scalar& sum) { to += sum; });
  }
  template <class Destination>
  static void subTo(Destination& dst, const Lhs& lhs, const Rhs& rhs) {
    multiply_matrices<Scalar>(dst, lhs, rhs, [](auto& to, const Scalar& sum) { to -= sum; });
  }
  template <class Destination>
  static void scaleAndAddTo(Destination& dst, const Lhs& lhs, const Rhs& rhs, const Scalar& alpha) {
    multiply_matrices<Scalar>(dst, lhs, rhs,
                              [&](auto& to, const Scalar& sum) { to += alpha * sum; });
  }
};

/// A matrix as an argument: the same matrix over what f returns.
template <class T, int Rows, int Columns, int Options, int MaxRows, int MaxColumns, class F>
auto map_numbers(const Eigen::Matrix<T, Rows, Columns, Options, MaxRows, MaxColumns>& x, F&& f) {
  using U = decltype(f(std::declval<const T&>()));
  Eigen::Matrix<U, Rows, Columns, Options, MaxRows, MaxColumns> mapped(x.rows(), x.cols());
  for (Eigen::Index i = 0; i < x.size(); ++i) mapped.data()[i] = f(x.data()[i]);
  return mapped;
}

}  // namespace autodiff

template <class T>
struct Eigen::NumTraits<autodiff::basic_var<T>> : autodiff::eigen_number<autodiff::basic_var<T>> {};
template <class T, std::size_t N>
struct Eigen::NumTraits<autodiff::dual<T, N>> : autodiff::eigen_number<autodiff::dual<T, N>> {};

// Products and sums with whatever converts to the number: plain ones, and those it is nested over.
template <class T, class Plain, class Operation>
requires(autodiff::lifts_to<Plain, autodiff::basic_var<T>>) struct Eigen::ScalarBinaryOpTraits<
    autodiff::basic_var<T>, Plain, Operation> {
  using ReturnType = autodiff::basic_var<T>;
};
template <class T, class Plain, class Operation>
requires(autodiff::lifts_to<Plain, autodiff::basic_var<T>>) struct Eigen::ScalarBinaryOpTraits<
    Plain, autodiff::basic_var<T>, Operation> {
  using ReturnType = autodiff::basic_var<T>;
};
template <class T, std::size_t N, class Plain, class Operation>
requires(autodiff::lifts_to<Plain, autodiff::dual<T, N>>) struct Eigen::ScalarBinaryOpTraits<
    autodiff::dual<T, N>, Plain, Operation> {
  using ReturnType = autodiff::dual<T, N>;
};
template <class T, std::size_t N, class Plain, class Operation>
requires(autodiff::lifts_to<Plain, autodiff::dual<T, N>>) struct Eigen::ScalarBinaryOpTraits<
    Plain, autodiff::dual<T, N>, Operation> {
  using ReturnType = autodiff::dual<T, N>;
};

template <class Lhs, class Rhs>
requires autodiff::recorded_product<Lhs, Rhs>
struct Eigen::internal::generic_product_impl<Lhs, Rhs, Eigen::DenseShape, Eigen::DenseShape,
                                             Eigen::GemmProduct>
    : autodiff::eigen_product<Lhs, Rhs> {
};
template <class Lhs, class Rhs>
requires autodiff::recorded_product<Lhs, Rhs>
struct Eigen::internal::generic_product_impl<Lhs, Rhs, Eigen::DenseShape, Eigen::DenseShape,
                                             Eigen::GemvProduct>
    : autodiff::eigen_product<Lhs, Rhs> {
};
