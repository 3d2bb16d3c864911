#pragma once
// The parts of the explorer's page, as the build puts them into the library (.cmake/embed.cmake).

#include <string>

namespace autodiff {

std::string explorer_html();  ///< with {{title}}, {{style}} and so on to be filled
std::string explorer_css();
std::string explorer_js();

}  // namespace autodiff
