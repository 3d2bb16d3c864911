#include <autodiff/misuse.hpp>

#include <fmt/format.h>

namespace autodiff::tape_errors {

void out_of_memory(std::size_t bytes, std::size_t limit) {
  throw memory_error(
      "tape", fmt::format("the record needs {} bytes and its limit is {} bytes", bytes, limit),
      "raise it with tape.limit(bytes), or record less between rewinds");
}

void out_of_places() {
  throw memory_error("tape", "more than 2^31 recorded scalars on one tape",
                     "split the computation and rewind between its parts");
}

void foreign(std::string_view operation, tag_type tag, tag_type tape, std::uint64_t places) {
  if (tape == 0) {
    throw tape_error(
        operation, "an argument is a variable of a tape that is not active on this thread",
        "use variables on the thread of their tape and while it lives, or pass x.value()");
  }
  if ((tag >> 32) != (tape >> 32)) {
    throw tape_error(operation, "an argument is a variable of another tape than the recording one",
                     "pass x.value() to use its number as a constant here");
  }
  throw tape_error(operation,
                   fmt::format("an argument stood at place {} and the tape was rewound to {}",
                               tag & 0xffffffffu, places),
                   "make the variable again after the rewind");
}

void passive(std::string_view operation) {
  throw tape_error(operation, "the value is passive: it does not depend on any variable of a tape",
                   "make its inputs with tape.variable(value) before computing it");
}

void no_sweep_yet(std::string_view operation) {
  throw tape_error(operation, "no sweep has been made", "call tape.backward(y) first");
}

void recorded_after_sweep(std::string_view operation) {
  throw tape_error(operation, "the variable was recorded after the last sweep",
                   "call tape.backward(y) again");
}

void foreign_mark(std::string_view operation) {
  throw tape_error(operation, "the mark is of another tape, or of a part that was already rewound",
                   "pass a mark that was taken on this tape before its present end");
}

void nothing_to_resume(std::string_view operation) {
  throw tape_error(operation,
                   "the last sweep ended before that mark, or where it ended was rewound",
                   "call tape.backward_to(mark, y) first, and resume to an older mark");
}

void cotangent_count(std::string_view operation, std::size_t outputs, std::size_t cotangents) {
  throw shape_error(operation, fmt::format("{} outputs and {} cotangents", outputs, cotangents),
                    "pass one cotangent for each output");
}

void variable_count(std::string_view operation, std::size_t from, std::size_t to) {
  throw shape_error(operation, fmt::format("{} numbers or variables for {}", from, to),
                    "pass two ranges of one size");
}

}  // namespace autodiff::tape_errors
