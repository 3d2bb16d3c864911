#pragma once
// What JSON writes differently from C++.

#include <string>
#include <string_view>

namespace autodiff {

/// A text in quotes, with what JSON does not allow in one escaped.
std::string json_text(std::string_view text);

}  // namespace autodiff
