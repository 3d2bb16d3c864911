#pragma once
// Rows of ops.def turned into C++: a function on plain numbers for each row, and a rule (value,
// slope, documentation) that dual, var, tensor and the kernels share. All derivative modes read
// these rules.

#include <autodiff/special.hpp>

#include <array>
#include <cmath>
#include <concepts>
#include <limits>
#include <numbers>
#include <string_view>
#include <type_traits>

namespace autodiff {

/// Slopes of exactly 1 and -1: known to the compiler, so they cost no multiplication and, for
/// nested number types, no record.
struct unit {};
struct minus_unit {};

/// Stands for an argument that is not there; a slope that compiles with it does not need it.
struct nothing {};

template <class S>
concept slope_of_numbers = std::convertible_to<S, double> ||
    std::same_as<std::remove_cvref_t<S>, unit> || std::same_as<std::remove_cvref_t<S>, minus_unit>;

template <std::floating_point T>
constexpr bool is_zero(T x) {
  return x == T(0);
}

/// 0 where x is a number, NaN where it is not.
template <class X>
requires requires(const X& x) { x == x; }
constexpr X flat(const X& x) { return x == x ? X(0) : x; }

/// The number b in the type of a plain number a; beside other types it stays a double.
template <class A>
constexpr auto beside(double b) {
  if constexpr (std::floating_point<A>)
    return static_cast<A>(b);
  else
    return b;
}

/// s where y is a number, NaN where it is not: a NaN value has a NaN slope.
template <class Y, class S>
requires requires(const Y& y, const S& s) {
  y == y;
  Y(s);
}
constexpr Y defined(const Y& y, const S& s) { return y == y ? Y(s) : y; }

/// weight * slope. A steep rule has infinite or NaN slopes at finite values: there a zero weight
/// ("nothing depends on this edge") wins by selection, since 0 * inf would be NaN.
template <class T, bool steep, class Weight, class Slope>
[[gnu::always_inline]] constexpr auto scaled(const Weight& weight, const Slope& slope) {
  if constexpr (std::same_as<Slope, unit>) {
    return weight;
  } else if constexpr (std::same_as<Weight, unit>) {
    if constexpr (std::same_as<Slope, minus_unit>)
      return slope;
    else
      return T(slope);
  } else if constexpr (std::same_as<Weight, minus_unit>) {
    if constexpr (std::same_as<Slope, minus_unit>)
      return unit{};
    else
      return T(-slope);
  } else if constexpr (std::same_as<Slope, minus_unit>) {
    return T(-weight);
  } else if constexpr (steep) {
    return is_zero(weight) ? T(0) : T(weight * slope);
  } else {
    return T(weight * slope);
  }
}

/// What arithmetic on numbers of these types gives, where whole numbers count as double.
template <class... U>
using floating_type = std::common_type_t<std::conditional_t<std::is_integral_v<U>, double, U>...>;
/// Plain numbers, not all of one floating-point type: pow(2.0, 3), max(1, 2.5F).
template <class U, class... Others>
concept mixed_numbers = std::is_arithmetic_v<U> &&(std::is_arithmetic_v<Others>&&...) &&
                        !(std::is_floating_point_v<U> && (std::is_same_v<U, Others> && ...));

// Classification of plain numbers; that of dual and var is on values.
using std::isfinite, std::isinf, std::isnan, std::signbit;

/// The slope of sigmoid at x from e = exp(-|x|), so that one exponential is enough.
template <std::floating_point T>
[[gnu::always_inline]] inline T logistic_density(T e) {
  return e / ((T(1) + e) * (T(1) + e));
}

// The functions on plain numbers.
#define UNARY(NAME, VALUE, ...)               \
  template <std::floating_point T>            \
  [[gnu::always_inline]] inline T NAME(T x) { \
    return VALUE;                             \
  }                                           \
  template <std::integral U>                  \
  double NAME(U x) {                          \
    return NAME(static_cast<double>(x));      \
  }
#define BINARY(NAME, VALUE, ...)                                    \
  template <std::floating_point T>                                  \
  [[gnu::always_inline]] inline T NAME(T a, T b) {                  \
    return VALUE;                                                   \
  }                                                                 \
  template <class A, class B>                                       \
  requires mixed_numbers<A, B> floating_type<A, B> NAME(A a, B b) { \
    using T = floating_type<A, B>;                                  \
    return NAME(static_cast<T>(a), static_cast<T>(b));              \
  }
#define TERNARY(NAME, VALUE, ...)                                              \
  template <std::floating_point T>                                             \
  [[gnu::always_inline]] inline T NAME(T a, T b, T c) {                        \
    return VALUE;                                                              \
  }                                                                            \
  template <class A, class B, class C>                                         \
  requires mixed_numbers<A, B, C> floating_type<A, B, C> NAME(A a, B b, C c) { \
    using T = floating_type<A, B, C>;                                          \
    return NAME(static_cast<T>(a), static_cast<T>(b), static_cast<T>(c));      \
  }
#include <autodiff/ops.def>

// A second argument that may be left out, for every type that the row serves.
#define DEFAULT(NAME, B)                                                                  \
  template <class A>                                                                      \
  requires(!std::is_integral_v<A>) [[gnu::always_inline]] constexpr auto NAME(const A& a) \
      ->decltype(NAME(a, B), NAME(a, beside<A>(B))) {                                     \
    return NAME(a, beside<A>(B));                                                         \
  }
#include <autodiff/ops.def>

// What slopes are written with.

/// Whether x is a number of full precision: neither zero, subnormal, infinite nor NaN.
template <class X>
constexpr bool is_normal(const X& x) {
  if constexpr (std::floating_point<X>) {
    const X size = x < X(0) ? -x : x;
    return size >= std::numeric_limits<X>::min() && size <= std::numeric_limits<X>::max();
  } else {
    return is_normal(x.value());
  }
}

/// x / y, where y is the length of the vector of x and the others; 0 at the origin.
template <class X, class... Others>
requires requires(const X& x, const Others&... others) { hypot(x, others...) / x; }
X component(const X& x, const X& y, const Others&... others) {
  if (y == X(0)) return X(0);
  if (!is_normal(y)) {
    // The length overflowed, or lost its digits below the smallest normal number.
    const X scale(y > X(1) ? 0x1p-100 : 0x1p100);
    return X(x * scale / X(hypot(X(x * scale), X(others * scale)...)));
  }
  if constexpr (!std::floating_point<X>) {
    // The derivative of x / y, (1 - (x / y)^2) / y, would cancel where x is nearly all of y.
    const X rest(hypot(X(0), X(others)...));
    if (abs(x) > rest) return X(sign(x) / hypot(X(1), X(rest / x)));
  }
  return X(x / y);
}

/// 1 - x^2 for |x| <= 1 with all its digits, and those of its derivative -2 x.
template <class X>
requires requires(const X& x) { x* x; }
X one_minus_square(const X& x) {
  return abs(x) < X(0.5) ? X(X(1.0) - square(x)) : X((X(1.0) - x) * (X(1.0) + x));
}

/// 2 sqrt(2 / pi) (x + 0.044715 x^3), of which gelu_gate is the sigmoid.
template <class X>
requires requires(const X& x) { x* x; }
X gelu_argument(const X& x) {
  return X(X(2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi) * x *
           (X(1.0) + X(0.044715) * square(x)));
}

/// The slope of gelu_argument where gelu_gate has one, constant beyond.
template <class X>
requires requires(const X& x) { x* x; }
X gelu_rate(const X& x) {
  const X within(min(abs(x), X(100.0)));
  return X(X(2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi) *
           (X(1.0) + X(3 * 0.044715) * square(within)));
}

struct interval {
  double from, to;
};

/// Whether a row has slopes that are infinite or NaN where its value is finite.
constexpr bool is_steep(std::string_view kinks) {
  return kinks.find("inf") != std::string_view::npos ||
         kinks.find("NaN at") != std::string_view::npos;
}

// The rules. `call` evaluates the function on any number type, `slope` its derivative.
#define UNARY(NAME, VALUE, SLOPE, FROM, TO, KINKS, SENTENCE)                            \
  struct NAME##_rule {                                                                  \
    static constexpr std::string_view name = #NAME, kinks = KINKS, sentence = SENTENCE; \
    static constexpr std::string_view value_text = #VALUE;                              \
    static constexpr std::array<std::string_view, 1> slope_text{#SLOPE};                \
    static constexpr std::array<interval, 1> sampled{{{FROM, TO}}};                     \
    static constexpr bool steep = is_steep(kinks);                                      \
    template <class X>                                                                  \
    [[gnu::always_inline]] static auto call(const X& x) {                               \
      return NAME(x);                                                                   \
    }                                                                                   \
    template <class T, class X, class Y>                                                \
    [[gnu::always_inline]] static constexpr auto slope([[maybe_unused]] const X& x,     \
                                                       [[maybe_unused]] const Y& y)     \
        -> decltype(SLOPE) {                                                            \
      return SLOPE;                                                                     \
    }                                                                                   \
  };
#define BINARY(NAME, VALUE, SLOPE_A, SLOPE_B, A_FROM, A_TO, B_FROM, B_TO, KINKS, SENTENCE) \
  struct NAME##_rule {                                                                     \
    static constexpr std::string_view name = #NAME, kinks = KINKS, sentence = SENTENCE;    \
    static constexpr std::string_view value_text = #VALUE;                                 \
    static constexpr std::array<std::string_view, 2> slope_text{#SLOPE_A, #SLOPE_B};       \
    static constexpr std::array<interval, 2> sampled{{{A_FROM, A_TO}, {B_FROM, B_TO}}};    \
    static constexpr bool steep = is_steep(kinks);                                         \
    template <class A, class B>                                                            \
    [[gnu::always_inline]] static auto call(const A& a, const B& b) {                      \
      return NAME(a, b);                                                                   \
    }                                                                                      \
    template <class T, class A, class B, class Y>                                          \
    [[gnu::always_inline]] static constexpr auto slope_a([[maybe_unused]] const A& a,      \
                                                         [[maybe_unused]] const B& b,      \
                                                         [[maybe_unused]] const Y& y,      \
                                                         [[maybe_unused]] double tie)      \
        -> decltype(SLOPE_A) {                                                             \
      return SLOPE_A;                                                                      \
    }                                                                                      \
    template <class T, class A, class B, class Y>                                          \
    [[gnu::always_inline]] static constexpr auto slope_b([[maybe_unused]] const A& a,      \
                                                         [[maybe_unused]] const B& b,      \
                                                         [[maybe_unused]] const Y& y,      \
                                                         [[maybe_unused]] double tie)      \
        -> decltype(SLOPE_B) {                                                             \
      return SLOPE_B;                                                                      \
    }                                                                                      \
  };
#define TERNARY(NAME, VALUE, SLOPE_A, SLOPE_B, SLOPE_C, A_FROM, A_TO, B_FROM, B_TO, C_FROM, C_TO, \
                KINKS, SENTENCE)                                                                  \
  struct NAME##_ternary_rule {                                                                    \
    static constexpr std::string_view name = #NAME, kinks = KINKS, sentence = SENTENCE;           \
    static constexpr std::string_view value_text = #VALUE;                                        \
    static constexpr std::array<std::string_view, 3> slope_text{#SLOPE_A, #SLOPE_B, #SLOPE_C};    \
    static constexpr std::array<interval, 3> sampled{                                             \
        {{A_FROM, A_TO}, {B_FROM, B_TO}, {C_FROM, C_TO}}};                                        \
    static constexpr bool steep = is_steep(kinks);                                                \
    template <class A, class B, class C>                                                          \
    [[gnu::always_inline]] static auto call(const A& a, const B& b, const C& c) {                 \
      return NAME(a, b, c);                                                                       \
    }                                                                                             \
    template <class T>                                                                            \
    [[gnu::always_inline]] static constexpr auto slope_a([[maybe_unused]] const T& a,             \
                                                         [[maybe_unused]] const T& b,             \
                                                         [[maybe_unused]] const T& c,             \
                                                         [[maybe_unused]] const T& y)             \
        -> decltype(SLOPE_A) {                                                                    \
      return SLOPE_A;                                                                             \
    }                                                                                             \
    template <class T>                                                                            \
    [[gnu::always_inline]] static constexpr auto slope_b([[maybe_unused]] const T& a,             \
                                                         [[maybe_unused]] const T& b,             \
                                                         [[maybe_unused]] const T& c,             \
                                                         [[maybe_unused]] const T& y)             \
        -> decltype(SLOPE_B) {                                                                    \
      return SLOPE_B;                                                                             \
    }                                                                                             \
    template <class T>                                                                            \
    [[gnu::always_inline]] static constexpr auto slope_c([[maybe_unused]] const T& a,             \
                                                         [[maybe_unused]] const T& b,             \
                                                         [[maybe_unused]] const T& c,             \
                                                         [[maybe_unused]] const T& y)             \
        -> decltype(SLOPE_C) {                                                                    \
      return SLOPE_C;                                                                             \
    }                                                                                             \
  };
