#include <autodiff/error.hpp>
#include <autodiff/explain.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/extremes.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using autodiff::explain;
using autodiff::explain_options;
using autodiff::explanation;
using autodiff::gradient_ledger;
using autodiff::tape;
using autodiff::tensor;
using autodiff::var;
using autodiff::watching;
using reference::message;
using reference::says;

namespace {

struct explained_tape : tape {
  explained_tape() { watch(watching::explained); }
};

std::vector<double> terms(const explanation& e, std::size_t input = 0) {
  std::vector<double> all;
  for (const std::size_t edge : e.inputs[input].terms)
    all.push_back(e.picture.edges[edge].term.numbers.at(0));
  return all;
}
double gradient(const explanation& e, std::size_t input = 0) {
  return e.inputs[input].gradient.numbers.at(0);
}

void require_80_columns(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(line.size() <= 80);
  }
}

/// Whether a program is there to run.
bool has(const std::string& program) {
  return std::system((program + " > /dev/null 2>&1").c_str()) == 0;
}
void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

/// Cases of every kind, to be written out.
std::vector<explanation> several() {
  std::vector<explanation> all;
  explained_tape t;
  const var x = t.variable(0.0), y = t.variable(2.0), aside = t.variable(1.0);
  all.push_back(explain(t, log(x) + abs(x) * y - y * y + y * y, x, y, aside));
  const tensor<float> a = t.variable(tensor<float>{{1, 2}, {3, 4}});
  all.push_back(explain(t, sum(relu(matmul(a, a) - 7.0F)), {.title = "a \"b\" \\ <c>"}, a));
  return all;
}

}  // namespace

TEST_CASE("the terms of a gradient are partials times adjoints and add up to it") {
  explained_tape t;
  const var x = t.variable(1.5), y = t.variable(-0.3);
  const explanation e = explain(t, sin(x) * y + exp(x * y), x, y);
  const double growth = std::exp(-0.45);
  CHECK(reference::all_close(terms(e), std::vector{-0.3 * growth, -0.3 * std::cos(1.5)}, 1e-15));
  CHECK(gradient(e) == t.adjoint(x));
  CHECK(gradient(e) == Approx(-0.3 * (growth + std::cos(1.5))).epsilon(1e-15));
  CHECK(reference::all_close(terms(e, 1), std::vector{1.5 * growth, std::sin(1.5)}, 1e-15));
  CHECK(e.inputs[0].digits_lost < 0.5);
  CHECK(e.kinks.empty());
}

TEST_CASE("paths are ranked by the products of their partials") {
  explained_tape t;
  const var x = t.variable(2.0);
  const var y = 3.0 * x, z = y * x + x;  // dz/dx = 3 x by y, 3 x directly, and 1
  const explanation e = explain(t, z, x);
  const gradient_ledger& ledger = e.inputs[0];
  CHECK(ledger.path_count == 3);
  REQUIRE(ledger.paths.size() == 3);
  CHECK(std::abs(ledger.paths[0].product) == 6);
  CHECK(std::abs(ledger.paths[1].product) == 6);
  CHECK(ledger.paths[2].product == 1);
  double sum = 0;
  for (const auto& path : ledger.paths) {
    sum += path.product;
    CHECK(path.nodes.front() == e.picture.output);
    CHECK(path.nodes.back() == ledger.node);
  }
  CHECK(sum == gradient(e));
  const explanation two = explain(t, z, explain_options{.paths = 2}, x);
  CHECK(two.inputs[0].paths.size() == 2);
  CHECK(two.inputs[0].path_count == 3);
}

TEST_CASE("of exponentially many paths the largest are found") {
  explained_tape t;
  const var x = t.variable(1.0);
  var y = x;
  for (int i = 0; i < 40; ++i) y = 0.75 * y + 0.25 * y;  // a diamond each
  const explanation e = explain(t, y, x);
  CHECK(e.inputs[0].path_count == std::pow(2.0, 40));
  CHECK(e.inputs[0].paths[0].product == Approx(std::pow(0.75, 40)));
  CHECK(e.inputs[0].paths[1].product == Approx(std::pow(0.75, 39) * 0.25));
  CHECK(gradient(e) == 1);
  require_80_columns(to_string(e));
}

TEST_CASE("a gradient that cancels has lost its digits") {
  explained_tape t;
  const var x = t.variable(3.0);
  const explanation nothing_left = explain(t, x * x - x * x, x);
  CHECK(gradient(nothing_left) == 0);
  CHECK(std::isinf(nothing_left.inputs[0].digits_lost));
  CHECK(says(to_string(nothing_left), "all digits lost to cancellation in this sum"));
  // 1000 - 999 of 1999.
  const explanation e = explain(t, 1000.0 * x - 999.0 * x, x);
  CHECK(e.inputs[0].digits_lost == Approx(std::log10(1999.0)));
  // The value loses digits here, the derivative none.
  const explanation value_only = explain(t, (1e8 + x) - 1e8, x);
  CHECK(value_only.inputs[0].digits_lost == 0);
  CHECK(value_only.worst_node == gradient_ledger::nowhere);
}

