#include <autodiff/lanes.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

namespace autodiff::lanes_errors {

void too_many(std::size_t outputs, std::size_t lanes) {
  throw shape_error("backward", fmt::format("{} outputs for {} lanes", outputs, lanes),
                    "sweep them in groups, or make the lanes more");
}

void out_of_memory(std::size_t bytes, std::size_t size) {
  throw memory_error("backward", fmt::format("the lanes need {} bytes and have {}", bytes, size),
                     "sweep fewer outputs at once");
}

void no_lane(std::size_t lane, std::size_t lanes) {
  throw shape_error("adjoint", fmt::format("there is no lane {} among {}", lane, lanes),
                    "lanes are numbered from 0 as the outputs of the last backward");
}

void rewound() {
  throw tape_error("adjoint", "the tape was rewound since these lanes were swept",
                   "read them before the rewind, or call backward again");
}

}  // namespace autodiff::lanes_errors
