#include <autodiff/expression_text.hpp>

#include <fmt/format.h>

#include <utility>

namespace autodiff {
namespace {

// Reads "...E = unary_node<sqrt_rule, binary_node<multiply_rule, leaf<double>, leaf<double> >
// >...", with or without the namespace, as compilers write it.
class type_reader {
 public:
  explicit type_reader(std::string_view text) {
    const std::size_t at = text.find("E = ");
    rest_ = at == std::string_view::npos ? text : text.substr(at + 4);
  }

  void read(std::vector<expression_part>& parts) {
    using enum expression_part::kind;
    const std::string_view name = word();
    if (!name.ends_with("_node")) {
      skip_brackets();
      parts.push_back({name == "leaf" ? leaf : constant});
      return;
    }
    take('<');
    std::string_view row = word();
    for (const std::string_view suffix : {"_rule", "_ternary"}) {
      if (row.ends_with(suffix)) row.remove_suffix(suffix.size());
    }
    std::size_t operands = 0;
    for (; take(','); ++operands) read(parts);
    take('>');
    parts.push_back({function, row, operands});
  }

 private:
  std::string_view word() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
    const std::size_t end = rest_.find_first_of("<>,; ]");
    std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(found.size());
    const std::size_t colon = found.rfind(':');
    if (colon != std::string_view::npos) found.remove_prefix(colon + 1);
    return found;
  }
  bool take(char c) {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_brackets() {
    if (!rest_.starts_with('<')) return;
    std::size_t depth = 0, at = 0;
    for (; at < rest_.size(); ++at) {
      if (rest_[at] == '<') ++depth;
      if (rest_[at] == '>') --depth;
      if (depth == 0) break;
    }
    if (at < rest_.size() && rest_[at] == '>') rest_.remove_prefix(at + 1);
  }

  std::string_view rest_;
};

/// A piece of an expression in writing, and whether it needs brackets inside of an operator.
struct written {
  std::string text;
  bool is_open = false;
};

written combined(std::string_view row, std::vector<written> operands) {
  const std::string_view symbol = operator_symbol(row);
  std::vector<std::string> texts;
  for (written& each : operands) {
    texts.push_back(each.is_open && !symbol.empty() ? fmt::format("({})", each.text)
                                                    : std::move(each.text));
  }
  if (symbol.empty()) return {fmt::format("{}({})", row, fmt::join(texts, ", "))};
  if (texts.size() == 1) return {fmt::format("{}{}", symbol, texts[0]), true};
  return {fmt::format("{}", fmt::join(texts, fmt::format(" {} ", symbol))), true};
}

}  // namespace

std::vector<expression_part> read_expression(std::string_view text) {
  std::vector<expression_part> parts;
  type_reader(text).read(parts);
  return parts;
}

std::string_view operator_symbol(std::string_view row) noexcept {
  if (row == "add") return "+";
  if (row == "subtract" || row == "negate") return "-";
  if (row == "multiply") return "*";
  if (row == "divide") return "/";
  return {};
}

std::string written_out(std::string_view text) {
  std::vector<written> pieces;
  std::size_t leaves = 0;
  for (const expression_part& part : read_expression(text)) {
    if (part.what == expression_part::kind::leaf) {
      pieces.push_back({fmt::format("x{}", ++leaves)});
    } else if (part.what == expression_part::kind::constant) {
      pieces.push_back({"c"});
    } else {
      const auto first = pieces.end() - static_cast<std::ptrdiff_t>(part.operands);
      written whole = combined(part.name, {first, pieces.end()});
      pieces.erase(first, pieces.end());
      pieces.push_back(std::move(whole));
    }
  }
  return pieces.empty() ? std::string() : pieces.back().text;
}

}  // namespace autodiff
