#pragma once
// The number type in which the loops of kernels.cpp evaluate ops.def. A row's function on it is the
// plain one, or a form for vector units where there is one (vector_forms.hpp); its slopes are those
// of the table, and so use these forms too. Everything is forced inline: see functions.hpp.

#include <autodiff/ops.hpp>
#include <autodiff/tensor/vector_forms.hpp>

#include <compare>
#include <concepts>

namespace autodiff {

/// A plain number by another name.
template <std::floating_point T>
class vectorised {
 public:
  template <class U>
  requires std::is_arithmetic_v<U>
  [[gnu::always_inline]] constexpr explicit vectorised(U value) : value_(static_cast<T>(value)) {}
  [[gnu::always_inline]] constexpr T value() const { return value_; }

 private:
  T value_;
};

template <class X>
constexpr bool is_vectorised = false;
template <class T>
constexpr bool is_vectorised<vectorised<T>> = true;
template <class X>
concept vectorised_number = is_vectorised<X>;

// Rows without a form of their own.
#define UNARY(NAME, ...)                             \
  template <vectorised_number X>                     \
  [[gnu::always_inline]] inline X NAME(const X& x) { \
    return X(NAME(x.value()));                       \
  }
#define BINARY(NAME, ...)                                        \
  template <vectorised_number X>                                 \
  [[gnu::always_inline]] inline X NAME(const X& a, const X& b) { \
    return X(NAME(a.value(), b.value()));                        \
  }
#include <autodiff/ops.def>

// Rows with one; these overloads are more special.
#define AUTODIFF_FORM(NAME)                                                  \
  template <class T>                                                         \
  [[gnu::always_inline]] inline vectorised<T> NAME(const vectorised<T>& x) { \
    return vectorised<T>(vector_forms::NAME(x.value()));                     \
  }
AUTODIFF_FORM(cbrt)
AUTODIFF_FORM(exp)
AUTODIFF_FORM(exp10)
AUTODIFF_FORM(tanh)
AUTODIFF_FORM(gaussian)
AUTODIFF_FORM(erf)
AUTODIFF_FORM(erfc)
AUTODIFF_FORM(erfcx)
AUTODIFF_FORM(normal_pdf)
AUTODIFF_FORM(normal_cdf)
AUTODIFF_FORM(sigmoid)
AUTODIFF_FORM(logistic_pdf)
AUTODIFF_FORM(log_sigmoid)
AUTODIFF_FORM(softplus)
AUTODIFF_FORM(silu)
AUTODIFF_FORM(mish_gate)
AUTODIFF_FORM(mish)
AUTODIFF_FORM(gelu)
AUTODIFF_FORM(gelu_gate)
AUTODIFF_FORM(gelu_tanh)
#undef AUTODIFF_FORM

#define AUTODIFF_OPERATOR(SYMBOL)                                                          \
  template <class T>                                                                       \
  [[gnu::always_inline]] constexpr vectorised<T> operator SYMBOL(const vectorised<T>& a,   \
                                                                 const vectorised<T>& b) { \
    return vectorised<T>(a.value() SYMBOL b.value());                                      \
  }
AUTODIFF_OPERATOR(+)
AUTODIFF_OPERATOR(-)
AUTODIFF_OPERATOR(*)
AUTODIFF_OPERATOR(/)
#undef AUTODIFF_OPERATOR

template <class T>
[[gnu::always_inline]] constexpr vectorised<T> operator-(const vectorised<T>& x) {
  return vectorised<T>(-x.value());
}

#define AUTODIFF_COMPARISON(SYMBOL)                                               \
  template <class T>                                                              \
  [[gnu::always_inline]] constexpr bool operator SYMBOL(const vectorised<T>& a,   \
                                                        const vectorised<T>& b) { \
    return a.value() SYMBOL b.value();                                            \
  }
AUTODIFF_COMPARISON(==)
AUTODIFF_COMPARISON(!=)
AUTODIFF_COMPARISON(<)
AUTODIFF_COMPARISON(>)
AUTODIFF_COMPARISON(<=)
AUTODIFF_COMPARISON(>=)
#undef AUTODIFF_COMPARISON

template <class T>
[[gnu::always_inline]] inline bool isinf(const vectorised<T>& x) {
  return std::isinf(x.value());
}
template <class T>
[[gnu::always_inline]] inline bool isnan(const vectorised<T>& x) {
  return std::isnan(x.value());
}
template <class T>
[[gnu::always_inline]] inline bool signbit(const vectorised<T>& x) {
  return std::signbit(x.value());
}
/// The plain one: what it does for numbers that carry derivatives is not needed here.
template <class T>
[[gnu::always_inline]] inline vectorised<T> component(const vectorised<T>& x,
                                                      const vectorised<T>& y,
                                                      const vectorised<T>& other) {
  return vectorised<T>(component(x.value(), y.value(), other.value()));
}

/// An argument of a slope as a number of that type; what is not there stays away.
template <std::floating_point T>
[[gnu::always_inline]] constexpr vectorised<T> to_vectorised(T x) {
  return vectorised<T>(x);
}
[[gnu::always_inline]] constexpr nothing to_vectorised(nothing) { return {}; }

/// A slope as a plain number; unit and minus_unit stay.
template <class S>
[[gnu::always_inline]] constexpr auto from_vectorised(const S& slope) {
  if constexpr (vectorised_number<S>)
    return slope.value();
  else
    return slope;
}

/// A rule with its functions on plain numbers evaluated as above. `R` is the rule: as a parameter
/// of each template it lets unary rules be without slope_a, and binary ones without slope.
template <class Rule>
struct vectorised_rule : Rule {
  template <std::floating_point... T>
  [[gnu::always_inline]] static auto call(T... x) {
    return from_vectorised(Rule::call(to_vectorised(x)...));
  }
  template <class T, class X, class Y, class R = Rule>
  [[gnu::always_inline]] static constexpr auto slope(const X& x, const Y& y)
      -> decltype(from_vectorised(R::template slope<vectorised<T>>(to_vectorised(x),
                                                                   to_vectorised(y)))) {
    return from_vectorised(R::template slope<vectorised<T>>(to_vectorised(x), to_vectorised(y)));
  }
  template <class T, class A, class B, class Y, class R = Rule>
  [[gnu::always_inline]] static constexpr auto slope_a(const A& a, const B& b, const Y& y,
                                                       double tie)
      -> decltype(from_vectorised(R::template slope_a<vectorised<T>>(to_vectorised(a),
                                                                     to_vectorised(b),
                                                                     to_vectorised(y), tie))) {
    return from_vectorised(R::template slope_a<vectorised<T>>(to_vectorised(a), to_vectorised(b),
                                                              to_vectorised(y), tie));
  }
  template <class T, class A, class B, class Y, class R = Rule>
  [[gnu::always_inline]] static constexpr auto slope_b(const A& a, const B& b, const Y& y,
                                                       double tie)
      -> decltype(from_vectorised(R::template slope_b<vectorised<T>>(to_vectorised(a),
                                                                     to_vectorised(b),
                                                                     to_vectorised(y), tie))) {
    return from_vectorised(R::template slope_b<vectorised<T>>(to_vectorised(a), to_vectorised(b),
                                                              to_vectorised(y), tie));
  }
};

}  // namespace autodiff
