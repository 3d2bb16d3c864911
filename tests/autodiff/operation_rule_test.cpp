#include <autodiff/graph.hpp>
#include <autodiff/operation_rule.hpp>
#include <autodiff/random.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/affine.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/cast.hpp>
#include <autodiff/tensor/comparison.hpp>
#include <autodiff/tensor/determinant.hpp>
#include <autodiff/tensor/distance.hpp>
#include <autodiff/tensor/dropout.hpp>
#include <autodiff/tensor/einsum.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/extremes.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/fusion.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/join.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/normalise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/roll.hpp>
#include <autodiff/tensor/scan.hpp>
#include <autodiff/tensor/slice.hpp>
#include <autodiff/tensor/solve.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/tensor/triangle.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using autodiff::graph;
using autodiff::graph_node;
using autodiff::operation_rule;
using autodiff::shape;
using autodiff::tape;
using autodiff::tensor;

namespace {

using matrix = tensor<double>;
/// The name of an operation, and a use of it on a matrix [2, 2] and a vector [2].
struct use {
  std::string name;
  matrix (*of)(const matrix& a, const matrix& v);
};

const std::vector<use> products{
    {"matmul", [](const matrix& a, const matrix& v) { return matmul(a, v); }},
    {"matmul",
     [](const matrix& a, const matrix&) {
       return matmul(autodiff::stack({a, a}), a);
     }},
    {"dot", [](const matrix&, const matrix& v) { return dot(v, v); }},
    {"outer", [](const matrix&, const matrix& v) { return outer(v, v); }},
    {"affine", [](const matrix& a, const matrix& v) { return affine(a, a, v); }},
    {"einsum", [](const matrix& a, const matrix& v) { return einsum("ij,j->i", a, v); }},
    {"einsum", [](const matrix& a, const matrix&) { return einsum("ij->ji", a); }},
    {"squared_distance",
     [](const matrix& a, const matrix& v) {
       return squared_distance(a, expand(v, {2, 2}));
     }},
    {"solve", [](const matrix& a, const matrix& v) { return solve(a, v); }},
    {"triangular_solve", [](const matrix& a, const matrix& v) { return triangular_solve(a, v); }},
    {"cholesky_solve", [](const matrix& a, const matrix& v) { return cholesky_solve(a, v); }},
    {"cholesky", [](const matrix& a, const matrix&) { return cholesky(a); }},
    {"matrix_inverse", [](const matrix& a, const matrix&) { return matrix_inverse(a); }},
    {"determinant", [](const matrix& a, const matrix&) { return determinant(a); }},
    {"log_det", [](const matrix& a, const matrix&) { return log_det(a); }},
    {"sign_log_det", [](const matrix& a, const matrix&) { return sign_log_det(a).log; }}};

const std::vector<use> reductions{
    {"sum", [](const matrix& a, const matrix&) { return sum(a, 0); }},
    {"mean", [](const matrix& a, const matrix&) { return mean(a, 0); }},
    {"prod", [](const matrix& a, const matrix&) { return prod(a, 0); }},
    {"max", [](const matrix& a, const matrix&) { return max(a); }},
    {"min", [](const matrix& a, const matrix&) { return min(a); }},
    {"variance", [](const matrix& a, const matrix&) { return variance(a); }},
    {"stddev", [](const matrix& a, const matrix&) { return stddev(a); }},
    {"norm", [](const matrix& a, const matrix&) { return norm(a); }},
    {"log_sum_exp", [](const matrix& a, const matrix&) { return log_sum_exp(a); }},
    {"cumsum", [](const matrix& a, const matrix&) { return cumsum(a, 0); }},
    {"cumprod", [](const matrix& a, const matrix&) { return cumprod(a, 0); }},
    {"softmax", [](const matrix& a, const matrix&) { return softmax(a); }},
    {"log_softmax", [](const matrix& a, const matrix&) { return log_softmax(a); }},
    {"softmax_cross_entropy",
     [](const matrix& a, const matrix&) { return softmax_cross_entropy(a, a); }},
    {"softmax_cross_entropy",
     [](const matrix& a, const matrix&) {
       return softmax_cross_entropy(a, a, autodiff::reduction::sum);
     }},
    {"binary_cross_entropy_with_logits",
     [](const matrix& a, const matrix&) { return binary_cross_entropy_with_logits(a, a); }},
    {"binary_cross_entropy_with_logits",
     [](const matrix& a, const matrix&) {
       return binary_cross_entropy_with_logits(a, a, autodiff::reduction::sum);
     }},
    {"layer_norm", [](const matrix& a, const matrix& v) { return layer_norm(a, v, v); }},
    {"layer_norm", [](const matrix& a, const matrix&) { return layer_norm(a); }},
    {"batch_norm", [](const matrix& a, const matrix& v) { return batch_norm(a, v, v).y; }},
    {"batch_norm", [](const matrix& a, const matrix& v) { return batch_norm(a, v, v, v, v); }}};

const std::vector<use> selections{
    {"transpose", [](const matrix& a, const matrix&) { return transpose(a); }},
    {"swap_axes", [](const matrix& a, const matrix&) { return swap_axes(a, 0, 1); }},
    {"permute",
     [](const matrix& a, const matrix&) {
       return permute(a, {1, 0});
     }},
    {"flip", [](const matrix& a, const matrix&) { return flip(a, 0); }},
    {"diagonal", [](const matrix& a, const matrix&) { return diagonal(a); }},
    {"expand",
     [](const matrix&, const matrix& v) {
       return expand(v, {2, 2});
     }},
    {"unsqueeze", [](const matrix& a, const matrix&) { return unsqueeze(a, 0); }},
    {"squeeze", [](const matrix& a, const matrix&) { return squeeze(unsqueeze(a, 0)); }},
    {"reshape", [](const matrix& a, const matrix&) { return reshape(a, shape{4}); }},
    {"flatten", [](const matrix& a, const matrix&) { return flatten(a); }},
    {"slice",
     [](const matrix& a, const matrix&) {
       return slice(a, 0, autodiff::range{0, 1});
     }},
    {"select", [](const matrix& a, const matrix&) { return select(a, 0, 1); }},
    {"unstack", [](const matrix& a, const matrix&) { return unstack(a, 0)[1]; }},
    {"split", [](const matrix& a, const matrix&) { return split(a, 2, 0)[1]; }},
    {"index_select",
     [](const matrix& a, const matrix&) {
       return index_select(a, 0, {1, 1});
     }},
    {"take_rows",
     [](const matrix& a, const matrix&) {
       return take_rows(a, {1, 1});
     }},
    {"masked_select", [](const matrix& a, const matrix&) { return masked_select(a, a > 1.0); }},
    {"gather",
     [](const matrix& a, const matrix&) {
       return gather(a, 0, {{1, 1}});
     }},
    {"scatter_add",
     [](const matrix&, const matrix& v) {
       return scatter_add(v, 0, {1, 1}, v);
     }},
    {"where", [](const matrix& a, const matrix&) { return where(a > 1.0, a, 2.0); }},
    {"masked_fill", [](const matrix& a, const matrix&) { return masked_fill(a, a > 1.0, 2.0); }},
    {"upper", [](const matrix& a, const matrix&) { return upper(a); }},
    {"lower", [](const matrix& a, const matrix&) { return lower(a); }},
    {"roll", [](const matrix& a, const matrix&) { return roll(a, 1, 0); }},
    {"concat",
     [](const matrix& a, const matrix&) {
       return autodiff::concat({a, a});
     }},
    {"stack",
     [](const matrix& a, const matrix&) {
       return autodiff::stack({a, a});
     }},
    {"stack",
     [](const matrix&, const matrix& v) { return autodiff::stack(elements(v), shape{2}); }},
    {"pad",
     [](const matrix&, const matrix& v) {
       return pad(v, autodiff::padding{1, 1});
     }},
    {"tile", [](const matrix&, const matrix& v) { return tile(v, {2}); }},
    {"repeat", [](const matrix& a, const matrix&) { return repeat(a, 2, 0); }},
    {"cast", [](const matrix& a,
                const matrix&) { return autodiff::cast<double>(autodiff::cast<float>(a)); }},
    {"dropout",
     [](const matrix& a, const matrix&) {
       autodiff::generator random(1);
       return dropout(a, 0.5, random);
     }},
    {"fuse", [](const matrix& a, const matrix&) {
       return fuse_always([](const auto& x) { return tanh(x) * x; }, a);
     }}};

/// Columns in a terminal, where a bar over a letter takes none.
auto width(std::string_view text) {
  return std::ranges::count_if(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continues = (byte & 0xC0) == 0x80, opens_bar = byte == 0xCC;
    return !continues && !opens_bar;
  });
}

