// A delta report as one page of HTML: no other file, no script, no network. It is well-formed XML,
// symbols are MathML, and what differs says so in words.

#include <nn/delta/document.hpp>
#include <nn/delta/format.hpp>
#include <nn/delta/pieces.hpp>

#include <fmt/format.h>

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nn {
namespace {

constexpr std::string_view style = R"(
:root {
  color-scheme: light dark;
  --page: #ffffff; --raised: #f5f6f8; --text: #1b1d21; --quiet: #5a6069; --line: #d5d9df;
  --good: #17663a; --good-tint: #e6f4ea; --bad: #a81f1a; --bad-tint: #fdebe9; --focus: #1a5fd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14161a; --raised: #1d2026; --text: #e6e8ec; --quiet: #a2a9b4; --line: #363b44;
    --good: #84d6a0; --good-tint: #16291d; --bad: #ff9c94; --bad-tint: #391a19; --focus: #8ab4ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem clamp(0.75rem, 4vw, 2rem) 4rem; max-width: 62rem;
  background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: anywhere;
}
h1 { font-size: clamp(1.35rem, 5vw, 1.9rem); line-height: 1.2; margin: 0 0 1rem; }
p { margin: 0.6rem 0; }
.verdict {
  margin: 0 0 1.2rem; padding: 0.8rem 1rem; border-left: 0.35rem solid; border-radius: 0.3rem;
  font-weight: 600;
}
.agrees { color: var(--good); } .differs { color: var(--bad); }
.verdict.agrees { background: var(--good-tint); } .verdict.differs { background: var(--bad-tint); }
details { margin: 1rem 0; border: 1px solid var(--line); border-radius: 0.5rem; }
summary {
  padding: 0.7rem 1rem; cursor: pointer; font-weight: 600; background: var(--raised);
  border-radius: 0.5rem;
}
details[open] > summary { border-radius: 0.5rem 0.5rem 0 0; border-bottom: 1px solid var(--line); }
summary .state { float: right; }
summary:focus-visible, .scroll:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.inside { padding: 0.3rem clamp(0.75rem, 3vw, 1.2rem) 1rem; }
.equations { margin: 0.9rem 0; font-variant-numeric: tabular-nums; }
.equations div { padding: 0.22rem 0 0.22rem 2rem; text-indent: -2rem; }
.tag { margin-left: 1.5rem; color: var(--quiet); }
.equations .together { display: inline-block; text-indent: 0; white-space: nowrap; }
sup { line-height: 0; }
math { font-size: 1.08em; text-indent: 0; }
figure { margin: 1.2rem 0 0; }
figcaption { color: var(--quiet); margin-bottom: 0.35rem; }
.scroll {
  max-height: 75vh; overflow: auto; border: 1px solid var(--line); border-radius: 0.4rem;
  width: fit-content; max-width: 100%;
}
table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; }
th, td { padding: 0.28rem 0.75rem; text-align: right; white-space: nowrap; font-weight: 400; }
.words { text-align: left; }
thead th, thead td {
  position: sticky; top: 0; z-index: 2; background: var(--raised); font-weight: 600;
  border-bottom: 1px solid var(--line); vertical-align: bottom; white-space: normal;
  overflow-wrap: normal;
}
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody th { position: sticky; left: 0; z-index: 1; background: var(--page); color: var(--quiet); }
thead th:first-child { left: 0; z-index: 3; }
tr.differs > * { background: var(--bad-tint); color: var(--text); }
tr.differs > :first-child { font-weight: 700; box-shadow: inset 0.3rem 0 var(--bad); }
tr.differs .mark { color: var(--bad); font-weight: 700; }
.mark, .left-out { text-align: left; color: var(--quiet); }
@media (max-width: 30rem) {
  th, td { padding: 0.28rem 0.5rem; font-size: 0.9rem; }
  .equations .together { white-space: normal; }
  summary .state { float: none; display: block; }
}
@media print { .scroll { max-height: none; overflow: visible; } }
)";

