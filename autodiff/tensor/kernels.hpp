#pragma once
// Loops over contiguous values: one mechanism for every row of ops.def, forward and pullback, and
// the few sums and updates that tensors need. For float and double each loop exists once per
// instruction set (kernels.cpp is compiled several times) and the best one for this CPU is chosen
// at run time; for duals of them it is compiled once, from the same rule (dual_kernels.cpp).

#include <autodiff/sweep.hpp>
#include <autodiff/tensor/loop_table.hpp>

#include <span>

namespace autodiff {

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

}  // namespace autodiff
