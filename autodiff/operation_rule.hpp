#pragma once
// What an operation on tensors is called and what it does, forward and back, in a line each: for
// errors and graphs. The lines stand beside the pullback that they describe.

#include <string_view>

namespace autodiff {

/// The name of an operation and its local rule as the field writes it: x̄ is the adjoint of x, ⊙
/// multiplies element by element, Σ adds up, ᵀ transposes. Names itself where a name is wanted. Its
/// texts live as long as the program.
struct operation_rule {
  std::string_view name;      ///< "matmul"
  std::string_view value;     ///< "y = a b"
  std::string_view pullback;  ///< "ā = ȳ bᵀ, b̄ = aᵀ ȳ"

  constexpr operation_rule(std::string_view operation, std::string_view value_text,
                           std::string_view pullback_text)
      : name(operation), value(value_text), pullback(pullback_text) {}
  /// A row of ops.def, which holds the texts (rule_table.hpp).
  static constexpr operation_rule of_row(std::string_view row) { return {row, {}, {}}; }

  constexpr operator std::string_view() const noexcept { return name; }
};

}  // namespace autodiff
