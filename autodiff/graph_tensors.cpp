#include <autodiff/graph_builder.hpp>

#include <autodiff/rule_table.hpp>
#include <autodiff/tensor/noted.hpp>
#include <autodiff/tensor/shares.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

namespace autodiff {

using kind = graph_node::kind;

namespace {

quantity quantity_of(const noted_values& values) {
  quantity q;
  q.numbers = values.numbers();
  q.extents = values.extents();
  return q;
}
quantity quantity_of(tensor_numbers all) {
  quantity q;
  q.numbers = std::move(all.numbers);
  q.extents = std::move(all.extents);
  return q;
}

std::string written(const std::vector<std::size_t>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}

/// The indices, axis by axis, of a row-major element.
std::vector<std::size_t> indices_of(std::size_t element, const std::vector<std::size_t>& extents) {
  std::vector<std::size_t> indices(extents.size());
  for (std::size_t axis = extents.size(); axis-- > 0; element /= extents[axis])
    indices[axis] = element % extents[axis];
  return indices;
}

/// Which element of an operand that was broadcast stands at these indices of the result.
std::size_t element_at(const std::vector<std::size_t>& indices,
                       const std::vector<std::size_t>& extents) {
  std::size_t element = 0;
  const std::size_t missing = indices.size() - extents.size();
  for (std::size_t axis = 0; axis < extents.size(); ++axis)
    element = element * extents[axis] + (extents[axis] == 1 ? 0 : indices[missing + axis]);
  return element;
}

/// "0 at 0: 3 of 12 elements, the first at [0, 2]"; nothing where no element is at a kink.
std::optional<std::string> written(const noted_kinks& kinks, const noted_values& result) {
  if (kinks.count == 0) return std::nullopt;
  const std::vector<std::size_t> extents = result.extents();
  if (extents.empty()) return std::string(kinks.convention);
  return fmt::format("{}: {} of {} elements, the first at {}", kinks.convention, kinks.count,
                     result.numbers().size(), written(indices_of(kinks.first, extents)));
}

/// Of a row, element by element.
noted_kinks kinks_among(const rule_entry& rule, const noted_operation& noted) {
  noted_kinks found{rule.kinks};
  if (rule.kinks.empty()) return found;
  std::array<quantity, 3> operands;
  std::array<bool, 3> active{};
  for (std::size_t k = 0; k < rule.operands; ++k) {
    const noted_operand& operand = noted.operands[k];
    operands[k] =
        operand.values ? quantity_of(*operand.values) : quantity(operand.number.value_or(0));
    if (!operands[k].extents) operands[k].extents.emplace();
    active[k] = !operand.is_constant();
  }
  const std::vector<std::size_t> whole = noted.values->extents();
  const std::size_t size = noted.values->numbers().size();
  const double tie =
      static_cast<std::size_t>(std::ranges::count(active, true)) == rule.operands ? 0.5 : 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::vector<std::size_t> indices = indices_of(i, whole);
    std::array<double, 3> at{};
    for (std::size_t k = 0; k < rule.operands; ++k)
      at[k] = operands[k].numbers[element_at(indices, *operands[k].extents)];
    if (is_kink(rule, at.data(), active, tie)) found.add(i);
  }
  return found;
}

/// The row of ops.def that an operation is, element by element.
const rule_entry* row_of(const noted_operation& noted) {
  const bool is_complete = std::ranges::all_of(
      noted.operands, [](const noted_operand& x) { return x.values || x.number; });
  return is_complete && noted.values ? find_rule(noted.rule.name, noted.operands.size()) : nullptr;
}

}  // namespace

graph graph_builder::of_tensor(std::size_t operation, const noted_values& value) {
  start();
  needed_operations_[operation] = true;
  for (const numbered_entry& e : needed_entries()) add(e);
  return finish(node_of_operation_[operation], quantity_of(value));
}

void graph_builder::add_input_tensor(std::size_t operation) {
  graph_node node{.what = kind::input};
  node.name = node.label = fmt::format("x{}", ++inputs_);
  add_at_operation(std::move(node), operation);
}

void graph_builder::add_elements(const noted_operation& noted, const entry<double>& e) {
  const std::size_t from = operand_node(noted.operands.front());
  for (std::uint64_t i = 0; i < e.places; ++i) {
    if (!needed_[e.place + i]) continue;
    const std::size_t element = noted.first_element + i;
    graph_node node{.what = kind::element_bridge, .name = "element"};
    node.label = written(indices_of(element, noted.values->extents()));
    node.rule = "y = x" + node.label;
    node.slope = "dy/dx" + node.label + " = 1";
    node.value = made_.nodes[from].value.numbers[element];
    const std::size_t id = add_at_place(std::move(node), e.place + i);
    made_.edges.push_back({from, id, element, 1.0, adjoint_at(e.place + i)});
  }
}

