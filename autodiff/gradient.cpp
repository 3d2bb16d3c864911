#include <autodiff/gradient.hpp>

#include <fmt/format.h>

namespace autodiff::gradient_errors {

void direction_size(std::size_t x, std::size_t dx) {
  throw shape_error("jvp", fmt::format("{} arguments and a direction of {}", x, dx),
                    "pass a direction of the argument's size");
}

void direction_shape(const shape& x, const shape& dx) {
  throw shape_error("jvp", fmt::format("argument {} and direction {}", to_string(x), to_string(dx)),
                    "pass a direction of the argument's shape");
}

}  // namespace autodiff::gradient_errors
