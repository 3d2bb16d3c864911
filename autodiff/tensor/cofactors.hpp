#pragma once
// The slope of a determinant where it is 0 and no inverse helps.

#include <cstddef>

namespace autodiff {

/// result [n, n]: the cofactors of a [n, n], which are the slopes of its determinant. Right at
/// every rank, for duals with their tangents. For float, double and duals of them.
template <class T>
void cofactors(std::size_t n, const T* a, T* result);

}  // namespace autodiff
