#include <autodiff/explore.hpp>

#include <autodiff/error.hpp>
#include <autodiff/explorer/explorer_files.hpp>
#include <autodiff/explorer/views.hpp>
#include <autodiff/part_file.hpp>
#include <map>
#include <string_view>

#include <fmt/format.h>

namespace autodiff {
namespace {

std::string replaced(std::string_view text, char wanted, std::string_view replacement) {
  std::string out;
  for (const char c : text) {
    if (c == wanted) {
      out += replacement;
    } else {
      out += c;
    }
  }
  return out;
}

/// Text between tags.
std::string html_text(std::string_view text) {
  return replaced(replaced(text, '&', "&amp;"), '<', "&lt;");
}

/// JSON inside a script element, which nothing in it can close: "<" only stands inside texts there.
std::string html_json(std::string_view json) { return replaced(json, '<', "\\u003c"); }

/// Puts the parts into the places {{name}}, in one pass: what a part holds is no place.
std::string filled(std::string_view page, const std::map<std::string_view, std::string>& parts) {
  std::string out;
  while (true) {
    const std::size_t open = page.find("{{");
    out += page.substr(0, open);
    if (open == std::string_view::npos) return out;
    const std::size_t close = page.find("}}", open);
    out += parts.at(page.substr(open + 2, close - open - 2));
    page.remove_prefix(close + 2);
  }
}

}  // namespace

void explore(const graph& g, const std::filesystem::path& file,
             std::chrono::milliseconds patience) {
  if (g.nodes.size() > most_explored_nodes) {
    throw domain_error(
        "explore",
        fmt::format("the graph has {} nodes, a page takes {}", g.nodes.size(), most_explored_nodes),
        "explore a smaller case, or tensors in place of their elements");
  }
  part_file page("explore", file);
  const std::string layout = layout_json("explore", g, views_of(g), patience);
  page.write(filled(explorer_html(), {{"title", html_text(g.title)},
                                      {"style", explorer_css()},
                                      {"script", explorer_js()},
                                      {"graph", html_json(to_json(g))},
                                      {"layout", html_json(layout)}}));
  page.keep();
}

}  // namespace autodiff
