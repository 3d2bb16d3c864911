#pragma once
// The loops that belong to no row. Like those of the rows they are forced inline.

#include <autodiff/ops.hpp>
#include <autodiff/tensor/loop_table.hpp>
#include <autodiff/tensor/sum_loops.hpp>

#include <cstddef>

namespace autodiff {

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
      [](std::size_t n, const T* x) { return extreme<true>(n, x); }};
}

}  // namespace autodiff
