#include <autodiff/explain.hpp>
#include <autodiff/expression_text.hpp>
#include <autodiff/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>
#include <string_view>

namespace autodiff {
namespace {

using kind = graph_node::kind;

constexpr std::size_t most_terms = 16;

std::string written(double x) { return std::isnan(x) ? "nan" : fmt::format("{:.6g}", x); }

/// A number, or the norm of a tensor between bars.
std::string written(const quantity& q) {
  if (!q.is_known()) return "?";
  if (!q.is_tensor() || q.extents->empty()) return written(q.numbers.front());
  double norm = 0;
  for (const double x : q.numbers) norm = std::hypot(norm, x);
  return fmt::format("|{}|", written(norm));
}

/// A number, or the shape of a tensor with its first values.
std::string written_out(const quantity& q) {
  if (!q.is_tensor() || q.extents->empty()) return written(q);
  constexpr std::size_t shown = 4;
  std::string text = fmt::format("[{}]: ", fmt::join(*q.extents, ", "));
  for (std::size_t i = 0; i < q.numbers.size() && i < shown; ++i)
    text += (i > 0 ? ", " : "") + written(q.numbers[i]);
  return text + (q.numbers.size() > shown ? ", ..." : "");
}

std::string cut(std::string text, std::size_t width) {
  if (text.size() > width) text = text.substr(0, width - 3) + "...";
  return text;
}

class writer {
 public:
  explicit writer(const explanation& e) : e_(e), graph_(e.picture), operands_(graph_.nodes.size()) {
    for (const graph_edge& edge : graph_.edges) operands_[edge.to].push_back(edge.from);
  }

  std::string all() {
    for (const gradient_ledger& x : e_.inputs) write(x);
    write_rules();
    write_kinks();
    write_worst();
    return std::move(out_);
  }

 private:
  void write(const gradient_ledger& x) {
    const std::string& y = graph_.title;
    if (!x.is_reached()) {
      out_ += fmt::format("{} does not depend on the variable with the value {}: gradient 0\n\n", y,
                          written_out(x.value));
      return;
    }
    const std::string name = short_name(x.node);
    out_ += cut(fmt::format("d{}/d{} = {}", y, name, written_out(x.gradient)), 80) + "\n";
    out_ += cut(fmt::format("  at {} = {}, where {} = {}", name, written_out(x.value), y,
                            written_out(graph_.nodes[graph_.output].value)),
                80) +
            "\n";
    write_terms(x);
    write_paths(x);
    out_ += "\n";
  }

  void write_terms(const gradient_ledger& x) {
    out_ += row("used in", "partial", "adjoint", "product");
    std::vector<std::size_t> terms = x.terms;
    const auto size = [&](std::size_t edge) {
      double most = 0;
      for (const double term : graph_.edges[edge].term.numbers)
        most = std::max(most, std::abs(term));
      return most;
    };
    if (terms.size() > most_terms)
      std::ranges::stable_sort(terms, [&](auto a, auto b) { return size(a) > size(b); });
    for (std::size_t i = 0; i < terms.size() && i < most_terms; ++i) {
      const graph_edge& e = graph_.edges[terms[i]];
      out_ += row(fmt::format("#{}: {}", e.to, formula(e.to)),
                  e.partial ? written(*e.partial) : "pullback", written(graph_.nodes[e.to].adjoint),
                  written(e.term));
    }
    if (terms.size() > most_terms)
      out_ += fmt::format("  and {} smaller ones\n", terms.size() - most_terms);
    out_ += row(fmt::format("sum of {}", x.terms.size()), "", "", written(x.gradient));
    if (x.digits_lost >= 1) out_ += "  " + lost(x.digits_lost) + " to cancellation in this sum\n";
  }

  void write_paths(const gradient_ledger& x) {
    if (x.paths.empty()) return;
    out_ +=
        x.path_count > static_cast<double>(x.paths.size())
            ? fmt::format("  the largest {} of {:.6g} paths, each the product of its partials\n",
                          x.paths.size(), x.path_count)
            : "  paths, each the product of its partials\n";
    for (const gradient_path& path : x.paths)
      out_ += fmt::format("  {:>13}  {}\n", written(path.product), way(path.nodes, 63));
  }

  /// Of the operations that were named so far and are no row of ops.def, each once.
  void write_rules() {
    std::set<std::size_t> named;
    for (const gradient_ledger& x : e_.inputs) {
      for (const std::size_t term : x.terms) named.insert(graph_.edges[term].to);
      for (const gradient_path& path : x.paths) named.insert(path.nodes.begin(), path.nodes.end());
    }
    std::set<std::string_view> told;
    for (const std::size_t id : named) {
      const graph_node& n = graph_.nodes[id];
      if (n.pullback.empty() || !told.insert(n.pullback).second) continue;
      if (told.size() == 1) out_ += "what these operations pass on, ȳ being the adjoint of y\n";
      out_ += fmt::format("  {}: {}\n    {}\n", n.name, n.rule, n.pullback);
    }
    if (!told.empty()) out_ += "\n";
  }

