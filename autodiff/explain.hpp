#pragma once
// Where a gradient came from: the ledger of the chain rule. A derivative dy/dx is the sum, over
// everything that x was used for, of a partial times an adjoint; and it is the sum, over all paths
// from y down to x, of the products of the partials along them.
//
//   tape.watch(watching::explained);
//   ...
//   std::cout << explain(y, x);

#include <autodiff/graph.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

namespace autodiff {

/// A way from the output down to an input.
struct gradient_path {
  /// Of the partials along it; where it comes through tensors, of the shares that pass on, by their
  /// norms.
  double product;
  std::vector<std::size_t> nodes;  ///< from the output to the input
};

/// The derivative by one input.
struct gradient_ledger {
  static constexpr std::size_t nowhere = ~std::size_t{0};
  std::size_t node = nowhere;  ///< the input's; nowhere if the output does not depend on it
  quantity value, gradient;
  std::vector<std::size_t> terms;    ///< edges that lead from the input, in the order of the sweep
  double digits_lost = 0;            ///< see explanation
  std::vector<gradient_path> paths;  ///< the largest, by magnitude
  double path_count = 0;             ///< of all

  bool is_reached() const noexcept { return node != nowhere; }
};

/// What explain() found. Digits are lost to cancellation where terms add up to less than they are:
/// log10 of sum |term| over |sum|, for tensors at the worst element; infinite where nothing is
/// left.
struct explanation {
  graph picture;
  std::vector<gradient_ledger> inputs;
  std::vector<std::size_t> kinks;  ///< nodes between the inputs and y where a convention decided
  /// The node between them at which most digits were lost, and how many.
  std::size_t worst_node = gradient_ledger::nowhere;
  double worst_digits_lost = 0;
};

struct explain_options {
  std::size_t paths = 5;    ///< the largest that are listed by input
  std::string title = "y";  ///< what the output is called
};

// What explain() asks of variables: where they stand, and the numbers in them.

struct explained_variable {
  std::uint64_t place = graph_node::nowhere, operation = graph_node::nowhere;
  quantity value{};
};
/// Throws tape_error unless x is on this tape.
explained_variable explained_as(const tape& t, const var& x);
template <class T>
explained_variable explained_as(const tape& t, const tensor<T>& x);
explanation explain_graph(graph picture, std::span<const explained_variable> inputs,
                          const explain_options& options);

/// Explains the derivatives of y by each x, which are vars or tensors, inputs or intermediate: y is
/// a var or a tensor with one element. Sweeps the tape from y. An x on which y does not depend has
/// the gradient 0 and no terms. On a tape that was not explained while y was computed, the terms
/// are those of whole statements. Throws tape_error for what is not on this tape, shape_error for a
/// y with several elements, and error where the terms do not add up to the tape's adjoint, which
/// would be a fault of this library.
template <class Output, class... Variables>
explanation explain(tape& t, const Output& y, const explain_options& options,
                    const Variables&... x) {
  const auto& recorded = as_recorded(y);
  explained_as(t, recorded);
  const std::vector<explained_variable> inputs{explained_as(t, x)...};
  return explain_graph(graph_of(t, recorded, options.title), inputs, options);
}
template <class Output, class X, class... Variables>
requires(!std::same_as<X, explain_options>) explanation
    explain(tape& t, const Output& y, const X& x, const Variables&... more) {
  return explain(t, y, explain_options{}, x, more...);
}
/// The same on the tape of this thread. Throws tape_error where there is none.
template <class Output, class X>
requires(!std::same_as<Output, tape>) explanation explain(const Output& y, const X& x) {
  return explain(recording_tape("explain", 0), y, x);
}

/// The ledger as text, at most 80 columns wide. Nodes have the numbers of the graph; |x| is the
/// norm of a tensor.
std::string to_string(const explanation& e);
std::ostream& operator<<(std::ostream& out, const explanation& e);

/// {"graph": as of a graph, "inputs": [{"node", "value", "gradient", "digits_lost", "path_count",
/// "terms": [numbers of edges], "paths": [{"product", "nodes"}]}], "kinks": [nodes], "worst":
/// {"node", "digits_lost"}}; a node is null where the output does not depend on the input.
std::string to_json(const explanation& e);

/// For Graphviz: values and adjoints at the nodes, terms at the edges, inputs on the left.
std::string to_dot(const graph& g);
/// The same with the largest path to each input drawn bold.
std::string to_dot(const explanation& e);

}  // namespace autodiff
