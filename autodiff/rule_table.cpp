#include <autodiff/rule_table.hpp>

#include <autodiff/ops.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <vector>

namespace autodiff {
namespace {

constexpr double number_of_slope(unit) { return 1; }
constexpr double number_of_slope(minus_unit) { return -1; }
constexpr double number_of_slope(double slope) { return slope; }

bool is_part_of_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    if (at > 0 && is_part_of_name(text[at - 1])) {
      at += from.size();
      continue;
    }
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

/// T(2) is written 2 and T(a + b) is written (a + b).
void drop_casts(std::string& text) {
  replace_all(text, "T(", "(");
  for (std::size_t open = text.find('('); open != std::string::npos;
       open = text.find('(', open + 1)) {
    const bool is_call = open > 0 && is_part_of_name(text[open - 1]);
    const std::size_t end = text.find_first_not_of(
        "0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", open + 1);
    if (is_call || end == std::string::npos || text[end] != ')') continue;
    text.erase(end, 1);
    text.erase(open, 1);
  }
}

std::string plain(std::string_view row_text) {
  std::string text(row_text);
  replace_all(text, "minus_unit{}", "-1");
  replace_all(text, "unit{}", "1");
  replace_all(text, "std::numbers::", "");
  replace_all(text, "std::", "");
  replace_all(text, "special::", "");
  drop_casts(text);
  return text;
}

template <class Rule>
rule_entry entry_of(double (*value)(const double*),
                    double (*slope)(const double*, double, std::size_t, double)) {
  rule_entry row{Rule::name, Rule::kinks, Rule::sentence,          Rule::slope_text.size(),
                 value,      slope,       plain(Rule::value_text), {}};
  std::ranges::transform(Rule::slope_text, row.slope_texts.begin(), plain);
  return row;
}

std::vector<rule_entry> read_rows() {
  std::vector<rule_entry> rows;
  for_each_unary_rule([&]<class Rule>() {
    rows.push_back(entry_of<Rule>([](const double* x) -> double { return Rule::call(x[0]); },
                                  [](const double* x, double y, std::size_t, double) {
                                    return number_of_slope(Rule::template slope<double>(x[0], y));
                                  }));
  });
  for_each_binary_rule([&]<class Rule>() {
    rows.push_back(entry_of<Rule>(
        [](const double* x) -> double { return Rule::call(x[0], x[1]); },
        [](const double* x, double y, std::size_t k, double tie) {
          return k == 0 ? number_of_slope(Rule::template slope_a<double>(x[0], x[1], y, tie))
                        : number_of_slope(Rule::template slope_b<double>(x[0], x[1], y, tie));
        }));
  });
  for_each_ternary_rule([&]<class Rule>() {
    rows.push_back(entry_of<Rule>(
        [](const double* x) -> double { return Rule::call(x[0], x[1], x[2]); },
        [](const double* x, double y, std::size_t k, double) {
          return k == 0   ? number_of_slope(Rule::template slope_a<double>(x[0], x[1], x[2], y))
                 : k == 1 ? number_of_slope(Rule::template slope_b<double>(x[0], x[1], x[2], y))
                          : number_of_slope(Rule::template slope_c<double>(x[0], x[1], x[2], y));
        }));
  });
  return rows;
}

/// More than rounding apart.
bool differ(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) != std::isnan(b);
  if (a == b) return false;
  constexpr double tiny = 1e-200;  // slopes of smooth functions differ by less next to 0
  const double size = std::max(std::abs(a), std::abs(b));
  return size > tiny && !(std::abs(a - b) <= 1e-6 * size);
}

}  // namespace

bool is_kink(const rule_entry& rule, const double* operands, const std::array<bool, 3>& active,
             double tie) noexcept {
  if (rule.kinks.empty()) return false;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::array<double, 3> left{}, right{};
  for (std::size_t moved = 0; moved < rule.operands; ++moved) {
    if (!active[moved]) continue;
    std::copy_n(operands, rule.operands, left.begin());
    right = left;
    left[moved] = std::nextafter(left[moved], -infinity);
    right[moved] = std::nextafter(right[moved], infinity);
    const double below = rule.value(left.data()), above = rule.value(right.data());
    if (differ(below, above)) return true;
    for (std::size_t k = 0; k < rule.operands; ++k) {
      if (active[k] &&
          differ(rule.slope(left.data(), below, k, tie), rule.slope(right.data(), above, k, tie))) {
        return true;
      }
    }
  }
  return false;
}

std::string_view operand_name(const rule_entry& rule, std::size_t k) noexcept {
  constexpr std::array<std::string_view, 3> names{"a", "b", "c"};
  return rule.operands == 1 ? "x" : names[k];
}

std::string rule_entry::slopes() const {
  std::string text;
  for (std::size_t k = 0; k < operands; ++k) {
    if (k > 0) text += ", ";
    text += "dy/d";
    text += operand_name(*this, k);
    text += " = " + slope_texts[k];
  }
  return text;
}

const rule_entry* find_rule(std::string_view name, std::size_t operands) noexcept {
  static const std::vector<rule_entry> rows = read_rows();
  const auto at = std::ranges::find_if(
      rows, [&](const rule_entry& row) { return row.name == name && row.operands == operands; });
  return at == rows.end() ? nullptr : &*at;
}

}  // namespace autodiff
