#pragma once
// The loops of a table beside the functions of ops.def that they have to agree with, as data: a
// test of them is compiled once and not once a row.

#include <autodiff/tensor/kernels.hpp>

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace loop_rows {

/// The loops of a unary row on T, and its value and share of an adjoint dy on N.
template <class T, class N = T>
struct unary_row {
  std::string_view name;
  std::span<const autodiff::interval> sampled;
  bool needs_x, needs_y;
  const autodiff::unary_loops<T>& loops;
  N (*value)(N x);
  N (*share)(N dy, N x, N y);
};

/// The same of a binary row, a tie shared by halves.
template <class T, class N = T>
struct binary_row {
  std::string_view name;
  std::span<const autodiff::interval> sampled;
  const autodiff::binary_loops<T>& loops;
  N (*value)(N a, N b);
  N (*share_a)(N dy, N a, N b, N y);
  N (*share_b)(N dy, N a, N b, N y);
};

/// The same of a ternary row; shares by operand.
template <class T, class N = T>
struct ternary_row {
  std::string_view name;
  std::span<const autodiff::interval> sampled;
  const autodiff::ternary_loops<T>& loops;
  N (*value)(N a, N b, N c);
  std::array<N (*)(N dy, N a, N b, N c, N y), 3> shares;
};

template <class N, class Rule, class T>
unary_row<T, N> row_of(const autodiff::unary_loops<T>& loops) {
  return {Rule::name,
          Rule::sampled,
          autodiff::needs<Rule>::x,
          autodiff::needs<Rule>::y,
          loops,
          [](N x) { return N(Rule::call(x)); },
          [](N dy, N x, N y) {
            return N(autodiff::scaled<N, Rule::steep>(dy, Rule::template slope<N>(x, y)));
          }};
}
template <class N, class Rule, class T>
binary_row<T, N> row_of(const autodiff::binary_loops<T>& loops) {
  return {Rule::name,
          Rule::sampled,
          loops,
          [](N a, N b) { return N(Rule::call(a, b)); },
          [](N dy, N a, N b, N y) {
            return N(autodiff::scaled<N, Rule::steep>(dy, Rule::template slope_a<N>(a, b, y, 0.5)));
          },
          [](N dy, N a, N b, N y) {
            return N(autodiff::scaled<N, Rule::steep>(dy, Rule::template slope_b<N>(a, b, y, 0.5)));
          }};
}

template <class N, class Rule, class T>
ternary_row<T, N> row_of(const autodiff::ternary_loops<T>& loops) {
  return {Rule::name,
          Rule::sampled,
          loops,
          [](N a, N b, N c) { return N(Rule::call(a, b, c)); },
          {[](N dy, N a, N b, N c, N y) {
             return N(autodiff::scaled<N, Rule::steep>(dy, Rule::template slope_a<N>(a, b, c, y)));
           },
           [](N dy, N a, N b, N c, N y) {
             return N(autodiff::scaled<N, Rule::steep>(dy, Rule::template slope_b<N>(a, b, c, y)));
           },
           [](N dy, N a, N b, N c, N y) {
             return N(autodiff::scaled<N, Rule::steep>(dy, Rule::template slope_c<N>(a, b, c, y)));
           }}};
}

/// The unary rows of a table, in its order.
template <class N, class T>
std::vector<unary_row<T, N>> unary(const autodiff::loop_table<T>& table) {
  return {
#define UNARY(NAME, ...) row_of<N, autodiff::NAME##_rule>(table.NAME),
#include <autodiff/ops.def>
  };
}

/// The binary ones.
template <class N, class T>
std::vector<binary_row<T, N>> binary(const autodiff::loop_table<T>& table) {
  return {
#define BINARY(NAME, ...) row_of<N, autodiff::NAME##_rule>(table.NAME),
#include <autodiff/ops.def>
  };
}

/// The ternary ones.
template <class N, class T>
std::vector<ternary_row<T, N>> ternary(const autodiff::loop_table<T>& table) {
  return {
#define TERNARY(NAME, ...) row_of<N, autodiff::NAME##_ternary_rule>(table.NAME##_ternary),
#include <autodiff/ops.def>
  };
}

/// The loops of one instruction set for T.
template <class T>
const autodiff::loop_table<T>& table_for(const autodiff::kernel_table& kernels) {
  if constexpr (sizeof(T) == sizeof(float))
    return kernels.of_float;
  else
    return kernels.of_double;
}

}  // namespace loop_rows
