// A delta report as a document for pdflatex, with packages that every installation has.

#include <nn/delta/document.hpp>
#include <nn/delta/format.hpp>
#include <nn/delta/pieces.hpp>
#include <nn/delta/tex.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nn {
namespace {

/// Letters that the fonts of every installation have.
bool is_latin(char32_t point) {
  constexpr std::u32string_view missing = U"\u00D0\u00D7\u00DE\u00F0\u00F7\u00FE";
  return point >= 0xC0 && point <= 0xFF && missing.find(point) == std::u32string_view::npos;
}

std::string escaped_character(std::string_view character, char32_t point) {
  if (is_latin(point)) return std::string(character);
  if (point >= 0x80) return fmt::format("[U+{:04X}]", static_cast<unsigned>(point));
  switch (character[0]) {
    case '\\': return "\\textbackslash{}";
    case '^': return "\\textasciicircum{}";
    case '~': return "\\textasciitilde{}";
    case '<': return "\\textless{}";
    case '>': return "\\textgreater{}";
    case '|': return "\\textbar{}";
    // Braces against ligatures: two apostrophes, ?`
    case '"': return "'{}'";
    case '\'': return "'{}";
    case '`': return "{}`{}";
    default: break;
  }
  constexpr std::string_view special = "_%#&${}";
  std::string text(special.find(character) == std::string_view::npos ? "" : "\\");
  return text.append(character);
}

void replace_all(std::string& text, std::string_view part, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += by.size())
    text.replace(at, part.size(), by);
}

std::string escaped(std::string_view words) {
  std::string text;
  for_each_character(words, [&](std::string_view character, char32_t point) {
    text += escaped_character(character, point);
  });
  replace_all(text, "-\\textgreater{}", "$\\to$");
  replace_all(text, "--", "-{}-{}");
  return text;
}

std::string latex(const line& l) { return tex_inline(l, escaped); }

std::string latex(const table& t) {
  std::string columns, head, rows;
  for (const table::column& column : t.columns) {
    columns += column.numbers ? 'r' : 'l';
    head += (head.empty() ? "" : " & ") + latex(column.heading);
  }
  if (t.has_marks()) {
    columns += 'l';
    head += " &";
  }
  for (const table::row& row : t.rows) {
    std::string cells;
    for (const line& cell : row.cells) cells += (cells.empty() ? "" : " & ") + latex(cell);
    if (!row.left_out.empty())
      cells = fmt::format("\\multicolumn{{{}}}{{l}}{{\\dots{{}} {}}}", t.columns.size(),
                          escaped(row.left_out));
    if (row.mark != mark::none) cells += fmt::format(" & \\textbf{{{}}}", to_string(row.mark));
    rows += cells + " \\\\\n";
  }
  return fmt::format(
      "\\begin{{center}}\n{}\\\\[0.5ex]\n\\footnotesize\n\\begin{{tabular}}{{{}}}\n\\toprule\n"
      "{} \\\\\n\\midrule\n{}\\bottomrule\n\\end{{tabular}}\n\\end{{center}}\n",
      latex(t.caption), columns, head, rows);
}

std::string latex(const std::vector<block>& blocks) {
  std::string text;
  for (const block& b : blocks) {
    if (const line* l = std::get_if<line>(&b)) text += latex(*l) + "\n\n";
    if (const equations* e = std::get_if<equations>(&b))
      text += "\\begin{align*}\n" + tex_aligned(*e) + "\n\\end{align*}\n";
    if (const table* t = std::get_if<table>(&b)) text += latex(*t);
  }
  return text;
}

}  // namespace

std::string to_latex(const delta_report& report, const delta_format& format) {
  const delta_document d = document_of(report, format);
  // Three columns of many digits do not fit across an upright page.
  std::string text = fmt::format(
      "\\documentclass{{article}}\n"
      "\\usepackage[a4paper,{}margin=20mm]{{geometry}}\n"
      "\\usepackage{{amsmath}}\n"
      "\\usepackage{{booktabs}}\n"
      "\\allowdisplaybreaks\n"
      "\\setlength{{\\parindent}}{{0pt}}\n"
      "\\setlength{{\\parskip}}{{1ex}}\n"
      "\\begin{{document}}\n"
      "\\section*{{{}}}\n\\textbf{{{}}}\n\n",
      format.digits > 9 ? "landscape," : "", escaped(d.title), escaped(d.verdict));
  text += latex(d.opening);
  for (const part& p : d.parts) {
    text += fmt::format("\\subsection*{{{}{}}}\n", escaped(p.heading),
                        p.state.empty() ? "" : " (" + escaped(p.state) + ')');
    text += latex(p.blocks);
  }
  return text + "\\end{document}\n";
}

}  // namespace nn
