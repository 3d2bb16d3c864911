// Compiled once per instruction set, as kernels.cpp is, and without contraction to fused
// multiply-adds; everything but the table has internal linkage.

#include <autodiff/tensor/multiply_add.hpp>

#include <autodiff/ops.hpp>

#include <cstddef>
#include <type_traits>

#ifndef BACKSWEEP_ISA
#define BACKSWEEP_ISA baseline
#endif
#define AUTODIFF_JOIN(A, B) A##B
#define AUTODIFF_TABLE(ISA) AUTODIFF_JOIN(multiply_adds_, ISA)

namespace autodiff {
namespace {

/// The elements of an operand; a repeated one is read before the loop, as a loop constant.
template <class T, bool repeated>
struct elements {
  const T* values;
  T first;

  [[gnu::always_inline]] T operator[](std::size_t i) const {
    if constexpr (repeated)
      return first;
    else
      return values[i];
  }
};

template <class T, class Visitor>
[[gnu::always_inline]] inline void visit(operand_row<T> x, Visitor visitor) {
  if (x.stride == 0)
    visitor(elements<T, true>{x.values, *x.values});
  else
    visitor(elements<T, false>{x.values, T(0)});
}

template <bool clipped, class T>
void forward(std::size_t n, operand_row<T> a, operand_row<T> b, operand_row<T> c, T* y) {
  visit(
      a, [=](auto at_a) __attribute__((always_inline)) {
        visit(
            b, [=](auto at_b) __attribute__((always_inline)) {
              visit(
                  c, [=](auto at_c) __attribute__((always_inline)) {
#pragma GCC unroll 4
                    for (std::size_t i = 0; i < n; ++i) {
                      const T sum = at_a[i] * at_b[i] + at_c[i];
                      if constexpr (clipped)
                        y[i] = relu_rule::call(sum);
                      else
                        y[i] = sum;
                    }
                  });
            });
      });
}

/// The adjoint of a b + c. A zero adjoint wins over any slope, as in the loops of single rows.
template <bool clipped, class T>
[[gnu::always_inline]] inline T through(const T* y, const T* dy, std::size_t i) {
  if constexpr (clipped)
    return T(scaled<T, true>(dy[i], relu_rule::slope<T>(nothing{}, y[i])));
  else
    return dy[i];
}

/// To one factor: `other` is the other one.
template <bool clipped, class T>
[[gnu::always_inline]] inline void pull_factor(std::size_t n, operand_row<T> other, const T* y,
                                               const T* dy, T* into, store how) {
  visit(
      other, [=](auto slope) __attribute__((always_inline)) {
        if (how == store::write) {
#pragma GCC unroll 4
          for (std::size_t i = 0; i < n; ++i)
            into[i] = T(scaled<T, true>(through<clipped>(y, dy, i), slope[i]));
        } else {
#pragma GCC unroll 4
          for (std::size_t i = 0; i < n; ++i)
            into[i] += T(scaled<T, true>(through<clipped>(y, dy, i), slope[i]));
        }
      });
}

template <bool clipped, class T>
void pull_a(std::size_t n, operand_row<T>, operand_row<T> b, operand_row<T>, const T* y,
            const T* dy, T* into, store how) {
  pull_factor<clipped>(n, b, y, dy, into, how);
}
template <bool clipped, class T>
void pull_b(std::size_t n, operand_row<T> a, operand_row<T>, operand_row<T>, const T* y,
            const T* dy, T* into, store how) {
  pull_factor<clipped>(n, a, y, dy, into, how);
}
template <bool clipped, class T>
void pull_c(std::size_t n, operand_row<T>, operand_row<T>, operand_row<T>, const T* y, const T* dy,
            T* into, store how) {
  if (how == store::write) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < n; ++i) into[i] = through<clipped>(y, dy, i);
  } else {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < n; ++i) into[i] += through<clipped>(y, dy, i);
  }
}

/// The slope of one factor is the other; what passes a relu is told by its result.
template <bool clipped, class T>
constexpr ternary_loops<T> make_row(const operation_rule& rule) {
  return {rule,
          {{{{false, true, false}, clipped},
            {{true, false, false}, clipped},
            {{false, false, false}, clipped}}},
          &forward<clipped, T>,
          {&pull_a<clipped, T>, &pull_b<clipped, T>, &pull_c<clipped, T>}};
}

template <class T>
constexpr multiply_add_loops<T> loops_of = {
    make_row<false, T>({"multiply_add", "y = a ⊙ b + c", "ā = ȳ ⊙ b, b̄ = ȳ ⊙ a, c̄ = ȳ"}),
    make_row<true, T>({"multiply_add_relu", "y = relu(a ⊙ b + c)",
                       "d = ȳ where y > 0, ā = d ⊙ b, b̄ = d ⊙ a, c̄ = d"})};

}  // namespace

extern const multiply_add_table AUTODIFF_TABLE(BACKSWEEP_ISA);
constexpr multiply_add_table AUTODIFF_TABLE(BACKSWEEP_ISA) = {loops_of<float>, loops_of<double>};

}  // namespace autodiff
