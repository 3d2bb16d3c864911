#pragma once
// The sums, products and extremes that everything adds up with. Like the loops of kernels.hpp they
// are compiled for several instruction sets, so everything is forced inline.

#include <cstddef>

namespace autodiff {

/// How a pullback leaves its share: the first contribution to an adjoint writes, later ones add.
enum class store { write, add };

/// body(0) .. body(lanes - 1): one of the loops that are meant for the vector units. Unrolled too
/// early it would be no loop to them.
template <std::size_t lanes, class Body>
[[gnu::always_inline]] inline void across(Body body) {
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 1
#endif
  for (std::size_t l = 0; l < lanes; ++l) body(l);
}

/// Sums of equal blocks joined two by two, and their sums likewise: a tree that grows as they come,
/// whose subtrees may be built elsewhere.
template <class T>
struct sum_tree {
  T levels[48];
  std::size_t filled = 0, index = 0;

  [[gnu::always_inline]] void add(T sum) {
    // Trailing ones of the block index tell how many finished subtrees of equal size to join.
    for (std::size_t ones = index++; ones & 1; ones >>= 1) sum += levels[--filled];
    levels[filled++] = sum;
  }
  [[gnu::always_inline]] T total() {
    T sum(0);
    while (filled > 0) sum += levels[--filled];
    return sum;
  }
};

inline constexpr std::size_t sum_block = 512;

/// Sum of term(0) .. term(n - 1) with error growing as the logarithm of n: sixteen running sums per
/// block of 512, then a tree of blocks; short chains for the vector units.
template <class T, class Term>
[[gnu::always_inline]] inline T blocked_sum(std::size_t n, Term term) {
  constexpr std::size_t lanes = 16, block = sum_block;
  if (n < lanes) {
    T sum(0);
    for (std::size_t i = 0; i < n; ++i) sum += term(i);
    return sum;
  }
  sum_tree<T> tree;
  for (std::size_t start = 0; start < n; start += block) {
    const std::size_t count = n - start < block ? n - start : block;
    T partial[lanes];
    across<lanes>([&](std::size_t l) __attribute__((always_inline)) { partial[l] = T(0); });
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
      across<lanes>([&](std::size_t l)
                        __attribute__((always_inline)) { partial[l] += term(start + i + l); });
    }
    T sum(0);
    for (; i < count; ++i) sum += term(start + i);
    for (std::size_t half = lanes / 2; half > 0; half /= 2) {
      for (std::size_t l = 0; l < half; ++l) partial[l] += partial[l + half];
    }
    tree.add(sum + partial[0]);
  }
  return tree.total();
}

template <class T>
[[gnu::always_inline]] inline void add_columns(std::size_t rows, std::size_t columns, const T* x,
                                               T* __restrict y, store how) {
  if (how == store::write) {
    for (std::size_t j = 0; j < columns; ++j) y[j] = T(0);
  }
  std::size_t i = 0;
  for (; i + 8 <= rows; i += 8, x += 8 * columns) {
    const T *a = x, *b = a + columns, *c = b + columns, *d = c + columns, *e = d + columns,
            *f = e + columns, *g = f + columns, *h = g + columns;
    for (std::size_t j = 0; j < columns; ++j)
      y[j] += ((a[j] + b[j]) + (c[j] + d[j])) + ((e[j] + f[j]) + (g[j] + h[j]));
  }
  for (; i < rows; ++i, x += columns) {
    for (std::size_t j = 0; j < columns; ++j) y[j] += x[j];
  }
}

/// The largest (smallest) of n > 0 numbers, NaN where there is one: once in, it compares false with
/// everything and stays.
template <bool largest, class T>
[[gnu::always_inline]] inline T extreme(std::size_t n, const T* x) {
  constexpr std::size_t lanes = 16;
  const auto outer = [](const T& a, const T& b) __attribute__((always_inline)) {
    // Without a branch, so that it can be a vector's selection.
    const bool better = largest ? b > a : b < a;
    return (int{better} | int{b != b}) != 0 ? b : a;
  };
  T best = x[0];
  std::size_t i = 1;
  if (n >= 2 * lanes) {
    T bests[lanes];
    across<lanes>([&](std::size_t l) __attribute__((always_inline)) { bests[l] = x[l]; });
    for (i = lanes; i + lanes <= n; i += lanes) {
      across<lanes>([&](std::size_t l)
                        __attribute__((always_inline)) { bests[l] = outer(bests[l], x[i + l]); });
    }
    for (std::size_t half = lanes / 2; half > 0; half /= 2) {
      for (std::size_t l = 0; l < half; ++l) bests[l] = outer(bests[l], bests[l + half]);
    }
    best = bests[0];
  }
  for (; i < n; ++i) best = outer(best, x[i]);
  return best;
}

template <class T>
[[gnu::always_inline]] inline T product_of(std::size_t n, const T* x) {
  constexpr std::size_t lanes = 16;
  T partial[lanes];
  across<lanes>([&](std::size_t l) __attribute__((always_inline)) { partial[l] = T(1); });
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    across<lanes>([&](std::size_t l) __attribute__((always_inline)) { partial[l] *= x[i + l]; });
  }
  T product(1);
  for (; i < n; ++i) product *= x[i];
  for (std::size_t half = lanes / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) partial[l] *= partial[l + half];
  }
  return product * partial[0];
}

}  // namespace autodiff
