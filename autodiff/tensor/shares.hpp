#pragma once
// What single operations add to the adjoints of their operands, for whoever wants to see the terms
// of a gradient and not only their sums.

#include <autodiff/tensor/tensor_node.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace autodiff {

/// Numbers of a tensor row by row, whatever its number type, and its extents.
struct tensor_numbers {
  std::vector<double> numbers;
  std::vector<std::size_t> extents;
  double epsilon = 0;  ///< of the number type
};

/// Whether this is the record of a tensor.
bool computes_tensor(const operation<double>& x) noexcept;

/// The adjoint of the tensor at x, zeros where nothing was added to it.
tensor_numbers adjoint_numbers(const operation<double>& x);

/// What the pullback of `result` adds to the adjoint of each of these inputs, which are different
/// tensors. Their adjoints are set aside meanwhile and are the same afterwards. For a result whose
/// adjoint was kept.
std::vector<tensor_numbers> shares_of(tape& t, operation<double>& result,
                                      std::span<operation<double>* const> inputs);

}  // namespace autodiff
