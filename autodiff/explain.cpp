#include <autodiff/explain.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/noted.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace autodiff {
namespace {

constexpr std::size_t nowhere = gradient_ledger::nowhere;

/// Terms added up, element by element.
struct sum_of_terms {
  std::vector<double> sum, size;  // size: of |term|

  explicit sum_of_terms(std::size_t elements) : sum(elements), size(elements) {}

  void add(const graph_edge& e, bool to_tensor) {
    if (e.term.is_tensor()) {
      for (std::size_t i = 0; i < e.term.numbers.size(); ++i) add(i, e.term.numbers[i]);
    } else if (!e.term.numbers.empty()) {
      add(to_tensor ? e.slot : 0, e.term.numbers.front());  // to one of its elements
    }
  }
  double digits_lost() const {
    double most = 0;
    for (std::size_t i = 0; i < sum.size(); ++i) {
      if (size[i] > 0 && std::isfinite(size[i]))
        most = std::max(most, std::log10(size[i] / std::abs(sum[i])));
    }
    return most;
  }

 private:
  void add(std::size_t element, double term) {
    sum[element] += term;
    size[element] += std::abs(term);
  }
};

/// The tape rounds the same sums in another order, and multiplies the partials inside of a
/// statement first.
void require_sum(const graph_node& node, const sum_of_terms& terms) {
  const double tolerance = 1024 * node.epsilon;
  for (std::size_t i = 0; i < terms.sum.size(); ++i) {
    const double found = terms.sum[i], adjoint = node.adjoint.numbers[i];
    if (!std::isfinite(terms.size[i]) || !std::isfinite(adjoint)) continue;
    if (std::abs(found - adjoint) <= tolerance * terms.size[i] + std::numeric_limits<double>::min())
      continue;
    throw error("explain",
                fmt::format("the terms at {} add up to {} and the tape's adjoint is {}", node.label,
                            found, adjoint),
                "this is a fault of the library: please report it with the program");
  }
}

/// What an edge contributes to the product along a path.
double factor_of(const graph& g, const graph_edge& e) {
  const graph_node& to = g.nodes[e.to];
  if (e.partial && !to.adjoint.is_tensor()) return *e.partial;
  if (to.adjoint.numbers.size() == 1 && e.term.numbers.size() == 1 &&
      to.adjoint.numbers.front() != 0)
    return e.term.numbers.front() / to.adjoint.numbers.front();
  const double weight = to.adjoint.norm();
  return weight == 0 ? 0 : e.term.norm() / weight;
}

/// The largest paths from the output down to each node, found by keeping the largest at every node:
/// a path that is not among them there is not part of one that is further down.
class path_search {
 public:
  path_search(const graph& g, std::size_t most) : graph_(g), most_(most), best_(g.nodes.size()) {
    counts_.assign(g.nodes.size(), 0);
    counts_[g.output] = 1;
    best_[g.output].push_back({1, nowhere, 0});
    for (std::size_t i = g.edges.size(); i-- > 0;) pass(i);
  }

  double count(std::size_t node) const { return counts_[node]; }
  std::vector<gradient_path> to(std::size_t node) const {
    std::vector<gradient_path> paths;
    for (const step& last : best_[node]) {
      gradient_path path{last.product, {node}};
      for (const step* at = &last; at->edge != nowhere;) {
        const std::size_t above = graph_.edges[at->edge].to;
        path.nodes.push_back(above);
        at = &best_[above][at->rank];
      }
      std::ranges::reverse(path.nodes);
      paths.push_back(std::move(path));
    }
    return paths;
  }

 private:
  /// The last edge of a path, and which path to its upper end goes before.
  struct step {
    double product;
    std::size_t edge, rank;

    bool operator>(const step& other) const {
      // Where a partial is NaN there is most to explain.
      if (std::isnan(product) || std::isnan(other.product))
        return std::isnan(product) && !std::isnan(other.product);
      return std::abs(product) > std::abs(other.product);
    }
  };

