#pragma once
// Loops over contiguous values: one mechanism for every row of ops.def, forward and pullback, and
// the few sums and updates that tensors need. For float and double each loop exists once per
// instruction set (kernels.cpp is compiled several times) and the best one for this CPU is chosen
// at run time; for duals of them it is compiled once, from the same rule (dual_kernels.cpp).

#include <autodiff/ops.hpp>
#include <autodiff/sweep.hpp>
#include <autodiff/tensor/row_loops.hpp>
#include <autodiff/tensor/sum_loops.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

namespace autodiff {

/// The loops of a unary rule over n elements: y = f(x), and dx = (or +=) f'(x, y) * dy.
/// x (y) may be null in the pullback when needs_x (needs_y) is false, and x in pullback_by_value,
/// which itself is null where there is no such form.
template <class T>
struct unary_loops {
  using pullback_loop = void(std::size_t n, const T* x, const T* y, const T* dy, T* dx, store how);
  std::string_view name;
  bool needs_x, needs_y;
  void (*forward)(std::size_t n, const T* x, T* y);
  pullback_loop* pullback;
  pullback_loop* pullback_by_value;
};

/// What the pullback to one operand of a binary rule reads, and whether its slope is exactly 1.
struct slope_needs {
  bool a, b, y, is_unit;
};

/// The loops of a binary rule over n elements. stride_a and stride_b are 1, or 0 for an operand
/// that is repeated; the pullback to a repeated operand adds the sum over the row into its one
/// element. `tie` is the share of a tie. Arguments that the slope does not need may be null.
template <class T>
struct binary_loops {
  using pullback_loop = void(std::size_t n, const T* a, std::size_t stride_a, const T* b,
                             std::size_t stride_b, const T* y, const T* dy, T* into, store how,
                             double tie);
  std::string_view name;
  bool needs_a, needs_b, needs_y;  // for either operand
  slope_needs for_a, for_b;
  void (*forward)(std::size_t n, const T* a, std::size_t stride_a, const T* b, std::size_t stride_b,
                  T* y);
  pullback_loop* pullback_a;
  pullback_loop* pullback_b;
};

/// A row of an operand: values one after another, or with stride 0 one value repeated.
template <class T>
struct operand_row {
  const T* values;
  std::size_t stride;
};

/// What the pullback to one operand of a ternary rule reads.
struct ternary_reads {
  std::array<bool, 3> operands;
  bool y;
};

/// The loops of a ternary rule over n elements; the pullbacks, and what each reads, by the operand
/// they lead to. Arguments that a slope does not need may be null.
template <class T>
struct ternary_loops {
  using pullback_loop = void(std::size_t n, operand_row<T> a, operand_row<T> b, operand_row<T> c,
                             const T* y, const T* dy, T* into, store how);
  std::string_view name;
  std::array<ternary_reads, 3> reads;
  void (*forward)(std::size_t n, operand_row<T> a, operand_row<T> b, operand_row<T> c, T* y);
  std::array<pullback_loop*, 3> pullbacks;
};

/// The numbers of one adam step, its corrections of the bias folded into rate and epsilon.
template <class T>
struct adam_numbers {
  T beta1, beta2, rate, epsilon;
};

/// Loops that belong to no rule.
template <class T>
struct plain_loops {
  /// Sum with error growing as the logarithm of n (blocked).
  T (*sum)(std::size_t n, const T* x);
  /// y = or += factor * x; x is repeated when stride_x is 0.
  void (*accumulate)(std::size_t n, T factor, const T* x, std::size_t stride_x, T* y, store how);
  /// Adds x to each of so many rows of n elements.
  void (*add_to_rows)(std::size_t rows, std::size_t n, const T* x, T* y);
  /// Sum of (a[i] - b[i])^2, blocked likewise.
  T (*squared_distance)(std::size_t n, const T* a, const T* b);
  /// y = or += factor * (a - b).
  void (*scaled_difference)(std::size_t n, T factor, const T* a, const T* b, T* y, store how);
  /// Sum of a[i] * b[i], blocked likewise.
  T (*dot)(std::size_t n, const T* a, const T* b);
  T (*max)(std::size_t n, const T* x);
  /// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w -= rate m / (sqrt(v) + epsilon).
  void (*adam)(std::size_t n, adam_numbers<T> numbers, const T* g, T* m, T* v, T* w);
};

/// The loops of every row of ops.def on one number type, each under its name.
template <class T>
struct loop_table {
#define UNARY(NAME, ...) unary_loops<T> NAME;
#define BINARY(NAME, ...) binary_loops<T> NAME;
#define TERNARY(NAME, ...) ternary_loops<T> NAME##_ternary;
#include <autodiff/ops.def>
  plain_loops<T> plain;
  row_loops<T> rows;
};

struct product_table;       // gemm.hpp
struct multiply_add_table;  // multiply_add.hpp

/// Everything one instruction set offers.
struct kernel_table {
  const char* instruction_set;
  loop_table<float> of_float;
  loop_table<double> of_double;
  scalar_sweep* sweep;
  const product_table* products;
  const multiply_add_table* multiply_adds;
};

/// The tables that this CPU can run, the best one last.
std::span<const kernel_table* const> available_kernels() noexcept;
/// The best of them, or the one that $BACKSWEEP_ISA names (baseline, avx2, avx512). Chosen once.
const kernel_table& kernels() noexcept;

/// The loops for float and double on this CPU, and those for duals of them.
template <class T>
const loop_table<T>& loops() noexcept;
template <class T>
const plain_loops<T>& plain() noexcept {
  return loops<T>().plain;
}
template <class T>
const row_loops<T>& by_rows() noexcept {
  return loops<T>().rows;
}

// The loops themselves, as templates. Everything is forced inline: these templates are compiled for
// several instruction sets, and a shared out-of-line copy could carry the wrong one.

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

template <class T>
[[gnu::always_inline]] inline void plain_accumulate(std::size_t n, T factor, const T* x,
                                                    std::size_t stride_x, T* y, store how) {
  if (stride_x == 0) {
    const T repeated = factor * *x;
    if (how == store::write) {
      for (std::size_t i = 0; i < n; ++i) y[i] = repeated;
    } else {
      for (std::size_t i = 0; i < n; ++i) y[i] += repeated;
    }
  } else if (how == store::write) {
    for (std::size_t i = 0; i < n; ++i) y[i] = factor * x[i];
  } else {
    for (std::size_t i = 0; i < n; ++i) y[i] += factor * x[i];
  }
}

template <class T>
[[gnu::always_inline]] inline void plain_add_to_rows(std::size_t rows, std::size_t n,
                                                     const T* __restrict x, T* __restrict y) {
  for (; rows > 0; --rows, y += n) {
    for (std::size_t i = 0; i < n; ++i) y[i] += x[i];
  }
}

template <class T>
[[gnu::always_inline]] inline void plain_scaled_difference(std::size_t n, T factor, const T* a,
                                                           const T* b, T* y, store how) {
  if (how == store::write) {
    for (std::size_t i = 0; i < n; ++i) y[i] = factor * (a[i] - b[i]);
  } else {
    for (std::size_t i = 0; i < n; ++i) y[i] += factor * (a[i] - b[i]);
  }
}

template <class T>
[[gnu::always_inline]] inline void plain_adam(std::size_t n, adam_numbers<T> a,
                                              const T* __restrict g, T* __restrict m,
                                              T* __restrict v, T* __restrict w) {
  for (std::size_t i = 0; i < n; ++i) {
    m[i] = a.beta1 * m[i] + (T(1) - a.beta1) * g[i];
    v[i] = a.beta2 * v[i] + (T(1) - a.beta2) * g[i] * g[i];
    w[i] -= a.rate * m[i] / (sqrt(v[i]) + a.epsilon);
  }
}

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
  return {Rule::name,
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
  return {Rule::name,
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
      Rule::name,
      {make_ternary_reads<Rule, 0>(), make_ternary_reads<Rule, 1>(), make_ternary_reads<Rule, 2>()},
      [](std::size_t n, operand_row<T> a, operand_row<T> b, operand_row<T> c, T* y) {
        ternary_forward<Rule>(n, a, b, c, y);
      },
      {make_ternary_pullback<Rule, 0, T>(), make_ternary_pullback<Rule, 1, T>(),
       make_ternary_pullback<Rule, 2, T>()}};
}

template <class T, class Local = void>
constexpr plain_loops<T> make_plain_loops() {
  return {
      [](std::size_t n, const T* x) {
        return blocked_sum<T>(
            n, [x](std::size_t i) __attribute__((always_inline)) { return x[i]; });
      },
      [](std::size_t n, T factor, const T* x, std::size_t stride, T* y, store how) {
        plain_accumulate(n, factor, x, stride, y, how);
      },
      [](std::size_t rows, std::size_t n, const T* x, T* y) { plain_add_to_rows(rows, n, x, y); },
      [](std::size_t n, const T* a, const T* b) {
        return blocked_sum<T>(
            n, [ a, b ](std::size_t i) __attribute__((always_inline)) {
              const T apart = a[i] - b[i];
              return T(apart * apart);
            });
      },
      [](std::size_t n, T factor, const T* a, const T* b, T* y, store how) {
        plain_scaled_difference(n, factor, a, b, y, how);
      },
      [](std::size_t n, const T* a, const T* b) {
        return blocked_sum<T>(
            n, [ a, b ](std::size_t i) __attribute__((always_inline)) { return a[i] * b[i]; });
      },
      [](std::size_t n, const T* x) { return extreme<true>(n, x); },
      [](std::size_t n, adam_numbers<T> numbers, const T* g, T* m, T* v, T* w) {
        plain_adam(n, numbers, g, m, v, w);
      }};
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
