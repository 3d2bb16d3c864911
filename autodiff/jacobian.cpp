#include <autodiff/error.hpp>
#include <autodiff/jacobian.hpp>

#include <fmt/format.h>

namespace autodiff::jacobian_errors {

void rows_vary(std::size_t before, std::size_t now) {
  throw shape_error(
      "jacobian",
      fmt::format("the function returned {} numbers and then {} at the same point", before, now),
      "let it depend on its arguments alone");
}

}  // namespace autodiff::jacobian_errors
