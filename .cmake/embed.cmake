# cmake -D OUTPUT=file.cpp -D HTML=... -D CSS=... "-D JS=a.js;b.js" -P embed.cmake
#
# The parts of the explorer's page as strings of the library, so that an installed package needs no
# files beside it.

# A literal per file: compilers need not take one of more than 65,536 characters.
foreach(part IN ITEMS HTML CSS JS)
  set(text_${part} "")
  foreach(file IN LISTS ${part})
    file(READ ${file} text)
    if(text MATCHES "\\)embedded\"")
      message(FATAL_ERROR "${file} holds the end of its own string literal")
    endif()
    string(APPEND text_${part} "R\"embedded(${text})embedded\",\n")
  endforeach()
endforeach()
file(WRITE ${OUTPUT} "#include <autodiff/explorer/explorer_files.hpp>

#include <initializer_list>
#include <string_view>

namespace autodiff {
namespace {

std::string joined(std::initializer_list<std::string_view> files) {
  std::string all;
  for (const std::string_view file : files) all += file;
  return all;
}

}  // namespace

std::string explorer_html() { return joined({${text_HTML}}); }
std::string explorer_css() { return joined({${text_CSS}}); }
std::string explorer_js() { return joined({${text_JS}}); }

}  // namespace autodiff
")
