#include <autodiff/argument.hpp>

#include <fmt/format.h>

#include <string>

namespace autodiff {

void require_alike(std::string_view operation, std::string_view what, const argument_layout& x,
                   std::string_view whose, const argument_layout& dx) {
  const auto refuse = [&](const std::string& here, const std::string& there) {
    throw shape_error(operation, fmt::format("{} {} and {} {}", what, here, whose, there),
                      fmt::format("pass a {} of the same kind and size", whose));
  };
  if (x.sizes.size() == dx.sizes.size()) {
    for (std::size_t i = 0; i < x.sizes.size(); ++i) {
      if (x.sizes[i] != dx.sizes[i]) refuse(to_string(x.sizes[i]), to_string(dx.sizes[i]));
    }
  }
  if (x.numbers != dx.numbers) {
    refuse(fmt::format("of {} numbers", x.numbers), fmt::format("of {}", dx.numbers));
  }
}

}  // namespace autodiff
