#include <autodiff/explorer/layout.hpp>
#include <autodiff/explorer/views.hpp>
#include <autodiff/json.hpp>

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace autodiff {
namespace {

constexpr double box_height = 62;

/// Characters, for an estimate of the room that a text takes.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

/// Wide enough for the numbers in it, and for a title up to some length.
double width_of(const graph& g, const view_box& box, const view_group& group) {
  if (box.what != view_box::kind::node) {
    return std::clamp(7.4 * static_cast<double>(characters(group.name)) + 44, 150.0, 240.0);
  }
  const graph_node& node = g.nodes[box.index];
  if (node.value.is_tensor()) return 210;
  const std::size_t letters = std::max(characters(node.label), characters(node.name));
  return std::clamp(7.4 * static_cast<double>(letters) + 26, 130.0, 210.0);
}

/// A frame around the boxes of each note, where these are not groups already.
std::string frames_of(const std::vector<layout_box>& boxes, const layout& placed) {
  struct area {
    double left = 1e300, top = 1e300, right = 0, bottom = 0;
  };
  std::map<std::string, area> areas;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (boxes[i].frame.empty()) continue;
    area& around = areas[boxes[i].frame];
    const layout::corner at = placed.corners[i];
    around.left = std::min(around.left, at.x);
    around.top = std::min(around.top, at.y);
    around.right = std::max(around.right, at.x + boxes[i].width);
    around.bottom = std::max(around.bottom, at.y + boxes[i].height);
  }
  std::string text;
  for (const auto& [note, a] : areas) {
    text += fmt::format(R"({}{{"note":{},"x":{:.1f},"y":{:.1f},"w":{:.1f},"h":{:.1f}}})",
                        text.empty() ? "" : ",", json_text(note), a.left - 15, a.top - 22,
                        a.right - a.left + 30, a.bottom - a.top + 35);
  }
  return text;
}

std::string box_json(const view_box& box, const layout_box& size, layout::corner at) {
  const bool is_node = box.what == view_box::kind::node;
  return fmt::format(R"({{"{}":{},{}"x":{:.1f},"y":{:.1f},"w":{:.1f},"h":{:.1f}}})",
                     is_node ? "node" : "group", box.index,
                     box.what == view_box::kind::outside ? "\"outside\":true," : "", at.x, at.y,
                     size.width, size.height);
}

std::string number_or_minus(std::size_t index) {
  return index == view_group::none ? "-1" : fmt::format("{}", index);
}

std::string view_json(std::string_view operation, const graph& g, const graph_views& views,
                      const view& picture, std::chrono::milliseconds patience) {
  const bool framed = views.groups.size() == 1;
  std::vector<layout_box> boxes;
  for (const view_box& box : picture.boxes) {
    const bool is_node = box.what == view_box::kind::node;
    boxes.push_back({width_of(g, box, views.groups[is_node ? 0 : box.index]), box_height,
                     framed ? g.nodes[box.index].note : ""});
  }
  std::vector<layout_line> lines;
  for (const view_line& line : picture.lines) lines.push_back({line.from, line.to});
  const layout placed = lay_out(operation, boxes, lines, patience);
  std::vector<std::string> drawn_boxes;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    drawn_boxes.push_back(box_json(picture.boxes[i], boxes[i], placed.corners[i]));
  }
  std::vector<std::string> drawn_lines;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    drawn_lines.push_back(fmt::format(R"({{"from":{},"to":{},"edge":{},"path":"{}"}})",
                                      lines[i].from, lines[i].to,
                                      number_or_minus(picture.lines[i].edge), placed.paths[i]));
  }
  return fmt::format(
      "{{\"width\":{:.1f},\"height\":{:.1f},\"boxes\":[\n{}],\"lines\":[\n{}],\"frames\":[{}]}}",
      placed.width, placed.height, fmt::join(drawn_boxes, ",\n"), fmt::join(drawn_lines, ",\n"),
      frames_of(boxes, placed));
}

}  // namespace

std::string layout_json(std::string_view operation, const graph& g, const graph_views& views,
                        std::chrono::milliseconds patience) {
  std::vector<std::string> groups;
  for (const view_group& group : views.groups) {
    groups.push_back(fmt::format(R"({{"name":{},"parent":{},"nodes":[{}]}})", json_text(group.name),
                                 number_or_minus(group.parent), fmt::join(group.nodes, ",")));
  }
  using clock = std::chrono::steady_clock;
  const clock::time_point begin = clock::now();
  std::vector<std::string> pictures;
  for (const view& picture : views.views) {
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - begin);
    pictures.push_back(view_json(operation, g, views, picture, patience - passed));
  }
  return fmt::format("{{\"groups\":[\n{}],\n\"views\":[\n{}]}}", fmt::join(groups, ",\n"),
                     fmt::join(pictures, ",\n"));
}

}  // namespace autodiff
