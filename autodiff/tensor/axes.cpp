#include <autodiff/tensor/axes.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

namespace autodiff {

void axes::too_many() {
  throw shape_error("axes", fmt::format("more than {} axes", most_dimensions),
                    "a tensor has no more; name each axis once");
}

}  // namespace autodiff