TEST_CASE("the worst cancellation is found also at an intermediate result") {
  explained_tape t;
  const var x = t.variable(1.0);
  const var y = exp(x);
  const explanation e = explain(t, (1e6 + 1.0) * y - 1e6 * y + x, x);
  CHECK(e.inputs[0].digits_lost < 1);
  CHECK(e.worst_digits_lost == Approx(std::log10(2e6 + 1)));
  CHECK(e.picture.nodes[e.worst_node].name == "exp");
  CHECK(says(to_string(e), "6.3 digits lost to cancellation at #", "exp(x1)"));
}

TEST_CASE("kinks on the way are listed with the convention that was taken") {
  explained_tape t;
  const var x = t.variable(0.0), y = t.variable(0.0), z = t.variable(0.0);
  const explanation e = explain(t, abs(x) + max(x, y) + relu(z), x);
  REQUIRE(e.kinks.size() == 2);  // relu(z) does not lead to x
  CHECK(e.picture.nodes[e.kinks[0]].name == "abs");
  CHECK(gradient(e) == 0.5);
  CHECK(says(to_string(e), "abs(x1)\n    0 at 0", "max(x1, x2)\n    1/2 each at a tie"));
}

TEST_CASE("functions of scalars are kinks where their slope changes, and nowhere else") {
  explained_tape t;
  const var x = t.variable(0.0), one = t.variable(1.0);
  const auto kink = [&](const var& y) {
    const explanation e = explain(t, y, x, one);
    return e.kinks.empty() ? "none" : *e.picture.nodes[e.kinks.front()].kink;
  };
  for (const var& y : std::vector<var>{
           abs(x), relu(x), sign(x), heaviside(x), hypot(x, 0.0), hypot(x, x * one), floor(one),
           round(one - 0.5), min(x, 0.0), max(one, 1.0), clamp(x, 0.0, 2.0), clamp(one, 0.0, 1.0),
           hard_tanh(one), leaky_relu(x), selu(x), sqrt(x), cbrt(x), fmod(one, 0.5), fmax(x, 0.0)})
    CHECK(kink(y) != "none");
  for (const var& y :
       std::vector<var>{abs(one), relu(one), sign(one), hypot(x, 1.0), floor(one + 0.5),
                        max(one, 2.0), clamp(one, 0.0, 2.0), hard_tanh(x), elu(x), silu(x),
                        softsign(x), sqrt(one), fmod(one, 0.75), square(x), softplus(x)})
    CHECK(kink(y) == "none");
  CHECK(kink(hypot(x, 0.0)) == "0 at the origin");
  CHECK(says(kink(clamp(x, 0.0, 2.0)), "1 in a on the closed interval"));
}

TEST_CASE("a largest element that stands at two places is a kink on the way") {
  explained_tape t;
  const tensor<double> x = t.variable(tensor<double>{2, 7, 7});
  const explanation e = explain(t, max(x), x);
  REQUIRE(e.kinks.size() == 1);
  CHECK(e.inputs[0].gradient.numbers == std::vector<double>{0, 0.5, 0.5});
  CHECK(says(to_string(e), "max(x1)\n    1/k each of k equal ones\n"));
  const tensor<double> y = t.variable(tensor<double>{{1, 2}, {3, 3}});
  CHECK(says(to_string(explain(t, sum(max(y, {1})), y)),
             "1/k each of k equal ones: 1 of 2 elements, the first at [1]\n"));
  CHECK(explain(t, max(y, {0})[1], y).kinks.empty());
}

TEST_CASE("one use of many is a line, of very many the largest are") {
  explained_tape t;
  const var x = t.variable(1.0);
  var s = 0.0;
  for (int i = 1; i <= 1000; ++i) s += double(i) * x;
  const explanation e = explain(t, s, x);
  CHECK(e.inputs[0].terms.size() == 1000);
  CHECK(gradient(e) == 500500);
  CHECK(e.inputs[0].paths[0].product == 1000);
  CHECK(says(to_string(e), "sum of 1000", "and 984 smaller ones", "the largest 5 of 1000 paths"));
  require_80_columns(to_string(e));
}

