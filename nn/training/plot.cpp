#include <nn/training/plot.hpp>

#include <autodiff/error.hpp>

#include <nn/training/gnuplot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string_view>

namespace nn {
namespace {

namespace fs = std::filesystem;

// Okabe and Ito's colours, told apart with every common colour vision; their yellow is left out,
// it is too faint on white.
constexpr std::array<std::string_view, 7> palette{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                  "#E69F00", "#56B4E9", "#000000"};

/// Up to this many points a curve shows each of them.
constexpr std::size_t most_marked_points = 40;

constexpr std::string_view operation = "plot_curves";

[[noreturn]] void refuse(std::string_view happened, std::string_view remedy) {
  throw autodiff::io_error(operation, happened, remedy);
}

/// The rows "x y" of the points that can be drawn.
std::vector<std::string> points_of(const curve& curve, bool positive_x, bool positive_y) {
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    const double x = curve.x[i];
    const double y = curve.y[i];
    if (!std::isfinite(x) || !std::isfinite(y) || (positive_x && x <= 0) || (positive_y && y <= 0))
      continue;
    rows.push_back(fmt::format("{:.17g} {:.17g}\n", x, y));
  }
  return rows;
}

/// Characters, for an estimate of the room that a text takes.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

/// 800 x 500, and more where long labels or many need it: gnuplot would lay a legend without room
/// over the curves, or leave it out. In pixels of an SVG, with letters of at most 10.
picture_size canvas_of(const axes& axes, const std::vector<std::string_view>& labels) {
  constexpr picture_size least{800, 500};
  constexpr picture_size most{3000, 3000};
  std::size_t entry = 1;
  for (const std::string_view label : labels) entry = std::max(entry, 9 * characters(label) + 80);
  const std::size_t title = 10 * characters(axes.title) + 100;
  const std::size_t width = std::clamp(std::max(title, entry + 200), least.width, most.width);
  const std::size_t columns = std::max<std::size_t>((width - 200) / entry, 1);
  const std::size_t rows = std::max<std::size_t>((labels.size() + columns - 1) / columns, 2);
  return {width, std::min(least.height + 23 * (rows - 2), most.height)};
}

/// Everything of the script but the curves.
std::string frame(const axes& axes, bool png, bool right_axis,
                  const std::vector<std::string_view>& labels) {
  const picture_size canvas = canvas_of(axes, labels);
  std::string script = gnuplot_terminal(canvas, png);
  auto out = std::back_inserter(script);
  script +=
      "set style line 100 linecolor rgb '#E4E4E4' linewidth 0.7 dashtype solid\n"
      "set style line 101 linecolor rgb '#404040' linewidth 0.9\n"
      "set grid xtics ytics back linestyle 100\n"
      "set border 3 back linestyle 101\n"
      "set xtics out nomirror scale 0.6 textcolor rgb '#202020'\n"
      "set ytics out nomirror scale 0.6 textcolor rgb '#202020'\n"
      "set autoscale xfix\n"
      "set key tmargin center horizontal Left reverse samplen 2.5 spacing 1.1\n"
      "set lmargin 10\n";
  if (axes.log_x) script += "set logscale x\nset format x '%g'\n";
  if (axes.log_y) script += "set logscale y\nset format y '%.3g'\n";
  if (right_axis) {
    script +=
        "set border 11\nset y2tics out nomirror scale 0.6 textcolor rgb '#202020'\n"
        "set rmargin 10\n";
    fmt::format_to(out, "set y2label {}\n", gnuplot_literal(axes.y2_label));
  } else {
    script += "set rmargin 4\n";
  }
  // gnuplot draws a title below a legend; a legend's own title stands where a reader expects it.
  fmt::format_to(out, "set {} {} font ',{}'\n", labels.empty() ? "title" : "key title",
                 gnuplot_literal(axes.title), png ? 14 : 16);
  fmt::format_to(out, "set xlabel {}\n", gnuplot_literal(axes.x_label));
  fmt::format_to(out, "set ylabel {}\n", gnuplot_literal(axes.y_label));
  return script;
}

std::string script_of(const axes& axes, std::span<const curve> curves, bool png) {
  std::string data;
  std::string plots;
  bool right_axis = false;
  std::vector<std::string_view> labels;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const curve& curve = curves[i];
    if (curve.x.size() != curve.y.size()) {
      refuse(fmt::format("curve {} (\"{}\") has {} x and {} y", i, curve.label, curve.x.size(),
                         curve.y.size()),
             "give one y per x");
    }
    const std::vector<std::string> rows =
        points_of(curve, axes.log_x, axes.log_y && !curve.right_axis);
    if (rows.empty()) continue;
    right_axis = right_axis || curve.right_axis;
    if (!curve.label.empty()) labels.push_back(curve.label);
    fmt::format_to(std::back_inserter(data), "$curve{} << END_OF_CURVE\n{}END_OF_CURVE\n", i,
                   fmt::join(rows, ""));
    const bool marked = curve.scattered || rows.size() <= most_marked_points;
    // Solid on the left axis, dashed on the right, other dashes when the colours come round again.
    const std::size_t dash = (curve.right_axis ? 2 : 1) + 2 * (i / palette.size());
    fmt::format_to(
        std::back_inserter(plots),
        "{}$curve{} using 1:2 axes {} with {} linewidth 2 linecolor rgb '{}' dashtype {}{} {}",
        plots.empty() ? "plot " : ", ", i, curve.right_axis ? "x1y2" : "x1y1",
        curve.scattered ? "points" : (marked ? "linespoints" : "lines"),
        palette[i % palette.size()], dash, marked ? " pointtype 7 pointsize 0.45" : "",
        curve.label.empty() ? "notitle" : "title " + gnuplot_literal(curve.label));
  }
  if (plots.empty()) {
    refuse(fmt::format("none of the {} curves has a point that can be drawn", curves.size()),
           axes.log_y ? "give finite x and positive y" : "give finite x and y");
  }
  return frame(axes, png, right_axis, labels) + data + plots + "\n";
}

}  // namespace

void plot_curves(const fs::path& file, const axes& axes, std::span<const curve> curves) {
  const bool png = is_png(operation, file);
  draw_picture(operation, file, script_of(axes, curves, png));
}

}  // namespace nn
