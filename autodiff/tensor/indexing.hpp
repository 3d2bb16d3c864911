#pragma once
// Elements and slices picked by index, one-hot rows. An index counts from 0; there are no negative
// ones.

#include <autodiff/tensor/index_array.hpp>
#include <autodiff/tensor/mask.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <concepts>
#include <cstddef>

namespace autodiff {

/// Slices of x by their index along an axis: [n, m] with k indices along 1 -> [n, k]. An index may
/// stand there several times. Throws shape_error for one that is not there and for indices whose
/// rank is not 1.
template <class T>
tensor<T> index_select(const tensor<T>& x, std::ptrdiff_t axis, const index_array& indices);

/// index_select along the first axis: [n, ...] -> [indices.size(), ...].
template <class T>
tensor<T> take_rows(const tensor<T>& x, const index_array& indices);

/// The elements of x where m is true, row by row: [...] -> [m.count()]. Throws shape_error unless m
/// has the shape of x.
template <class T>
tensor<T> masked_select(const tensor<T>& x, const mask& m);

/// One element per index, which replaces the position along the axis: with axis 1,
/// y[i, j] = x[i, indices[i, j]]. The indices have the rank of x, any extent along the axis, and
/// beside it the extents of x, or 1 for indices that serve all of them: x [n, m] with indices
/// {{0}, {2}, ...} [n, 1] along 1 picks one element of each row. NumPy calls it take_along_axis.
/// Throws shape_error for an index that is not there and for shapes that do not fit.
template <class T>
tensor<T> gather(const tensor<T>& x, std::ptrdiff_t axis, const index_array& indices);

/// base, to which values are added at indices, the reverse of gather: with axis 1,
/// y[i, indices[i, j]] += values[i, j]. What is added to one place several times adds up. The shape
/// of values is the one that gather(base, axis, indices) has. Throws shape_error as gather does.
template <class T, std::same_as<tensor<T>> Base>
tensor<T> scatter_add(const Base& base, std::ptrdiff_t axis, const index_array& indices,
                      const tensor<T>& values);
/// The same over zeros of this shape.
template <class T>
tensor<T> scatter_add(const shape& s, std::ptrdiff_t axis, const index_array& indices,
                      const tensor<T>& values);

/// [...] -> [..., classes] with a 1 at each label, passive. Throws shape_error for a label that is
/// not below classes.
template <class T>
tensor<T> one_hot(const index_array& labels, std::size_t classes);

}  // namespace autodiff
