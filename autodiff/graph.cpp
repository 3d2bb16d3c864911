#include <autodiff/graph.hpp>

#include <autodiff/expression_text.hpp>
#include <autodiff/notebook.hpp>
#include <autodiff/rule_table.hpp>
#include <autodiff/walk.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>
#include <utility>

namespace autodiff {
namespace {

using kind = graph_node::kind;
constexpr std::size_t none = ~std::size_t{0};

/// What the adjoint of a result passes on: nothing where nothing depends on the result, whatever
/// the partial is.
double term_of(double partial, double adjoint) { return adjoint == 0 ? 0 : partial * adjoint; }

class builder {
 public:
  builder(tape& t, std::string title) : tape_(t), notes_(t.notes()) {
    made_.title = std::move(title);
  }

  graph of_scalar(const var& y) {
    tape_.backward(y);
    const std::uint64_t place = tape_.place(y.tag(), "graph");
    needed_.assign(tape_.end().places, false);
    needed_[place] = true;
    node_of_place_.assign(needed_.size(), none);
    const std::vector<entry<double>> entries = needed_entries();
    std::for_each(entries.rbegin(), entries.rend(), [&](const auto& e) { add(e); });
    made_.output = node_of_place_[place];
    if (!output().value.is_known()) output().value = y.value();
    for (std::size_t id = 0; id < made_.nodes.size(); ++id)
      made_.nodes[id].step = made_.nodes.size() - 1 - id;
    return std::move(made_);
  }

 private:
  graph_node& output() { return made_.nodes[made_.output]; }

  /// What the output depends on, newest first: a result comes before its arguments.
  std::vector<entry<double>> needed_entries() {
    std::vector<entry<double>> found;
    walk_back(tape_.record(), tape_.end(), position{}, [&](const entry<double>& e) {
      if (!is_needed(e)) return;
      found.push_back(e);
      for (const std::uint32_t argument : e.arguments) needed_[argument] = true;
      if (e.carries) needed_[e.place - 1] = true;
    });
    return found;
  }
  bool is_needed(const entry<double>& e) const {
    for (std::uint64_t i = 0; i < e.places; ++i) {
      if (needed_[e.place + i]) return true;
    }
    return false;
  }

  void add(const entry<double>& e) {
    if (e.kind == entry<double>::kind::inputs) {
      for (std::uint64_t i = 0; i < e.places; ++i) {
        if (needed_[e.place + i]) add_input(e.place + i);
      }
    } else if (e.kind == entry<double>::kind::statement) {
      if (const noted_statement* noted = notes_.statement_at(e.place))
        add_noted(*noted);
      else
        add_unknown(e);
    }
  }

  void add_input(std::uint64_t place) {
    graph_node node{.what = kind::input};
    node.name = node.label = fmt::format("x{}", ++inputs_);
    add_at_place(std::move(node), place);
  }

  void add_unknown(const entry<double>& e) {
    graph_node node{.what = kind::statement, .name = "statement", .label = "statement"};
    const std::size_t id = add_at_place(std::move(node), e.place);
    const double adjoint = adjoint_at(e.place);
    for (std::size_t i = 0; i < e.arguments.size(); ++i)
      add_edge(node_of_place_[e.arguments[i]], id, i, e.partials[i], adjoint);
    if (e.carries) add_edge(node_of_place_[e.place - 1], id, e.arguments.size(), 1, adjoint);
  }

  /// A part of a statement while it is put together.
  struct piece {
    std::size_t node;
    double value;
    bool is_active;
  };

  /// A statement as the functions that it is made of.
  void add_noted(const noted_statement& s) {
    const std::vector<expression_part>& parts = parts_of(s.text);
    const std::uint64_t* leaf = notes_.leaves_of(s);
    const double* number = notes_.numbers_of(s);
    const std::size_t first_node = made_.nodes.size(), first_edge = made_.edges.size();
    std::vector<piece> pieces;
    for (const expression_part& part : parts) {
      const bool is_whole = &part == &parts.back();
      if (part.what == expression_part::kind::constant) {
        pieces.push_back(add_constant(*number++));
      } else if (part.what == expression_part::kind::leaf) {
        pieces.push_back(leaf_piece(*leaf++, *number++));
        if (is_whole) copy(pieces.back(), s);
      } else {
        const auto operands = std::span(pieces).last(part.operands);
        const piece result = add_function(part, operands, is_whole ? &s : nullptr);
        pieces.resize(pieces.size() - part.operands);
        pieces.push_back(result);
      }
    }
    sweep_statement(first_node, first_edge);
  }