#include <autodiff/ops.def>

template <class Rule>
concept unary_rule = Rule::sampled.size() == 1;
template <class Rule>
concept binary_rule = Rule::sampled.size() == 2;
template <class Rule>
concept ternary_rule = Rule::sampled.size() == 3;

/// Which of argument and value the reverse sweep has to keep for a unary rule.
template <unary_rule Rule>
struct needs {
  static constexpr bool x = !requires(double y) {
    { Rule::template slope<double>(nothing{}, y) } -> slope_of_numbers;
  };
  static constexpr bool y = !requires(double x) {
    { Rule::template slope<double>(x, nothing{}) } -> slope_of_numbers;
  };
};

/// The same for a binary rule, for both slopes together.
template <binary_rule Rule>
struct needs_both {
  template <class A, class B, class Y>
  static constexpr bool compiles = requires(A a, B b, Y y) {
    { Rule::template slope_a<double>(a, b, y, 0.5) } -> slope_of_numbers;
    { Rule::template slope_b<double>(a, b, y, 0.5) } -> slope_of_numbers;
  };
  static constexpr bool a = !compiles<nothing, double, double>;
  static constexpr bool b = !compiles<double, nothing, double>;
  static constexpr bool y = !compiles<double, double, nothing>;
};

/// Calls visit.template operator()<Rule>() for every unary row, in the order of the table.
template <class Visitor>
void for_each_unary_rule(Visitor&& visit) {
#define UNARY(NAME, ...) visit.template operator()<NAME##_rule>();
#include <autodiff/ops.def>
}

/// The same for every binary row.
template <class Visitor>
void for_each_binary_rule(Visitor&& visit) {
#define BINARY(NAME, ...) visit.template operator()<NAME##_rule>();
#include <autodiff/ops.def>
}

/// The same for every ternary row.
template <class Visitor>
void for_each_ternary_rule(Visitor&& visit) {
#define TERNARY(NAME, ...) visit.template operator()<NAME##_ternary_rule>();
#include <autodiff/ops.def>
}

}  // namespace autodiff
