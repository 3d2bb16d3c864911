#include <autodiff/explorer/layout.hpp>

#include <algorithm>
#include <autodiff/child_process.hpp>
#include <autodiff/error.hpp>
#include <charconv>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace autodiff {
namespace {

// Graphviz counts in inches.
constexpr double pixels_per_inch = 72, between_boxes = 0.28, between_columns = 1.15;

/// The column of each box, from the left: it stands right of all that lead to it, but for lines in
/// a circle, as there are between groups.
std::vector<std::size_t> columns_of(std::size_t boxes, std::span<const layout_line> lines) {
  std::vector<std::size_t> column(boxes), open(boxes), ready;
  std::vector<std::vector<std::size_t>> next(boxes);
  for (const layout_line& line : lines) {
    ++open[line.to];
    next[line.from].push_back(line.to);
  }
  for (std::size_t i = 0; i < boxes; ++i) {
    if (open[i] == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    const std::size_t from = ready.back();
    ready.pop_back();
    for (const std::size_t to : next[from]) {
      column[to] = std::max(column[to], column[from] + 1);
      if (--open[to] == 0) ready.push_back(to);
    }
  }
  return column;
}

/// How many columns each line leads across; those in a circle count as one.
std::vector<std::size_t> spans_of(const std::vector<std::size_t>& column,
                                  std::span<const layout_line> lines) {
  std::vector<std::size_t> spans;
  for (const layout_line& line : lines) {
    const std::size_t from = column[line.from];
    spans.push_back(column[line.to] > from ? column[line.to] - from : 1);
  }
  return spans;
}

/// Which lines Graphviz lays out. It cuts a line into pieces of one column, and some thousands of
/// those take minutes: the longest lines of boxes that have others are left to us.
std::vector<bool> laid_out(std::size_t boxes, std::span<const layout_line> lines,
                           const std::vector<std::size_t>& spans, std::size_t most) {
  std::vector<std::size_t> degree(boxes);
  for (const layout_line& line : lines) ++degree[line.from], ++degree[line.to];
  std::vector<std::size_t> longest(lines.size());
  std::iota(longest.begin(), longest.end(), std::size_t{0});
  std::stable_sort(longest.begin(), longest.end(),
                   [&](std::size_t a, std::size_t b) { return spans[a] > spans[b]; });
  std::vector<bool> kept(lines.size(), true);
  std::size_t total = std::accumulate(spans.begin(), spans.end(), std::size_t{0});
  for (const std::size_t i : longest) {
    if (total <= most) break;
    if (degree[lines[i].from] < 2 || degree[lines[i].to] < 2) continue;
    kept[i] = false;
    total -= spans[i];
    --degree[lines[i].from];
    --degree[lines[i].to];
  }
  return kept;
}

constexpr std::size_t most_pieces = 9000;

/// How long Graphviz may improve a layout: in a large one, its last touches cost minutes and cannot
/// be seen.
std::string_view effort(std::size_t pieces) {
  if (pieces > 4500) return "nslimit=0.2;nslimit1=0.2;mclimit=0.05;";
  return pieces > 1000 ? "nslimit=0.5;nslimit1=0.5;mclimit=0.1;" : "";
}

/// Boxes are named by their numbers and labels are left to the page: no text of a user's program
/// reaches Graphviz.
std::string description(std::span<const layout_box> boxes, std::span<const layout_line> lines,
                        const std::vector<bool>& kept, std::size_t pieces) {
  std::string text = fmt::format(
      "digraph g{{rankdir=LR;nodesep={};ranksep={};{}edge[arrowhead=none];"
      "node[shape=box,fixedsize=true,label=\"\"];\n",
      between_boxes, between_columns, effort(pieces));
  std::map<std::string_view, std::vector<std::size_t>> frames;
  for (std::size_t i = 0; i < boxes.size(); ++i) frames[boxes[i].frame].push_back(i);
  std::size_t count = 0;
  for (const auto& [frame, members] : frames) {
    if (!frame.empty()) text += fmt::format("subgraph cluster_{}{{margin=18;\n", count++);
    for (const std::size_t i : members) {
      text += fmt::format("{}[width={:.4f},height={:.4f}];\n", i, boxes[i].width / pixels_per_inch,
                          boxes[i].height / pixels_per_inch);
    }
    if (!frame.empty()) text += "}\n";
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (kept[i]) text += fmt::format("{}->{};\n", lines[i].from, lines[i].to);
  }
  return text + "}\n";
}

/// The words of one line of Graphviz's "plain" format.
class words {
 public:
  explicit words(std::string_view line) : rest_(line) {}

  std::string_view word() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return found;
  }
  std::size_t count() { return as<std::size_t>(); }
  double pixels() { return pixels_per_inch * as<double>(); }

 private:
  template <class T>
  T as() {
    const std::string_view text = word();
    T number{};
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

  std::string_view rest_;
};

/// "edge tail head n x1 y1 .. xn yn ..", a chain of cubic curves.
std::string path_of(words& line) {
  std::string path;
  const std::size_t points = line.count();
  for (std::size_t i = 0; i < points; ++i) {
    const double x = line.pixels();
    const double y = line.pixels();
    path += fmt::format("{}{:.1f} {:.1f}", i == 0 ? "M" : i == 1 ? "C" : " ", x, y);
  }
  return path;
}

layout read_plain(std::string_view text, std::span<const layout_box> boxes,
                  std::span<const layout_line> lines, const std::vector<bool>& kept) {
  layout result;
  result.corners.resize(boxes.size());
  result.paths.resize(lines.size());
  // Several lines between the same boxes come in the order in which they were named.
  std::multimap<std::pair<std::size_t, std::size_t>, std::size_t> open;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (kept[i]) open.insert({{lines[i].from, lines[i].to}, i});
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    words line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view what = line.word();
    if (what == "graph") {
      line.word();  // the scale
      result.width = line.pixels();
      result.height = line.pixels();
    } else if (what == "node") {
      const std::size_t i = line.count();
      const double x = line.pixels();
      const double y = line.pixels();
      result.corners.at(i) = {x - boxes[i].width / 2, y - boxes[i].height / 2};
    } else if (what == "edge") {
      const std::size_t from = line.count();
      const auto found = open.find({from, line.count()});
      if (found == open.end()) continue;
      result.paths[found->second] = path_of(line);
      open.erase(found);
    }
  }
  return result;
}

/// From the right side of a box to the left side of another.
std::string direct_path(const layout_line& line, const layout& placed,
                        std::span<const layout_box> boxes) {
  const layout::corner a = placed.corners[line.from], b = placed.corners[line.to];
  const double x1 = a.x + boxes[line.from].width, y1 = a.y + boxes[line.from].height / 2;
  const double x2 = b.x, y2 = b.y + boxes[line.to].height / 2;
  return fmt::format("M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", x1, y1, x1 + 60,
                     y1, x2 - 60, y2, x2, y2);
}

/// Column by column from the left, in each from above in the order of the boxes.
layout in_columns(std::span<const layout_box> boxes, const std::vector<std::size_t>& column) {
  constexpr double apart = between_columns * pixels_per_inch,
                   below = between_boxes * pixels_per_inch;
  layout result;
  std::vector<double> widths(boxes.size()), filled(boxes.size(), 0.0);
  for (std::size_t i = 0; i < boxes.size(); ++i)
    widths[column[i]] = std::max(widths[column[i]], boxes[i].width);
  std::vector<double> left(boxes.size());
  for (std::size_t k = 1; k < left.size(); ++k) left[k] = left[k - 1] + widths[k - 1] + apart;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    double& top = filled[column[i]];
    result.corners.push_back({left[column[i]], top});
    result.width = std::max(result.width, left[column[i]] + boxes[i].width);
    result.height = std::max(result.height, top + boxes[i].height);
    top += boxes[i].height + below;
  }
  return result;
}

