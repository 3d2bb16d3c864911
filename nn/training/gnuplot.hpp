#pragma once
// Pictures by gnuplot, in a child process that reads a script we write. No shell is involved, and
// every text stands in the script as a quoted literal without markup, so it is only ever text.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace nn {

/// In pixels of an SVG; a PNG has twice as many each way.
struct picture_size {
  std::size_t width, height;
};

/// Whether a picture of this name is a PNG or an SVG. Throws io_error, naming `operation`, for
/// another extension.
bool is_png(std::string_view operation, const std::filesystem::path& file);

/// A text as a literal of a script.
std::string gnuplot_literal(std::string_view text);

/// The beginning of a script: what shall be drawn on, and that texts are UTF-8.
std::string gnuplot_terminal(picture_size size, bool png);

/// Draws the picture; it appears under its name when it is complete, or not at all. Throws
/// io_error, naming `operation`: gnuplot missing or failing (with its own words), a file that
/// cannot be written.
void draw_picture(std::string_view operation, const std::filesystem::path& file,
                  std::string_view script);

}  // namespace nn
