#include <nn/delta/tex.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace nn {
namespace {

constexpr std::size_t longest_line = 72;  // characters in 16 cm

/// A name among symbols. Commands that LaTeX and MathJax both know; the others become "?".
std::string tex_name(std::string_view name) {
  std::string text = "\\mathrm{";
  for_each_character(name, [&](std::string_view character, char32_t) {
    constexpr std::string_view escaped = "_%#&${}", plain = "()[]=+-/.,:;!?@\"";
    const char c = character[0];
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_letter || (c >= '0' && c <= '9') || plain.find(character) != std::string_view::npos)
      text += character;
    else if (escaped.find(character) != std::string_view::npos)
      (text += '\\') += c;
    else
      text += c == ' ' ? "\\ " : c == '\\' ? "\\backslash{}" : "?";
  });
  return text + '}';
}

std::string tex_number(const std::string& number) {
  // In braces, a sign is never taken for a subtraction.
  if (number.starts_with('-')) return "{-" + tex_number(number.substr(1)) + '}';
  if (number == "nan") return "\\mathrm{NaN}";
  if (number == "inf") return "\\infty";
  const std::size_t e = number.find('e');
  if (e == std::string::npos) return number;
  return number.substr(0, e) + "\\times 10^{" + std::to_string(std::stoi(number.substr(e + 1))) +
         '}';
}

std::string tex_symbol(const piece& p) {
  std::string text = p.text == "delta" ? "\\delta" : p.text;
  // The index first: an underscore behind a letter is not taken for emphasis by Markdown.
  if (!p.units.empty()) text += "_{" + p.units + '}';
  if (!p.layer.empty()) text += "^{(" + p.layer + ")}";
  return text == "\\delta" ? text + ' ' : text;
}

std::string tex_piece(const piece& p, bool display) {
  switch (p.what) {
    case piece::kind::words: return "\\text{" + p.text + '}';
    case piece::kind::number: return tex_number(p.text);
    case piece::kind::symbol: return tex_symbol(p);
    case piece::kind::derivative:
      return display ? "\\frac{\\partial E}{\\partial " + tex_symbol(p) + '}'
                     : "\\partial E/\\partial " + tex_symbol(p);
    case piece::kind::function:
      return tex_name(p.text) + (p.units.empty() ? "" : "_{" + p.units + '}');
    case piece::kind::slope: return tex_name(p.text) + '\'';
    case piece::kind::sum: return "\\sum_{" + p.text + "} ";
    case piece::kind::sign:
      return p.text == "..."                                   ? "\\cdots"
             : p.text == "=" || p.text == "+" || p.text == "-" ? ' ' + p.text + ' '
                                                               : p.text;
    case piece::kind::tag: return "\\qquad\\text{" + p.text + '}';
    case piece::kind::turn: break;
  }
  return "";
}

/// About how many characters wide.
std::size_t width(const piece& p) {
  const std::size_t indices = (p.layer.size() + p.units.size() + 1) / 2;
  switch (p.what) {
    case piece::kind::sign: return p.text == "=" || p.text == "+" ? 3 : 1;
    case piece::kind::sum: return 3;
    case piece::kind::symbol: return 1 + indices;
    case piece::kind::derivative: return 2 + indices;
    default: return p.text.size();
  }
}

std::string tex_line(const line& l) {
  struct chunk {
    std::string text;
    std::size_t width = 0;
  };
  std::vector<chunk> chunks(1);
  bool aligned = false;
  for (const piece& p : l) {
    if (p.what == piece::kind::turn) {
      chunks.emplace_back();
      continue;
    }
    if (p.what == piece::kind::sign && p.text == "=" && !aligned) {
      chunks.back().text += " &= ";
      aligned = true;
    } else {
      chunks.back().text += tex_piece(p, true);
    }
    chunks.back().width += width(p);
  }
  std::string text;
  std::size_t used = 0;
  for (const chunk& c : chunks) {
    if (used > 0 && used + c.width > longest_line) {
      text += " \\\\\n&\\quad ";
      used = 2;
    }
    text += c.text;
    used += c.width;
  }
  return text;
}

}  // namespace

std::string tex_inline(const line& l, word_escape escape) {
  std::string text;
  bool inside = false;
  for (const piece& p : l) {
    const bool math = p.what != piece::kind::words;
    if (math != inside) text += '$';
    inside = math;
    text += math ? tex_piece(p, false) : escape(p.text);
    if (math && text.back() == ' ') text.pop_back();
  }
  return inside ? text + '$' : text;
}

std::string tex_aligned(const equations& e) {
  std::string text;
  for (const line& l : e.lines) {
    if (!text.empty()) text += " \\\\\n";
    text += tex_line(l);
  }
  return text;
}

}  // namespace nn
