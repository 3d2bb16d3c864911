#include <autodiff/layout.hpp>

#include <autodiff/child_process.hpp>
#include <autodiff/error.hpp>
#include <charconv>
#include <map>

#include <fmt/format.h>

namespace autodiff {
namespace {

constexpr double pixels_per_inch = 72;  // Graphviz counts in inches

/// How long Graphviz may improve a layout: from some hundred boxes on, its last touches cost
/// seconds and cannot be seen.
std::string_view patience(std::size_t boxes) {
  return boxes > 500 ? "nslimit=0.5;nslimit1=0.5;mclimit=0.1;" : "";
}

/// Boxes are named by their numbers and labels are left to the page: no text of a user's program
/// reaches Graphviz.
std::string description(std::span<const layout_box> boxes, std::span<const layout_line> lines) {
  std::string text = fmt::format(
      "digraph g{{rankdir=LR;nodesep=0.28;ranksep=0.9;{}edge[arrowhead=none];"
      "node[shape=box,fixedsize=true,label=\"\"];\n",
      patience(boxes.size()));
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
  for (const layout_line& line : lines) text += fmt::format("{}->{};\n", line.from, line.to);
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
                  std::span<const layout_line> lines) {
  layout result;
  result.corners.resize(boxes.size());
  result.paths.resize(lines.size());
  // Several lines between the same boxes come in the order in which they were named.
  std::multimap<std::pair<std::size_t, std::size_t>, std::size_t> open;
  for (std::size_t i = 0; i < lines.size(); ++i) open.insert({{lines[i].from, lines[i].to}, i});
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

}  // namespace

layout lay_out(std::string_view operation, std::span<const layout_box> boxes,
               std::span<const layout_line> lines) {
  const finished_process dot =
      run_program(operation, {"dot", "-Tplain", "-y"}, description(boxes, lines),
                  "install Graphviz (apt-get install graphviz)");
  if (!dot.failure.empty() || !dot.output.starts_with("graph ")) {
    throw io_error(operation,
                   fmt::format("Graphviz failed ({}): {}",
                               dot.failure.empty() ? "no layout" : dot.failure, dot.complaints),
                   "Graphviz 2.42 or newer is needed");
  }
  return read_plain(dot.output, boxes, lines);
}

}  // namespace autodiff
