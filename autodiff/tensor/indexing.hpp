#pragma once
// Rows picked by index, one-hot rows.

#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <span>

namespace autodiff {

/// Rows of x by their index along the first axis: [n, ...] -> [indices.size(), ...]. An index may
/// stand there several times. Throws shape_error for one beyond n.
template <class T>
tensor<T> take_rows(const tensor<T>& x, std::span<const std::size_t> indices);

/// [labels.size(), classes] with a 1 at each label, passive. Throws shape_error for a label that is
/// not below classes.
template <class T>
tensor<T> one_hot(std::span<const std::size_t> labels, std::size_t classes);

}  // namespace autodiff
