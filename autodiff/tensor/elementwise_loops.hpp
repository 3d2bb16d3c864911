#pragma once
// The loops of one row of ops.def, forward and pullback, with one, two or three operands: templates
// over the rule. Everything is forced inline: they are compiled for several instruction sets, and a
// shared out-of-line copy could carry the wrong one.

#include <autodiff/ops.hpp>
#include <autodiff/tensor/loop_table.hpp>
#include <autodiff/tensor/sum_loops.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace autodiff {

template <class Rule, class T>
[[gnu::always_inline]] inline void unary_forward(std::size_t n, const T* x, T* y) {
  for (std::size_t i = 0; i < n; ++i) y[i] = T(Rule::call(x[i]));
}

template <class T, class Where>
[[gnu::always_inline]] inline decltype(auto) element(const T* x, std::size_t i, Where) {
  if constexpr (Where::value)
    return x[i];
  else
    return nothing{};
}

template <class Rule, class T>
[[gnu::always_inline]] inline T pulled(const T& dy, const auto& slope) {
  // A zero adjoint wins for every row, not only for steep ones: an element that where() did not
  // choose may have an infinite value, and with it an infinite slope.
  const auto share = scaled<T, true>(dy, slope);
  return T(share);
}

template <class Rule, class T>
[[gnu::always_inline]] inline void unary_pullback(std::size_t n, const T* x, const T* y,
                                                  const T* dy, T* dx, store how) {
  constexpr std::bool_constant<needs<Rule>::x> with_x;
  constexpr std::bool_constant<needs<Rule>::y> with_y;
  const auto share = [=](std::size_t i) __attribute__((always_inline)) {
    return pulled<Rule, T>(dy[i],
                           Rule::template slope<T>(element(x, i, with_x), element(y, i, with_y)));
  };
  if (how == store::write) {
    for (std::size_t i = 0; i < n; ++i) dx[i] = share(i);
  } else {
    for (std::size_t i = 0; i < n; ++i) dx[i] += share(i);
  }
}

template <class Rule, class T>
[[gnu::always_inline]] inline void binary_forward(std::size_t n, const T* a, std::size_t stride_a,
                                                  const T* b, std::size_t stride_b, T* y) {
  // Separate loops, so that a repeated operand is a loop constant.
  if (stride_a == 1 && stride_b == 1) {
    for (std::size_t i = 0; i < n; ++i) y[i] = T(Rule::call(a[i], b[i]));
  } else if (stride_b == 0) {
    const T repeated = *b;
    for (std::size_t i = 0; i < n; ++i) y[i] = T(Rule::call(a[i * stride_a], repeated));
  } else {
    const T repeated = *a;
    for (std::size_t i = 0; i < n; ++i) y[i] = T(Rule::call(repeated, b[i]));
  }
}

template <class Rule, bool first, class T>
[[gnu::always_inline]] inline void binary_pullback(std::size_t n, const T* a, std::size_t stride_a,
                                                   const T* b, std::size_t stride_b, const T* y,
                                                   const T* dy, T* into, store how, double tie) {
  constexpr std::bool_constant<needs_of<Rule, first>::a> with_a;
  constexpr std::bool_constant<needs_of<Rule, first>::b> with_b;
  constexpr std::bool_constant<needs_of<Rule, first>::y> with_y;
  const auto share = [=](std::size_t i, std::size_t step_a, std::size_t step_b)
      __attribute__((always_inline)) {
    const auto& at_a = element(a, i * step_a, with_a);
    const auto& at_b = element(b, i * step_b, with_b);
    const auto& at_y = element(y, i, with_y);
    if constexpr (first) {
      return pulled<Rule, T>(dy[i], Rule::template slope_a<T>(at_a, at_b, at_y, tie));
    } else {
      return pulled<Rule, T>(dy[i], Rule::template slope_b<T>(at_a, at_b, at_y, tie));
    }
  };
  if constexpr (!std::floating_point<T>) {
    // The separate loops below are for vector units. A nested number takes one of any stride.
    const std::size_t step = n == 1 ? 1 : first ? stride_a : stride_b;
    for (std::size_t i = 0; i < n; ++i) {
      const T part = share(i, stride_a, stride_b);
      if (how == store::write && (step == 1 || i == 0))
        into[i * step] = part;
      else
        into[i * step] += part;
    }
  } else if ((first ? stride_a : stride_b) == 0 && n != 1) {
    T sum(0);
    for (std::size_t i = 0; i < n; ++i) sum += share(i, stride_a, stride_b);
    if (how == store::write)
      *into = sum;
    else
      *into += sum;
  } else if (stride_a == 1 && stride_b == 1) {
    if (how == store::write) {
      for (std::size_t i = 0; i < n; ++i) into[i] = share(i, 1, 1);
    } else {
      for (std::size_t i = 0; i < n; ++i) into[i] += share(i, 1, 1);
    }
  } else if (how == store::write) {
    for (std::size_t i = 0; i < n; ++i) into[i] = share(i, first, !first);
  } else {
    for (std::size_t i = 0; i < n; ++i) into[i] += share(i, first, !first);
  }
}

