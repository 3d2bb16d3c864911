#pragma once
// Elements moved from one arrangement to another: what joining, padding, repeating and packing do.

#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/strided_walk.hpp>

#include <algorithm>
#include <cstddef>

namespace autodiff {

/// Writes (or adds) the elements of one operand of a walk to those of another.
template <std::size_t From, std::size_t To, class T, class Walk>
void transfer(const Walk& walk, const T* from, T* to, store how) {
  const std::size_t n = walk.row_size();
  const std::ptrdiff_t step_from = walk.stride(From), step_to = walk.stride(To);
  walk.for_each_row([&](const auto& at) {
    const T* in = from + at[From];
    T* out = to + at[To];
    if (step_from != 1 || step_to != 1) {
      for (std::size_t i = 0; i < n; ++i, in += step_from, out += step_to) {
        *out = how == store::write ? *in : T(*out + *in);
      }
    } else if (how == store::write) {
      std::copy_n(in, n, out);
    } else {
      for (std::size_t i = 0; i < n; ++i) out[i] += in[i];
    }
  });
}

}  // namespace autodiff