  piece leaf_piece(std::uint64_t place, double number) {
    if (place == notebook::passive) return add_constant(number);
    const std::size_t id = node_of_place_[place];
    quantity& value = made_.nodes[id].value;
    if (!value.is_known()) value = number;  // an input tells its value where it is used
    return {id, number, true};
  }
  piece add_constant(double number) {
    graph_node node{
        .what = kind::constant, .name = "constant", .label = fmt::format("{:.6g}", number)};
    node.value = number;
    node.adjoint = 0.0;
    made_.nodes.push_back(std::move(node));
    return {made_.nodes.size() - 1, number, false};
  }
  /// A statement that is nothing but a variable.
  void copy(const piece& original, const noted_statement& s) {
    graph_node node{.what = kind::function, .name = "copy", .label = "copy"};
    node.rule = "y = x";
    node.slope = "dy/dx = 1";
    node.value = s.value;
    made_.edges.push_back({original.node, add_at_place(std::move(node), s.place), 0, 1.0, {}});
  }

  /// `whole`: the statement whose result it is, which has a place.
  piece add_function(const expression_part& part, std::span<const piece> operands,
                     const noted_statement* whole) {
    const rule_entry& rule = *find_rule(part.name, part.operands);
    std::array<double, 3> numbers{};
    std::array<bool, 3> active{};
    for (std::size_t k = 0; k < operands.size(); ++k) {
      numbers[k] = operands[k].value;
      active[k] = operands[k].is_active;
    }
    const auto active_count = static_cast<std::size_t>(std::ranges::count(active, true));
    const double tie = active_count == operands.size() ? 0.5 : 0.0;
    const double y = rule.value(numbers.data());
    graph_node node{.what = kind::function, .name = std::string(rule.name)};
    const std::string_view symbol = operator_symbol(rule.name);
    node.label = symbol.empty() ? rule.name : symbol;
    node.rule = rule.rule();
    node.slope = rule.slopes();
    // The engine may have fused a product and a sum.
    node.value = whole ? whole->value : y;
    if (is_kink(rule, numbers.data(), active, tie)) node.kink = rule.kinks;
    std::size_t id = made_.nodes.size();
    if (whole) {
      add_at_place(std::move(node), whole->place);
    } else {
      node.adjoint = 0.0;
      made_.nodes.push_back(std::move(node));
    }
    for (std::size_t k = 0; k < operands.size(); ++k) {
      graph_edge edge{operands[k].node, id, k, std::nullopt, 0.0};
      if (operands[k].is_active) edge.partial = rule.slope(numbers.data(), y, k, tie);
      made_.edges.push_back(std::move(edge));
    }
    return {id, y, active_count > 0};
  }

  /// Passes the adjoint of a statement down to its leaves.
  void sweep_statement(std::size_t first_node, std::size_t first_edge) {
    for (std::size_t i = made_.edges.size(); i-- > first_edge;) {
      graph_edge& edge = made_.edges[i];
      if (!edge.partial) continue;
      const double term = term_of(*edge.partial, made_.nodes[edge.to].adjoint.numbers[0]);
      edge.term = term;
      if (edge.from >= first_node) made_.nodes[edge.from].adjoint.numbers[0] += term;
    }
    for (std::size_t id = first_node; id < made_.nodes.size(); ++id)
      made_.nodes[id].note = made_.nodes.back().note,
      made_.nodes[id].layer = made_.nodes.back().layer;
  }

  std::size_t add_at_place(graph_node node, std::uint64_t place) {
    node.adjoint = adjoint_at(place);
    node.place = place;
    put_into_group(node, [&](const noted_group& g) {
      return g.from.places <= place && (g.is_open || place < g.to.places);
    });
    node_of_place_[place] = made_.nodes.size();
    made_.nodes.push_back(std::move(node));
    return node_of_place_[place];
  }
  void add_edge(std::size_t from, std::size_t to, std::size_t slot, double partial,
                double adjoint) {
    made_.edges.push_back({from, to, slot, partial, term_of(partial, adjoint)});
  }

  /// The innermost one is the youngest.
  template <class Holds>
  void put_into_group(graph_node& node, const Holds& holds) const {
    const auto groups = notes_.groups();
    const auto innermost = std::find_if(groups.rbegin(), groups.rend(), holds);
    if (innermost != groups.rend()) node.note = innermost->name;
    const auto layer = std::find_if(groups.rbegin(), groups.rend(),
                                    [&](const noted_group& g) { return g.is_layer && holds(g); });
    if (layer != groups.rend()) node.layer = layer->name;
  }

  double adjoint_at(std::uint64_t place) const {
    return tape_.swept_adjoint(tape_.tag_at(place), "graph");
  }
  const std::vector<expression_part>& parts_of(const char* text) {
    auto& parts = parts_[text];
    if (parts.empty()) parts = read_expression(text);
    return parts;
  }

  tape& tape_;
  const notebook& notes_;
  graph made_;
  std::vector<bool> needed_;
  std::vector<std::size_t> node_of_place_;
  std::map<const char*, std::vector<expression_part>> parts_;
  std::size_t inputs_ = 0;
};

}  // namespace

graph graph_of(tape& t, const var& y, std::string title) {
  return builder(t, std::move(title)).of_scalar(y);
}

}  // namespace autodiff