  void write_kinks() {
    if (e_.kinks.empty()) return;
    out_ += "kinks on the way, and what was taken for the derivative\n";
    for (const std::size_t id : e_.kinks) {
      out_ += cut(fmt::format("  #{}: {}", id, formula(id)), 80) + "\n";
      out_ += cut("    " + *graph_.nodes[id].kink, 80) + "\n";
    }
    out_ += "\n";
  }

  void write_worst() {
    if (e_.worst_digits_lost < 1) return;
    out_ += cut(fmt::format("{} to cancellation at #{}: {}", lost(e_.worst_digits_lost),
                            e_.worst_node, formula(e_.worst_node)),
                80) +
            "\n";
  }

  static std::string lost(double digits) {
    return std::isinf(digits) ? "all digits lost" : fmt::format("{:.1f} digits lost", digits);
  }
  static std::string row(std::string_view used, std::string_view partial, std::string_view adjoint,
                         std::string_view product) {
    return fmt::format("  {:<35} {:>13} {:>13} {:>13}\n", cut(std::string(used), 35), partial,
                       adjoint, product);
  }

  /// "#7 * <- #5 exp <- x1", of a long one as much as fits from both ends.
  std::string way(const std::vector<std::size_t>& nodes, std::size_t width) const {
    std::string text = way_by(nodes, std::min(nodes.size(), width));
    for (std::size_t shown = std::min(nodes.size(), width / 5); text.size() > width && shown > 2;)
      text = way_by(nodes, --shown);
    return cut(std::move(text), width);
  }
  std::string way_by(const std::vector<std::size_t>& nodes, std::size_t shown) const {
    const std::size_t left_out = nodes.size() - shown, first = (shown + 1) / 2;
    std::string text;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (i > 0) text += " <- ";
      if (left_out > 0 && i == first) {
        text += fmt::format("{} more <- ", left_out);
        i += left_out;
      }
      const graph_node& n = graph_.nodes[nodes[i]];
      text += is_variable(n) ? n.label : fmt::format("#{} {}", nodes[i], n.label);
    }
    return text;
  }

  /// As an operand of another one.
  std::string short_name(std::size_t id) const {
    const graph_node& n = graph_.nodes[id];
    return is_variable(n) || n.what == kind::constant ? n.label : fmt::format("#{}", id);
  }
  static bool is_variable(const graph_node& n) { return n.what == kind::input || n.is_named; }
  std::string formula(std::size_t id) const {
    const graph_node& n = graph_.nodes[id];
    return (n.is_named && n.what != kind::input ? n.label + " = " : "") + computation(id);
  }
  std::string computation(std::size_t id) const {
    const graph_node& n = graph_.nodes[id];
    std::vector<std::string> names;
    for (const std::size_t operand : operands_[id]) names.push_back(short_name(operand));
    if (names.empty()) return n.label;
    if (n.what == kind::statement) return n.name;
    constexpr std::string_view before_index = "y = x";  // then "[2, 0]"
    if (n.what == kind::element_bridge) return names.front() + n.rule.substr(before_index.size());
    const std::string_view symbol = operator_symbol(n.name);
    if (symbol.empty()) return fmt::format("{}({})", n.name, fmt::join(names, ", "));
    if (n.name == "negate") return fmt::format("-{}", names.front());
    return fmt::format("{}", fmt::join(names, fmt::format(" {} ", symbol)));
  }

  const explanation& e_;
  const graph& graph_;
  std::vector<std::vector<std::size_t>> operands_;
  std::string out_;
};

std::string json(const gradient_path& path) {
  return fmt::format(R"({{"product": {}, "nodes": [{}]}})", json_text(path.product),
                     fmt::join(path.nodes, ", "));
}

std::string json(const gradient_ledger& x) {
  return fmt::format(
      R"({{"node": {}, "value": {}, "gradient": {}, "digits_lost": {}, "path_count": {}, )"
      R"("terms": [{}], "paths": {}}})",
      x.is_reached() ? fmt::format("{}", x.node) : "null", to_json(x.value), to_json(x.gradient),
      json_text(x.digits_lost), json_text(x.path_count), fmt::join(x.terms, ", "),
      json_list(x.paths, [](const gradient_path& path) { return json(path); }));
}

}  // namespace

std::string to_string(const explanation& e) { return writer(e).all(); }

std::ostream& operator<<(std::ostream& out, const explanation& e) { return out << to_string(e); }

std::string to_json(const explanation& e) {
  const bool has_worst = e.worst_node != gradient_ledger::nowhere;
  return fmt::format(
      "{{\"graph\": {},\n\"inputs\": {},\n\"kinks\": [{}],\n\"worst\": {{\"node\": {}, "
      "\"digits_lost\": {}}}}}\n",
      to_json(e.picture), json_list(e.inputs, [](const gradient_ledger& x) { return json(x); }),
      fmt::join(e.kinks, ", "), has_worst ? fmt::format("{}", e.worst_node) : "null",
      json_text(e.worst_digits_lost));
}

}  // namespace autodiff
