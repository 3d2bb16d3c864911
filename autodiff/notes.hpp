#pragma once
// What a notebook holds.

#include <autodiff/marks.hpp>
#include <autodiff/operation_rule.hpp>
#include <autodiff/recorder.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace autodiff {

/// The values of a tensor of any number type, as they were when it was noted.
class noted_values {
 public:
  virtual ~noted_values() = default;
  virtual std::vector<std::size_t> extents() const = 0;
  /// Row by row.
  virtual std::vector<double> numbers() const = 0;
};

/// Where an operand of an operation stands; nowhere for a constant.
struct noted_operand {
  static constexpr std::size_t nowhere = ~std::size_t{0};
  std::size_t place = nowhere;        ///< of a scalar
  std::size_t operation = nowhere;    ///< of a tensor: the number of the operation that computed it
  std::optional<double> number = {};  ///< of a scalar, or of a constant
  std::shared_ptr<const noted_values> values = nullptr;  ///< of a tensor

  bool is_constant() const noexcept { return place == nowhere && operation == nowhere; }
};

/// Which elements of a result stand at a kink, and what is taken for the derivative there.
struct noted_kinks {
  std::string_view convention;
  std::size_t count = 0, first = 0;  ///< row by row

  void add(std::size_t element) noexcept {
    if (count++ == 0) first = element;
  }
};

/// An operation: a tensor computed from others or from scalars, or scalars taken out of one.
struct noted_operation {
  std::size_t operation;
  operation_rule rule;
  std::shared_ptr<const noted_values> values;  ///< of the result; of scalars, all of them
  std::vector<noted_operand> operands;
  std::size_t first_element = 0;  ///< of scalars: where the first of them stood in the tensor
  noted_kinks kinks = {};         ///< of an operation that is no row of ops.def
};

/// A statement, the type of its expression, or an input, which has none.
struct noted_statement {
  std::uint64_t place;
  double value;
  const char* text;
  // Where its leaves and constants begin in the notebook.
  std::size_t leaves, constants;
};

/// A stretch of the record with a name.
struct noted_group {
  std::string name;  ///< with those around it: "net/layer 1"
  position from, to;
  bool is_open = true, is_layer = false;
};

/// The notes of one tape, each kind in the order of its record.
struct tape_notes {
  static constexpr std::uint64_t passive = ~std::uint64_t{0};

  std::vector<noted_statement> statements;
  std::vector<std::uint64_t> leaves;
  std::vector<double> constants;
  std::vector<noted_operation> operations;
  std::vector<noted_group> groups;
  // What the program calls scalars, by their places, and tensors, by their operations.
  std::map<std::uint64_t, std::string> names_of_scalars;
  std::map<std::size_t, std::string> names_of_tensors;

  /// What was noted of the statement or input at a place; null where nothing was.
  const noted_statement* statement_at(std::uint64_t place) const noexcept;
  /// What was noted of an operation, by its number.
  const noted_operation* operation_at(std::size_t operation) const noexcept;
  /// The places of the leaves of a statement, or `passive`, from left to right; as many as its text
  /// says.
  const std::uint64_t* leaves_of(const noted_statement& s) const noexcept {
    return leaves.data() + s.leaves;
  }
  /// Its constants, from left to right.
  const double* constants_of(const noted_statement& s) const noexcept {
    return constants.data() + s.constants;
  }
};

}  // namespace autodiff