TEST_CASE("a chain of 10000 functions is explained") {
  explained_tape t;
  const var x = t.variable(0.5);
  var y = x;
  for (int i = 0; i < 10000; ++i) y = sin(y);
  const explanation e = explain(t, y, x);
  CHECK(e.inputs[0].paths.at(0).product == Approx(gradient(e)).epsilon(1e-10));
  CHECK(e.inputs[0].paths[0].nodes.size() == 10001);
  CHECK(says(to_string(e), " more <- ", "sin <- x1\n"));
  require_80_columns(to_string(e));
}

TEST_CASE("intermediate results are explained like inputs, and the output itself") {
  explained_tape t;
  const var x = t.variable(2.0);
  const var y = x * x;
  const var z = exp(y) * y;
  const explanation e = explain(t, z, y, z);
  CHECK(reference::all_close(terms(e), std::vector{std::exp(4.0), 4 * std::exp(4.0)}, 1e-15));
  CHECK(gradient(e, 1) == 1);
  CHECK(e.inputs[1].terms.empty());
}

TEST_CASE("an input on which the output does not depend has the gradient 0, and says so") {
  explained_tape t;
  const var x = t.variable(2.0), y = t.variable(3.0);
  const explanation e = explain(t, square(x), y);
  CHECK_FALSE(e.inputs[0].is_reached());
  CHECK(gradient(e) == 0);
  CHECK(says(to_string(e), "does not depend on the variable with the value 3: gradient 0"));
}

TEST_CASE("tensors are explained by the shares of their operations") {
  explained_tape t;
  const tensor<double> x = t.variable(tensor<double>{{1, -2}, {3, 4}});
  const tensor<double> w = t.variable(tensor<double>{{0.5, 1}, {1, 0.5}});
  const tensor<double> y = sum(relu(matmul(x, w))) + sum(x);
  const explanation e = explain(t, y, x, w);
  REQUIRE(e.inputs[0].terms.size() == 2);
  CHECK(e.inputs[0].gradient.numbers == std::vector<double>{1, 1, 2.5, 2.5});
  CHECK(e.inputs[1].gradient.numbers == std::vector<double>{3, 3, 4, 4});
  CHECK(e.kinks.size() == 1);
  CHECK(e.inputs[0].path_count == 2);
  CHECK(e.inputs[0].paths[0].product == Approx(std::sqrt(2 * 1.5 * 1.5)));  // by relu and matmul
  CHECK(says(to_string(e), "dy/dx1 = [2, 2]: 1, 1, 2.5, 2.5", "matmul(x1, x2)", "pullback"));
  CHECK(says(to_string(e), "\n  matmul: y = a b\n    ā = ȳ bᵀ, b̄ = aᵀ ȳ\n",
             "\n  sum: y = Σ x\n    x̄ = ȳ, broadcast\n"));
  require_80_columns(to_string(e));
}

TEST_CASE("each rule is told once") {
  explained_tape t;
  const tensor<double> w = t.variable(tensor<double>{{0.5, 1}, {1, 0.5}});
  const std::string text = to_string(explain(t, sum(matmul(w, matmul(w, w))), w));
  CHECK(says(text, "matmul: ", "sum: "));
  CHECK(text.find("matmul: ") == text.rfind("matmul: "));
}

TEST_CASE("names stand in the place of numbers") {
  explained_tape t;
  const var x = t.variable(2.0);
  const tensor<double> v = t.variable(tensor<double>{2, 3});
  t.name(x, "weight");
  t.name(v, "inputs");
  const var z = sin(x), first = v[0];
  t.name(z, "z");
  t.name(first, "first");
  const explanation e = explain(t, z * x + exp(z) + first, x, z, v);
  CHECK(says(to_string(e), "dy/dweight = ", "at weight = 2", ": z = sin(weight)", ": z * weight",
             "<- z <- weight\n"));
  CHECK(says(to_string(e), "dy/dz = ", "exp(z)", "dy/dinputs = [2]: 1, 0", ": first = inputs[0]",
             "<- first <- inputs\n"));
  CHECK(
      says(to_dot(e), "#0 weight", " z = sin\\nvalue", "tooltip=\"y = sin(x)\\ndy/dx = cos(x)\""));
  require_80_columns(to_string(e));
}

TEST_CASE("tensors that cancel lose their digits at the worst element") {
  explained_tape t;
  const tensor<float> x = t.variable(tensor<float>{1, 2});
  const tensor<float> w = tensor<float>{1, 1000};
  const explanation e = explain(t, sum(w * x) - 999.0F * sum(x), x);
  CHECK(e.inputs[0].gradient.numbers == std::vector<double>{-998, 1});
  CHECK(e.inputs[0].digits_lost == Approx(std::log10(1999.0)));
}

