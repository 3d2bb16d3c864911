#pragma once
// Forward mode. A dual number is a value with its derivatives along N directions; every function of
// ops.def carries both along by the chain rule. T may itself be a dual or a var: dual<dual<double>>
// gives second derivatives, dual<var> the Hessian-vector product.
// Source: Clifford 1873; Griewank and Walther, Evaluating Derivatives (2008), chapter 3.1.

#include <autodiff/ops.hpp>

#include <array>
#include <cmath>
#include <compare>
#include <concepts>
#include <cstddef>
#include <iosfwd>
#include <limits>
#include <type_traits>
#include <utility>

namespace autodiff {

template <class T, std::size_t N = 1>
class dual {
 public:
  using value_type = T;
  static constexpr std::size_t directions = N;

  constexpr dual() = default;
  /// A constant: all tangents zero.
  template <class U>
  requires std::convertible_to<U, T>
  constexpr dual(const U& value) : value_(value) {}
  constexpr dual(const T& value, const std::array<T, N>& tangents)
      : value_(value), tangents_(tangents) {}
  constexpr dual(const T& value, const T& tangent) requires(N == 1)
      : value_(value), tangents_{tangent} {}

  constexpr const T& value() const { return value_; }
  constexpr const T& tangent(std::size_t direction = 0) const { return tangents_[direction]; }
  constexpr const std::array<T, N>& tangents() const { return tangents_; }

  template <class U>
  constexpr dual& operator+=(const U& other) {
    return *this = *this + other;
  }
  template <class U>
  constexpr dual& operator-=(const U& other) {
    return *this = *this - other;
  }
  template <class U>
  constexpr dual& operator*=(const U& other) {
    return *this = *this * other;
  }
  template <class U>
  constexpr dual& operator/=(const U& other) {
    return *this = *this / other;
  }

  constexpr dual& operator++() { return *this += T(1); }
  constexpr dual& operator--() { return *this -= T(1); }
  constexpr dual operator++(int) {
    const dual before = *this;
    ++*this;
    return before;
  }
  constexpr dual operator--(int) {
    const dual before = *this;
    --*this;
    return before;
  }

  friend constexpr bool is_zero(const dual& x) {
    bool zero = is_zero(x.value_);
    for (const T& tangent : x.tangents_) zero = zero && is_zero(tangent);
    return zero;
  }
  // A template, so that <ostream> is read only by those who print.
  template <class Traits>
  friend std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out,
                                                      const dual& x) {
    out << '(' << x.value_;
    for (const T& tangent : x.tangents_) out << ", " << tangent;
    return out << ')';
  }

 private:
  T value_{};
  std::array<T, N> tangents_{};
};

template <class U>
inline constexpr bool is_dual = false;
template <class T, std::size_t N>
inline constexpr bool is_dual<dual<T, N>> = true;

/// What a dual<T, N> takes as a constant beside it: a number, or the number type it is nested over.
template <class U, class Dual>
concept dual_constant = !std::same_as<U, Dual> && std::convertible_to<U, typename Dual::value_type>;

/// An argument and the slope by it.
template <class T, std::size_t N, class Slope>
struct share {
  const dual<T, N>& argument;
  Slope slope;

  constexpr share(const dual<T, N>& x, Slope by_x) : argument(x), slope(std::move(by_x)) {}

  /// Zero wins by selection on either side, even against inf: a zero slope is a dead branch (a
  /// factor of 0, the lesser side of max), as it is to the reverse sweep; a zero tangent is a
  /// direction in which the argument does not move.
  constexpr T in(std::size_t direction) const {
    if constexpr (requires { is_zero(slope); }) {
      if (is_zero(slope)) return T(0);
    }
    return scaled<T, true>(argument.tangent(direction), slope);
  }
  constexpr T in_any_case(std::size_t direction) const {
    return scaled<T, false>(argument.tangent(direction), slope);
  }
  /// Whether there is nothing to select, whatever the tangent.
  constexpr bool is_plain() const {
    if constexpr (std::floating_point<Slope>)
      return slope != Slope(0) && slope - slope == Slope(0);
    else
      return std::same_as<Slope, unit> || std::same_as<Slope, minus_unit>;
  }
};

/// The chain rule. One test outside of the loop over the directions keeps that free of selections.
template <class T, std::size_t N, class... Slopes>
constexpr dual<T, N> combine(const T& y, const share<T, N, Slopes>&... shares) {
  std::array<T, N> tangents;
  if ((shares.is_plain() && ...)) {
    for (std::size_t i = 0; i < N; ++i) tangents[i] = (shares.in_any_case(i) + ...);
  } else {
    for (std::size_t i = 0; i < N; ++i) tangents[i] = (shares.in(i) + ...);
  }
  return {y, tangents};
}

template <unary_rule Rule, class T, std::size_t N>
constexpr dual<T, N> apply(const dual<T, N>& x) {
  const T y = Rule::call(x.value());
  return combine(y, share(x, Rule::template slope<T>(x.value(), y)));
}

template <binary_rule Rule, class T, std::size_t N>
constexpr dual<T, N> apply(const dual<T, N>& a, const dual<T, N>& b) {
  const T y = Rule::call(a.value(), b.value());
  return combine(y, share(a, Rule::template slope_a<T>(a.value(), b.value(), y, 0.5)),
                 share(b, Rule::template slope_b<T>(a.value(), b.value(), y, 0.5)));
}

template <binary_rule Rule, class T, std::size_t N>
constexpr dual<T, N> apply(const dual<T, N>& a, const T& b) {
  const T y = Rule::call(a.value(), b);
  return combine(y, share(a, Rule::template slope_a<T>(a.value(), b, y, 0)));
}

