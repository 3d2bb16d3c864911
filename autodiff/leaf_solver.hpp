#pragma once
// The value of a variable in a statement that was noted without it.

#include <autodiff/expression_text.hpp>

#include <cstddef>
#include <vector>

namespace autodiff {

/// What leaf number `unknown` is, where the whole has this value and nothing but arithmetic stands
/// between the two; else NaN. The other leaves and the constants come from left to right.
double solve_for_leaf(const std::vector<expression_part>& parts, std::size_t unknown,
                      const std::vector<double>& leaves, const double* constants, double whole);

}  // namespace autodiff
