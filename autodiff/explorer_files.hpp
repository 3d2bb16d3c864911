#pragma once
// The parts of the explorer's page, as the build puts them into the library (.cmake/embed.cmake).

#include <string_view>

namespace autodiff {

extern const std::string_view explorer_html;  ///< with {{title}}, {{style}} and so on to be filled
extern const std::string_view explorer_css;
extern const std::string_view explorer_js;

}  // namespace autodiff
