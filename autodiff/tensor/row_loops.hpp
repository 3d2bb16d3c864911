#pragma once
// Loops over the rows of a matrix: reductions and softmax. Like the loops of kernels.hpp they are
// compiled for several instruction sets, so everything is forced inline.

#include <autodiff/ops.hpp>
#include <autodiff/tensor/sum_loops.hpp>
#include <autodiff/tensor/turning.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <type_traits>

namespace autodiff {

template <class T>
struct row_loops {
  /// y[j] = or += sum of x[i, j] over rows; meant for up to some 64 rows, see
  /// column_sums.hpp for more.
  void (*column_sums)(std::size_t rows, std::size_t columns, const T* x, T* y, store how);
  T (*min)(std::size_t n, const T* x);
  T (*product)(std::size_t n, const T* x);
  /// p = softmax(x) row by row, and where they are not null its logarithm, [rows, k], and
  /// log(sum(exp(x))), [rows].
  void (*softmax)(std::size_t rows, std::size_t k, const T* x, T* p, T* log_p, T* log_sum);
  /// loss = -sum(t log softmax(z)) row by row and its derivative by z, delta = p sum(t) - t; log_p
  /// may be null.
  void (*cross_entropy)(std::size_t rows, std::size_t k, const T* z, const T* t, T* loss, T* delta,
                        T* log_p);
};

// Softmax of short rows works on sixteen of them at once, turned so that the vector units run
// across the rows; long rows fill the units by themselves. Both are one code: a block [k, lanes].

/// How far x lies below the largest of its row; equal infinities are no distance apart, and in a
/// row of nothing but -inf all are infinitely far.
template <class T>
[[gnu::always_inline]] inline T below(const T& x, const T& largest) {
  const T lowest(-std::numeric_limits<float>::infinity());
  const T distance = x - largest;
  if constexpr (std::floating_point<T>) {
    const T apart = x == largest ? T(0) : distance;
    return largest == lowest ? lowest : apart;
  } else {
    if (largest == lowest) return lowest;
    return x - x == T(0) || !(x == largest) ? distance : T(0);
  }
}

template <class T, std::size_t lanes>
struct softmax_block {
  T largest[lanes], scale[lanes], log_total[lanes];

  /// e = exp(x - largest), and what is left to do.
  [[gnu::always_inline]] void open(std::size_t k, const T* x, T* e) {
    if constexpr (lanes == 1) {
      largest[0] = extreme<true>(k, x);
    } else {
      across<lanes>([&](std::size_t l) __attribute__((always_inline)) { largest[l] = x[l]; });
      for (std::size_t j = 1; j < k; ++j) {
        across<lanes>([&](std::size_t l) __attribute__((always_inline)) {
          const T& other = x[j * lanes + l];
          largest[l] = (int{other > largest[l]} | int{other != other}) != 0 ? other : largest[l];
        });
      }
    }
    for (std::size_t j = 0; j < k; ++j) {
      across<lanes>([&](std::size_t l) __attribute__((always_inline)) {
        e[j * lanes + l] = below(x[j * lanes + l], largest[l]);
      });
    }
    for (std::size_t i = 0; i < k * lanes; ++i) e[i] = T(exp_rule::call(e[i]));
    T total[lanes];
    sums(
        k, [e](std::size_t i, std::size_t) __attribute__((always_inline)) { return e[i]; }, total);
    across<lanes>([&](std::size_t l) __attribute__((always_inline)) {
      // All weights of a row of -inf are 0.
      const T divisor = total[l] == T(0) ? T(1) : total[l];
      scale[l] = total[l] == T(0) ? T(0) : T(T(1) / divisor);
      log_total[l] = T(log_rule::call(divisor));
    });
  }

  /// y[l] = sum of term(j * lanes + l, l) over j.
  template <class Term>
  [[gnu::always_inline]] static void sums(std::size_t k, Term term, T* y) {
    if constexpr (lanes == 1) {
      *y = blocked_sum<T>(
          k, [=](std::size_t j) __attribute__((always_inline)) { return term(j, 0); });
    } else {
      T total[lanes];
      across<lanes>([&](std::size_t l) __attribute__((always_inline)) { total[l] = T(0); });
      for (std::size_t j = 0; j < k; ++j) {
        across<lanes>([&](std::size_t l)
                          __attribute__((always_inline)) { total[l] += term(j * lanes + l, l); });
      }
      across<lanes>([&](std::size_t l) __attribute__((always_inline)) { y[l] = total[l]; });
    }
  }

