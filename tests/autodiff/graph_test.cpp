#include <autodiff/error.hpp>
#include <autodiff/graph.hpp>
#include <autodiff/notes.hpp>
#include <autodiff/rule_table.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

using autodiff::graph;
using autodiff::graph_edge;
using autodiff::graph_node;
using autodiff::graph_of;
using autodiff::tape;
using autodiff::var;
using autodiff::watching;
using kind = autodiff::graph_node::kind;
using reference::message;
using reference::says;

namespace {

double value(const graph_node& n) { return n.value.numbers.at(0); }
double adjoint(const graph_node& n) { return n.adjoint.numbers.at(0); }

const graph_node& node(const graph& g, const std::string& name) {
  for (const graph_node& n : g.nodes) {
    if (n.name == name) return n;
  }
  FAIL("no node " << name);
  return g.nodes.front();
}
std::size_t count(const graph& g, const std::string& name) {
  std::size_t found = 0;
  for (const graph_node& n : g.nodes) found += n.name == name;
  return found;
}

/// What a graph is, whatever was recorded.
void require_sound(const graph& g) {
  std::vector<double> sums(g.nodes.size(), 0), sizes(g.nodes.size(), 0);
  for (const graph_edge& e : g.edges) {
    REQUIRE(e.from < e.to);
    if (!e.partial) continue;
    const double term = e.term.numbers.at(0);
    sums[e.from] += term;
    sizes[e.from] += std::abs(term);
  }
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    REQUIRE(g.nodes[id].step == g.nodes.size() - 1 - id);
    if (id == g.output) continue;
    CHECK(std::abs(sums[id] - adjoint(g.nodes[id])) <= 1e-14 * sizes[id]);
  }
}

}  // namespace

TEST_CASE("an explained statement is a graph of its functions, with values, slopes and adjoints") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(1.5), y = t.variable(-0.3);
  const var z = sin(x) * y + exp(x * y) / 2.0;
  const graph g = graph_of(t, z, "z");
  require_sound(g);
  CHECK(g.title == "z");
  CHECK(g.output == g.nodes.size() - 1);
  CHECK(g.nodes.size() == 9);  // x, y, sin, *, *, exp, 2, /, +
  const graph_node& sine = node(g, "sin");
  CHECK(sine.what == kind::function);
  CHECK(value(sine) == std::sin(1.5));
  CHECK(adjoint(sine) == -0.3);
  CHECK(sine.rule == "y = sin(x)");
  CHECK(sine.slope == "dy/dx = cos(x)");
  CHECK(adjoint(node(g, "exp")) == 0.5);
  CHECK(adjoint(node(g, "x1")) == t.adjoint(x));
  CHECK(value(node(g, "x2")) == -0.3);
  CHECK(node(g, "constant").what == kind::constant);
  CHECK(value(node(g, "constant")) == 2);
  CHECK(value(g.nodes[g.output]) == z.value());
  CHECK(adjoint(g.nodes[g.output]) == 1);
}

TEST_CASE("a graph holds what its output depends on, and nothing else") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(2.0), unused = t.variable(3.0);
  const var aside = unused * x;
  const var y = square(x);
  const var later = y * aside;
  CHECK(graph_of(t, y).nodes.size() == 2);
  CHECK(graph_of(t, later).nodes.size() == 5);
  const graph alone = graph_of(t, x);
  REQUIRE(alone.nodes.size() == 1);
  CHECK(value(alone.nodes[0]) == 2);
  CHECK(adjoint(alone.nodes[0]) == 1);
}

TEST_CASE("one variable at two places of a statement has two edges") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(3.0);
  const var y = x * x;
  const graph g = graph_of(t, y);
  require_sound(g);
  REQUIRE(g.edges.size() == 2);
  CHECK(g.edges[0].slot == 0);
  CHECK(g.edges[1].slot == 1);
  CHECK(*g.edges[1].partial == 3);
  CHECK(adjoint(g.nodes[0]) == 6);
}

TEST_CASE("sums that grow in place and copies of variables keep their terms") {
  tape t;
  t.watch(watching::explained);
  const std::vector<var> x = t.variable(std::vector{1.0, 2.0, 3.0});
  var s = 0.0;
  for (const var& each : x) s += each * each;
  const var copy = +s;
  const graph g = graph_of(t, copy);
  require_sound(g);
  CHECK(count(g, "multiply") == 3);
  CHECK(node(g, "copy").slope == "dy/dx = 1");
  CHECK(adjoint(node(g, "x3")) == 6);
}

