#pragma once
// First derivatives of functions with several results: along a direction of the arguments (jvp),
// along one of the results (vjp), and the whole matrix.
// Source: Griewank and Walther, Evaluating Derivatives (2008), chapter 3.

#include <autodiff/argument.hpp>
#include <autodiff/direction.hpp>
#include <autodiff/dual.hpp>
#include <autodiff/error.hpp>
#include <autodiff/gradient.hpp>
#include <autodiff/lanes.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <vector>

namespace autodiff {

namespace jacobian_errors {
[[noreturn]] void rows_vary(std::size_t before, std::size_t now);
}  // namespace jacobian_errors

template <class V, class D>
struct value_and_tangent_result {
  V value;
  D tangent;
};
template <class V, class D>
value_and_tangent_result(V, D) -> value_and_tangent_result<V, D>;

/// The Jacobian-vector product: f(x) and its derivative along dx, in one evaluation without a tape.
/// dx has the kind and size of x; for several arguments x and dx are std::tuples. f returns
/// whatever could be an argument, and value and tangent are of that kind. f is called with duals,
/// so its number type has to be a template parameter (or dual<double>); jvp nests, and an outer
/// dual that f captures instead of taking it as an argument is mistaken for one of this jvp.
/// Throws shape_error when x and dx differ in size.
template <class F, class A, class D>
auto jvp(F&& f, const A& x, const D& dx) {
  using T = common_number<A, D>;
  const auto directed = along_direction<T>("jvp", x, dx);
  const auto y = std::apply(f, argument_list(directed));
  return value_and_tangent_result{values_of<T>(y), tangents_of<T>(y)};
}

/// The numbers of what f returned as recorded scalars, tensors row by row.
template <class T, class Y>
std::vector<basic_var<T>> outputs_of(const Y& y) {
  std::vector<basic_var<T>> outputs;
  map_leaves(y, [&](const auto& leaf) {
    if constexpr (is_tensor<std::remove_cvref_t<decltype(leaf)>>) {
      const auto scalars = elements(leaf);
      outputs.insert(outputs.end(), scalars.begin(), scalars.end());
    } else {
      outputs.push_back(basic_var<T>(leaf));
    }
    return 0;
  });
  return outputs;
}

/// The vector-Jacobian product: f(x) and the gradient of the sum of w * f(x), from one evaluation
/// and one sweep. w has the kind and size of what f returns, the gradient that of x; for several
/// arguments x is a std::tuple. f is called with vars alone.
/// Throws shape_error when f(x) and w differ in size.
template <class F, class A, class W>
auto vjp(F&& f, const A& x, const W& w) {
  using T = common_number<A, W>;
  basic_tape<T> t;
  const auto variables = variables_on(t, argument_list(x), "vjp");
  const auto y = std::apply(f, variables);
  const flat_argument<T> cotangent = flattened<T>(w);
  require_alike("vjp", "result", flattened<T>(values_of<T>(y)).layout(), "cotangent",
                cotangent.layout());
  const std::vector<basic_var<T>> outputs = outputs_of<T>(y);
  const bool active = std::any_of(outputs.begin(), outputs.end(),
                                  [](const auto& one) { return one.is_recorded(); });
  if (active) t.backward(outputs, cotangent.numbers);
  return value_and_gradient_result{values_of<T>(y),
                                   shaped_as<A>(adjoints_on(t, variables, active))};
}

/// Row-major entries as a matrix [rows, columns]: a passive tensor, over vars a recorded one.
template <class T>
auto matrix_of(const std::vector<T>& entries, std::size_t rows, std::size_t columns) {
  const shape s{rows, columns};
  if constexpr (std::same_as<T, var>) {
    return stack(entries, s);
  } else {
    static_assert(std::same_as<T, double> || std::same_as<T, dual<double>>,
                  "matrices hold double, dual<double> or var: for derivatives of higher order put "
                  "gradient, jvp, vjp or hessian_vector_product inside");
    return tensor<T>(s, std::span<const T>(entries));
  }
}

/// Rows of a Jacobian that one sweep computes, and columns that forward mode computes in one
/// evaluation: more cost less each until they leave the registers.
inline constexpr std::size_t jacobian_lanes = 8;

/// The rows of a Jacobian by a sweep each: with tensors among the variables.
template <class T, class Variables>
std::vector<T> sweep_row_by_row(basic_tape<T>& t, const std::vector<basic_var<T>>& outputs,
                                const Variables& variables) {
  std::vector<T> entries;
  for (const basic_var<T>& y : outputs) {
    if (y.is_recorded()) t.backward(y);
    const auto row = flattened<T>(adjoints_on(t, variables, y.is_recorded())).numbers;
    entries.insert(entries.end(), row.begin(), row.end());
  }
  return entries;
}

/// The same, jacobian_lanes rows a sweep.
template <class T>
std::vector<T> sweep_rows(basic_tape<T>& t, std::span<const basic_var<T>> outputs,
                          std::span<const basic_var<T>> variables) {
  adjoint_lanes<T, jacobian_lanes> lanes(t);
  std::vector<T> entries(outputs.size() * variables.size());
  T* rows = entries.data();
  for (std::size_t first = 0; first < outputs.size(); first += jacobian_lanes) {
    const std::size_t count = std::min(jacobian_lanes, outputs.size() - first);
    lanes.backward(outputs.subspan(first, count));
    for (std::size_t j = 0; j < variables.size(); ++j) {
      const auto& adjoints = lanes.adjoints(variables[j]);
      for (std::size_t i = 0; i < count; ++i) rows[i * variables.size() + j] = adjoints.at[i];
    }
    rows += count * variables.size();
  }
  return entries;
}

/// Reverse mode: one recording for all rows.
template <class T, class F, class List>
auto jacobian_by_rows(F& f, const List& arguments) {
  basic_tape<T> t;
  const auto variables = variables_on(t, arguments, "jacobian");
  const auto outputs = outputs_of<T>(std::apply(f, variables));
  const std::size_t columns = flattened<T>(arguments).numbers.size();
  if constexpr (holds_tensor<List>) {
    return matrix_of(sweep_row_by_row(t, outputs, variables), outputs.size(), columns);
  } else {
    const std::vector<basic_var<T>> inputs = outputs_of<T>(variables);
    return matrix_of(sweep_rows<T>(t, outputs, inputs), outputs.size(), columns);
  }
}

/// Whether reverse mode computes the rest of a Jacobian faster, after a first evaluation with duals
/// told how many rows it has. In units of such an evaluation a recording takes 0.4 to 0.8 and a
/// sweep 0.4 to 2.0, measured with 8 to 300 rows of three operations to several hundred.
constexpr bool rows_are_cheaper(std::size_t rows, std::size_t columns) {
  const std::size_t evaluations = (columns - 1) / jacobian_lanes;
  const std::size_t sweeps = (rows + jacobian_lanes - 1) / jacobian_lanes;
  return 10 * evaluations > 6 + 11 * sweeps;
}

/// Forward mode: jacobian_lanes columns an evaluation. Changes to reverse mode where it may and
/// that is cheaper.
template <class T, bool may_sweep, class F, class List>
auto jacobian_by_columns(F& f, const List& arguments) {
  const std::size_t columns = flattened<T>(arguments).numbers.size();
  std::size_t rows = 0;
  std::vector<T> entries;
  for (std::size_t first = 0; first == 0 || first < columns; first += jacobian_lanes) {
    const auto y = flattened<dual<T, jacobian_lanes>>(
                       std::apply(f, along_units<T, jacobian_lanes>("jacobian", arguments, first)))
                       .numbers;
    if (first == 0) {
      rows = y.size();
      if constexpr (may_sweep) {
        if (columns > 0 && rows_are_cheaper(rows, columns)) {
          return jacobian_by_rows<T>(f, arguments);
        }
      }
      entries.resize(rows * columns);
    }
    if (y.size() != rows) jacobian_errors::rows_vary(rows, y.size());
    const std::size_t lanes = std::min(jacobian_lanes, columns - first);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t k = 0; k < lanes; ++k) entries[i * columns + first + k] = y[i].tangent(k);
    }
  }
  return matrix_of(entries, rows, columns);
}

