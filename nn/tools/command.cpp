#include <nn/tools/command.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace nn::tools {
namespace {

constexpr std::size_t line_width = 96, text_column = 26;

/// The words in lines that begin at text_column, the first one behind `name`.
std::string in_column(std::string name, std::string_view words) {
  std::string text = "  " + std::move(name);
  std::size_t column = text.size();
  if (column + 2 > text_column) column = line_width;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (column + 1 + end > line_width) {
      text += '\n';
      column = 0;
    }
    const std::size_t gap = column < text_column ? text_column - column : 1;
    text.append(gap, ' ').append(words.substr(0, end));
    column += gap + end;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return text + '\n';
}

}  // namespace

std::string help_format::make_option(const CLI::Option* option, bool) const {
  std::string name = option->get_name();
  // Behind a colon come the conditions; the words tell them.
  const std::string kind = option->get_type_name();
  if (option->get_type_size() != 0) name += " " + kind.substr(0, kind.find(':'));
  std::string words = option->get_description();
  const std::string usual = option->get_default_str();
  if (option->get_required()) words += " (needed)";
  if (!usual.empty() && usual != "[]" && usual != "\"\"") words += " (" + usual + ")";
  return in_column(std::move(name), words);
}

std::string help_format::make_usage(const CLI::App*, std::string name) const {
  return "Usage: " + name + " OPTIONS\n";
}

bool are_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code ignored;
  return std::filesystem::weakly_canonical(a, ignored) ==
         std::filesystem::weakly_canonical(b, ignored);
}

void require_printed() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw autodiff::io_error(
      "standard output",
      fmt::format("cannot be written ({})", std::generic_category().message(errno)),
      "check where it goes");
}

}  // namespace nn::tools