template <binary_rule Rule, class T, std::size_t N>
constexpr dual<T, N> apply(const T& a, const dual<T, N>& b) {
  const T y = Rule::call(a, b.value());
  return combine(y, share(b, Rule::template slope_b<T>(a, b.value(), y, 0)));
}

template <ternary_rule Rule, class T, std::size_t N>
constexpr dual<T, N> apply(const dual<T, N>& a, const dual<T, N>& b, const dual<T, N>& c) {
  const T y = Rule::call(a.value(), b.value(), c.value());
  return combine(y, share(a, Rule::template slope_a<T>(a.value(), b.value(), c.value(), y)),
                 share(b, Rule::template slope_b<T>(a.value(), b.value(), c.value(), y)),
                 share(c, Rule::template slope_c<T>(a.value(), b.value(), c.value(), y)));
}

/// Three arguments of which some are the dual D and some are constants beside it.
template <class D, class... U>
concept some_dual = is_dual<D> &&((std::same_as<U, D> || dual_constant<U, D>)&&...);
/// The outermost dual among three types.
template <class A, class B, class C>
using dual_among =
    std::conditional_t<some_dual<A, B, C>, A, std::conditional_t<some_dual<B, A, C>, B, C>>;

#define UNARY(NAME, ...)                           \
  template <class T, std::size_t N>                \
  constexpr dual<T, N> NAME(const dual<T, N>& x) { \
    return apply<NAME##_rule>(x);                  \
  }
#define BINARY(NAME, ...)                                               \
  template <class T, std::size_t N>                                     \
  constexpr dual<T, N> NAME(const dual<T, N>& a, const dual<T, N>& b) { \
    return apply<NAME##_rule>(a, b);                                    \
  }                                                                     \
  template <class T, std::size_t N, dual_constant<dual<T, N>> U>        \
  constexpr dual<T, N> NAME(const dual<T, N>& a, const U& b) {          \
    return apply<NAME##_rule>(a, T(b));                                 \
  }                                                                     \
  template <class T, std::size_t N, dual_constant<dual<T, N>> U>        \
  constexpr dual<T, N> NAME(const U& a, const dual<T, N>& b) {          \
    return apply<NAME##_rule>(T(a), b);                                 \
  }
#define TERNARY(NAME, ...)                                                                   \
  template <class T, std::size_t N>                                                          \
  constexpr dual<T, N> NAME(const dual<T, N>& a, const dual<T, N>& b, const dual<T, N>& c) { \
    return apply<NAME##_ternary_rule>(a, b, c);                                              \
  }                                                                                          \
  template <class A, class B, class C, class D = dual_among<A, B, C>>                        \
  requires some_dual<D, A, B, C>                                                             \
  constexpr D NAME(const A& a, const B& b, const C& c) {                                     \
    return apply<NAME##_ternary_rule>(D(a), D(b), D(c));                                     \
  }
#include <autodiff/ops.def>

#define AUTODIFF_DUAL_OPERATOR(SYMBOL, NAME)                                       \
  template <class T, std::size_t N>                                                \
  constexpr dual<T, N> operator SYMBOL(const dual<T, N>& a, const dual<T, N>& b) { \
    return NAME(a, b);                                                             \
  }                                                                                \
  template <class T, std::size_t N, dual_constant<dual<T, N>> U>                   \
  constexpr dual<T, N> operator SYMBOL(const dual<T, N>& a, const U& b) {          \
    return NAME(a, b);                                                             \
  }                                                                                \
  template <class T, std::size_t N, dual_constant<dual<T, N>> U>                   \
  constexpr dual<T, N> operator SYMBOL(const U& a, const dual<T, N>& b) {          \
    return NAME(a, b);                                                             \
  }
AUTODIFF_DUAL_OPERATOR(+, add)
AUTODIFF_DUAL_OPERATOR(-, subtract)
AUTODIFF_DUAL_OPERATOR(*, multiply)
AUTODIFF_DUAL_OPERATOR(/, divide)
#undef AUTODIFF_DUAL_OPERATOR

template <class T, std::size_t N>
constexpr dual<T, N> operator-(const dual<T, N>& x) {
  return negate(x);
}
template <class T, std::size_t N>
constexpr dual<T, N> operator+(const dual<T, N>& x) {
  return x;
}

/// Classification is on values, as in <cmath>.
template <class T, std::size_t N>
constexpr bool isnan(const dual<T, N>& x) {
  return isnan(x.value());
}
template <class T, std::size_t N>
constexpr bool isinf(const dual<T, N>& x) {
  return isinf(x.value());
}
template <class T, std::size_t N>
constexpr bool isfinite(const dual<T, N>& x) {
  return isfinite(x.value());
}
template <class T, std::size_t N>
constexpr bool signbit(const dual<T, N>& x) {
  return signbit(x.value());
}

/// Comparisons are on values; they have no derivative.
template <class T, std::size_t N>
constexpr bool operator==(const dual<T, N>& a, const dual<T, N>& b) {
  return a.value() == b.value();
}
template <class T, std::size_t N, dual_constant<dual<T, N>> U>
constexpr bool operator==(const dual<T, N>& a, const U& b) {
  return a.value() == T(b);
}
template <class T, std::size_t N>
constexpr std::partial_ordering operator<=>(const dual<T, N>& a, const dual<T, N>& b) {
  return a.value() <=> b.value();
}
template <class T, std::size_t N, dual_constant<dual<T, N>> U>
constexpr std::partial_ordering operator<=>(const dual<T, N>& a, const U& b) {
  return a.value() <=> T(b);
}

}  // namespace autodiff

template <class T, std::size_t N>
struct std::numeric_limits<autodiff::dual<T, N>> : std::numeric_limits<T> {};
