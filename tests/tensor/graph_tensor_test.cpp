#include <autodiff/error.hpp>
#include <autodiff/graph.hpp>
#include <autodiff/note.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/distance.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/extremes.hpp>
#include <autodiff/tensor/fusion.hpp>
#include <autodiff/tensor/join.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/tensor/ternary.hpp>
#include <autodiff/tensor/view.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

using autodiff::graph;
using autodiff::graph_edge;
using autodiff::graph_node;
using autodiff::graph_of;
using autodiff::note;
using autodiff::tape;
using autodiff::tensor;
using autodiff::var;
using autodiff::watching;
using kind = autodiff::graph_node::kind;
using numbers = std::vector<double>;
using reference::message;
using reference::says;

namespace {

const graph_node& node(const graph& g, const std::string& name) {
  for (const graph_node& n : g.nodes) {
    if (n.name == name) return n;
  }
  FAIL("no node " << name);
  return g.nodes.front();
}

/// The terms at every node add up to its adjoint.
void require_sound(const graph& g, double tolerance = 1e-14) {
  std::vector<numbers> sums(g.nodes.size());
  for (std::size_t id = 0; id < g.nodes.size(); ++id)
    sums[id].assign(g.nodes[id].adjoint.numbers.size(), 0);
  for (const graph_edge& e : g.edges) {
    REQUIRE(e.from < e.to);
    if (g.nodes[e.from].what == kind::constant) continue;
    if (e.term.is_tensor()) {
      REQUIRE(e.term.numbers.size() == sums[e.from].size());
      for (std::size_t i = 0; i < e.term.numbers.size(); ++i) sums[e.from][i] += e.term.numbers[i];
    } else {
      sums[e.from].at(g.nodes[e.from].adjoint.is_tensor() ? e.slot : 0) += e.term.numbers.at(0);
    }
  }
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    INFO(g.nodes[id].name);
    if (id != g.output && g.nodes[id].what != kind::constant)
      CHECK(reference::all_close(sums[id], g.nodes[id].adjoint.numbers, tolerance));
  }
}

}  // namespace

TEST_CASE("tensor operations are nodes with their values, adjoints and shares") {
  tape t;
  t.watch(watching::explained);
  const tensor<double> x{{1, -2}, {3, 4}};
  const tensor<double> w = t.variable(tensor<double>{{0.5, 1}, {1, 0.5}});
  const tensor<double> a = matmul(x, w), z = relu(a), y = sum(z);
  const graph g = graph_of(t, y);
  require_sound(g);
  REQUIRE(g.nodes.size() == 5);
  CHECK(node(g, "x1").value.numbers == numbers{0.5, 1, 1, 0.5});
  CHECK(*node(g, "x1").value.extents == std::vector<std::size_t>{2, 2});
  CHECK(node(g, "x1").adjoint.numbers == numbers{3, 3, 4, 4});
  CHECK(node(g, "constant").value.numbers == numbers{1, -2, 3, 4});
  CHECK(node(g, "matmul").value.numbers == numbers{-1.5, 0, 5.5, 5});
  CHECK(node(g, "matmul").adjoint.numbers == numbers{0, 0, 1, 1});
  CHECK(node(g, "matmul").rule == "y = a b");
  CHECK(node(g, "matmul").pullback == "ā = ȳ bᵀ, b̄ = aᵀ ȳ");
  CHECK(node(g, "matmul").slope.empty());
  CHECK(node(g, "relu").slope == "dy/dx = heaviside(y)");
  CHECK(node(g, "relu").pullback.empty());
  CHECK(says(to_json(g), R"("rule": "y = a b", "slope": "", "pullback": "ā = ȳ bᵀ, b̄ = aᵀ ȳ")"));
  CHECK(node(g, "relu").kink == "0 at 0: 1 of 4 elements, the first at [0, 1]");
  CHECK(g.nodes[g.output].name == "sum");
  CHECK(t.adjoint(w).value(1, 0) == 4);
}

TEST_CASE("float tensors, broadcast operands and numbers beside tensors") {
  tape t;
  t.watch(watching::explained);
  const tensor<float> x = t.variable(tensor<float>{{1, 2, 3}, {4, 5, 6}});
  const tensor<float> b = t.variable(tensor<float>{0.5F, 0.5F, 2});
  const tensor<float> bounded = max(x * b, 2.0F);
  const tensor<float> y = sum(bounded + (1.0F - x) / b + clamp(b, 0.5F, 1.0F) + max(x, b * 2.0F));
  const graph g = graph_of(t, y);
  require_sound(g, 1e-6);
  CHECK(node(g, "max").kink.value_or("").ends_with("1 of 6 elements, the first at [1, 0]"));
  CHECK(node(g, "clamp").kink.value_or("").ends_with("2 of 3 elements, the first at [0]"));
  std::size_t constants = 0;
  for (const graph_node& n : g.nodes) constants += n.what == kind::constant;
  CHECK(constants == 5);  // 2, 1, 0.5, 1, 2
}