// Ternary loops go block by block. A repeated operand is spread over one block first, so that a
// single loop over contiguous operands serves every mix of them.
inline constexpr std::size_t spread_block = 128;

template <class T>
[[gnu::always_inline]] inline const T* spread(operand_row<T> x, std::size_t n, T* block) {
  if (x.stride == 1 || !x.values) return x.values;
  const std::size_t count = n < spread_block ? n : spread_block;
  for (std::size_t i = 0; i < count; ++i) block[i] = *x.values;
  return block;
}

/// Calls visit(start, count) for the blocks of n elements.
template <class Visitor>
[[gnu::always_inline]] inline void for_each_block(std::size_t n, Visitor visit) {
  for (std::size_t start = 0; start < n; start += spread_block) {
    visit(start, n - start < spread_block ? n - start : spread_block);
  }
}

template <class Rule, class T>
[[gnu::always_inline]] inline void ternary_forward(std::size_t n, operand_row<T> a,
                                                   operand_row<T> b, operand_row<T> c, T* y) {
  T spread_a[spread_block], spread_b[spread_block], spread_c[spread_block];
  const T* from_a = spread(a, n, spread_a);
  const T* from_b = spread(b, n, spread_b);
  const T* from_c = spread(c, n, spread_c);
  for_each_block(
      n, [=](std::size_t start, std::size_t count) __attribute__((always_inline)) {
        const T* at_a = from_a + start * a.stride;
        const T* at_b = from_b + start * b.stride;
        const T* at_c = from_c + start * c.stride;
        for (std::size_t i = 0; i < count; ++i)
          y[start + i] = T(Rule::call(at_a[i], at_b[i], at_c[i]));
      });
}

template <class Rule, std::size_t side, class T>
[[gnu::always_inline]] inline void ternary_pullback(std::size_t n, operand_row<T> a,
                                                    operand_row<T> b, operand_row<T> c, const T* y,
                                                    const T* dy, T* into, store how) {
  using needed = ternary_needs<Rule, side>;
  constexpr std::bool_constant<needed::a> with_a;
  constexpr std::bool_constant<needed::b> with_b;
  constexpr std::bool_constant<needed::c> with_c;
  constexpr std::bool_constant<needed::y> with_y;
  T spread_a[spread_block], spread_b[spread_block], spread_c[spread_block];
  const T* from_a = spread(a, n, spread_a);
  const T* from_b = spread(b, n, spread_b);
  const T* from_c = spread(c, n, spread_c);
  const std::size_t own_stride = side == 0 ? a.stride : side == 1 ? b.stride : c.stride;
  T sum(0);
  for_each_block(
      n, [&](std::size_t start, std::size_t count) __attribute__((always_inline)) {
        const auto share = [=](std::size_t i) __attribute__((always_inline)) {
          const auto& at_a = element(from_a, start * a.stride + i, with_a);
          const auto& at_b = element(from_b, start * b.stride + i, with_b);
          const auto& at_c = element(from_c, start * c.stride + i, with_c);
          const auto& at_y = element(y, start + i, with_y);
          const T& w = dy[start + i];
          if constexpr (side == 0) {
            return pulled<Rule, T>(w, Rule::template slope_a<T>(at_a, at_b, at_c, at_y));
          } else if constexpr (side == 1) {
            return pulled<Rule, T>(w, Rule::template slope_b<T>(at_a, at_b, at_c, at_y));
          } else {
            return pulled<Rule, T>(w, Rule::template slope_c<T>(at_a, at_b, at_c, at_y));
          }
        };
        if (own_stride == 0) {
          T of_block(0);
          for (std::size_t i = 0; i < count; ++i) of_block += share(i);
          sum += of_block;
        } else if (how == store::write) {
          for (std::size_t i = 0; i < count; ++i) into[start + i] = share(i);
        } else {
          for (std::size_t i = 0; i < count; ++i) into[start + i] += share(i);
        }
      });
  if (own_stride != 0) return;
  if (how == store::write)
    *into = sum;
  else
    *into += sum;
}

}  // namespace autodiff
