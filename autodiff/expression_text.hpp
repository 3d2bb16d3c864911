#pragma once
// What a statement was, read from the text that the recorder carries along: the name of the type of
// its expression.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace autodiff {

/// A part of an expression: a leaf, a constant, or a function of the parts before it.
struct expression_part {
  enum class kind { leaf, constant, function } what;
  std::string_view name{};   ///< of the row of ops.def, a piece of the text
  std::size_t operands = 0;  ///< of a function
};

/// The parts in the order in which they are computed: the operands of each before itself, the
/// leaves and constants from left to right, the whole expression last.
std::vector<expression_part> read_expression(std::string_view text);

/// An expression as its author would have written it: leaves are x1, x2 ... from left to right,
/// constants are c.
std::string written_out(std::string_view text);

/// The operator that stands for a row of ops.def; empty for one that is written as a function.
std::string_view operator_symbol(std::string_view row) noexcept;

}  // namespace autodiff
