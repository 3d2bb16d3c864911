#pragma once
// What a tape recorded, as nodes and edges with numbers: down to elementary functions with their
// names where the tape was told to remember them, by statements elsewhere.
//
//   tape.watch(watching::explained);  // before anything is computed
//   ...
//   std::string json = to_json(graph_of(tape, y));

#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace autodiff {

/// A number, or the values of a tensor row by row; neither where it is not known.
struct quantity {
  std::vector<double> numbers{};
  std::optional<std::vector<std::size_t>> extents{};  ///< of a tensor

  quantity() = default;
  quantity(double number) : numbers{number} {}

  bool is_known() const noexcept { return extents || !numbers.empty(); }
  bool is_tensor() const noexcept { return extents.has_value(); }
  /// The Euclidean norm, without overflow of large and underflow of small entries.
  double norm() const noexcept;
};

struct graph_node {
  enum class kind {
    input,             ///< a variable
    constant,          ///< what has no place on the tape
    function,          ///< a row of ops.def
    statement,         ///< of which nothing but the partials is known
    tensor_operation,  ///< which computes a tensor
    element_bridge,    ///< an element of a tensor as a scalar
  } what;
  std::string name{};   ///< of the row or operation
  std::string label{};  ///< short: "x1", "2.5", "*", "tanh", or its name in the program
  std::string rule{};   ///< "y = a * b"
  std::string slope{};  ///< "dy/da = b, dy/db = a"
  /// What it passes on, where that is more than a slope: "ā = ȳ bᵀ, b̄ = aᵀ ȳ".
  std::string pullback{};
  std::string note{};     ///< the group that it stands in
  std::size_t step = 0;   ///< when the sweep passes it; the output is 0
  bool is_named = false;  ///< whether the program gave the label
  quantity value{}, adjoint{};
  double epsilon = std::numeric_limits<double>::epsilon();  ///< of the number type of the adjoint
  /// The convention that was taken, where the slopes just left and just right of an operand differ.
  std::optional<std::string> kink{};
  std::optional<std::string> layer{};  ///< of a network
  /// Where it stands on the tape: the place of a scalar, the number of the operation that computed
  /// a tensor.
  static constexpr std::uint64_t nowhere = ~std::uint64_t{0};
  std::uint64_t place = nowhere, operation = nowhere;
};

/// From an operand to the result.
struct graph_edge {
  std::size_t from, to;
  std::size_t slot;  ///< which operand; of an element, which one
  /// None between tensors, and from constants, to which nothing flows. 1 from a tensor to one of
  /// its elements, or from a scalar to the tensor that it was stacked into: there the term is a
  /// number, and the slot says at which element.
  std::optional<double> partial;
  quantity term;  ///< what the result adds to the operand's adjoint: partial * adjoint
};

/// What y depends on. Nodes stand in the order of the record: an edge leads from a lower to a
/// higher number, and the sweep passes them from the last, y, to the first.
struct graph {
  std::string title;
  std::size_t output = 0;
  std::vector<graph_node> nodes{};
  std::vector<graph_edge> edges{};  ///< in the order of `to`, then of slots
};

/// The graph of y, after a sweep from y: adjoint(x) is dy/dx from then on. Throws tape_error and
/// shape_error like backward(), and tape_error where y depends on a tensor operation that was
/// recorded while the tape was not explained.
graph graph_of(tape& t, const var& y, std::string title = "y");
template <class T>
graph graph_of(tape& t, const tensor<T>& y, std::string title = "y");

/// {"title", "output", "nodes": [{"id", "kind", "name", "label", "rule", "slope", "pullback",
/// "note", "step", "value", "adjoint", "kink", "layer"}], "edges": [{"from", "to", "slot",
/// "partial", "term"}]}. A value, adjoint or term is a number, or {"shape", "values" (the first
/// 64), "count", "min", "max", "norm"}; "nan", "inf" and "-inf" where it is not finite, null where
/// it is not known.
std::string to_json(const graph& g);
/// Such a value.
std::string to_json(const quantity& q);

}  // namespace autodiff
