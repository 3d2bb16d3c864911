#pragma once
// How a graph is made: the record of a tape, as far as the output depends on it, walked from the
// oldest entry to the youngest, each entry put down as the nodes that it is made of.

#include <autodiff/expression_text.hpp>
#include <autodiff/graph.hpp>
#include <autodiff/notes.hpp>
#include <autodiff/walk.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace autodiff {

inline constexpr std::size_t none = ~std::size_t{0};

/// Of the graph of one output, from which its tape was swept.
class graph_builder {
 public:
  graph_builder(tape& t, std::string title) : tape_(t), notes_(t.notes().read()) {
    made_.title = std::move(title);
  }

  /// The graph of the scalar at this place.
  graph of_scalar(std::uint64_t place, double value);
  /// The graph of the tensor that this operation computed.
  graph of_tensor(std::size_t operation, const noted_values& value);

 private:
  /// A part of a statement while it is put together.
  struct piece {
    std::size_t node;
    double value;
    bool is_active;
  };
  /// An entry of the record, and which operation it is, if it is one.
  struct numbered_entry {
    entry<double> it;
    std::size_t operation;
  };

  void start();
  graph finish(std::size_t output, const quantity& value);
  std::vector<numbered_entry> needed_entries();
  void need_arguments(const numbered_entry& e);
  bool is_needed(const numbered_entry& e) const;
  void settle_groups();

  // graph.cpp: scalars.
  void add(const numbered_entry& e);
  void add_input(std::uint64_t place);
  void add_unknown(const entry<double>& e, std::string name);
  void add_statement(const entry<double>& e, const noted_statement& s);
  std::vector<double> known_leaves(const std::vector<expression_part>& parts,
                                   const noted_statement& s) const;
  piece leaf_piece(std::uint64_t place, double number);
  piece add_constant(quantity value, std::string label);
  void add_copy(const piece& original, const noted_statement& s);
  piece add_function(const expression_part& part, std::span<const piece> operands,
                     const noted_statement* whole);
  void sweep_statement(std::size_t first_node, std::size_t first_edge);
  std::size_t add_at_place(graph_node node, std::uint64_t place);
  std::size_t add_node(graph_node node);
  static void give_name(graph_node& node, const std::string& name);
  double adjoint_at(std::uint64_t place) const;
  const std::vector<expression_part>& parts_of(const char* text);

  // graph_tensors.cpp: tensors.
  void add_input_tensor(std::size_t operation);
  void add_elements(const noted_operation& noted, const entry<double>& e);
  void add_operation(const noted_operation& noted);
  std::size_t operand_node(const noted_operand& operand);
  void add_shares(const noted_operation& noted, std::size_t id,
                  const std::vector<std::size_t>& operand_ids);
  void describe(graph_node& node, const noted_operation& noted) const;
  std::size_t add_at_operation(graph_node node, std::size_t operation);
  operation<double>& object(std::size_t number) const;

  template <class Holds>
  void put_into_group(graph_node& node, const Holds& holds) const;

  tape& tape_;
  const tape_notes& notes_;
  graph made_;
  std::vector<bool> needed_, needed_operations_;
  std::vector<std::size_t> node_of_place_, node_of_operation_;
  std::map<const char*, std::vector<expression_part>> parts_;
  std::size_t inputs_ = 0;
};

/// What the adjoint of a result passes on: nothing where nothing depends on the result, whatever
/// the partial is.
constexpr double term_of(double partial, double adjoint) {
  return adjoint == 0 ? 0 : partial * adjoint;
}

/// The innermost one is the youngest.
template <class Holds>
void graph_builder::put_into_group(graph_node& node, const Holds& holds) const {
  const std::vector<noted_group>& groups = notes_.groups;
  for (std::size_t i = groups.size(); i-- > 0;) {
    if (!holds(groups[i])) continue;
    if (node.note.empty()) node.note = groups[i].name;
    if (groups[i].is_layer && !node.layer) node.layer = groups[i].name;
  }
}

}  // namespace autodiff
