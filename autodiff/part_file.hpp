#pragma once
// A file that appears under its name when it is complete, or not at all.

#include <filesystem>
#include <string_view>

namespace autodiff {

/// Writes the text into a file beside it and renames that one. Replaces the file if it exists.
/// Throws io_error in the name of the operation if that cannot be done; nothing is left behind then.
void write_whole(std::string_view operation, const std::filesystem::path& file,
                 std::string_view text);

}  // namespace autodiff
