#include <autodiff/leaf_solver.hpp>

#include <autodiff/rule_table.hpp>

#include <limits>
#include <string_view>

namespace autodiff {
namespace {

/// The operand that gives this result beside another one; NaN where it is not determined.
double operand_of(std::string_view row, std::size_t slot, double other, double result) {
  if (row == "add") return result - other;
  if (row == "subtract") return slot == 0 ? result + other : other - result;
  if (row == "negate") return -result;
  if (row == "multiply" && other != 0) return result / other;
  if (row == "divide" && slot == 0) return result * other;
  if (row == "divide" && result != 0) return other / result;
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

double solve_for_leaf(const std::vector<expression_part>& parts, std::size_t unknown,
                      const std::vector<double>& leaves, const double* constants, double whole) {
  struct step {
    std::string_view row;
    std::size_t slot;
    double other;
  };
  std::vector<double> values;
  std::vector<step> path;  // from the leaf up
  constexpr std::size_t none = ~std::size_t{0};
  std::size_t at = none, leaf = 0;
  for (const expression_part& part : parts) {
    if (part.what == expression_part::kind::leaf) {
      if (leaf == unknown) at = values.size();
      values.push_back(leaves[leaf++]);
    } else if (part.what == expression_part::kind::constant) {
      values.push_back(*constants++);
    } else {
      const std::size_t first = values.size() - part.operands;
      const double y = find_rule(part.name, part.operands)->value(&values[first]);
      if (at != none && at >= first) {
        const double other = part.operands == 2 ? values[at == first ? first + 1 : first] : 0;
        path.push_back({part.operands <= 2 ? part.name : "", at - first, other});
        at = first;
      }
      values.resize(first);
      values.push_back(y);
    }
  }
  double value = whole;
  for (std::size_t i = path.size(); i-- > 0;)
    value = operand_of(path[i].row, path[i].slot, path[i].other, value);
  return value;
}

}  // namespace autodiff
