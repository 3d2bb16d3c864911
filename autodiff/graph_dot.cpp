#include <autodiff/explain.hpp>

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <string_view>
#include <utility>

namespace autodiff {
namespace {

using kind = graph_node::kind;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string written(const quantity& q) {
  if (!q.is_known()) return "?";
  if (!q.is_tensor()) return fmt::format("{:.4g}", q.numbers.front());
  double norm = 0;
  for (const double x : q.numbers) norm = std::hypot(norm, x);
  return fmt::format("[{}] |{:.4g}|", fmt::join(*q.extents, ", "), norm);
}

std::string_view outline_of(const graph_node& n) {
  if (n.what == kind::input) return "box";
  if (n.what == kind::constant) return "plaintext";
  return n.kink ? "octagon" : "ellipse";
}

/// A constant is its value; what else has a name is shown with what computed it.
std::string label_of(const graph_node& n, std::size_t id) {
  if (n.what == kind::constant) return escaped(n.label);
  std::string label = fmt::format("#{} {}", id, escaped(n.label));
  if (n.is_named && n.what != kind::input) label += " = " + escaped(n.name);
  return label + fmt::format("\\nvalue {}\\nadjoint {}", written(n.value), written(n.adjoint));
}

/// The local rule, for pictures over which one can hover.
std::string tooltip(const graph_node& n) {
  if (n.rule.empty()) return "";
  const std::string& back = n.pullback.empty() ? n.slope : n.pullback;
  return fmt::format(", tooltip=\"{}\\n{}\"", escaped(n.rule), escaped(back));
}

using way = std::pair<std::size_t, std::size_t>;  // from, to

std::string written(const graph& g, const std::set<way>& bold) {
  std::string out = fmt::format(
      "digraph \"{}\" {{\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n"
      "  edge [fontname=\"sans-serif\", fontsize=10];\n",
      escaped(g.title));
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    const graph_node& n = g.nodes[id];
    std::string label = label_of(n, id);
    if (n.kink) label += "\\nkink: " + escaped(*n.kink);
    out += fmt::format("  n{} [shape={}, label=\"{}\"{}];\n", id, outline_of(n), label, tooltip(n));
  }
  for (const graph_edge& e : g.edges) {
    const bool is_bold = bold.contains({e.from, e.to});
    if (g.nodes[e.from].what == kind::constant)
      out += fmt::format("  n{} -> n{} [style=dashed];\n", e.from, e.to);
    else
      out += fmt::format("  n{} -> n{} [label=\"{}\"{}];\n", e.from, e.to, written(e.term),
                         is_bold ? ", style=bold" : "");
  }
  return out + "}\n";
}

}  // namespace

std::string to_dot(const graph& g) { return written(g, {}); }

std::string to_dot(const explanation& e) {
  std::set<way> bold;
  for (const gradient_ledger& x : e.inputs) {
    if (x.paths.empty()) continue;
    const std::vector<std::size_t>& nodes = x.paths.front().nodes;
    for (std::size_t i = 0; i + 1 < nodes.size(); ++i) bold.insert({nodes[i + 1], nodes[i]});
  }
  return written(e.picture, bold);
}

}  // namespace autodiff