TEST_CASE("scalars and tensors share a ledger") {
  explained_tape t;
  const tensor<double> x = t.variable(tensor<double>{2, 3});
  const var s = t.variable(0.5);
  const explanation e = explain(t, x[1] * s + x[1] * x[0], x, s);
  CHECK(e.inputs[0].gradient.numbers == std::vector<double>{3, 2.5});
  CHECK(gradient(e, 1) == 3);
  CHECK(e.inputs[0].terms.size() == 3);
  CHECK(e.inputs[0].path_count == 3);
}

TEST_CASE("a tape that was not watched is explained by statements") {
  tape t;
  const var x = t.variable(2.0);
  const var y = x * x + sin(x);
  const explanation e = explain(t, y * x, x);
  CHECK(gradient(e) == Approx(3 * 4 + std::sin(2.0) + 2 * std::cos(2.0)).epsilon(1e-14));
  CHECK(says(to_string(e), "statement"));
}

TEST_CASE("terms that do not add up to the adjoint are an error that names the node") {
  explained_tape t;
  const var x = t.variable(2.0);
  autodiff::graph g = graph_of(t, x * x * x);
  g.edges.front().term = 1.0;
  const std::vector<autodiff::explained_variable> inputs{explained_as(t, x)};
  CHECK(says(message<autodiff::error>([&] { explain_graph(g, inputs, {}); }), "explain",
             "the terms at x1 add up to", "the tape's adjoint is 12", "report it"));
}

TEST_CASE("the tape of this thread need not be named") {
  explained_tape t;
  const var x = t.variable(2.0);
  CHECK(gradient(explain(x * x, x)) == 4);
}

TEST_CASE("what cannot be explained is refused") {
  var left_over;
  {
    explained_tape t;
    left_over = t.variable(1.0);
    const var x = t.variable(2.0);
    CHECK(says(message<autodiff::tape_error>([&] { explain(t, var(1.0), x); }), "explain",
               "passive"));
    CHECK(says(message<autodiff::tape_error>([&] { explain(t, x * x, var(3.0)); }), "explain",
               "passive"));
    const tensor<double> v = t.variable(tensor<double>{1, 2});
    CHECK(says(message<autodiff::shape_error>([&] { explain(t, exp(v), v); }), "[2]"));
    CHECK(says(message<autodiff::tape_error>([&] { explain(t, sum(v), tensor<double>{1}); }),
               "explain", "passive"));
    const var y = x * x;
    const auto mark = t.mark();
    const var later = t.variable(1.0);
    const tensor<double> later_tensor = t.variable(tensor<double>{1});
    t.rewind(mark);
    CHECK(says(message<autodiff::tape_error>([&] { explain(t, y, later); }), "explain", "rewound"));
    CHECK(
        says(message<autodiff::tape_error>([&] { explain(t, sum(later_tensor), x); }), "rewound"));
  }
  CHECK(says(message<autodiff::tape_error>([&] { explain(left_over, left_over); }), "explain",
             "not active on this thread"));
  explained_tape other;
  const var x = other.variable(1.0);
  CHECK(says(message<autodiff::tape_error>([&] { explain(other, x, left_over); }), "explain",
             "another tape"));
}

TEST_CASE("an explanation as JSON is read by python") {
  if (!has("python3 --version")) {
    WARN("skipped: python3 is not installed");
    return;
  }
  const temporary_folder folder;
  for (const explanation& e : several()) {
    write(folder.path() / "e.json", to_json(e));
    write(folder.path() / "g.json", to_json(e.picture));
    write(folder.path() / "check.py",
          "import json, sys\n"
          "e = json.load(open(sys.argv[1])); g = json.load(open(sys.argv[2]))\n"
          "assert e['graph'] == g and len(e['inputs']) in (1, 3)\n"
          "n = g['nodes']\n"
          "assert [x['id'] for x in n] == list(range(len(n))) and n[g['output']]['step'] == 0\n"
          "assert all(x['from'] < x['to'] < len(n) for x in g['edges'])\n"
          "for i in e['inputs']:\n"
          "  assert all(g['edges'][t]['from'] == i['node'] for t in i['terms'])\n");
    const std::string at = folder.path().string();
    CHECK(std::system(
              ("python3 " + at + "/check.py " + at + "/e.json " + at + "/g.json").c_str()) == 0);
  }
}

TEST_CASE("an explanation as dot is drawn by Graphviz") {
  if (!has("dot -V")) {
    WARN("skipped: graphviz is not installed");
    return;
  }
  const temporary_folder folder;
  for (const explanation& e : several()) {
    write(folder.path() / "e.dot", to_dot(e));
    write(folder.path() / "g.dot", to_dot(e.picture));
    const std::string at = folder.path().string();
    CHECK(std::system(("dot -Tplain -o " + at + "/e.txt " + at + "/e.dot").c_str()) == 0);
    CHECK(std::system(("dot -Tplain -o " + at + "/g.txt " + at + "/g.dot").c_str()) == 0);
  }
}
