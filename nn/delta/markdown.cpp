// A delta report in the Markdown of GitHub: pipe tables and blocks of mathematics.

#include <nn/delta/document.hpp>
#include <nn/delta/format.hpp>
#include <nn/delta/pieces.hpp>
#include <nn/delta/tex.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nn {
namespace {

std::string escaped(std::string_view words) {
  constexpr std::string_view special = "\\`*_{}[]<>#!|~$&@";
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words.substr(i, 2) == "->") {
      text += "\u2192";
      ++i;
      continue;
    }
    if (special.find(words[i]) != std::string_view::npos) text += '\\';
    text += words[i];
  }
  return text;
}

std::string markdown(const line& l) { return tex_inline(l, escaped); }

/// Numbers of a table stand as they are, also for those who read the source.
std::string cell(const line& l) {
  const bool is_number = !l.empty() && l.begin()->what == piece::kind::number;
  return is_number ? l.begin()->text : markdown(l);
}

std::string markdown(const table& t) {
  std::string head = "|", rule = "|", rows;
  for (const table::column& column : t.columns) {
    head += ' ' + markdown(column.heading) + " |";
    rule += column.numbers ? " ---: |" : " :--- |";
  }
  if (t.has_marks()) {
    head += "  |";
    rule += " :--- |";
  }
  for (const table::row& row : t.rows) {
    rows += '|';
    if (!row.left_out.empty()) rows += " *" + row.left_out + "* |";
    for (const line& entry : row.cells) rows += ' ' + cell(entry) + " |";
    // GitHub fills up rows that are short of cells.
    if (row.mark != mark::none) rows += " **" + std::string(to_string(row.mark)) + "** |";
    rows += '\n';
  }
  return markdown(t.caption) + "\n\n" + head + '\n' + rule + '\n' + rows;
}

std::string markdown(const equations& e) {
  return "```math\n\\begin{aligned}\n" + tex_aligned(e) + "\n\\end{aligned}\n```\n";
}

std::string markdown(const std::vector<block>& blocks) {
  std::string text;
  for (const block& b : blocks) {
    text += '\n';
    if (const line* l = std::get_if<line>(&b)) text += markdown(*l) + '\n';
    if (const equations* e = std::get_if<equations>(&b)) text += markdown(*e);
    if (const table* t = std::get_if<table>(&b)) text += markdown(*t);
  }
  return text;
}

}  // namespace

std::string to_markdown(const delta_report& report, const delta_format& format) {
  const delta_document d = document_of(report, format);
  std::string text = "# " + escaped(d.title) + "\n\n**" + escaped(d.verdict) + "**\n";
  text += markdown(d.opening);
  for (const part& p : d.parts) {
    text += "\n## " + escaped(p.heading) + (p.state.empty() ? "" : " (" + escaped(p.state) + ')') +
            '\n';
    text += markdown(p.blocks);
  }
  return text;
}

}  // namespace nn
