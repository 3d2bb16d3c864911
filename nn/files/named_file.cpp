#include <nn/files/named_file.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

namespace nn {

void named_file::refuse(std::string_view happened, std::string_view remedy) const {
  throw autodiff::io_error(operation, fmt::format("\"{}\" {}", path.string(), happened), remedy);
}

void named_file::refuse_content(std::string_view happened) const {
  refuse(happened, "it is damaged or of another format; fetch or write it again");
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 80;
  const bool cut = text.size() > most;
  if (cut) text = text.substr(0, most);
  return fmt::format("{:?}{}", text, cut ? " ..." : "");
}

}  // namespace nn
