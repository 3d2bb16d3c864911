#pragma once
// Tensors as the tests write and read them.

#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <tests/reference.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace tensors {

using doubles = std::vector<double>;

/// The values, row by row.
template <class T>
std::vector<T> numbers(const autodiff::tensor<T>& x) {
  return {x.values().begin(), x.values().end()};
}

/// Numbers between -1 and 1.
template <class T = double>
autodiff::tensor<T> drawn(const autodiff::shape& s, std::uint64_t seed) {
  return autodiff::tensor<T>(
      s, std::span<const T>(reference::random(seed).uniform<T>(s.size(), -1, 1)));
}

}  // namespace tensors
