#include <autodiff/statistics.hpp>

#include <fmt/format.h>

#include <ostream>

namespace autodiff {

std::ostream& operator<<(std::ostream& out, const tape_statistics& s) {
  return out << fmt::format("{} statements, {} arguments, {} operations, {} places, {} bytes",
                            s.statements, s.arguments, s.operations, s.places, s.bytes);
}

}  // namespace autodiff
