#include <autodiff/explorer/views.hpp>

#include <algorithm>
#include <set>
#include <tests/autodiff/sample_graphs.hpp>
#include <tests/catch.hpp>

namespace {

namespace ad = autodiff;
using what = ad::view_box::kind;

/// Groups by notes where they would be one picture otherwise.
constexpr ad::view_sizes small{.whole = 0, .group = 40, .outside = 8};

std::size_t count(const ad::view& picture, what kind) {
  return static_cast<std::size_t>(std::count_if(picture.boxes.begin(), picture.boxes.end(),
                                                [&](auto& box) { return box.what == kind; }));
}

}  // namespace

TEST_CASE("a graph of moderate size is one picture of all its nodes and edges") {
  const ad::graph g = sample::random_graph(2000, 5, "g");
  const ad::graph_views views = ad::views_of(g);
  REQUIRE(views.groups.size() == 1);
  CHECK(views.groups[0].name.empty());
  CHECK(views.views[0].boxes.size() == 2000);
  CHECK(views.views[0].lines.size() == g.edges.size());
}

TEST_CASE("a larger graph is a tree of groups by the parts of its notes") {
  sample::builder made;
  made.note = "net/layer 1";
  const std::size_t a = made.input(1, "a");
  made.note = "net/layer 2";
  const std::size_t b = made.halve(a);
  made.note = "loss";
  const std::size_t c = made.halve(b);
  made.note = "";
  made.add(b, c);
  const ad::graph_views views = ad::views_of(made.finish("g"), small);

  REQUIRE(views.groups.size() == 5);
  const std::vector<std::string> names{"", "net", "net/layer 1", "net/layer 2", "loss"};
  const std::vector<std::size_t> parents{ad::view_group::none, 0, 1, 1, 0};
  for (std::size_t i = 0; i < names.size(); ++i) {
    CAPTURE(i);
    CHECK(views.groups[i].name == names[i]);
    CHECK(views.groups[i].parent == parents[i]);
  }
  CHECK(count(views.views[0], what::group) == 2);  // net, loss
  CHECK(count(views.views[0], what::node) == 1);   // the sum
  CHECK(views.views[0].lines.size() == 3);         // net -> loss, net -> sum, loss -> sum
  // Inside "net", what b leads to stands beside it: loss as a group, the sum as a node.
  CHECK(count(views.views[1], what::group) == 2);
  CHECK(count(views.views[1], what::outside) == 1);
  CHECK(count(views.views[1], what::node) == 1);
}

TEST_CASE("every node stands directly in one group, and every edge is a line in some picture") {
  const ad::graph g = sample::random_graph(3000, 7, "g");
  const ad::graph_views views = ad::views_of(g, small);
  std::multiset<std::size_t> nodes;
  for (const ad::view_group& group : views.groups) {
    nodes.insert(group.nodes.begin(), group.nodes.end());
  }
  CHECK(nodes.size() == g.nodes.size());
  CHECK(std::set<std::size_t>(nodes.begin(), nodes.end()).size() == g.nodes.size());

  std::set<std::size_t> drawn;
  std::vector<std::size_t> group_of(g.nodes.size());
  for (std::size_t i = 0; i < views.groups.size(); ++i) {
    for (const std::size_t id : views.groups[i].nodes) group_of[id] = i;
    for (const ad::view_line& line : views.views[i].lines) {
      if (line.edge != ad::view_group::none) drawn.insert(line.edge);
      CHECK(line.from < views.views[i].boxes.size());
      CHECK(line.to < views.views[i].boxes.size());
    }
  }
  for (std::size_t edge = 0; edge < g.edges.size(); ++edge) {
    if (group_of[g.edges[edge].from] == group_of[g.edges[edge].to]) CHECK(drawn.contains(edge));
  }
}

TEST_CASE("no picture of a large graph has more boxes than the limits allow") {
  for (const std::size_t notes : {std::size_t{0}, std::size_t{3}, std::size_t{900}}) {
    CAPTURE(notes);
    const ad::graph_views views = ad::views_of(sample::random_graph(5000, notes, "g"), small);
    for (const ad::view& picture : views.views) {
      CHECK(picture.boxes.size() <= small.group + small.outside);
    }
  }
}

TEST_CASE("a graph of no notes is cut into the steps of its sweep") {
  const ad::graph g = sample::random_graph(2001, 0, "g");
  const ad::graph_views views = ad::views_of(g);
  REQUIRE(views.groups.size() == 7);
  CHECK(views.groups[1].name == "steps 0 to 332");
  CHECK(views.groups[6].name == "steps 1667 to 2000");
  for (const ad::view_group& group : views.groups) CHECK(group.nodes.size() <= 400);
}