template <class F, class List>
inline constexpr bool is_applicable = false;
template <class F, class... A>
inline constexpr bool is_applicable<F, std::tuple<A...>> = std::is_invocable_v<F&, const A&...>;

/// The matrix [m, n] of the derivatives of the m numbers that f returns by the n numbers of its
/// arguments, both in order, tensors row by row. f returns whatever could be an argument: a number,
/// an array, a vector, a tensor, a tuple, a struct. The shape decides between forward mode (f is
/// called with duals) and reverse mode (f is called with vars); a function that takes one of them
/// alone is differentiated that way, one of tensors in reverse. The result is a passive
/// tensor<double>; for arguments that are vars themselves a recorded one.
template <class F, class... Args>
auto jacobian(F&& f, const Args&... args) {
  using T = common_number<Args...>;
  const auto& arguments = argument_list(args...);
  if constexpr ((holds_tensor<Args> || ...)) {
    return jacobian_by_rows<T>(f, arguments);
  } else {
    using duals = decltype(along_units<T, jacobian_lanes>("", arguments, 0));
    using variables = decltype(variables_on(std::declval<basic_tape<T>&>(), arguments, ""));
    if constexpr (is_applicable<F, duals>)
      return jacobian_by_columns<T, is_applicable<F, variables>>(f, arguments);
    else
      return jacobian_by_rows<T>(f, arguments);
  }
}

}  // namespace autodiff