/// As Graphviz lays them out; nothing when patience is over before it has done.
std::optional<layout> by_graphviz(std::string_view operation, std::span<const layout_box> boxes,
                                  std::span<const layout_line> lines,
                                  const std::vector<std::size_t>& column,
                                  std::chrono::milliseconds patience) {
  const std::vector<std::size_t> spans = spans_of(column, lines);
  const std::vector<bool> kept = laid_out(boxes.size(), lines, spans, most_pieces);
  std::size_t pieces = boxes.size();
  for (std::size_t i = 0; i < lines.size(); ++i) pieces += kept[i] ? spans[i] - 1 : 0;
  const finished_process dot =
      run_program(operation, {"dot", "-Tplain", "-y"}, description(boxes, lines, kept, pieces),
                  "install Graphviz (apt-get install graphviz)", patience);
  if (dot.is_late) return std::nullopt;
  if (!dot.failure.empty() || !dot.output.starts_with("graph ")) {
    throw io_error(operation,
                   fmt::format("Graphviz failed ({}): {}",
                               dot.failure.empty() ? "no layout" : dot.failure, dot.complaints),
                   "Graphviz 2.42 or newer is needed");
  }
  return read_plain(dot.output, boxes, lines, kept);
}

}  // namespace

layout lay_out(std::string_view operation, std::span<const layout_box> boxes,
               std::span<const layout_line> lines, std::chrono::milliseconds patience) {
  const std::vector<std::size_t> column = columns_of(boxes.size(), lines);
  std::optional<layout> found;
  if (patience.count() > 0) found = by_graphviz(operation, boxes, lines, column, patience);
  layout placed = found ? std::move(*found) : in_columns(boxes, column);
  placed.paths.resize(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (placed.paths[i].empty()) placed.paths[i] = direct_path(lines[i], placed, boxes);
  }
  return placed;
}

}  // namespace autodiff