  [[gnu::always_inline]] T log_p(const T& x, std::size_t l) const {
    return below(x, largest[l]) - log_total[l];
  }
};

inline constexpr std::size_t turned_rows = 16, longest_turned = 64;

/// [count, k] -> [k, 16]; what is missing is 0.
template <class T>
[[gnu::always_inline]] inline void turn(std::size_t count, std::size_t k, const T* x, T* turned) {
  if (count < turned_rows) {
    for (std::size_t i = 0; i < k * turned_rows; ++i) turned[i] = T(0);
  }
  turn_rows(count, k, x, k, turned, turned_rows);
}

template <class T>
[[gnu::always_inline]] inline void turn_back(std::size_t count, std::size_t k, const T* turned,
                                             T* x) {
  turn_rows(k, count, turned, turned_rows, x, k);
}

template <class T>
[[gnu::always_inline]] inline void softmax_of_rows(std::size_t rows, std::size_t k, const T* x,
                                                   T* p, T* log_p, T* log_sum) {
  if (k == 0) {
    for (std::size_t i = 0; log_sum && i < rows; ++i)
      log_sum[i] = T(-std::numeric_limits<float>::infinity());
    return;
  }
  const auto finish =
      []<std::size_t lanes>(softmax_block<T, lanes> & block, std::size_t n, const T* in, T* e,
                            T* log_of_p, T* log_of_sum) __attribute__((always_inline)) {
    block.open(n, in, e);
    for (std::size_t j = 0; j < n; ++j) {
      across<lanes>([&](std::size_t l) __attribute__((always_inline)) {
        e[j * lanes + l] = T(e[j * lanes + l] * block.scale[l]);
      });
    }
    for (std::size_t j = 0; log_of_p && j < n; ++j) {
      across<lanes>([&](std::size_t l) __attribute__((always_inline)) {
        log_of_p[j * lanes + l] = block.log_p(in[j * lanes + l], l);
      });
    }
    for (std::size_t l = 0; log_of_sum && l < lanes; ++l)
      log_of_sum[l] = T(block.largest[l] + block.log_total[l]);
  };
  if (std::floating_point<T> && k <= longest_turned) {
    T x_block[turned_rows * longest_turned], e_block[turned_rows * longest_turned],
        log_block[turned_rows * longest_turned], log_sums[turned_rows];
    for (std::size_t i = 0; i < rows; i += turned_rows) {
      const std::size_t count = rows - i < turned_rows ? rows - i : turned_rows;
      softmax_block<T, turned_rows> block;
      turn(count, k, x + i * k, x_block);
      finish(block, k, x_block, e_block, log_p ? log_block : nullptr, log_sums);
      turn_back(count, k, e_block, p + i * k);
      if (log_p) turn_back(count, k, log_block, log_p + i * k);
      for (std::size_t l = 0; log_sum && l < count; ++l) log_sum[i + l] = log_sums[l];
    }
    return;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    softmax_block<T, 1> block;
    finish(block, k, x + i * k, p + i * k, log_p ? log_p + i * k : nullptr,
           log_sum ? log_sum + i : nullptr);
  }
}

template <class T>
[[gnu::always_inline]] inline void cross_entropy_of_rows(std::size_t rows, std::size_t k,
                                                         const T* z, const T* t, T* loss, T* delta,
                                                         T* log_p) {
  const auto finish =
      []<std::size_t lanes>(softmax_block<T, lanes> & block, std::size_t n, const T* in,
                            const T* target, T* losses, T* e) __attribute__((always_inline)) {
    block.open(n, in, e);
    T weight[lanes];
    block.sums(
        n, [=](std::size_t i, std::size_t) __attribute__((always_inline)) { return target[i]; },
        weight);
    block.sums(
        n, [&block, in, target ](std::size_t i, std::size_t l) __attribute__((always_inline)) {
          const T term(-target[i] * block.log_p(in[i], l));
          return is_zero(target[i]) ? T(0) : term;
        },
        losses);
    across<lanes>([&](std::size_t l) __attribute__((always_inline)) {
      weight[l] = T(weight[l] * block.scale[l]);
    });
    for (std::size_t j = 0; j < n; ++j) {
      across<lanes>([&](std::size_t l) __attribute__((always_inline)) {
        e[j * lanes + l] = T(e[j * lanes + l] * weight[l] - target[j * lanes + l]);
      });
    }
  };
  if (std::floating_point<T> && k <= longest_turned && k > 0) {
    T z_block[turned_rows * longest_turned], t_block[turned_rows * longest_turned],
        e_block[turned_rows * longest_turned], losses[turned_rows];
    for (std::size_t i = 0; i < rows; i += turned_rows) {
      const std::size_t count = rows - i < turned_rows ? rows - i : turned_rows;
      softmax_block<T, turned_rows> block;
      turn(count, k, z + i * k, z_block);
      turn(count, k, t + i * k, t_block);
      finish(block, k, z_block, t_block, losses, e_block);
      turn_back(count, k, e_block, delta + i * k);
      for (std::size_t l = 0; l < count; ++l) {
        loss[i + l] = losses[l];
        for (std::size_t j = 0; log_p && j < k; ++j)
          log_p[(i + l) * k + j] = block.log_p(z_block[j * turned_rows + l], l);
      }
    }
    return;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    softmax_block<T, 1> block;
    if (k == 0) {
      loss[i] = T(0);
      continue;
    }
    finish(block, k, z + i * k, t + i * k, loss + i, delta + i * k);
    for (std::size_t j = 0; log_p && j < k; ++j) log_p[i * k + j] = block.log_p(z[i * k + j], 0);
  }
}

template <class T, class Local = void>
constexpr row_loops<T> make_row_loops() {
  return {[](std::size_t rows, std::size_t columns, const T* x, T* y, store how) {
            add_columns(rows, columns, x, y, how);
          },
          [](std::size_t n, const T* x) { return extreme<false>(n, x); },
          [](std::size_t n, const T* x) { return product_of(n, x); },
          [](std::size_t rows, std::size_t k, const T* x, T* p, T* log_p, T* log_sum) {
            softmax_of_rows(rows, k, x, p, log_p, log_sum);
          },
          [](std::size_t rows, std::size_t k, const T* z, const T* t, T* loss, T* delta, T* log_p) {
            cross_entropy_of_rows(rows, k, z, t, loss, delta, log_p);
          }};
}

}  // namespace autodiff
