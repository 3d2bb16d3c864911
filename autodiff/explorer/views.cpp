#include <autodiff/explorer/views.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include <fmt/format.h>

namespace autodiff {
namespace {

constexpr std::size_t none = view_group::none;

/// Cuts a graph into groups: first by notes, then by steps.
class grouping {
 public:
  grouping(const graph& g, const view_sizes& most) : graph_(g), most_(most), groups_(1) {
    group_of_.resize(g.nodes.size());
    for (std::size_t id = 0; id < g.nodes.size(); ++id) {
      const std::size_t group = g.nodes.size() > most.whole ? group_of_note(g.nodes[id].note) : 0;
      groups_[group].nodes.push_back(id);
    }
    if (g.nodes.size() > most.whole) {
      const std::size_t by_notes = groups_.size();
      for (std::size_t group = 0; group < by_notes; ++group) cut(group);
    }
    for (std::size_t group = 0; group < groups_.size(); ++group) {
      for (const std::size_t id : groups_[group].nodes) group_of_[id] = group;
    }
  }

  std::vector<view_group>& groups() { return groups_; }
  std::size_t group_of(std::size_t node) const { return group_of_[node]; }
  std::size_t parent(std::size_t group) const { return groups_[group].parent; }

 private:
  /// A node or a group, and the range of steps in which the sweep comes past it.
  struct member {
    bool is_group;
    std::size_t index, first, last;
  };

  std::size_t group_of_note(const std::string& note) {
    if (note.empty()) return 0;
    const auto [known, is_new] = by_note_.try_emplace(note, none);
    if (!is_new) return known->second;
    const std::size_t slash = note.rfind('/');
    const std::size_t parent =
        slash == std::string::npos ? 0 : group_of_note(note.substr(0, slash));
    return by_note_[note] = add(note, parent);
  }

  std::size_t add(std::string name, std::size_t parent) {
    groups_.push_back({std::move(name), parent, {}});
    return groups_.size() - 1;
  }

  std::vector<member> members_of(std::size_t group) const {
    std::vector<member> members;
    for (const std::size_t id : groups_[group].nodes) {
      members.push_back({false, id, graph_.nodes[id].step, graph_.nodes[id].step});
    }
    for (std::size_t inner = 1; inner < groups_.size(); ++inner) {
      if (groups_[inner].parent != group) continue;
      const auto [first, last] = steps_of(inner);
      members.push_back({true, inner, first, last});
    }
    std::sort(members.begin(), members.end(),
              [](const member& a, const member& b) { return a.first < b.first; });
    return members;
  }

  std::pair<std::size_t, std::size_t> steps_of(std::size_t group) const {
    std::size_t first = none;
    std::size_t last = 0;
    for (const member& m : members_of(group)) {
      first = std::min(first, m.first);
      last = std::max(last, m.last);
    }
    return {first, last};
  }

  /// What is too large becomes groups of members that follow each other in the sweep, as few as
  /// fit, and these are cut in turn.
  void cut(std::size_t group) {
    const std::vector<member> members = members_of(group);
    if (members.size() <= most_.group) return;
    const std::size_t pieces =
        std::min((members.size() + most_.group - 1) / most_.group, most_.group / 4);
    groups_[group].nodes.clear();
    for (std::size_t k = 0; k < pieces; ++k) {
      const auto begin = members.begin() + static_cast<std::ptrdiff_t>(k * members.size() / pieces);
      const auto end =
          members.begin() + static_cast<std::ptrdiff_t>((k + 1) * members.size() / pieces);
      std::size_t last = 0;
      for (auto m = begin; m != end; ++m) last = std::max(last, m->last);
      const std::size_t piece = add(fmt::format("steps {} to {}", begin->first, last), group);
      for (auto m = begin; m != end; ++m) {
        if (m->is_group) groups_[m->index].parent = piece;
        if (!m->is_group) groups_[piece].nodes.push_back(m->index);
      }
      cut(piece);
    }
  }

  const graph& graph_;
  view_sizes most_;
  std::vector<view_group> groups_;
  std::map<std::string, std::size_t> by_note_;
  std::vector<std::size_t> group_of_;
};

/// Draws every edge of the graph into the pictures in which its ends are apart.
class drawing {
 public:
  drawing(const graph& g, const grouping& groups, std::size_t count)
      : graph_(g), groups_(groups), views_(count), boxes_(count), drawn_(count) {
    for (std::size_t id = 0; id < g.nodes.size(); ++id) {
      box(groups.group_of(id), view_box::kind::node, id);
    }
    for (std::size_t inner = 1; inner < count; ++inner) {
      box(groups.parent(inner), view_box::kind::group, inner);
    }
    for (std::size_t edge = 0; edge < g.edges.size(); ++edge) draw(edge);
  }

