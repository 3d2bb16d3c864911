#pragma once
// How large a tape has become.

#include <cstddef>
#include <iosfwd>

namespace autodiff {

/// Figures about a tape, for people and benchmarks.
struct tape_statistics {
  std::size_t statements = 0;  // scalar records
  std::size_t arguments = 0;   // their arguments
  std::size_t operations = 0;  // tensor operations, bridges and blocks of inputs
  std::size_t places = 0;      // scalars with an adjoint
  std::size_t bytes = 0;  // records of scalars and operations, without tensor values and adjoints
};

/// "12 statements, 30 arguments, ..."
std::ostream& operator<<(std::ostream& out, const tape_statistics& statistics);

}  // namespace autodiff
