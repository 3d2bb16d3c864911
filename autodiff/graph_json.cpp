#include <autodiff/graph.hpp>
#include <autodiff/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace autodiff {

double quantity::norm() const noexcept {
  double length = 0;
  for (const double x : numbers) length = std::hypot(length, x);
  return length;
}

namespace {

constexpr std::size_t most_values = 64;

std::string json(double x) { return json_text(x); }
std::string json(std::string_view text) { return json_text(text); }

template <class T>
std::string json(const std::optional<T>& x) {
  return x ? json(*x) : "null";
}

std::string json(const quantity& q) {
  if (!q.is_known()) return "null";
  if (!q.is_tensor()) return json(q.numbers.front());
  const std::vector<double> shown(
      q.numbers.begin(),
      q.numbers.begin() + static_cast<std::ptrdiff_t>(std::min(most_values, q.numbers.size())));
  // A NaN is neither smallest nor largest, and hides both.
  const bool has_nan = std::ranges::any_of(q.numbers, [](double x) { return std::isnan(x); });
  const double unknown = std::nan("");
  const bool is_bounded = !q.numbers.empty() && !has_nan;
  return fmt::format(
      R"({{"shape": {}, "values": {}, "count": {}, "min": {}, "max": {}, "norm": {}}})",
      json_list(*q.extents, [](std::size_t n) { return fmt::format("{}", n); }),
      json_list(shown, [](double x) { return json(x); }), q.numbers.size(),
      json(is_bounded ? *std::ranges::min_element(q.numbers) : unknown),
      json(is_bounded ? *std::ranges::max_element(q.numbers) : unknown), json(q.norm()));
}

std::string_view name_of(graph_node::kind what) {
  using enum graph_node::kind;
  switch (what) {
    case input: return "input";
    case constant: return "constant";
    case function: return "function";
    case statement: return "statement";
    case tensor_operation: return "tensor operation";
    case element_bridge: break;
  }
  return "element bridge";
}

std::string json(const graph_node& n, std::size_t id) {
  return fmt::format(
      R"({{"id": {}, "kind": {}, "name": {}, "label": {}, "rule": {}, "slope": {}, "pullback": {}, )"
      R"("note": {}, "step": {}, "value": {}, "adjoint": {}, "kink": {}, "layer": {}}})",
      id, json(name_of(n.what)), json(n.name), json(n.label), json(n.rule), json(n.slope),
      json(n.pullback), json(n.note), n.step, json(n.value), json(n.adjoint), json(n.kink),
      json(n.layer));
}

std::string json(const graph_edge& e) {
  return fmt::format(R"({{"from": {}, "to": {}, "slot": {}, "partial": {}, "term": {}}})", e.from,
                     e.to, e.slot, json(e.partial), json(e.term));
}

}  // namespace

std::string to_json(const quantity& q) { return json(q); }

std::string to_json(const graph& g) {
  std::string out =
      fmt::format("{{\"title\": {}, \"output\": {},\n\"nodes\": [", json(g.title), g.output);
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    out += id == 0 ? "\n" : ",\n";
    out += json(g.nodes[id], id);
  }
  out += "],\n\"edges\": [";
  for (const graph_edge& e : g.edges) {
    out += &e == g.edges.data() ? "\n" : ",\n";
    out += json(e);
  }
  return out + "]}\n";
}

}  // namespace autodiff
