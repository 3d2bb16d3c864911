#pragma once
// What a tape remembers beside its record while it is explained (watching::explained): what the
// statements and operations were, with their values. The record itself holds what the sweep needs,
// which tells no names.

#include <autodiff/anomaly.hpp>
#include <autodiff/marks.hpp>
#include <autodiff/recorder.hpp>

#include <cstddef>
#include <cstdint>
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

/// An operation: a tensor computed from others or from scalars, or scalars taken out of one.
struct noted_operation {
  std::size_t operation;
  std::string name;
  std::shared_ptr<const noted_values> values;  ///< of the result; of scalars, all of them
  std::vector<noted_operand> operands;
  std::size_t first_element = 0;  ///< of scalars: where the first of them stood in the tensor
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

/// The notes of one tape, in the order of its record.
class notebook {
 public:
  static constexpr std::uint64_t passive = ~std::uint64_t{0};

  /// Notes the statement whose result gets this place; `first` is the tag of place 0.
  void add_statement(std::uint64_t place, tag_type first, const spelled_statement<double>& s);
  template <class T>
  void add_statement(std::uint64_t, tag_type, const spelled_statement<T>&) {}
  /// Notes inputs that were given consecutive places.
  template <class T>
  void add_inputs(std::uint64_t place, std::span<const T> values) {
    for (const T& value : values)
      statements_.push_back(
          {place++, innermost(value), nullptr, leaves_.size(), constants_.size()});
  }
  void add_operation(noted_operation operation) { operations_.push_back(std::move(operation)); }

  /// Tells the number that is operand `slot` of the youngest operation.
  void add_number(std::size_t slot, double number);

  /// Opens a group at this position inside of the one that is open; gives its number.
  std::size_t open_group(std::string_view name, const position& at, bool is_layer);
  void close_group(std::size_t number, const position& at) noexcept;

  /// Forgets what was recorded after a mark.
  void cut(const position& mark);

  /// What was noted of the statement or input at a place; null where nothing was.
  const noted_statement* statement_at(std::uint64_t place) const noexcept;
  /// What was noted of an operation, by its number.
  const noted_operation* operation_at(std::size_t operation) const noexcept;
  /// The places of the leaves of a statement, or `passive`, from left to right; as many as its text
  /// says.
  const std::uint64_t* leaves_of(const noted_statement& s) const noexcept {
    return leaves_.data() + s.leaves;
  }
  /// Its constants, from left to right.
  const double* constants_of(const noted_statement& s) const noexcept {
    return constants_.data() + s.constants;
  }
  std::span<const noted_group> groups() const noexcept { return groups_; }

 private:
  std::vector<noted_statement> statements_;
  std::vector<std::uint64_t> leaves_;
  std::vector<double> constants_;
  std::vector<noted_operation> operations_;
  std::vector<noted_group> groups_;
};

}  // namespace autodiff
