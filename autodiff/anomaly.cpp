#include <autodiff/anomaly.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <ostream>
#include <string_view>

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

  std::string read(bool inside = false) {
    const std::string_view name = word();
    if (name == "leaf") {
      skip_brackets();
      return fmt::format("x{}", ++leaves_);
    }
    if (!name.ends_with("_node")) {
      skip_brackets();
      return "c";
    }
    take('<');
    std::string_view rule = word();
    for (const std::string_view suffix : {"_rule", "_ternary"}) {
      if (rule.ends_with(suffix)) rule.remove_suffix(suffix.size());
    }
    std::vector<std::string> operands;
    const std::string_view symbol = symbol_of(rule);
    while (take(',')) operands.push_back(read(!symbol.empty()));
    take('>');
    if (symbol.empty()) return fmt::format("{}({})", rule, fmt::join(operands, ", "));
    const std::string text =
        operands.size() == 1 ? fmt::format("{}{}", symbol, operands[0])
                             : fmt::format("{}", fmt::join(operands, fmt::format(" {} ", symbol)));
    return inside ? fmt::format("({})", text) : text;
  }

 private:
  static std::string_view symbol_of(std::string_view rule) {
    if (rule == "add") return "+";
    if (rule == "subtract" || rule == "negate") return "-";
    if (rule == "multiply") return "*";
    if (rule == "divide") return "/";
    return {};
  }
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
  std::size_t leaves_ = 0;
};

// The sign of a NaN says nothing.
std::string number(double x) { return std::isnan(x) ? "nan" : fmt::format("{}", x); }

}  // namespace

std::string written_out(const char* text) { return type_reader(text).read(); }

std::string to_string(const anomaly& a) {
  const std::string where = a.text ? fmt::format("{} at place {}", written_out(a.text), a.place)
                                   : fmt::format("the statement at place {}", a.place);
  switch (a.what) {
    case anomaly::kind::recorded:
      return fmt::format("{} has the value {} and a partial derivative of {}", where,
                         number(a.value), number(a.partial));
    case anomaly::kind::swept:
      return fmt::format("{} has the adjoint {} and a partial derivative of {}", where,
                         number(a.adjoint), number(a.partial));
    case anomaly::kind::suppressed: break;
  }
  return fmt::format("{} has a partial derivative of {} and was skipped, its adjoint being 0",
                     where, number(a.partial));
}

std::ostream& operator<<(std::ostream& out, const anomaly& a) { return out << to_string(a); }

void require_no_anomalies(const std::vector<anomaly>& found) {
  if (found.empty()) return;
  constexpr std::size_t shown = 5;
  std::string text;
  for (std::size_t i = 0; i < found.size() && i < shown; ++i) {
    if (i > 0) text += "; ";
    text += to_string(found[i]);
  }
  if (found.size() > shown) text += fmt::format("; and {} more", found.size() - shown);
  throw domain_error("strict tape", text,
                     "keep its arguments away from the singular point, or watch with "
                     "watching::report to go on");
}

}  // namespace autodiff
