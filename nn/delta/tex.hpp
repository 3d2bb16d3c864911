#pragma once
// Lines of a delta report as TeX's mathematics: what LaTeX and the Markdown of GitHub share.

#include <nn/delta/pieces.hpp>

#include <string>
#include <string_view>

namespace nn {

/// Words as they are to stand between formulas.
using word_escape = std::string (*)(std::string_view words);

/// Words escaped, everything else between dollar signs.
std::string tex_inline(const line& l, word_escape escape);
/// The inside of align* or aligned: each line at its first =, broken where it grows too long.
std::string tex_aligned(const equations& e);

}  // namespace nn