  std::vector<view> take() { return std::move(views_); }

 private:
  /// From the group of a node up to the whole graph.
  std::vector<std::size_t> chain(std::size_t node) const {
    std::vector<std::size_t> groups;
    for (std::size_t g = groups_.group_of(node); g != none; g = groups_.parent(g)) {
      groups.push_back(g);
    }
    return groups;
  }

  std::size_t box(std::size_t group, view_box::kind what, std::size_t index) {
    const auto [known, is_new] =
        boxes_[group].try_emplace({what, index}, views_[group].boxes.size());
    if (is_new) views_[group].boxes.push_back({what, index});
    return known->second;
  }

  void draw(std::size_t edge) {
    const std::vector<std::size_t> from = chain(graph_.edges[edge].from);
    const std::vector<std::size_t> to = chain(graph_.edges[edge].to);
    std::set<std::size_t> pictures(from.begin(), from.end());
    pictures.insert(to.begin(), to.end());
    for (const std::size_t group : pictures) {
      const std::size_t a = end_of(group, graph_.edges[edge].from, from);
      const std::size_t b = end_of(group, graph_.edges[edge].to, to);
      if (a != b) line(group, {a, b, edge});
    }
  }

  /// The box that shows a node in the picture of a group: its own, that of a group inside, or that
  /// of what the picture does not show, seen from the nearest group around both.
  std::size_t end_of(std::size_t group, std::size_t node, const std::vector<std::size_t>& chain) {
    const auto here = std::find(chain.begin(), chain.end(), group);
    if (here == chain.begin()) return box(group, view_box::kind::node, node);
    if (here != chain.end()) return box(group, view_box::kind::group, *(here - 1));
    std::size_t around = groups_.parent(group);
    auto common = std::find(chain.begin(), chain.end(), around);
    while (common == chain.end()) {
      around = groups_.parent(around);
      common = std::find(chain.begin(), chain.end(), around);
    }
    if (common == chain.begin()) return box(group, view_box::kind::node, node);
    return box(group, view_box::kind::outside, *(common - 1));
  }

  /// Edges between nodes are lines of their own; to and from groups, one stands for all.
  void line(std::size_t group, view_line line) {
    const auto is_node = [&](std::size_t i) {
      return views_[group].boxes[i].what == view_box::kind::node;
    };
    if (!is_node(line.from) || !is_node(line.to)) {
      if (!drawn_[group].insert({line.from, line.to}).second) return;
      line.edge = none;
    }
    views_[group].lines.push_back(line);
  }

  const graph& graph_;
  const grouping& groups_;
  std::vector<view> views_;
  std::vector<std::map<std::pair<view_box::kind, std::size_t>, std::size_t>> boxes_;
  std::vector<std::set<std::pair<std::size_t, std::size_t>>> drawn_;
};

/// Where too many boxes stand beside a group, one takes the place of all: the whole graph.
void merge_outside(view& picture, std::size_t inside, std::size_t most) {
  if (picture.boxes.size() <= inside + most) return;
  picture.boxes.resize(inside);
  picture.boxes.push_back({view_box::kind::outside, 0});
  std::set<std::pair<std::size_t, std::size_t>> drawn;
  std::vector<view_line> lines;
  for (view_line line : picture.lines) {
    const bool leaves = line.from >= inside || line.to >= inside;
    line.from = std::min(line.from, inside);
    line.to = std::min(line.to, inside);
    if (leaves && !drawn.insert({line.from, line.to}).second) continue;
    if (leaves) line.edge = none;
    lines.push_back(line);
  }
  picture.lines = std::move(lines);
}

}  // namespace

graph_views views_of(const graph& g, const view_sizes& most) {
  grouping groups(g, most);
  graph_views result{groups.groups(), {}};
  std::vector<std::size_t> inside(result.groups.size());
  for (std::size_t i = 0; i < inside.size(); ++i) {
    inside[i] += result.groups[i].nodes.size();
    if (i > 0) ++inside[result.groups[i].parent];
  }
  result.views = drawing(g, groups, result.groups.size()).take();
  for (std::size_t i = 0; i < inside.size(); ++i) {
    merge_outside(result.views[i], inside[i], most.outside);
  }
  return result;
}

}  // namespace autodiff
