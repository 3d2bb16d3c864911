#pragma once
// Numbers and texts in JSON.

#include <string>
#include <string_view>

namespace autodiff {

/// The shortest digits that read back as x; a string where x is not finite.
std::string json_text(double x);
/// In quotation marks.
std::string json_text(std::string_view text);

/// [a, b, c], each entry as write(entry) gives it.
template <class Range, class Write>
std::string json_list(const Range& range, const Write& write) {
  std::string out = "[";
  for (const auto& each : range) {
    if (out.size() > 1) out += ", ";
    out += write(each);
  }
  return out + ']';
}

}  // namespace autodiff
