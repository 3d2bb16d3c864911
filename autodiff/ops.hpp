#pragma once
// Rows of ops.def turned into rules (value, slopes, documentation) that dual, var, tensor and the
// kernels share. All derivative modes read these rules.

#include <autodiff/functions.hpp>

#include <array>
#include <concepts>
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
    using row = NAME##_rule;                                                            \
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
    template <class T, class A, class B, class C, class Y>                                        \
    [[gnu::always_inline]] static constexpr auto slope_a([[maybe_unused]] const A& a,             \
                                                         [[maybe_unused]] const B& b,             \
                                                         [[maybe_unused]] const C& c,             \
                                                         [[maybe_unused]] const Y& y)             \
        -> decltype(SLOPE_A) {                                                                    \
      return SLOPE_A;                                                                             \
    }                                                                                             \
    template <class T, class A, class B, class C, class Y>                                        \
    [[gnu::always_inline]] static constexpr auto slope_b([[maybe_unused]] const A& a,             \
                                                         [[maybe_unused]] const B& b,             \
                                                         [[maybe_unused]] const C& c,             \
                                                         [[maybe_unused]] const Y& y)             \
        -> decltype(SLOPE_B) {                                                                    \
      return SLOPE_B;                                                                             \
    }                                                                                             \
    template <class T, class A, class B, class C, class Y>                                        \
    [[gnu::always_inline]] static constexpr auto slope_c([[maybe_unused]] const A& a,             \
                                                         [[maybe_unused]] const B& b,             \
                                                         [[maybe_unused]] const C& c,             \
                                                         [[maybe_unused]] const Y& y)             \
        -> decltype(SLOPE_C) {                                                                    \
      return SLOPE_C;                                                                             \
    }                                                                                             \
  };
#include <autodiff/ops.def>

/// The slope of a rule by its value alone, in rows that have one.
template <class Row>
struct by_value {
  static constexpr bool known = false;
};
#define BY_VALUE(NAME, SLOPE)                                                \
  template <>                                                                \
  struct by_value<NAME##_rule> {                                             \
    static constexpr bool known = true;                                      \
    template <class T, class X, class Y>                                     \
    [[gnu::always_inline]] static constexpr auto slope(const X&, const Y& y) \
        -> decltype(T(SLOPE)) {                                              \
      return SLOPE;                                                          \
    }                                                                        \
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

/// The same for one slope of a binary rule: that by a if `first`, else that by b.
template <binary_rule Rule, bool first>
struct needs_of {
  template <class A, class B, class Y>
  static constexpr bool compiles = first ? requires(A a, B b, Y y) {
    { Rule::template slope_a<double>(a, b, y, 0.5) } -> slope_of_numbers;
  } : requires(A a, B b, Y y) {
    { Rule::template slope_b<double>(a, b, y, 0.5) } -> slope_of_numbers;
  };
  static constexpr bool a = !compiles<nothing, double, double>;
  static constexpr bool b = !compiles<double, nothing, double>;
  static constexpr bool y = !compiles<double, double, nothing>;
};

/// The same for both slopes together.
template <binary_rule Rule>
struct needs_both {
  static constexpr bool a = needs_of<Rule, true>::a || needs_of<Rule, false>::a;
  static constexpr bool b = needs_of<Rule, true>::b || needs_of<Rule, false>::b;
  static constexpr bool y = needs_of<Rule, true>::y || needs_of<Rule, false>::y;
};

/// The same for the slope of a ternary rule by its operand number k.
template <ternary_rule Rule, std::size_t k>
struct ternary_needs {
  template <class A, class B, class C, class Y>
  static constexpr bool compiles = k == 0 ? requires(A a, B b, C c, Y y) {
    { Rule::template slope_a<double>(a, b, c, y) } -> slope_of_numbers;
  } : k == 1 ? requires(A a, B b, C c, Y y) {
    { Rule::template slope_b<double>(a, b, c, y) } -> slope_of_numbers;
  } : requires(A a, B b, C c, Y y) {
    { Rule::template slope_c<double>(a, b, c, y) } -> slope_of_numbers;
  };
  static constexpr bool a = !compiles<nothing, double, double, double>;
  static constexpr bool b = !compiles<double, nothing, double, double>;
  static constexpr bool c = !compiles<double, double, nothing, double>;
  static constexpr bool y = !compiles<double, double, double, nothing>;
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