  // Edges come in the order of their upper ends, so from the last one on these are complete.
  void pass(std::size_t number) {
    const graph_edge& e = graph_.edges[number];
    if (graph_.nodes[e.from].what == graph_node::kind::constant) return;
    counts_[e.from] += counts_[e.to];
    const double factor = factor_of(graph_, e);
    std::vector<step>& best = best_[e.from];
    for (std::size_t rank = 0; rank < best_[e.to].size(); ++rank) {
      const step longer{best_[e.to][rank].product * factor, number, rank};
      const auto at = std::ranges::find_if(best, [&](const step& s) { return longer > s; });
      if (at == best.end() && best.size() == most_) break;
      best.insert(at, longer);
      if (best.size() > most_) best.pop_back();
    }
  }

  const graph& graph_;
  std::size_t most_;
  std::vector<std::vector<step>> best_;
  std::vector<double> counts_;
};

std::size_t node_of(const graph& g, const explained_variable& x) {
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    const graph_node& n = g.nodes[id];
    const bool is_it = x.place != nowhere ? n.place == x.place : n.operation == x.operation;
    if (is_it) return id;
  }
  return nowhere;
}

gradient_ledger ledger_of(const graph& g, const explained_variable& x, const path_search& paths) {
  gradient_ledger ledger;
  ledger.node = node_of(g, x);
  ledger.value = x.value;
  ledger.gradient.extents = x.value.extents;
  ledger.gradient.numbers.assign(x.value.numbers.size(), 0);
  if (!ledger.is_reached()) return ledger;
  ledger.gradient = g.nodes[ledger.node].adjoint;
  for (std::size_t i = g.edges.size(); i-- > 0;) {
    if (g.edges[i].from == ledger.node) ledger.terms.push_back(i);
  }
  ledger.paths = paths.to(ledger.node);
  ledger.path_count = paths.count(ledger.node);
  return ledger;
}

/// Which nodes depend on one of the inputs.
std::vector<bool> on_the_way(const graph& g, const std::vector<gradient_ledger>& inputs) {
  std::vector<bool> way(g.nodes.size(), false);
  for (const gradient_ledger& x : inputs) {
    if (x.is_reached()) way[x.node] = true;
  }
  for (const graph_edge& e : g.edges) {
    if (way[e.from]) way[e.to] = true;
  }
  return way;
}

}  // namespace

explained_variable explained_as(const tape& t, const var& x) {
  return {.place = t.place(x.tag(), "explain"), .value = x.value()};
}

template <class T>
explained_variable explained_as(const tape& t, const tensor<T>& x) {
  t.operation_at(x.tag(), x.serial(), "explain");
  explained_variable variable{.operation = x.tag() - t.tag_at(0)};
  const auto values = noted(x.stored());
  variable.value.extents = values ? values->extents() : std::vector<std::size_t>{0};
  if (values) variable.value.numbers = values->numbers();
  return variable;
}
template explained_variable explained_as(const tape&, const tensor<float>&);
template explained_variable explained_as(const tape&, const tensor<double>&);

explanation explain_graph(graph picture, std::span<const explained_variable> inputs,
                          const explain_options& options) {
  explanation e;
  e.picture = std::move(picture);
  const graph& g = e.picture;
  const path_search paths(g, options.paths);
  for (const explained_variable& x : inputs) e.inputs.push_back(ledger_of(g, x, paths));

  std::vector<sum_of_terms> sums;
  for (const graph_node& n : g.nodes) sums.emplace_back(n.adjoint.numbers.size());
  for (const graph_edge& edge : g.edges) {
    const graph_node& from = g.nodes[edge.from];
    if (from.what != graph_node::kind::constant)
      sums[edge.from].add(edge, from.adjoint.is_tensor());
  }
  const std::vector<bool> way = on_the_way(g, e.inputs);
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    if (g.nodes[id].what == graph_node::kind::constant) continue;
    if (id != g.output) require_sum(g.nodes[id], sums[id]);
    if (!way[id]) continue;
    if (g.nodes[id].kink) e.kinks.push_back(id);
    const double lost = sums[id].digits_lost();
    if (lost > e.worst_digits_lost) {
      e.worst_digits_lost = lost;
      e.worst_node = id;
    }
  }
  for (gradient_ledger& x : e.inputs) {
    if (x.is_reached()) x.digits_lost = sums[x.node].digits_lost();
  }
  return e;
}

}  // namespace autodiff
