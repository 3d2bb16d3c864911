#pragma once
// fmt for what has an operator<<. fmt/ostream.h has the same, and has every source that reads it
// compile all of fmt's own formatting: 0.4 s each, a third of a small program.

#include <fmt/format.h>

#include <sstream>
#include <string_view>

namespace autodiff {

/// The base of fmt::formatter<X> for an X that is streamed: takes the specification of a string.
struct stream_formatter : fmt::formatter<std::string_view> {
  template <class X, class Context>
  auto format(const X& x, Context& context) const {
    std::ostringstream text;
    text << x;
    return fmt::formatter<std::string_view>::format(text.view(), context);
  }
};

}  // namespace autodiff
