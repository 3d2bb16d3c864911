#pragma once
// The record read entry by entry, for whoever wants to look at it rather than sweep it fast.

#include <autodiff/sweep.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace autodiff {

/// One entry of the record.
template <class T>
struct entry {
  enum class kind { inputs, statement, leaf, operation } kind;
  /// The first of the places that it owns; a statement owns one.
  std::uint64_t place;
  std::uint64_t places;
  // Of a statement: its arguments, and whether the youngest earlier place is one more of them, with
  // partial 1.
  std::span<const T> partials{};
  std::span<const std::uint32_t> arguments{};
  bool carries = false;
  // Of a leaf or an operation.
  operation<T>* object = nullptr;
};

/// Calls visit(entry) for the records between two positions, newest first.
template <class T, class Visitor>
void walk_back(const streams<T>& record, const position& from, const position& to,
               Visitor&& visit) {
  position at = from;
  while (at.codes > to.codes) {
    const std::uint8_t code = record.codes[--at.codes];
    if (code == tape_code::inputs) {
      const std::uint32_t count = record.arguments[--at.arguments];
      at.places -= count;
      visit(entry<T>{entry<T>::kind::inputs, at.places, count});
    } else if (code >= tape_code::leaf) {
      operation<T>* const object = record.operations[--at.operations];
      at.places -= object->places;
      visit(entry<T>{
          .kind = code == tape_code::leaf ? entry<T>::kind::leaf : entry<T>::kind::operation,
          .place = at.places,
          .places = object->places,
          .object = object});
    } else {
      const bool is_long = code == tape_code::long_record;
      const std::size_t count =
          is_long ? record.arguments[--at.arguments] : code & (tape_code::carry - 1u);
      at.arguments -= count;
      --at.places;
      visit(entry<T>{.kind = entry<T>::kind::statement,
                     .place = at.places,
                     .places = 1,
                     .partials = {record.partials + at.arguments, count},
                     .arguments = {record.arguments + at.arguments, count},
                     .carries = !is_long && code >= tape_code::carry});
    }
  }
}

}  // namespace autodiff
