#pragma once
// What a tape remembers beside its record while it is explained (watching::explained): what the
// statements and operations were, with their values. The record itself holds what the sweep needs,
// which tells no names.

#include <autodiff/anomaly.hpp>
#include <autodiff/marks.hpp>
#include <autodiff/recorder.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace autodiff {

struct tape_notes;  // notes.hpp

/// The notes of one tape. Out of line and out of sight, since most tapes have none.
class notebook {
 public:
  notebook() = default;
  ~notebook() {
    if (notes_) discard();
  }
  notebook(const notebook&) = delete;
  notebook& operator=(const notebook&) = delete;

  /// Notes the statement whose result gets this place; `first` is the tag of place 0.
  void add_statement(std::uint64_t place, tag_type first, const spelled_statement<double>& s);
  template <class T>
  void add_statement(std::uint64_t, tag_type, const spelled_statement<T>&) {}
  /// Notes inputs that were given consecutive places.
  template <class T>
  [[gnu::noinline, gnu::cold]] void add_inputs(std::uint64_t place, std::span<const T> values) {
    for (const T& value : values) add_input(place++, innermost(value));
  }
  void add_input(std::uint64_t place, double value);
  /// Tells the number that is operand `slot` of the youngest operation.
  void add_number(std::size_t slot, double number);

  /// Names the scalar at a place, or the tensor that an operation computed; the last name counts.
  void name_scalar(std::uint64_t place, std::string_view name);
  void name_tensor(std::size_t operation, std::string_view name);

  /// Opens a group at this position inside of the one that is open; gives its number.
  std::size_t open_group(std::string_view name, const position& at, bool is_layer);
  void close_group(std::size_t number, const position& at) noexcept;

  /// Forgets what was recorded after a mark.
  void cut(const position& mark) {
    if (notes_) [[unlikely]]
      cut_notes(mark);
  }

  const tape_notes& read() const;
  tape_notes& write();

 private:
  void discard() noexcept;
  // By value: a mark whose address leaves its function would go through memory for every rewind.
  void cut_notes(position mark);

  tape_notes* notes_ = nullptr;
};

}  // namespace autodiff
