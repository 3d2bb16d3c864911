# cmake -D OUTPUT=file.cpp -D HTML=... -D CSS=... "-D JS=a.js;b.js" -P embed.cmake
#
# The parts of the explorer's page as strings of the library, so that an installed package needs no
# files beside it.

foreach(part IN ITEMS HTML CSS JS)
  set(text_${part} "")
  foreach(file IN LISTS ${part})
    file(READ ${file} text)
    string(APPEND text_${part} "${text}")
  endforeach()
  if(text_${part} MATCHES "\\)embedded\"")
    message(FATAL_ERROR "${part} holds the end of its own string literal")
  endif()
endforeach()
file(WRITE ${OUTPUT} "#include <autodiff/explorer_files.hpp>

namespace autodiff {

const std::string_view explorer_html = R\"embedded(${text_HTML})embedded\";
const std::string_view explorer_css = R\"embedded(${text_CSS})embedded\";
const std::string_view explorer_js = R\"embedded(${text_JS})embedded\";

}  // namespace autodiff
")