void graph_builder::add_operation(const noted_operation& noted) {
  std::vector<std::size_t> operand_ids;
  for (const noted_operand& operand : noted.operands) operand_ids.push_back(operand_node(operand));
  graph_node node{.what = kind::tensor_operation};
  node.name = node.label = noted.rule.name;
  if (noted.values) node.value = quantity_of(*noted.values);
  describe(node, noted);
  const std::size_t id = add_at_operation(std::move(node), noted.operation);
  add_shares(noted, id, operand_ids);
}

void graph_builder::describe(graph_node& node, const noted_operation& noted) const {
  const rule_entry* rule = row_of(noted);
  if (noted.values)
    node.kink = written(rule ? kinks_among(*rule, noted) : noted.kinks, *noted.values);
  if (!rule) {
    node.rule = noted.rule.value;
    node.pullback = noted.rule.pullback;
    return;
  }
  const std::string_view symbol = operator_symbol(rule->name);
  if (!symbol.empty()) node.label = symbol;
  node.rule = rule->rule();
  node.slope = rule->slopes();
}

/// The node of an operand, made here where it is a constant; none for one without elements.
std::size_t graph_builder::operand_node(const noted_operand& operand) {
  if (operand.is_constant()) {
    if (operand.values) {
      quantity values = quantity_of(*operand.values);
      std::string label = written(*values.extents);
      return add_constant(std::move(values), std::move(label)).node;
    }
    return operand.number ? leaf_piece(tape_notes::passive, *operand.number).node : none;
  }
  if (operand.place != noted_operand::nowhere)
    return leaf_piece(operand.place, operand.number.value_or(0)).node;
  const std::size_t id = node_of_operation_[operand.operation];
  // An input tells its values where it is used.
  if (!made_.nodes[id].value.is_known() && operand.values)
    made_.nodes[id].value = quantity_of(*operand.values);
  return id;
}

/// An edge from each operand. A tensor that stands in several slots has one, with all of its share.
void graph_builder::add_shares(const noted_operation& noted, std::size_t id,
                               const std::vector<std::size_t>& operand_ids) {
  std::vector<operation<double>*> inputs;
  std::vector<std::size_t> numbers;
  for (const noted_operand& operand : noted.operands) {
    if (operand.operation == noted_operand::nowhere) continue;
    if (std::ranges::find(numbers, operand.operation) != numbers.end()) continue;
    numbers.push_back(operand.operation);
    inputs.push_back(&object(operand.operation));
  }
  std::vector<tensor_numbers> shares;
  if (!inputs.empty()) shares = shares_of(tape_, object(noted.operation), inputs);
  std::size_t next = 0;
  for (std::size_t slot = 0; slot < noted.operands.size(); ++slot) {
    const noted_operand& operand = noted.operands[slot];
    if (operand_ids[slot] == none) continue;
    graph_edge edge{operand_ids[slot], id, slot, std::nullopt, 0.0};
    if (operand.place != noted_operand::nowhere) {
      edge.partial = 1;
      edge.term = made_.nodes[id].adjoint.numbers[slot];
    } else if (operand.operation != noted_operand::nowhere) {
      if (next == numbers.size() || numbers[next] != operand.operation) continue;
      edge.term = quantity_of(std::move(shares[next++]));
    }
    made_.edges.push_back(std::move(edge));
  }
}

std::size_t graph_builder::add_at_operation(graph_node node, std::size_t operation) {
  tensor_numbers adjoint = adjoint_numbers(object(operation));
  node.epsilon = adjoint.epsilon;
  node.adjoint = quantity_of(std::move(adjoint));
  node.operation = operation;
  put_into_group(node, [&](const noted_group& g) {
    return g.from.operations <= operation && (g.is_open || operation < g.to.operations);
  });
  const auto name = notes_.names_of_tensors.find(operation);
  if (name != notes_.names_of_tensors.end()) give_name(node, name->second);
  return node_of_operation_[operation] = add_node(std::move(node));
}

operation<double>& graph_builder::object(std::size_t number) const {
  return *tape_.record().operations[number];
}

template <class T>
graph graph_of(tape& t, const tensor<T>& y, std::string title) {
  t.backward(y);
  const auto operation = static_cast<std::size_t>(y.tag() - t.tag_at(0));
  return graph_builder(t, std::move(title)).of_tensor(operation, *noted(y.stored()));
}

template graph graph_of(tape&, const tensor<float>&, std::string);
template graph graph_of(tape&, const tensor<double>&, std::string);

}  // namespace autodiff
