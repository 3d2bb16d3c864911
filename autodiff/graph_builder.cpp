#include <autodiff/graph_builder.hpp>

#include <autodiff/error.hpp>
#include <autodiff/leaf_solver.hpp>
#include <autodiff/rule_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

namespace autodiff {

using kind = graph_node::kind;

graph graph_builder::of_scalar(std::uint64_t place, double value) {
  start();
  needed_[place] = true;
  for (const numbered_entry& e : needed_entries()) add(e);
  return finish(node_of_place_[place], value);
}

void graph_builder::start() {
  const position end = tape_.end();
  needed_.assign(end.places, false);
  needed_operations_.assign(end.operations, false);
  node_of_place_.assign(end.places, none);
  node_of_operation_.assign(end.operations, none);
}

graph graph_builder::finish(std::size_t output, const quantity& value) {
  made_.output = output;
  if (!made_.nodes[output].value.is_known()) made_.nodes[output].value = value;
  for (std::size_t id = 0; id < made_.nodes.size(); ++id)
    made_.nodes[id].step = made_.nodes.size() - 1 - id;
  settle_groups();
  return std::move(made_);
}

/// What the output depends on, oldest first. Found newest first: a result comes before its
/// arguments.
std::vector<graph_builder::numbered_entry> graph_builder::needed_entries() {
  std::vector<numbered_entry> found;
  std::size_t operations = tape_.end().operations;
  walk_back(tape_.record(), tape_.end(), position{}, [&](const entry<double>& e) {
    if (e.object) --operations;
    const numbered_entry numbered{e, operations};
    if (!is_needed(numbered)) return;
    need_arguments(numbered);
    found.push_back(numbered);
  });
  std::ranges::reverse(found);
  return found;
}

bool graph_builder::is_needed(const numbered_entry& e) const {
  if (e.it.object && needed_operations_[e.operation]) return true;
  for (std::uint64_t i = 0; i < e.it.places; ++i) {
    if (needed_[e.it.place + i]) return true;
  }
  return false;
}

void graph_builder::need_arguments(const numbered_entry& e) {
  for (const std::uint32_t argument : e.it.arguments) needed_[argument] = true;
  if (e.it.carries) needed_[e.it.place - 1] = true;
  if (e.it.kind != entry<double>::kind::operation) return;
  const noted_operation* noted = notes_.operation_at(e.operation);
  if (!noted) {
    throw tape_error("graph_of", "a tensor operation was recorded while the tape was not explained",
                     "call tape.watch(watching::explained) before anything is computed");
  }
  for (const noted_operand& operand : noted->operands) {
    if (operand.place != noted_operand::nowhere) needed_[operand.place] = true;
    if (operand.operation != noted_operand::nowhere) needed_operations_[operand.operation] = true;
  }
}

/// Variables and constants stand in the group of those that use them, where that is one.
void graph_builder::settle_groups() {
  std::vector<const graph_node*> user(made_.nodes.size(), nullptr);
  std::vector<bool> is_shared(made_.nodes.size(), false);
  for (const graph_edge& e : made_.edges) {
    const graph_node& to = made_.nodes[e.to];
    is_shared[e.from] = is_shared[e.from] || (user[e.from] && user[e.from]->note != to.note);
    user[e.from] = &to;
  }
  for (std::size_t id = 0; id < made_.nodes.size(); ++id) {
    graph_node& node = made_.nodes[id];
    const bool is_given = node.what == kind::input || node.what == kind::constant;
    if (!is_given || !node.note.empty() || !user[id] || is_shared[id]) continue;
    node.note = user[id]->note;
    node.layer = user[id]->layer;
  }
}

void graph_builder::add(const numbered_entry& e) {
  using of = enum entry<double>::kind;
  if (e.it.kind == of::inputs) {
    for (std::uint64_t i = 0; i < e.it.places; ++i) {
      if (needed_[e.it.place + i]) add_input(e.it.place + i);
    }
  } else if (e.it.kind == of::statement) {
    if (const noted_statement* noted = notes_.statement_at(e.it.place))
      add_statement(e.it, *noted);
    else
      add_unknown(e.it, "statement");
  } else if (e.it.kind == of::leaf) {
    add_input_tensor(e.operation);
  } else if (e.it.places > 0) {
    add_elements(*notes_.operation_at(e.operation), e.it);
  } else {
    add_operation(*notes_.operation_at(e.operation));
  }
}

void graph_builder::add_input(std::uint64_t place) {
  graph_node node{.what = kind::input};
  node.name = node.label = fmt::format("x{}", ++inputs_);
  if (const noted_statement* noted = notes_.statement_at(place)) node.value = noted->value;
  add_at_place(std::move(node), place);
}

void graph_builder::add_unknown(const entry<double>& e, std::string name) {
  graph_node node{.what = kind::statement};
  node.label = name;
  node.name = std::move(name);
  if (const noted_statement* noted = notes_.statement_at(e.place)) node.value = noted->value;
  const std::size_t id = add_at_place(std::move(node), e.place);
  const double adjoint = adjoint_at(e.place);
  const auto add_edge = [&](std::uint64_t from, std::size_t slot, double partial) {
    made_.edges.push_back({node_of_place_[from], id, slot, partial, term_of(partial, adjoint)});
  };
  for (std::size_t i = 0; i < e.arguments.size(); ++i) add_edge(e.arguments[i], i, e.partials[i]);
  if (e.carries) add_edge(e.place - 1, e.arguments.size(), 1);
}

/// As the functions that it is made of, or as a whole where it has operands of unknown value.
void graph_builder::add_statement(const entry<double>& e, const noted_statement& s) {
  const std::vector<expression_part>& parts = parts_of(s.text);
  const std::vector<double> values = known_leaves(parts, s);
  if (std::ranges::any_of(values, [](double x) { return x != x; }) && s.value == s.value)
    return add_unknown(e, written_out(s.text));
  const std::uint64_t* leaf = notes_.leaves_of(s);
  const double *value = values.data(), *constant = notes_.constants_of(s);
  const std::size_t first_node = made_.nodes.size(), first_edge = made_.edges.size();
  std::vector<piece> pieces;
  for (const expression_part& part : parts) {
    const bool is_whole = &part == &parts.back();
    if (part.what == expression_part::kind::function) {
      const auto operands = std::span(pieces).last(part.operands);
      const piece result = add_function(part, operands, is_whole ? &s : nullptr);
      pieces.resize(pieces.size() - part.operands);
      pieces.push_back(result);
    } else if (part.what == expression_part::kind::leaf) {
      pieces.push_back(leaf_piece(*leaf++, *value++));
      if (is_whole) add_copy(pieces.back(), s);
    } else {
      pieces.push_back(leaf_piece(tape_notes::passive, *constant++));
    }
  }
  sweep_statement(first_node, first_edge);
}

/// The values of the leaves of a statement, NaN where they cannot be told: those of variables stand
/// in the notes; that of a passive one follows from the value of the statement, if it is the only
/// one.
std::vector<double> graph_builder::known_leaves(const std::vector<expression_part>& parts,
                                                const noted_statement& s) const {
  std::vector<double> values;
  const std::uint64_t* leaf = notes_.leaves_of(s);
  std::size_t unknown = none, unknown_count = 0;
  for (const expression_part& part : parts) {
    if (part.what != expression_part::kind::leaf) continue;
    const noted_statement* noted =
        *leaf == tape_notes::passive ? nullptr : notes_.statement_at(*leaf);
    const graph_node* node =
        *leaf == tape_notes::passive ? nullptr : &made_.nodes[node_of_place_[*leaf]];
    ++leaf;
    if (noted || (node && node->value.is_known())) {
      values.push_back(noted ? noted->value : node->value.numbers.front());
    } else {
      unknown = values.size();
      ++unknown_count;
      values.push_back(std::numeric_limits<double>::quiet_NaN());
    }
  }
  if (unknown_count == 1)
    values[unknown] = solve_for_leaf(parts, unknown, values, notes_.constants_of(s), s.value);
  return values;
}

graph_builder::piece graph_builder::leaf_piece(std::uint64_t place, double number) {
  if (place == tape_notes::passive) return add_constant(number, fmt::format("{:.6g}", number));
  const std::size_t id = node_of_place_[place];
  quantity& value = made_.nodes[id].value;
  if (!value.is_known()) value = number;  // an input tells its value where it is used
  return {id, number, true};
}

graph_builder::piece graph_builder::add_constant(quantity value, std::string label) {
  graph_node node{.what = kind::constant, .name = "constant", .label = std::move(label)};
  node.value = std::move(value);
  node.adjoint = 0.0;
  const double number = node.value.numbers.empty() ? 0 : node.value.numbers.front();
  return {add_node(std::move(node)), number, false};
}

/// A statement that is nothing but a variable.
void graph_builder::add_copy(const piece& original, const noted_statement& s) {
  graph_node node{.what = kind::function, .name = "copy", .label = "copy"};
  node.rule = "y = x";
  node.slope = "dy/dx = 1";
  node.value = s.value;
  made_.edges.push_back({original.node, add_at_place(std::move(node), s.place), 0, 1.0, {}});
}

/// `whole`: the statement whose result it is, which has a place.
graph_builder::piece graph_builder::add_function(const expression_part& part,
                                                 std::span<const piece> operands,
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
  // The program may have rounded a product and a sum at once.
  node.value = whole ? whole->value : y;
  node.adjoint = 0.0;
  if (is_kink(rule, numbers.data(), active, tie)) node.kink = rule.kinks;
  const std::size_t id =
      whole ? add_at_place(std::move(node), whole->place) : add_node(std::move(node));
  for (std::size_t k = 0; k < operands.size(); ++k) {
    graph_edge edge{operands[k].node, id, k, std::nullopt, 0.0};
    if (active[k]) edge.partial = rule.slope(numbers.data(), y, k, tie);
    made_.edges.push_back(std::move(edge));
  }
  return {id, y, active_count > 0};
}

/// Passes the adjoint of a statement down to its leaves.
void graph_builder::sweep_statement(std::size_t first_node, std::size_t first_edge) {
  for (std::size_t i = made_.edges.size(); i-- > first_edge;) {
    graph_edge& edge = made_.edges[i];
    if (!edge.partial) continue;
    const double term = term_of(*edge.partial, made_.nodes[edge.to].adjoint.numbers[0]);
    edge.term = term;
    if (edge.from >= first_node) made_.nodes[edge.from].adjoint.numbers[0] += term;
  }
  const graph_node& whole = made_.nodes.back();
  for (std::size_t id = first_node; id + 1 < made_.nodes.size(); ++id) {
    made_.nodes[id].note = whole.note;
    made_.nodes[id].layer = whole.layer;
  }
}

std::size_t graph_builder::add_at_place(graph_node node, std::uint64_t place) {
  node.adjoint = adjoint_at(place);
  node.place = place;
  put_into_group(node, [&](const noted_group& g) {
    return g.from.places <= place && (g.is_open || place < g.to.places);
  });
  const auto name = notes_.names_of_scalars.find(place);
  if (name != notes_.names_of_scalars.end()) give_name(node, name->second);
  return node_of_place_[place] = add_node(std::move(node));
}

std::size_t graph_builder::add_node(graph_node node) {
  made_.nodes.push_back(std::move(node));
  return made_.nodes.size() - 1;
}

void graph_builder::give_name(graph_node& node, const std::string& name) {
  node.label = name;
  node.is_named = true;
  if (node.what == kind::input) node.name = name;
}

double graph_builder::adjoint_at(std::uint64_t place) const {
  return tape_.swept_adjoint(tape_.tag_at(place), "graph_of");
}

const std::vector<expression_part>& graph_builder::parts_of(const char* text) {
  auto& parts = parts_[text];
  if (parts.empty()) parts = read_expression(text);
  return parts;
}

graph graph_of(tape& t, const var& y, std::string title) {
  t.backward(y);
  return graph_builder(t, std::move(title)).of_scalar(t.place(y.tag(), "graph_of"), y.value());
}

}  // namespace autodiff
