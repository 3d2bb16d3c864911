#pragma once
// From tensors to scalars and back, recorded both ways: an element or all elements of a tensor as
// vars, vars stacked into a tensor. One record serves any number of scalars.

#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <array>
#include <initializer_list>
#include <span>
#include <vector>

namespace autodiff {

/// All elements of x, row by row, as scalars on the tape; passive for a passive tensor.
template <class T>
std::vector<var> elements(const tensor<T>& x);

/// A tensor of these scalars, row by row. Throws shape_error when their number is not s.size().
template <class T = double>
tensor<T> stack(std::span<const var> scalars, const shape& s);
template <class T = double>
tensor<T> stack(const std::vector<var>& scalars, const shape& s) {
  return stack<T>(std::span<const var>(scalars), s);
}
/// The same of rank 1.
template <class T = double>
tensor<T> stack(const std::vector<var>& scalars) {
  return stack<T>(std::span<const var>(scalars), shape{scalars.size()});
}
template <class T = double>
tensor<T> stack(std::initializer_list<var> scalars) {
  return stack<T>(std::span<const var>(scalars.begin(), scalars.size()), shape{scalars.size()});
}

/// A scalar as a tensor of rank 0.
template <class T = double>
tensor<T> to_tensor(const var& x) {
  return stack<T>(std::span<const var>(&x, 1), shape{});
}

}  // namespace autodiff
