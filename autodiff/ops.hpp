#pragma once
// Rows of ops.def turned into C++: a function on plain numbers for each row, and a rule (value,
// slope, documentation) that dual, var, tensor and the kernels share. All derivative modes read
// these rules.

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

/// s where y is a number, NaN where it is not: a NaN value has a NaN slope.
template <class Y, class S>
requires requires(const Y& y) { y == y; }
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

// The functions on plain numbers.
#define UNARY(NAME, VALUE, ...)               \
  template <std::floating_point T>            \
  [[gnu::always_inline]] inline T NAME(T x) { \
    return VALUE;                             \
  }
#define BINARY(NAME, VALUE, ...)                   \
  template <std::floating_point T>                 \
  [[gnu::always_inline]] inline T NAME(T a, T b) { \
    return VALUE;                                  \
  }
#include <autodiff/ops.def>

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
#include <autodiff/ops.def>

template <class Rule>
concept unary_rule = Rule::sampled.size() == 1;
template <class Rule>
concept binary_rule = Rule::sampled.size() == 2;

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

}  // namespace autodiff