void require_told(const std::vector<use>& table) {
  for (const use& operation : table) {
    INFO(operation.name);
    tape t;
    t.watch(autodiff::watching::explained);
    const matrix a = t.variable(matrix{{3, 1}, {1, 2}}), v = t.variable(matrix{0.5, 1.5});
    const graph g = graph_of(t, sum(operation.of(a, v)));
    const auto is_it = [&](const graph_node& n) { return n.name == operation.name; };
    CHECK(std::ranges::any_of(g.nodes, is_it));
    for (const graph_node& n : g.nodes) {
      if (n.what != graph_node::kind::tensor_operation) continue;
      INFO(n.name);
      CHECK_FALSE(n.rule.empty());
      CHECK(n.slope.empty());
      CHECK(n.pullback.find("ȳ") != std::string::npos);
      CHECK(width(n.name + ": " + n.rule) <= 78);
      CHECK(width(n.pullback) <= 76);
    }
  }
}

}  // namespace

TEST_CASE("operations on tensors tell what they compute and pass on, in a line each") {
  require_told(products);
  require_told(reductions);
  require_told(selections);
}

TEST_CASE("an operation stands for its name") {
  static constexpr operation_rule rule{"matmul", "y = a b", "ā = ȳ bᵀ, b̄ = aᵀ ȳ"};
  STATIC_REQUIRE(std::string_view(rule) == "matmul");
  STATIC_REQUIRE(operation_rule::of_row("tanh").name == "tanh");
  STATIC_REQUIRE(operation_rule::of_row("tanh").pullback.empty());
}
