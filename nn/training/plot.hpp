#pragma once
// Pictures of curves, drawn by gnuplot in a child process that reads a script we write. No shell
// is involved and every label stands in the script as a quoted literal without markup, so a label
// is only ever text. The picture appears under its name when it is complete, or not at all.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace nn {

/// A line through the points (x[i], y[i]), in their order. Points that cannot be drawn (NaN,
/// infinite, or <= 0 on a logarithmic axis) are left out and their neighbours joined.
struct curve {
  std::string label;         ///< legend entry, UTF-8; empty for none
  std::vector<double> x, y;  ///< [n] each
  bool right_axis = false;   ///< drawn dashed, against the axis that axes::y2_label names
  bool scattered = false;    ///< points without a line
};

/// The frame around the curves. Texts are UTF-8 and drawn as they are; an empty one is not drawn.
struct axes {
  std::string title = {}, x_label = {}, y_label = {};
  bool log_y = false;         ///< logarithmic left axis
  std::string y2_label = {};  ///< the right axis, for curves of another unit: accuracy beside loss
  bool log_x = false;         ///< logarithmic horizontal axis
};

/// Draws the curves into a file, SVG (800 x 500) or PNG (1600 x 1000 pixels) by its extension;
/// larger where the legend needs room. Replaces the file if it exists.
/// Throws autodiff::io_error: another extension; x and y of different lengths; no point that can
/// be drawn; gnuplot missing or failing (with its own words); the file cannot be written.
void plot_curves(const std::filesystem::path& file, const axes& axes,
                 std::span<const curve> curves);

}  // namespace nn
