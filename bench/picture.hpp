#pragma once
// A bar chart of ratios, drawn by gnuplot: a group of bars for each case, a colour for each tool.

#include <bench/bench.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

/// What was measured, in the order in which cases and tools appeared.
class chart {
 public:
  explicit chart(std::string label) : label_(std::move(label)) {}

  void add(const std::string& a_case, const std::string& tool, double value) {
    const std::size_t row = index_in(cases_, a_case), column = index_in(tools_, tool);
    entries_.push_back({row, column, value});
  }

  /// Draws into an SVG file. Returns what went wrong, empty when nothing did.
  std::string draw(const std::filesystem::path& file) const {
    if (entries_.empty()) return "there is nothing to draw";
    std::FILE* gnuplot = popen("gnuplot -d 2>&1 >/dev/null", "w");
    if (!gnuplot) return "no process for gnuplot";
    std::filesystem::remove(file);
    fmt::print(gnuplot, "{}", script(file));
    if (pclose(gnuplot) != 0) return "gnuplot failed; is the package gnuplot-nox installed?";
    return {};
  }

 private:
  struct entry {
    std::size_t row, column;
    double value;
  };

  static std::size_t index_in(std::vector<std::string>& names, const std::string& name) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) {
      names.push_back(name);
      return names.size() - 1;
    }
    return static_cast<std::size_t>(at - names.begin());
  }

  /// Columns as they are drawn: ours, by hand, the others.
  std::vector<std::size_t> order() const {
    std::vector<std::size_t> columns(tools_.size());
    std::iota(columns.begin(), columns.end(), std::size_t{0});
    const auto rank = [this](std::size_t column) {
      if (tools_[column] == "hand") return 1;
      return tools_[column].starts_with("backsweep") ? 0 : 2;
    };
    std::stable_sort(columns.begin(), columns.end(),
                     [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
    return columns;
  }

  std::string script(const std::filesystem::path& file) const {
    std::string rows = "$ratios << END\n";
    for (std::size_t row = 0; row < cases_.size(); ++row) {
      std::vector<std::string> cells(tools_.size(), "?");
      for (const entry& e : entries_) {
        if (e.row == row) cells[e.column] = fmt::format("{:.4g}", e.value);
      }
      rows += fmt::format("{} {}\n", cases_[row], fmt::join(cells, " "));
    }
    std::string bars;
    std::size_t color = 0;
    for (const std::size_t column : order()) {
      if (color == 1 && tools_[column] != "hand") ++color;  // its colour is black in any chart
      bars += fmt::format("{}$ratios using {}:xtic(1) title '{}' linecolor rgb '{}'",
                          bars.empty() ? "plot " : ", ", column + 2, tools_[column],
                          palette[color++ % palette.size()]);
    }
    return fmt::format(
        "set terminal svg noenhanced size {},520 font 'sans-serif,13' dynamic background "
        "'#FFFFFF'\n"
        "set output '{}'\n"
        "set datafile missing '?'\n"
        "set style data histogram\n"
        "set style histogram cluster gap 2\n"
        "set style fill solid noborder\n"
        "set logscale y\n"
        "set yrange [0.2:*]\n"
        "set arrow from graph 0, first 1 to graph 1, first 1 nohead linecolor rgb '#808080'\n"
        "set grid ytics back linecolor rgb '#D8D8D8'\n"
        "set border 3\n"
        "set rmargin 10\n"
        "set xtics nomirror rotate by -30 scale 0\n"
        "set ytics nomirror\n"
        "set key tmargin center horizontal samplen 1.5\n"
        "set ylabel '{}'\n"
        "{}END\n{}\n",
        std::max<std::size_t>(700, 75 * cases_.size()), file.string(), label_, rows, bars);
  }

  // Okabe and Ito's colours, told apart with every common colour vision, and two greys.
  static constexpr std::array<std::string_view, 9> palette{"#0072B2", "#000000", "#D55E00",
                                                           "#009E73", "#CC79A7", "#E69F00",
                                                           "#56B4E9", "#999999", "#D8D8D8"};

  std::string label_;
  std::vector<std::string> cases_, tools_;
  std::vector<entry> entries_;
};

/// Beside the program, under the name of the suite.
inline void draw(const suite& suite, const chart& chart) {
  const std::filesystem::path file =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / (suite.name() + ".svg");
  const std::string trouble = chart.draw(file);
  suite.say(trouble.empty() ? fmt::format("picture: {}", file.string())
                            : fmt::format("no picture: {}", trouble));
}

/// What a main() does: run(suite, chart) with the options of the command line, and where that ran
/// the whole suite a picture, its axis labelled so. Returns the exit status.
template <class Run>
int measure(std::string name, std::string label, int argc, char** argv, Run&& run) {
  suite suite(std::move(name), argc, argv);
  chart chart(std::move(label));
  try {
    run(suite, chart);
  } catch (const std::exception& e) {
    suite.say(fmt::format("error: {}", e.what()));
    return 1;
  }
  if (suite.whole()) draw(suite, chart);
  return suite.finish();
}

}  // namespace bench