TEST_CASE("statements recorded while nobody watched are nodes without a name") {
  tape t;
  const var x = t.variable(0.5);
  const var y = exp(x) * x;
  t.watch(watching::explained);
  const var z = 2.0 * y;
  const graph g = graph_of(t, z);
  require_sound(g);
  CHECK(g.nodes.size() == 4);
  const graph_node& statement = node(g, "statement");
  CHECK(statement.what == kind::statement);
  CHECK(value(statement) == y.value());  // which its user tells
  CHECK_FALSE(node(g, "x1").value.is_known());
  CHECK(adjoint(node(g, "x1")) == Approx(3 * std::exp(0.5)).epsilon(1e-15));
}

TEST_CASE("a passive variable in a statement is a constant, its value told by the statement's") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(3.0), half = 0.5, two = 2.0;
  const var y = (x - half) / 4.0;
  const graph g = graph_of(t, y);
  require_sound(g);
  CHECK(count(g, "constant") == 2);
  CHECK(value(node(g, "constant")) == 0.5);
  // Of two, or behind another function, nothing is told but partials.
  for (const var& z : {var(x * half + two), var(x + exp(half))}) {
    const graph whole = graph_of(t, z);
    require_sound(whole);
    CHECK(whole.nodes[whole.output].what == kind::statement);
    CHECK(whole.nodes.size() == 2);
    CHECK(value(whole.nodes[1]) == z.value());
  }
  CHECK(graph_of(t, x * half + two).nodes[1].name == "(x1 * x2) + x3");
}

TEST_CASE("an unwatched sum that carries its youngest term has that edge") {
  tape t;
  const std::vector<var> x = t.variable(std::vector{1.0, 2.0, 3.0});
  var s = x[0] * x[1];
  s += x[1] * x[2];
  s += x[2] * x[0];
  const graph g = graph_of(t, s);
  require_sound(g);
  CHECK(count(g, "statement") == 3);
}

TEST_CASE("a kink that was passed names the convention that was taken") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(0.0), y = t.variable(0.0);
  const var z = abs(x) + max(x, y) + relu(y + 1.0) + max(x, 0.0) + floor(x + 2.0) + square(x);
  const graph g = graph_of(t, z);
  CHECK(node(g, "abs").kink == "0 at 0");
  CHECK(node(g, "max").kink.value_or("").starts_with("1/2 each at a tie"));
  CHECK_FALSE(node(g, "relu").kink);
  CHECK(node(g, "floor").kink == "0 everywhere");
  CHECK_FALSE(node(g, "square").kink);
  CHECK(*g.edges[1].partial == 0.5);
}

TEST_CASE("kinks are found by the slopes on both sides, not where a function is merely steep") {
  // The exponent is a constant.
  const auto kink = [](const std::string& name, std::vector<double> at) {
    return is_kink(*autodiff::find_rule(name, at.size()), at.data(), {true, name != "pow", true},
                   0.5);
  };
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(kink("abs", {0}));
  CHECK_FALSE(kink("abs", {1e-300}));
  CHECK(kink("clamp", {1, 0, 1}));
  CHECK_FALSE(kink("clamp", {0.5, 0, 1}));
  CHECK(kink("hypot", {0, 0}));
  CHECK(kink("sqrt", {0}));
  CHECK(kink("log", {0}));
  CHECK_FALSE(kink("log", {1e-12}));
  CHECK(kink("pow", {0, 0.5}));
  CHECK_FALSE(kink("pow", {0, 2}));
  CHECK_FALSE(kink("pow", {2, 0.5}));
  CHECK(kink("hard_tanh", {-1}));
  CHECK(kink("leaky_relu", {0, 0.01}));
  CHECK_FALSE(kink("tgamma", {0.01}));
  CHECK_FALSE(kink("relu", {infinity}));
  CHECK_FALSE(kink("abs", {std::nan("")}));
}

TEST_CASE("every row of ops.def is found with its texts") {
  const autodiff::rule_entry* divide = autodiff::find_rule("divide", 2);
  REQUIRE(divide);
  CHECK(divide->slopes() == "dy/da = inverse(b), dy/db = -y / b");
  CHECK(autodiff::find_rule("hypot", 3)->value_text == "hypot(a, b, c)");
  CHECK(autodiff::find_rule("tanh", 1)->slopes() == "dy/dx = 4 * logistic_pdf(x + x)");
  CHECK(autodiff::find_rule("negate", 1)->slopes() == "dy/dx = -1");
  CHECK(autodiff::find_rule("nothing", 1) == nullptr);
  CHECK(autodiff::find_rule("tanh", 2) == nullptr);
}

TEST_CASE("an edge from a result that nothing depends on has the term 0") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(0.0);
  const var y = sqrt(x) * 0.0 + x;
  const graph g = graph_of(t, y);
  require_sound(g);
  CHECK(adjoint(node(g, "x1")) == 1);
}