std::string escaped(std::string_view words) {
  std::string text;
  for (const char c : words) {
    switch (c) {
      case '&': text += "&amp;"; break;
      case '<': text += "&lt;"; break;
      case '>': text += "&gt;"; break;
      case '"': text += "&quot;"; break;
      case '\'': text += "&#39;"; break;
      default: text += c;
    }
  }
  for (std::size_t at; (at = text.find("-&gt;")) != std::string::npos;)
    text.replace(at, 5, "\u2192");  // an arrow
  return text;
}

std::string html_number(std::string_view digits) {
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  const std::string sign = negative ? "\u2212" : "";
  if (digits == "nan") return "NaN";
  if (digits == "inf") return sign + "\u221E";
  const std::size_t e = digits.find('e');
  if (e == std::string_view::npos) return sign + std::string(digits);
  const int power = std::stoi(std::string(digits.substr(e + 1)));
  return fmt::format("{}{}\u00B710<sup>{}{}</sup>", sign, digits.substr(0, e),
                     power < 0 ? "\u2212" : "", power < 0 ? -power : power);
}

/// "1,3" or "k" in MathML.
std::string math_index(std::string_view index) {
  std::string text = "<mrow>";
  for (std::size_t i = 0; i < index.size();) {
    std::size_t end = i + 1;
    const bool digits = std::isdigit(static_cast<unsigned char>(index[i])) != 0;
    while (digits && end < index.size() && std::isdigit(static_cast<unsigned char>(index[end])))
      ++end;
    const char* tag = digits                                               ? "mn"
                      : std::isalpha(static_cast<unsigned char>(index[i])) ? "mi"
                                                                           : "mo";
    text += fmt::format("<{0}>{1}</{0}>", tag, index.substr(i, end - i));
    i = end;
  }
  return text + "</mrow>";
}

std::string math_symbol(const piece& p) {
  std::string base = "<mi>" + (p.text == "delta" ? "\u03B4" : p.text) + "</mi>";
  const std::string units = math_index(p.units), layer = math_index('(' + p.layer + ')');
  if (p.layer.empty() && p.units.empty()) return base;
  if (p.layer.empty()) return "<msub>" + base + units + "</msub>";
  if (p.units.empty()) return "<msup>" + base + layer + "</msup>";
  return "<msubsup>" + base + units + layer + "</msubsup>";
}

std::string html_sign(const std::string& sign) {
  if (sign == "=" || sign == "+") return ' ' + sign + ' ';
  return sign == "-" ? " \u2212 " : sign == "," ? ", " : sign == "..." ? "\u22EF" : sign;
}

std::string html(const piece& p) {
  switch (p.what) {
    case piece::kind::words: return escaped(p.text);
    case piece::kind::number: return html_number(p.text);
    case piece::kind::symbol: return "<math>" + math_symbol(p) + "</math>";
    case piece::kind::derivative:
      return "<math><mi>\u2202</mi><mi>E</mi><mo>/</mo><mi>\u2202</mi>" + math_symbol(p) +
             "</math>";
    case piece::kind::function:
      return escaped(p.text) + (p.units.empty() ? "" : "<sub>" + p.units + "</sub>");
    case piece::kind::slope: return escaped(p.text) + "\u2032";
    case piece::kind::sum:
      return "<math><msub><mo>\u2211</mo><mi>" + p.text + "</mi></msub></math> ";
    case piece::kind::sign: return html_sign(p.text);
    case piece::kind::tag: return "<span class=\"tag\">" + p.text + "</span>";
    case piece::kind::turn: break;
  }
  return "";
}

std::string html(const line& l) {
  std::string text;
  for (const piece& p : l) text += html(p);
  return text;
}

