#pragma once
// A reduction from what it does to one line. A fold has
//   rule                       its operation_rule,
//   value(n, x) -> y           on plain numbers,
//   pull(n, x, y, dy, dx)      dx[i] = dy * dy/dx[i], on any number type.
// and, where its slopes have kinks,
//   kinks()                    what pull takes for the derivative there, in words,
//   is_kink(n, x, y)           whether this line, of value y, is at one.
// Duals need no value of their own: their tangent is what pull gives, so that forward mode has the
// conventions of reverse mode.

#include <autodiff/notes.hpp>
#include <autodiff/tensor/lines.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <utility>

namespace autodiff {

template <class T, class Fold>
T folded(const Fold& fold, std::size_t n, const T* x) {
  if constexpr (std::floating_point<T>) {
    return fold.value(n, x);
  } else {
    using Number = typename T::value_type;
    array<Number> values(shape{n}), slopes(shape{n});
    Number *value = values.writable(), *slope = slopes.writable();
    for (std::size_t i = 0; i < n; ++i) value[i] = x[i].value();
    const Number y = fold.value(n, value);
    if (y != y) return T(y, y);
    fold.pull(n, value, y, Number(1), slope);
    Number tangent(0);
    for (std::size_t i = 0; i < n; ++i) {
      if (!is_zero(slope[i])) tangent += scaled<Number, true>(x[i].tangent(), slope[i]);
    }
    return T(y, tangent);
  }
}

/// The pullback of one line, with the conventions that all folds share.
template <class T, class Fold>
void pull_line(const Fold& fold, std::size_t n, const T* x, const T& y, const T& dy, T* dx) {
  if (is_zero(dy)) {
    std::fill_n(dx, n, T(0));
  } else if (y != y) {
    std::fill_n(dx, n, T(y));
  } else {
    fold.pull(n, x, y, dy, dx);
  }
}

/// Tells an explained tape which lines of the operation recorded last are at a kink.
template <class T, class Fold>
[[gnu::noinline, gnu::cold]] void note_kinks(const Fold& fold, const line_walk& walk,
                                             const array<T>& x, const array<T>& y) {
  noted_kinks found{fold.kinks()};
  walk.read(x.first(), [&](std::size_t first, std::size_t count, const T* rows) {
    for (std::size_t i = 0; i < count; ++i) {
      if (fold.is_kink(walk.length(), rows + i * walk.length(), y.data()[first + i]))
        found.add(first + i);
    }
  });
  active_recorder<double>.tape->notes().write().operations.back().kinks = found;
}

/// fold over the lines of x along the axes `over`.
template <class T, class Fold>
tensor<T> reduce_lines(const tensor<T>& x, const axes& over, bool keep_dims, Fold fold) {
  const line_walk walk(x.shape(), x.stored().strides(), over, Fold::rule);
  const std::size_t n = walk.length();
  array<T> y(reduced(x.shape(), over, keep_dims, Fold::rule));
  T* out = y.writable();
  walk.read(x.stored().first(), [&](std::size_t first, std::size_t count, const T* rows) {
    for (std::size_t i = 0; i < count; ++i) out[first + i] = folded(fold, n, rows + i * n);
  });
  if (!x.is_recorded()) return tensor<T>(std::move(y));
  auto pullback = [walk, fold, x_kept = x.stored(), y_kept = y](const array<T>& dy,
                                                                input_adjoint<T> dx) {
    const std::size_t length = walk.length();
    const auto into = dx->open();
    array<T> scratch(shape{into.how == store::add ? length : 0});
    T* const share = scratch.writable();
    walk.map(std::array{x_kept.first()}, into.data, into.how,
             [&](std::size_t first, std::size_t count, const auto& rows, T* to, store how) {
               for (std::size_t i = 0; i < count; ++i, to += length) {
                 const T* line = rows[0] + i * length;
                 T* const target = how == store::write ? to : share;
                 pull_line(fold, length, line, y_kept.data()[first + i], dy.data()[first + i],
                           target);
                 if (how == store::add)
                   plain<T>().accumulate(length, T(1), share, 1, to, store::add);
               }
             });
  };
  tensor<T> result = record(Fold::rule, std::move(y), std::move(pullback), x);
  if constexpr (requires { fold.kinks(); }) {
    if (is_explained()) [[unlikely]]
      note_kinks(fold, walk, x.stored(), result.stored());
  }
  return result;
}

}  // namespace autodiff
