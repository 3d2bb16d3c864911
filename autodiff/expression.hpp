#pragma once
// Statement-level expression templates. sin(x) * y + exp(x * y) builds one object that holds the
// value of every node and the places of its leaves, all by value: it may be kept in `auto`, copied
// and returned. Every statement has its own type, so the branches of cond ? x * y : x + y have no
// common one: write var around them (a branch that is a var already, as in cond ? x * y : x, makes
// the other one, too). Assigning an expression to a var records one entry for the whole statement:
// propagate() walks from the root to the leaves and hands each leaf its partial derivative. Source:
// Hogan, Fast Reverse-Mode Automatic Differentiation using Expression Templates in C++, ACM TOMS 40
// (2014), section 3.

#include <autodiff/ops.hpp>

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace autodiff {

template <class T>
class basic_var;

/// Where a value stands: the number of its tape in the upper half, its place there in the lower
/// one. 0 means nowhere: a passive value.
using tag_type = std::uint64_t;

/// The partial derivatives of a statement beside the tags of its leaves, in leaf order.
template <class T, std::size_t Leaves>
struct statement {
  T partials[Leaves];
  tag_type tags[Leaves];
  bool is_unit[Leaves];  // the partial is exactly 1, known to the compiler
};

template <class T>
struct leaf {
  using value_type = T;
  static constexpr std::size_t leaves = 1, constants = 0;
  T value_;
  tag_type tag_;

  [[gnu::always_inline]] constexpr leaf(const T& value, tag_type tag) : value_(value), tag_(tag) {}
  // Written out: copied member by member, an expression of any size stays in registers. As a block
  // it goes through memory once it has more members than the compiler follows.
  [[gnu::always_inline]] constexpr leaf(const leaf& other)
      : value_(other.value_), tag_(other.tag_) {}
  leaf& operator=(const leaf&) = default;

  [[gnu::always_inline]] constexpr const T& value() const { return value_; }
  [[gnu::always_inline]] constexpr bool is_active() const { return tag_ != 0; }
  template <std::size_t Offset, class Weight, class Statement>
  [[gnu::always_inline]] constexpr void propagate(const Weight& weight, Statement& out) const {
    if constexpr (std::same_as<Weight, unit>)
      out.partials[Offset] = T(1);
    else if constexpr (std::same_as<Weight, minus_unit>)
      out.partials[Offset] = T(-1);
    else
      out.partials[Offset] = weight;
    out.tags[Offset] = tag_;
    out.is_unit[Offset] = std::same_as<Weight, unit>;
  }
  template <std::size_t Offset>
  constexpr void list_constants(T*) const {}
};

template <class T>
struct constant {
  using value_type = T;
  static constexpr std::size_t leaves = 0, constants = 1;
  T value_;

  [[gnu::always_inline]] explicit constexpr constant(const T& value) : value_(value) {}
  [[gnu::always_inline]] constexpr constant(const constant& other) : value_(other.value_) {}
  constant& operator=(const constant&) = default;

  [[gnu::always_inline]] constexpr const T& value() const { return value_; }
  [[gnu::always_inline]] constexpr bool is_active() const { return false; }
  template <std::size_t Offset, class Weight, class Statement>
  constexpr void propagate(const Weight&, Statement&) const {}
  /// Puts the constants of the expression, from left to right, into out[Offset], out[Offset + 1]
  /// ...
  template <std::size_t Offset>
  [[gnu::always_inline]] constexpr void list_constants(T* out) const {
    out[Offset] = value_;
  }
};

template <unary_rule Rule, class X>
struct unary_node {
  using value_type = typename X::value_type;
  static constexpr std::size_t leaves = X::leaves, constants = X::constants;
  X x_;
  value_type value_;

  [[gnu::always_inline]] explicit constexpr unary_node(const X& x)
      : x_(x), value_(Rule::call(x.value())) {}
  [[gnu::always_inline]] constexpr const value_type& value() const { return value_; }
  [[gnu::always_inline]] constexpr bool is_active() const { return x_.is_active(); }
  template <std::size_t Offset, class Weight, class Statement>
  [[gnu::always_inline]] constexpr void propagate(const Weight& weight, Statement& out) const {
    using T = value_type;
    x_.template propagate<Offset>(
        scaled<T, Rule::steep>(weight, Rule::template slope<T>(x_.value(), value_)), out);
  }
  template <std::size_t Offset>
  [[gnu::always_inline]] constexpr void list_constants(value_type* out) const {
    x_.template list_constants<Offset>(out);
  }
};

template <binary_rule Rule, class A, class B>
struct binary_node {
  using value_type = typename A::value_type;
  static constexpr std::size_t leaves = A::leaves + B::leaves;
  static constexpr std::size_t constants = A::constants + B::constants;
  A a_;
  B b_;
  value_type value_;

  [[gnu::always_inline]] constexpr binary_node(const A& a, const B& b)
      : a_(a), b_(b), value_(Rule::call(a.value(), b.value())) {}
  [[gnu::always_inline]] constexpr const value_type& value() const { return value_; }
  [[gnu::always_inline]] constexpr bool is_active() const {
    return a_.is_active() || b_.is_active();
  }
  template <std::size_t Offset, class Weight, class Statement>
  [[gnu::always_inline]] constexpr void propagate(const Weight& weight, Statement& out) const {
    using T = value_type;
    if constexpr (A::leaves > 0) {
      const auto slope = Rule::template slope_a<T>(a_.value(), b_.value(), value_, tie(b_));
      a_.template propagate<Offset>(scaled<T, Rule::steep>(weight, slope), out);
    }
    if constexpr (B::leaves > 0) {
      const auto slope = Rule::template slope_b<T>(a_.value(), b_.value(), value_, tie(a_));
      b_.template propagate<Offset + A::leaves>(scaled<T, Rule::steep>(weight, slope), out);
    }
  }
  template <std::size_t Offset>
  [[gnu::always_inline]] constexpr void list_constants(value_type* out) const {
    a_.template list_constants<Offset>(out);
    b_.template list_constants<Offset + A::constants>(out);
  }

 private:
  template <class Other>
  [[gnu::always_inline]] static constexpr double tie(const Other& other) {
    return other.is_active() ? 0.5 : 0.0;
  }
};

template <ternary_rule Rule, class A, class B, class C>
struct ternary_node {
  using value_type = typename A::value_type;
  static constexpr std::size_t leaves = A::leaves + B::leaves + C::leaves;
  static constexpr std::size_t constants = A::constants + B::constants + C::constants;
  A a_;
  B b_;
  C c_;
  value_type value_;

  [[gnu::always_inline]] constexpr ternary_node(const A& a, const B& b, const C& c)
      : a_(a), b_(b), c_(c), value_(Rule::call(a.value(), b.value(), c.value())) {}
  [[gnu::always_inline]] constexpr const value_type& value() const { return value_; }
  [[gnu::always_inline]] constexpr bool is_active() const {
    return a_.is_active() || b_.is_active() || c_.is_active();
  }
  template <std::size_t Offset, class Weight, class Statement>
  [[gnu::always_inline]] constexpr void propagate(const Weight& weight, Statement& out) const {
    using T = value_type;
    const T &a = a_.value(), &b = b_.value(), &c = c_.value();
    if constexpr (A::leaves > 0) {
      const auto slope = Rule::template slope_a<T>(a, b, c, value_);
      a_.template propagate<Offset>(scaled<T, Rule::steep>(weight, slope), out);
    }
    if constexpr (B::leaves > 0) {
      const auto slope = Rule::template slope_b<T>(a, b, c, value_);
      b_.template propagate<Offset + A::leaves>(scaled<T, Rule::steep>(weight, slope), out);
    }
    if constexpr (C::leaves > 0) {
      const auto slope = Rule::template slope_c<T>(a, b, c, value_);
      c_.template propagate<Offset + A::leaves + B::leaves>(scaled<T, Rule::steep>(weight, slope),
                                                            out);
    }
  }
  template <std::size_t Offset>
  [[gnu::always_inline]] constexpr void list_constants(value_type* out) const {
    a_.template list_constants<Offset>(out);
    b_.template list_constants<Offset + A::constants>(out);
    c_.template list_constants<Offset + A::constants + B::constants>(out);
  }
};

template <class E>
inline constexpr bool is_node = false;
template <class T>
inline constexpr bool is_node<leaf<T>> = true;
template <class T>
inline constexpr bool is_node<constant<T>> = true;
template <class Rule, class X>
inline constexpr bool is_node<unary_node<Rule, X>> = true;
template <class Rule, class A, class B>
inline constexpr bool is_node<binary_node<Rule, A, B>> = true;
template <class Rule, class A, class B, class C>
inline constexpr bool is_node<ternary_node<Rule, A, B, C>> = true;

template <class V>
inline constexpr bool is_var = false;
template <class T>
inline constexpr bool is_var<basic_var<T>> = true;

/// An expression under construction.
template <class E>
concept expression = is_node<E>;
/// What can stand in an expression as a variable part: a var or another expression.
template <class E>
concept recordable = is_node<E> || is_var<E>;

/// The operand as it is held inside a node.
template <expression E>
[[gnu::always_inline]] constexpr const E& operand(const E& e) {
  return e;
}
template <class T>
[[gnu::always_inline]] constexpr leaf<T> operand(const basic_var<T>& x) {
  return {x.value(), x.tag()};
}

template <class E>
using operand_type = std::remove_cvref_t<decltype(operand(std::declval<const E&>()))>;
template <recordable E>
using number_of = typename operand_type<E>::value_type;

/// U stands beside an E as a constant: a number, or something of a lower level of nesting.
template <class U, class E>
concept constant_beside = recordable<E> && std::convertible_to<U, number_of<E>> && [] {
  if constexpr (recordable<U>)
    return !std::same_as<number_of<U>, number_of<E>>;
  else
    return true;
}();

template <class A, class B>
concept same_level = recordable<A> && recordable<B> && [] {
  if constexpr (recordable<A> && recordable<B>)
    return std::same_as<number_of<A>, number_of<B>>;
  else
    return false;
}();

template <binary_rule Rule, class A, class B>
requires same_level<A, B>
[[gnu::always_inline]] constexpr auto make_node(const A& a, const B& b) {
  return binary_node<Rule, operand_type<A>, operand_type<B>>(operand(a), operand(b));
}
template <binary_rule Rule, recordable A, constant_beside<A> B>
[[gnu::always_inline]] constexpr auto make_node(const A& a, const B& b) {
  using T = number_of<A>;
  return binary_node<Rule, operand_type<A>, constant<T>>(operand(a), constant<T>(T(b)));
}
template <binary_rule Rule, class A, recordable B>
requires constant_beside<A, B>
[[gnu::always_inline]] constexpr auto make_node(const A& a, const B& b) {
  using T = number_of<B>;
  return binary_node<Rule, constant<T>, operand_type<B>>(constant<T>(T(a)), operand(b));
}

/// Three operands of which E decides the number type.
template <class E, class... U>
concept led_by = ((same_level<E, U> || constant_beside<U, E>)&&...);
template <class T, class U>
[[gnu::always_inline]] constexpr auto operand_or_constant(const U& u) {
  if constexpr (same_level<U, leaf<T>>)
    return operand(u);
  else
    return constant<T>(T(u));
}
template <ternary_rule Rule, class E, class A, class B, class C>
[[gnu::always_inline]] constexpr auto make_node(const A& a, const B& b, const C& c) {
  using T = number_of<E>;
  const auto x = operand_or_constant<T>(a);
  const auto y = operand_or_constant<T>(b);
  const auto z = operand_or_constant<T>(c);
  using X = std::remove_const_t<decltype(x)>;
  using Y = std::remove_const_t<decltype(y)>;
  using Z = std::remove_const_t<decltype(z)>;
  return ternary_node<Rule, X, Y, Z>(x, y, z);
}

/// Two operands that may meet in an expression.
template <class A, class B>
concept fits = same_level<A, B> || constant_beside<B, A> || constant_beside<A, B>;

#define UNARY(NAME, ...)                                         \
  template <recordable X>                                        \
  [[gnu::always_inline]] constexpr auto NAME(const X& x) {       \
    return unary_node<NAME##_rule, operand_type<X>>(operand(x)); \
  }
#define BINARY(NAME, ...)                                              \
  template <class A, class B>                                          \
  requires fits<A, B>                                                  \
  [[gnu::always_inline]] constexpr auto NAME(const A& a, const B& b) { \
    return make_node<NAME##_rule>(a, b);                               \
  }                                                                    \
  /* Beats std::max(const X&, const X&) after `using std::max`. */     \
  template <recordable X>                                              \
  [[gnu::always_inline]] constexpr auto NAME(const X& a, const X& b) { \
    return make_node<NAME##_rule>(a, b);                               \
  }
#define TERNARY(NAME, ...)                                                                       \
  template <class A, class B, class C>                                                           \
  requires(led_by<A, B, C> || led_by<B, A, C> || led_by<C, A, B>)                                \
      [[gnu::always_inline]] constexpr auto                                                      \
      NAME(const A& a, const B& b, const C& c) {                                                 \
    using E = std::conditional_t<led_by<A, B, C>, A, std::conditional_t<led_by<B, A, C>, B, C>>; \
    return make_node<NAME##_ternary_rule, E>(a, b, c);                                           \
  }                                                                                              \
  template <recordable X>                                                                        \
  [[gnu::always_inline]] constexpr auto NAME(const X& a, const X& b, const X& c) {               \
    return make_node<NAME##_ternary_rule, X>(a, b, c);                                           \
  }
#include <autodiff/ops.def>

template <class A, class B>
requires fits<A, B>
[[gnu::always_inline]] constexpr auto operator+(const A& a, const B& b) {
  return make_node<add_rule>(a, b);
}
template <class A, class B>
requires fits<A, B>
[[gnu::always_inline]] constexpr auto operator-(const A& a, const B& b) {
  return make_node<subtract_rule>(a, b);
}
template <class A, class B>
requires fits<A, B>
[[gnu::always_inline]] constexpr auto operator*(const A& a, const B& b) {
  return make_node<multiply_rule>(a, b);
}
template <class A, class B>
requires fits<A, B>
[[gnu::always_inline]] constexpr auto operator/(const A& a, const B& b) {
  return make_node<divide_rule>(a, b);
}
template <recordable X>
[[gnu::always_inline]] constexpr auto operator-(const X& x) {
  return negate(x);
}
template <recordable X>
[[gnu::always_inline]] constexpr auto operator+(const X& x) {
  return operand(x);
}

/// Comparisons are on values; they have no derivative.
template <class A, class B>
requires same_level<A, B>
constexpr bool operator==(const A& a, const B& b) { return a.value() == b.value(); }
template <recordable A, constant_beside<A> B>
constexpr bool operator==(const A& a, const B& b) {
  return a.value() == number_of<A>(b);
}
template <class A, class B>
requires same_level<A, B>
constexpr std::partial_ordering operator<=>(const A& a, const B& b) {
  return a.value() <=> b.value();
}
template <recordable A, constant_beside<A> B>
constexpr std::partial_ordering operator<=>(const A& a, const B& b) {
  return a.value() <=> number_of<A>(b);
}

}  // namespace autodiff
