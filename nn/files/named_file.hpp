#pragma once
// A file and who works on it, as refusals name them.

#include <filesystem>
#include <string>
#include <string_view>

namespace nn {

struct named_file {
  std::string operation;
  std::filesystem::path path;

  /// Throws io_error: 'operation: "path" happened; remedy'.
  [[noreturn]] void refuse(std::string_view happened, std::string_view remedy) const;
  /// The same where the content makes no sense: the remedy is another copy.
  [[noreturn]] void refuse_content(std::string_view happened) const;
};

/// A text of somebody's file in quotation marks: control characters escaped, long ones cut.
std::string in_quotes(std::string_view text);

}  // namespace nn
