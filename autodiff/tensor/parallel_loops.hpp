#pragma once
// The elementwise loops of kernels.hpp by several threads, where there are enough elements.

#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/parallel.hpp>

#include <cstddef>

namespace autodiff {

/// Null stays null: arguments that a loop does not need.
template <class T>
const T* shifted(const T* data, std::ptrdiff_t offset) {
  return data ? data + offset : nullptr;
}

/// y = f(x).
template <class T>
void apply_elements(const unary_loops<T>& f, std::size_t n, const T* x, T* y) {
  if (are_few_elements(n)) return f.forward(n, x, y);
  parallel_elements(
      n, [&](std::size_t first, std::size_t count) { f.forward(count, x + first, y + first); });
}

/// y = f(a, b), each of them contiguous or repeated.
template <class T>
void apply_elements(const binary_loops<T>& f, std::size_t n, operand_row<T> a, operand_row<T> b,
                    T* y) {
  if (are_few_elements(n)) return f.forward(n, a.values, a.stride, b.values, b.stride, y);
  parallel_elements(n, [=, &f](std::size_t first, std::size_t count) {
    f.forward(count, a.values + first * a.stride, a.stride, b.values + first * b.stride, b.stride,
              y + first);
  });
}

/// dx = or += f'(x, y) dy, by one of the pullbacks of unary_loops.
template <class T>
void pull_elements(typename unary_loops<T>::pullback_loop* loop, std::size_t n, const T* x,
                   const T* y, const T* dy, T* dx, store how) {
  if (are_few_elements(n)) return loop(n, x, y, dy, dx, how);
  parallel_elements(n, [=](std::size_t first, std::size_t count) {
    const auto at = static_cast<std::ptrdiff_t>(first);
    loop(count, shifted(x, at), shifted(y, at), dy + first, dx + first, how);
  });
}

/// The next one for many elements; out of line, so that it costs small tensors nothing.
template <class T>
[[gnu::noinline]] void pull_many_elements(typename binary_loops<T>::pullback_loop* loop,
                                          std::size_t n, operand_row<T> a, operand_row<T> b,
                                          const T* y, const T* dy, T* into, store how, double tie) {
  parallel_elements(n, [=](std::size_t first, std::size_t count) {
    const auto at = static_cast<std::ptrdiff_t>(first);
    const auto row = [at](const operand_row<T>& x) {
      return shifted(x.values, x.stride == 0 ? 0 : at);
    };
    loop(count, row(a), a.stride, row(b), b.stride, shifted(y, at), dy + first, into + first, how,
         tie);
  });
}

/// The share of an operand that is not repeated, by one of the pullbacks of binary_loops.
template <class T>
void pull_elements(typename binary_loops<T>::pullback_loop* loop, std::size_t n, operand_row<T> a,
                   operand_row<T> b, const T* y, const T* dy, T* into, store how, double tie) {
  if (are_few_elements(n))
    return loop(n, a.values, a.stride, b.values, b.stride, y, dy, into, how, tie);
  pull_many_elements(loop, n, a, b, y, dy, into, how, tie);
}

}  // namespace autodiff
