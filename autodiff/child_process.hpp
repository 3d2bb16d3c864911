#pragma once
// Another program, run without a shell: it reads a text and writes one. Files without a name take
// the place of pipes, whose two ends would have to be served at once.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace autodiff {

/// What a program left behind when it ended.
struct finished_process {
  std::string output, complaints;  ///< standard output; the beginning of standard error, one line
  std::string failure;             ///< "exit status 1", "signal 11", "not done after 3 s", or empty
  bool is_late = false;            ///< it was not done in time and was ended
};

/// Runs a program of PATH with these arguments and waits for it, or ends it when patience is over.
/// Throws io_error in the name of the operation: no such program, with the remedy given; no
/// temporary file.
finished_process run_program(std::string_view operation, std::vector<std::string> command,
                             std::string_view input, std::string_view remedy_if_missing,
                             std::chrono::milliseconds patience = std::chrono::minutes(3));

}  // namespace autodiff
