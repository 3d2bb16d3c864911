#pragma once
// Boxes and the lines between them, laid out from left to right by Graphviz in a child process.

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace autodiff {

/// A box to be placed; lengths are in pixels of the page.
struct layout_box {
  double width = 0, height = 0;
  std::string frame;  ///< boxes of the same name stand together; "" for none
};

/// A line from one box to another, by their numbers.
struct layout_line {
  std::size_t from = 0, to = 0;
};

/// Where everything lies; y grows downwards.
struct layout {
  struct corner {
    double x = 0, y = 0;
  };
  double width = 0, height = 0;
  std::vector<corner> corners;     ///< of each box, upper left
  std::vector<std::string> paths;  ///< of each line, as SVG writes it
};

/// Where Graphviz is not done when patience is over, boxes stand in plain columns, each right of
/// all that lead to it. Throws io_error in the name of the operation: Graphviz is not installed, or
/// failed.
layout lay_out(std::string_view operation, std::span<const layout_box> boxes,
               std::span<const layout_line> lines, std::chrono::milliseconds patience);

}  // namespace autodiff
