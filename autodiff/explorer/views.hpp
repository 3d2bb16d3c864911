#pragma once
// A graph cut into pictures that a browser can show. One of moderate size is one picture, with a
// frame around the nodes of each note. A larger one is a tree of groups by notes ("net/layer 1"
// lies in "net"), and what a note leaves too large is cut further, by the steps of the sweep: a
// picture for each group, in which the groups inside it are boxes.

#include <autodiff/graph.hpp>

#include <chrono>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace autodiff {

/// Nodes, and the groups that have this one as parent.
struct view_group {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  std::string name;                ///< empty for the whole graph, which is group 0
  std::size_t parent = none;       ///< none for the whole graph
  std::vector<std::size_t> nodes;  ///< that stand in it directly
};

/// A node, a group inside the one that is shown, or one beside it to which lines lead.
struct view_box {
  enum class kind { node, group, outside } what;
  std::size_t index;  ///< of the node or of the group
};

struct view_line {
  std::size_t from, to;  ///< boxes
  /// The edge of the graph, or none where the line stands for all those from or to a group.
  std::size_t edge = view_group::none;
};

/// The picture of a group.
struct view {
  std::vector<view_box> boxes;
  std::vector<view_line> lines;
};

struct graph_views {
  std::vector<view_group> groups;
  std::vector<view> views;  ///< of each group
};

/// How large a picture may be.
struct view_sizes {
  std::size_t whole = 2000;  ///< nodes of a graph that is one picture
  std::size_t group = 400;   ///< boxes inside one group of a larger graph
  std::size_t outside = 40;  ///< boxes beside it, more are one
};

graph_views views_of(const graph& g, const view_sizes& most = {});

/// {"groups": [{"name", "parent" (-1 for none), "nodes"}], "views": [{"width", "height", "boxes":
/// [{"node" or "group", "outside", "x", "y", "w", "h"}], "lines": [{"from", "to", "edge" (-1 for
/// several), "path"}], "frames": [{"note", "x", "y", "w", "h"}]}]}, laid out by Graphviz, in plain
/// columns what it has not done when patience is over.
/// Throws io_error in the name of the operation if Graphviz is missing or fails.
std::string layout_json(std::string_view operation, const graph& g, const graph_views& views,
                        std::chrono::milliseconds patience);

}  // namespace autodiff