/// What stands between two turns stays on one line, but for words.
std::string html(const equations& e) {
  std::string text = "<div class=\"equations\">\n";
  for (const line& l : e.lines) {
    std::string chunk;
    const auto flush = [&] {
      if (!chunk.empty()) text += "<span class=\"together\">" + chunk + "</span>";
      chunk.clear();
    };
    text += "<div>";
    for (const piece& p : l) {
      const bool breaks = p.what == piece::kind::turn || p.what == piece::kind::words;
      if (breaks) flush();
      // Spaces at the ends of what stays together are lost.
      if (p.what == piece::kind::turn) text += ' ';
      (breaks ? text : chunk) += html(p);
    }
    flush();
    text += "</div>\n";
  }
  return text + "</div>\n";
}

std::string html(const table::row& row, const table& t) {
  if (!row.left_out.empty()) {
    return fmt::format("<tr><td class=\"left-out\" colspan=\"{}\">\u22EE {}</td></tr>\n",
                       t.columns.size() + 1, escaped(row.left_out));
  }
  const bool differs = row.mark != mark::none && row.mark != mark::largest;
  std::string text = differs ? "<tr class=\"differs\">" : "<tr>";
  for (std::size_t j = 0; j < row.cells.size(); ++j) {
    const char* tag = j == 0 ? "th scope=\"row\"" : "td";
    // The sign stands where narrow screens show it too.
    text +=
        fmt::format("<{}{}>{}{}</{}>", tag, t.columns[j].numbers ? "" : " class=\"words\"",
                    differs && j == 0 ? "\u2260 " : "", html(row.cells[j]), j == 0 ? "th" : "td");
  }
  if (t.has_marks()) text += fmt::format("<td class=\"mark\">{}</td>", to_string(row.mark));
  return text + "</tr>\n";
}

std::string html(const table& t) {
  std::string text = "<figure>\n<figcaption>" + html(t.caption) +
                     "</figcaption>\n<div class=\"scroll\" tabindex=\"0\">\n<table>\n<thead><tr>";
  for (const table::column& column : t.columns) {
    text += fmt::format("<th scope=\"col\"{}>{}</th>", column.numbers ? "" : " class=\"words\"",
                        html(column.heading));
  }
  text += t.has_marks() ? "<td></td>" : "";
  text += "</tr></thead>\n<tbody>\n";
  for (const table::row& row : t.rows) text += html(row, t);
  return text + "</tbody>\n</table>\n</div>\n</figure>\n";
}

std::string html(const std::vector<block>& blocks) {
  std::string text;
  for (const block& b : blocks) {
    if (const line* l = std::get_if<line>(&b)) text += "<p>" + html(*l) + "</p>\n";
    if (const equations* e = std::get_if<equations>(&b)) text += html(*e);
    if (const table* t = std::get_if<table>(&b)) text += html(*t);
  }
  return text;
}

std::string html(const part& p, bool open) {
  std::string state;
  if (!p.state.empty()) {
    state = fmt::format(" <span class=\"state {}\">{} {}</span>", p.agrees ? "agrees" : "differs",
                        p.agrees ? "\u2713" : "\u2260", escaped(p.state));
  }
  return fmt::format(
      "<details{}>\n<summary>{}{}</summary>\n<div class=\"inside\">\n{}</div>\n"
      "</details>\n",
      open ? " open=\"open\"" : "", escaped(p.heading), state, html(p.blocks));
}

}  // namespace

std::string to_html(const delta_report& report, const delta_format& format) {
  const delta_document d = document_of(report, format);
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'\"/>\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n"
      "<p class=\"verdict {2}\">{3} {4}</p>\n",
      escaped(d.title), style, d.agrees ? "agrees" : "differs", d.agrees ? "\u2713" : "\u2260",
      escaped(d.verdict));
  text += html(d.opening);
  for (const part& p : d.parts) text += html(p, p.is_short || !p.agrees);
  return text + "</body>\n</html>\n";
}

}  // namespace nn