TEST_CASE("a rewind takes notes back") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(2.0);
  const auto mark = t.mark();
  for (int i = 0; i < 3; ++i) {
    const var y = i == 1 ? exp(x) + var(0.0) : var(sin(x) * 2.0);
    const graph g = graph_of(t, y);
    require_sound(g);
    CHECK(count(g, "exp") == (i == 1));
    CHECK(value(g.nodes[g.output]) == y.value());
    t.rewind(mark);
  }
  t.watch(watching::off);
  const var z = cos(x);
  CHECK(node(graph_of(t, z), "statement").what == kind::statement);
}

TEST_CASE("scalars are called by their names, the last that they were given") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(2.0), p = t.variable(3.0), unnamed = t.variable(5.0);
  t.name(x, "x");
  t.name(x, "weight");
  const var copy = x;
  const var z = tanh(copy * p);
  t.name(z, "z");
  t.name(p, "\"p\"");
  const graph g = graph_of(t, z * unnamed);
  CHECK(node(g, "weight").label == "weight");
  CHECK(node(g, "x3").label == "x3");  // the third input, whatever the others are called
  CHECK(node(g, "tanh").label == "z");
  CHECK(node(g, "tanh").is_named);
  CHECK_FALSE(node(g, "x3").is_named);
  CHECK_FALSE(node(g, "multiply").is_named);
  CHECK(says(to_json(g), R"("name": "weight", "label": "weight")", R"("label": "\"p\"")",
             R"("name": "tanh", "label": "z")"));
}

TEST_CASE("a rewind takes names back") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(2.0);
  t.name(x, "x");
  const auto mark = t.mark();
  t.name(t.variable(1.0), "gone");
  t.name(t.variable(1.0), "gone, too");
  t.rewind(mark);
  const var again = t.variable(3.0);
  const graph g = graph_of(t, x * again);
  CHECK(node(g, "x").label == "x");
  CHECK(node(g, "x2").label == "x2");
}

TEST_CASE("names are for what an explained tape recorded") {
  tape t;
  const var x = t.variable(2.0);
  t.name(x, "x");
  t.name(var(1.0), "no matter what");
  CHECK(t.notes().read().names_of_scalars.empty());
  t.watch(watching::explained);
  CHECK(says(message<autodiff::tape_error>([&] { t.name(var(2.0), "c"); }), "name", "passive"));
  tape inner;
  inner.watch(watching::explained);
  CHECK(says(message<autodiff::tape_error>([&] { inner.name(x, "x"); }), "name", "another tape"));
}

TEST_CASE("long chains and wide sums need no stack") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(0.5);
  var y = x;
  for (int i = 0; i < 10000; ++i) y = sin(y) + x;
  const graph g = graph_of(t, y);
  require_sound(g);
  CHECK(g.nodes.size() == 1 + 2 * 10000);
  CHECK(g.edges.size() == 3 * 10000);
}

TEST_CASE("adjoints of an explained tape are those of any other") {
  const auto gradient = [](watching mode) {
    tape t;
    t.watch(mode);
    const std::vector<var> x = t.variable(std::vector{0.3, -0.7, 1.1, 2.0});
    var s = 0.0;
    for (std::size_t i = 0; i + 1 < x.size(); ++i)
      s += atan2(x[i], x[i + 1]) * exp(-square(x[i] - x[i + 1])) + x[i] * x[i];
    t.backward(s);
    return t.adjoint(x);
  };
  CHECK(reference::all_close(gradient(watching::explained), gradient(watching::off), 1e-14));
}

TEST_CASE(
    "a graph as JSON has an object for each node and edge, and strings where numbers are not "
    "finite") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(0.0);
  const var y = log(x) + 1.0;
  const std::string json = to_json(graph_of(t, y, "a \"quoted\" \\ title\n"));
  CHECK(says(json, R"("title": "a \"quoted\" \\ title\u000a")", R"("value": "-inf")"));
  CHECK(says(json, R"("partial": "inf", "term": "inf")", R"("kink": "+inf at 0, NaN below")"));
  CHECK(says(json, R"("kind": "constant")", R"("partial": null)"));
}

TEST_CASE("a graph of what is not on the tape is refused as backward refuses it") {
  tape t;
  t.watch(watching::explained);
  CHECK(says(message<autodiff::tape_error>([&] { graph_of(t, var(2.0)); }), "passive"));
  tape inner;
  const var other = inner.variable(1.0);
  CHECK(says(message<autodiff::tape_error>([&] { graph_of(t, other); }), "another tape"));
}
