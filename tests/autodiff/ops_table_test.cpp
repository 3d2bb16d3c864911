// What ops.def says in words: the function table of README.md.

#include <autodiff/ops.hpp>

#include <tests/catch.hpp>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::size_t closing(const std::string& text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (depth == 0) return i;
  }
  FAIL("unbalanced: " << text);
  return 0;
}

// A conversion T(...) and a parenthesis around one word carry no meaning for a reader.
std::string without_empty_parentheses(std::string text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '(') continue;
    const bool conversion = at > 0 && text[at - 1] == 'T' && (at == 1 || !is_word(text[at - 2]));
    const bool call = at > 0 && is_word(text[at - 1]) && !conversion;
    if (call) continue;
    const std::size_t end = closing(text, at);
    const std::string inside = text.substr(at + 1, end - at - 1);
    const std::size_t start = conversion ? at - 1 : at;
    bool one_operand = true;
    int depth = 0;
    for (const char c : inside) {
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (depth == 0 && c == ' ') one_operand = false;
    }
    // Of a choice, the last branch needs none either.
    const bool last_branch =
        end + 1 == text.size() && start >= 2 && text.substr(start - 2, 2) == ": ";
    if (one_operand || last_branch) {
      text.replace(start, end + 1 - start, inside);
    } else if (conversion) {
      text.erase(start, 1);
    } else {
      continue;
    }
    at = start == 0 ? std::size_t(-1) : start - 1;
  }
  return text;
}

/// The slope as a formula: without what only the compiler needs.
std::string formula(std::string_view slope) {
  std::string text(slope);
  if (text == "unit{}") return "1";
  if (text == "minus_unit{}") return "-1";
  if (text == "flat(x)") return "0";
  for (std::size_t at; (at = text.find("defined(y, ")) != std::string::npos;) {
    text.erase(closing(text, at + 7), 1);
    text.erase(at, 11);
  }
  // These keep digits of what they stand for.
  text = replaced(text, "one_minus_square(x)", "(1 - square(x))");
  for (const std::string x : {"a", "b", "c"}) {
    if (text.rfind("component(" + x, 0) == 0) text = "y == 0 ? 0 : " + x + " / y";
  }
  text = replaced(text, "std::numbers::", "");
  text = without_empty_parentheses(text);
  // x + 0 turns -0 into +0.
  text = replaced(text, " + 0)", ")");
  text = replaced(text, "inverse(", "1 / (");
  return without_empty_parentheses(text);
}

std::string code(std::string_view text) {
  return "`" + replaced(std::string(text), "|", "\\|") + "`";
}

std::string function_table() {
  std::string table =
      "| function | value | slope | at kinks and edges |\n"
      "|---|---|---|---|\n";
  const auto row = [&](std::string_view name, std::string_view arguments, std::string_view sentence,
                       const std::string& slopes, std::string_view kinks) {
    table += "| " + code(std::string(name) + std::string(arguments)) + " | " +
             std::string(sentence) + " | " + slopes + " | " + std::string(kinks) +
             (kinks.empty() ? "|\n" : " |\n");
  };
#define UNARY(NAME, VALUE, SLOPE, FROM, TO, KINKS, SENTENCE) \
  row(#NAME, "(x)", SENTENCE, code(formula(#SLOPE)), KINKS);
#define BINARY(NAME, VALUE, SLOPE_A, SLOPE_B, A_FROM, A_TO, B_FROM, B_TO, KINKS, SENTENCE) \
  row(#NAME, "(a, b)", SENTENCE, code(formula(#SLOPE_A)) + ", " + code(formula(#SLOPE_B)), KINKS);
#define TERNARY(NAME, VALUE, SLOPE_A, SLOPE_B, SLOPE_C, A_FROM, A_TO, B_FROM, B_TO, C_FROM, C_TO, \
                KINKS, SENTENCE)                                                                  \
  row(#NAME, "(a, b, c)", SENTENCE,                                                               \
      code(formula(#SLOPE_A)) + ", " + code(formula(#SLOPE_B)) + ", " + code(formula(#SLOPE_C)),  \
      KINKS);
#include <autodiff/ops.def>
  return table;
}

}  // namespace

TEST_CASE("the function table in README.md is the one in ops.def") {
  const std::string path = BACKSWEEP_SOURCE_DIR "/README.md";
  const std::string begin = "<!-- functions: begin -->\n", end = "<!-- functions: end -->";
  const std::string table = function_table();
  std::ifstream in(path);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::size_t from = text.find(begin), to = text.find(end);
  const bool has_place = from != std::string::npos && to != std::string::npos && from < to;
  // Not through the test framework, which breaks long lines.
  if (!has_place) std::cout << begin << table << end << '\n';
  if (text.empty()) FAIL("README.md is missing or empty: " << path);
  if (!has_place)
    FAIL("README.md has no lines '" << begin << "' and '" << end
                                    << "'; the text between them is above");
  const std::size_t start = from + begin.size();
  const bool agrees = text.substr(start, to - start) == table;
  if (!agrees && std::getenv("BACKSWEEP_UPDATE_DOCS")) {
    std::ofstream(path) << text.substr(0, start) << table << text.substr(to);
    WARN("README.md was updated");
    return;
  }
  if (!agrees) std::cout << begin << table << end << '\n';
  INFO(
      "README.md should hold the table above; run this test with BACKSWEEP_UPDATE_DOCS=1 to have "
      "it written.");
  CHECK(agrees);
}

TEST_CASE("slopes are printed as formulas") {
  CHECK(formula("T(0.5) / (y + T(0))") == "0.5 / y");
  CHECK(formula("defined(y, inverse(x + T(0)))") == "1 / x");
  CHECK(formula("(a == T(0) && b == T(0)) ? T(0) : T(b * pow(a, b - T(1)))") ==
        "(a == 0 && b == 0) ? 0 : b * pow(a, b - 1)");
  CHECK(formula("T(x * y) * z") == "(x * y) * z");
  CHECK(formula("inverse(sqrt((T(1) - x) * (T(1) + x)))") == "1 / sqrt((1 - x) * (1 + x))");
}
