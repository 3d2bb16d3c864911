#pragma once
// Sums of products by their indices, as in physics: a letter names an axis, and letters that the
// result does not have are summed over.

#include <autodiff/tensor/tensor.hpp>

#include <string_view>

namespace autodiff {

/// Einstein's summation over two operands: einsum("ij,jk->ik", a, b) is matmul(a, b),
/// "bij,bjk->bik" a batch of products, "i,j->ij" outer(a, b), "ii,->" the trace times a number. A
/// letter is one axis of one extent wherever it stands; twice in one operand it is the diagonal.
/// Without "->" the result has, in alphabetical order, the letters that stand once. Spaces do not
/// count. Throws shape_error, naming the letter and the shapes, for indices that do not fit the
/// operands.
template <class T>
tensor<T> einsum(std::string_view indices, const tensor<T>& a, const tensor<T>& b);

/// The same over one operand: "ij->ji" transposes, "ii->i" is the diagonal, "ij->j" sums columns.
template <class T>
tensor<T> einsum(std::string_view indices, const tensor<T>& x);

}  // namespace autodiff
