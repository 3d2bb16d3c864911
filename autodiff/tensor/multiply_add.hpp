#pragma once
// y = a b + c and y = relu(a b + c) as rows of fused chains, where they take the place of two or
// three rows: a pass over a block costs its loads and stores, whatever it computes in between.
// Compiled once per instruction set (multiply_add.cpp).

#include <autodiff/tensor/kernels.hpp>

#include <concepts>

namespace autodiff {

/// With the values and shares of the single rows: nothing is rounded less often.
/// Each operand may be repeated. One that is has no adjoint: the pullbacks are for the others.
template <class T>
struct multiply_add_loops {
  ternary_loops<T> plain, clipped;  // clipped: relu(a b + c)
};

struct multiply_add_table {
  multiply_add_loops<float> of_float;
  multiply_add_loops<double> of_double;
};

template <std::floating_point T>
const multiply_add_loops<T>& multiply_adds() noexcept {
  if constexpr (std::same_as<T, float>)
    return kernels().multiply_adds->of_float;
  else
    return kernels().multiply_adds->of_double;
}

}  // namespace autodiff