TEST_CASE("ties of largest and smallest elements over axes are kinks, with the share of each") {
  tape t;
  t.watch(watching::explained);
  const tensor<double> x = t.variable(tensor<double>{{1, 5, 5}, {4, 0, 2}, {7, 7, 7}});
  const std::string each = "1/k each of k equal ones";
  const auto kink = [&](const tensor<double>& y) {
    return graph_of(t, sum(y)).nodes.at(1).kink.value_or("none");
  };
  CHECK(kink(max(x, {1})) == each + ": 2 of 3 elements, the first at [0]");
  CHECK(kink(max(x, {0})) == "none");
  CHECK(kink(max(x, {0}, true)) == "none");
  CHECK(kink(min(x, {1}, true)) == each + ": 1 of 3 elements, the first at [2, 0]");
  CHECK(kink(max(x)) == each);
  CHECK(kink(min(x)) == "none");
  CHECK(t.adjoint(x).value(1, 1) == 1);
  const tensor<double> turned = transpose(x);
  CHECK(graph_of(t, sum(max(turned, {0}))).nodes.at(2).kink.value_or("none") ==
        each + ": 2 of 3 elements, the first at [0]");
  // As the kink says.
  CHECK(t.adjoint(x).value(0, 1) == 0.5);
  CHECK(t.adjoint(x).value(2, 0) == 1.0 / 3);
}

TEST_CASE("norms and deviations tell where they have no derivative") {
  tape t;
  t.watch(watching::explained);
  const tensor<float> x = t.variable(tensor<float>{{0, 0, 0}, {3, 0, -3}, {1, 2, 4}});
  const float infinite = INFINITY;
  const auto kink = [&](const tensor<float>& y) {
    return graph_of(t, sum(y)).nodes.at(1).kink.value_or("none");
  };
  CHECK(kink(norm(x, 2, {1})) == "0 at the origin: 1 of 3 elements, the first at [0]");
  CHECK(kink(norm(x, 3, {1})) == "0 at the origin: 1 of 3 elements, the first at [0]");
  CHECK(kink(norm(x)) == "none");
  CHECK(kink(norm(x, 1, {1})) == "0 by an element that is 0: 2 of 3 elements, the first at [0]");
  CHECK(kink(norm(x, infinite, {1})) ==
        "1/k each of k largest ones, 0 at the origin: 2 of 3 elements, the first at [0]");
  CHECK(kink(norm(x, infinite)) == "none");
  CHECK(kink(stddev(x, {1})) == "0 where all are equal: 1 of 3 elements, the first at [0]");
  CHECK(kink(stddev(x, {1}, {0})) == "0 where all are equal: 1 of 3 elements, the first at [0]");
  // Smooth at the same points.
  CHECK(kink(variance(x, {1})) == "none");
  CHECK(kink(prod(x, {1})) == "none");
  CHECK(kink(log_sum_exp(x, {1})) == "none");
  CHECK(kink(squared_distance(x, tensor<float>(x.shape()))) == "none");
  CHECK(kink(stddev(reshape(x, {9, 1}), {1}, {0})) == "none");
}

TEST_CASE("a tensor that stands in several slots has one edge with all of its share") {
  tape t;
  t.watch(watching::explained);
  const tensor<double> x = t.variable(tensor<double>{1, 2});
  const graph g = graph_of(t, sum(x * x));
  require_sound(g);
  REQUIRE(g.edges.size() == 2);
  CHECK(g.edges[0].term.numbers == numbers{2, 4});
  CHECK_FALSE(g.edges[0].partial);
}

TEST_CASE("a tensor that is used twice gets a share by each use") {
  tape t;
  t.watch(watching::explained);
  const tensor<double> x = t.variable(tensor<double>{1, 2});
  const tensor<double> y = sum(exp(x));
  const graph g = graph_of(t, y + sum(square(x)));
  require_sound(g);
  CHECK(
      reference::all_close(g.edges[0].term.numbers, numbers{std::exp(1.0), std::exp(2.0)}, 1e-15));
}

