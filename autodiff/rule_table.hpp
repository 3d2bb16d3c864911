#pragma once
// The rows of ops.def at run time, found by name: for whoever reads a record rather than writes it.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace autodiff {

/// A row of ops.def on double.
struct rule_entry {
  std::string_view name, kinks, sentence;
  std::size_t operands;
  double (*value)(const double* operands);
  /// Slope by operand k where the value is y. `tie` is the share of a tie.
  double (*slope)(const double* operands, double y, std::size_t k, double tie);
  // As they stand in the row, casts and namespaces left out.
  std::string value_text;
  std::array<std::string, 3> slope_texts;

  /// "y = a * b"
  std::string rule() const { return "y = " + value_text; }
  /// "dy/da = b, dy/db = a"
  std::string slopes() const;
};

/// The name of operand k in the texts: x, or a, b, c.
std::string_view operand_name(const rule_entry& rule, std::size_t k) noexcept;

/// Whether the value jumps or a slope changes at these operands, seen from just left and just right
/// of each that is active: there the row's convention decides.
bool is_kink(const rule_entry& rule, const double* operands, const std::array<bool, 3>& active,
             double tie) noexcept;

/// The row of this name with so many operands; null where there is none.
const rule_entry* find_rule(std::string_view name, std::size_t operands) noexcept;

}  // namespace autodiff
