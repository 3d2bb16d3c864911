#pragma once
// The table of all loops on one number type, made of the rows of ops.def.

#include <autodiff/ops.hpp>
#include <autodiff/tensor/elementwise_loops.hpp>
#include <autodiff/tensor/loop_table.hpp>
#include <autodiff/tensor/plain_loops.hpp>
#include <autodiff/tensor/row_loops.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace autodiff {

/// A rule with the slope of another.
template <class Rule, class Slope>
struct with_slope : Rule, Slope {
  using Slope::slope;
};

template <class Rule, class T>
constexpr typename unary_loops<T>::pullback_loop* pullback_by_value() {
  using by_y = by_value<typename Rule::row>;
  if constexpr (by_y::known) {
    return [](std::size_t n, const T* x, const T* y, const T* dy, T* dx, store how) {
      unary_pullback<with_slope<Rule, by_y>>(n, x, y, dy, dx, how);
    };
  } else if constexpr (!needs<Rule>::x) {
    return [](std::size_t n, const T* x, const T* y, const T* dy, T* dx, store how) {
      unary_pullback<Rule>(n, x, y, dy, dx, how);
    };
  } else {
    return nullptr;
  }
}

template <class Rule, class T>
constexpr unary_loops<T> make_unary_loops() {
  return {operation_rule::of_row(Rule::name),
          needs<Rule>::x,
          needs<Rule>::y,
          [](std::size_t n, const T* x, T* y) { unary_forward<Rule>(n, x, y); },
          [](std::size_t n, const T* x, const T* y, const T* dy, T* dx, store how) {
            unary_pullback<Rule>(n, x, y, dy, dx, how);
          },
          pullback_by_value<Rule, T>()};
}

template <class Rule, bool first>
constexpr slope_needs make_slope_needs() {
  using needed = needs_of<Rule, first>;
  const auto slope = [](double x) {
    if constexpr (first)
      return Rule::template slope_a<double>(x, x, x, x);
    else
      return Rule::template slope_b<double>(x, x, x, x);
  };
  return {needed::a, needed::b, needed::y, std::same_as<decltype(slope(0)), unit>};
}

template <class Rule, class T>
constexpr binary_loops<T> make_binary_loops() {
  return {operation_rule::of_row(Rule::name),
          needs_both<Rule>::a,
          needs_both<Rule>::b,
          needs_both<Rule>::y,
          make_slope_needs<Rule, true>(),
          make_slope_needs<Rule, false>(),
          [](std::size_t n, const T* a, std::size_t sa, const T* b, std::size_t sb, T* y) {
            binary_forward<Rule>(n, a, sa, b, sb, y);
          },
          [](std::size_t n, const T* a, std::size_t sa, const T* b, std::size_t sb, const T* y,
             const T* dy, T* into, store how,
             double tie) { binary_pullback<Rule, true>(n, a, sa, b, sb, y, dy, into, how, tie); },
          [](std::size_t n, const T* a, std::size_t sa, const T* b, std::size_t sb, const T* y,
             const T* dy, T* into, store how,
             double tie) { binary_pullback<Rule, false>(n, a, sa, b, sb, y, dy, into, how, tie); }};
}

template <class Rule, std::size_t side, class T>
constexpr typename ternary_loops<T>::pullback_loop* make_ternary_pullback() {
  return [](std::size_t n, operand_row<T> a, operand_row<T> b, operand_row<T> c, const T* y,
            const T* dy, T* into,
            store how) { ternary_pullback<Rule, side>(n, a, b, c, y, dy, into, how); };
}

template <class Rule, std::size_t side>
constexpr ternary_reads make_ternary_reads() {
  using needed = ternary_needs<Rule, side>;
  return {{needed::a, needed::b, needed::c}, needed::y};
}

template <class Rule, class T>
constexpr ternary_loops<T> make_ternary_loops() {
  return {
      operation_rule::of_row(Rule::name),
      {make_ternary_reads<Rule, 0>(), make_ternary_reads<Rule, 1>(), make_ternary_reads<Rule, 2>()},
      [](std::size_t n, operand_row<T> a, operand_row<T> b, operand_row<T> c, T* y) {
        ternary_forward<Rule>(n, a, b, c, y);
      },
      {make_ternary_pullback<Rule, 0, T>(), make_ternary_pullback<Rule, 1, T>(),
       make_ternary_pullback<Rule, 2, T>()}};
}

/// All loops on numbers of type T. What `Local` makes of a rule is the argument of their templates:
/// a type that only one source has gives them internal linkage.
template <class T, template <class> class Local = std::type_identity_t>
constexpr loop_table<T> make_loops() {
  return {
#define UNARY(NAME, ...) make_unary_loops<Local<NAME##_rule>, T>(),
#define BINARY(NAME, ...) make_binary_loops<Local<NAME##_rule>, T>(),
#define TERNARY(NAME, ...) make_ternary_loops<Local<NAME##_ternary_rule>, T>(),
#include <autodiff/ops.def>
      make_plain_loops<T, Local<void>>(), make_row_loops<T, Local<void>>()};
}

}  // namespace autodiff