TEST_CASE("scalars taken out of tensors and stacked into them stand in one graph") {
  tape t;
  t.watch(watching::explained);
  const tensor<double> x = t.variable(tensor<double>{{1, 2}, {3, 4}});
  const var s = t.variable(0.5);
  const var corner = x(1, 0);
  const var a = corner * s + x(0, 1);
  const tensor<double> y = autodiff::stack({a, s, var(3.0)});
  const std::vector<var> all = elements(y * y);
  const var z = all[0] + sin(all[1]) + all[2];
  const graph g = graph_of(t, z);
  require_sound(g);
  const graph_node& element = node(g, "element");
  CHECK(element.what == kind::element_bridge);
  CHECK(element.label == "[1, 0]");
  CHECK(element.value.numbers == numbers{3});
  CHECK(node(g, "stack").value.numbers == numbers{3.5, 0.5, 3});
  CHECK(node(g, "constant").value.numbers == numbers{3});
  CHECK(t.adjoint(x).value(1, 0) == 2 * 3.5 * 0.5);
}

TEST_CASE("joined tensors have an edge from each piece") {
  tape t;
  t.watch(watching::explained);
  const tensor<double> a = t.variable(tensor<double>{1, 2}), b = t.variable(tensor<double>{3});
  const std::vector<tensor<double>> pieces{a, b, a};
  const graph g = graph_of(t, sum(square(concat(std::span<const tensor<double>>(pieces), 0))));
  require_sound(g);
  CHECK(node(g, "concat").value.numbers == numbers{1, 2, 3, 1, 2});
}

TEST_CASE("an explained tape records fused chains row by row") {
  const auto f = [](auto x, auto y) { return tanh(x * y) + x; };
  const auto run = [&](watching mode) {
    tape t;
    t.watch(mode);
    const tensor<double> x = t.variable(tensor<double>(autodiff::shape{80, 80}, 0.25));
    const tensor<double> y = sum(fuse(f, x, tensor<double>(autodiff::shape{80}, 0.5)));
    t.backward(y);
    if (mode == watching::explained) {
      const graph g = graph_of(t, y);
      CHECK(node(g, "tanh").what == kind::tensor_operation);
      require_sound(g);
    }
    return t.adjoint(x).value(3, 4);
  };
  CHECK(run(watching::explained) == Approx(run(watching::off)).epsilon(1e-14));
}

TEST_CASE("notes name what is recorded while they live") {
  tape t;
  t.watch(watching::explained);
  const var x = t.variable(2.0), p = t.variable(3.0);
  var y, z;
  {
    const note net(t, "net");
    {
      const note layer(t, "layer 1", note::kind::layer);
      y = exp(x * p) + 1.0;
    }
    z = y * x;
  }
  const graph g = graph_of(t, log(z));
  CHECK(node(g, "exp").note == "net/layer 1");
  CHECK(node(g, "exp").layer == "net/layer 1");
  CHECK(node(g, "constant").note == "net/layer 1");
  CHECK(node(g, "x2").note == "net/layer 1");  // used there and nowhere else
  CHECK(node(g, "x1").note.empty());
  CHECK(g.nodes[g.output - 1].note == "net");
  CHECK_FALSE(g.nodes[g.output - 1].layer);
  CHECK(g.nodes[g.output].note.empty());
}

TEST_CASE("a rewind forgets notes of operations and groups") {
  tape t;
  t.watch(watching::explained);
  const tensor<double> x = t.variable(tensor<double>{1, 2});
  const auto mark = t.mark();
  for (int i = 0; i < 2; ++i) {
    const note here(t, i == 0 ? "first" : "second");
    const tensor<double> y = sum(i == 0 ? exp(x) : sin(x));
    const graph g = graph_of(t, y);
    require_sound(g);
    CHECK(node(g, i == 0 ? "exp" : "sin").note == (i == 0 ? "first" : "second"));
    t.rewind(mark);
  }
}

TEST_CASE("tensors are called by their names, until a rewind takes them back") {
  tape t;
  t.watch(watching::explained);
  const tensor<double> w = t.variable(tensor<double>{1, 2});
  const auto mark = t.mark();
  t.name(w, "w");
  for (const std::string name : {"z", "y"}) {
    const tensor<double> y = exp(w);
    if (name == "z") t.name(y, name);
    const graph g = graph_of(t, sum(y));
    CHECK(node(g, "w").label == "w");
    CHECK(node(g, "exp").label == (name == "z" ? "z" : "exp"));
    CHECK(node(g, "exp").is_named == (name == "z"));
    t.rewind(mark);
  }
  CHECK(says(message<autodiff::tape_error>([&] { t.name(tensor<double>{1}, "c"); }), "name",
             "passive"));
}

TEST_CASE("a tensor operation that was recorded unwatched is refused") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>{1, 2});
  const tensor<double> y = sum(exp(x));
  CHECK(says(message<autodiff::tape_error>([&] { graph_of(t, y); }),
             "while the tape was not explained", "tape.watch(watching::explained)"));
  t.watch(watching::explained);
  CHECK(graph_of(t, sum(x)).nodes.size() == 2);
  CHECK(says(message<autodiff::shape_error>([&] { graph_of(t, exp(x)); }), "[2]"));
}
