#pragma once
// Which part of a square matrix stands for a triangular one.

#include <cstddef>

namespace autodiff {

/// The lower triangle or the upper one, taken as it is or transposed, with the diagonal as stored
/// or as ones; what is outside of it is never read: triangular_solve(a, b, {.upper = true}).
struct triangular_form {
  bool upper = false, transposed = false, unit_diagonal = false;

  /// Whether the element in row i and column j, as stored, is part of it.
  constexpr bool reads(std::size_t i, std::size_t j) const {
    return i == j ? !unit_diagonal : (i < j) == upper;
  }
};

}  // namespace autodiff
