// A delta report for a terminal: plain characters, columns aligned, no formulas and no colour.

#include <nn/delta/document.hpp>
#include <nn/delta/format.hpp>
#include <nn/delta/pieces.hpp>

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nn {
namespace {

std::string plain_symbol(const piece& p) {
  std::string text = p.text;
  if (!p.layer.empty()) text += "^(" + p.layer + ')';
  if (!p.units.empty()) text += '_' + p.units;
  return text;
}

std::string plain(const line& pieces) {
  std::string text;
  for (const piece& p : pieces) {
    if (p.what == piece::kind::derivative) text += "dE/d";
    text += plain_symbol(p);
  }
  return text;
}

/// Columns of characters, as far as a terminal gives one to each code point.
std::size_t width(std::string_view text) {
  std::size_t points = 0;
  for_each_character(text, [&](std::string_view, char32_t) { ++points; });
  return points;
}

std::string padded(const std::string& text, std::size_t to, bool right) {
  const std::string spaces(to - std::min(to, width(text)), ' ');
  return right ? spaces + text : text + spaces;
}

std::string plain(const table& t) {
  std::vector<std::size_t> widths;
  std::string head, rule, text = "  " + plain(t.caption) + '\n';
  for (std::size_t j = 0; j < t.columns.size(); ++j) {
    std::size_t most = width(plain(t.columns[j].heading));
    for (const table::row& row : t.rows) {
      if (row.left_out.empty()) most = std::max(most, width(plain(row.cells[j])));
    }
    widths.push_back(most);
    head += "  " + padded(plain(t.columns[j].heading), most, t.columns[j].numbers);
    rule += "  " + std::string(most, '-');
  }
  text += "  " + head + "\n  " + rule + '\n';
  for (const table::row& row : t.rows) {
    text += "  ";
    if (!row.left_out.empty()) text += "  ... " + row.left_out;
    for (std::size_t j = 0; j < row.cells.size(); ++j)
      text += "  " + padded(plain(row.cells[j]), widths[j], t.columns[j].numbers);
    if (row.mark != mark::none) text += "  <- " + std::string(to_string(row.mark));
    text += '\n';
  }
  return text;
}

std::string plain(const std::vector<block>& blocks) {
  std::string text;
  for (const block& b : blocks) {
    if (const line* l = std::get_if<line>(&b)) text += plain(*l) + '\n';
    if (const table* t = std::get_if<table>(&b)) text += '\n' + plain(*t);
  }
  return text;
}

}  // namespace

std::string to_string(const delta_report& report, const delta_format& format) {
  const delta_document d = document_of(report, format);
  std::string text = d.verdict + '\n' + plain(d.opening);
  for (std::size_t i = 1; i < d.parts.size(); ++i) {  // without the forward pass: formulas alone
    text += '\n' + d.parts[i].heading + " (" + d.parts[i].state + ")\n";
    std::vector<block> tables;
    for (const block& b : d.parts[i].blocks) {
      if (std::holds_alternative<table>(b)) tables.push_back(b);
    }
    text += plain(tables);
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const delta_report& report) {
  return out << to_string(report);
}

}  // namespace nn
