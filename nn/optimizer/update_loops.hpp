#pragma once
// The rules of update_rules.hpp as loops: one pass over memory each, compiled once per instruction
// set (update_loops.cpp) and chosen as the kernels of tensors are (update_dispatch.cpp).

#include <nn/optimizer/update_rules.hpp>

#include <cstddef>
#include <tuple>

namespace nn {

/// Moves n weights w along their gradients g. slots[k] are the n numbers of slot k. No two of the
/// arrays may overlap.
template <class Rule>
struct update_loop {
  using T = typename Rule::value_type;
  void (*run)(std::size_t n, const Rule& rule, const T* g, T* w, T* const* slots);
};

template <class... Rule>
using loops_of_rules = std::tuple<update_loop<Rule>...>;

template <class T>
using update_loops =
    loops_of_rules<sgd_rule<T>, momentum_rule<T>, adagrad_rule<T>, adadelta_rule<T>,
                   rmsprop_rule<T, false, false>, rmsprop_rule<T, true, false>,
                   rmsprop_rule<T, false, true>, rmsprop_rule<T, true, true>,
                   adam_rule<T, false, false>, adam_rule<T, false, true>, adam_rule<T, true, false>,
                   adam_rule<T, true, true>, nadam_rule<T>, adamax_rule<T>, lion_rule<T>,
                   rprop_rule<T>, average_rule<T>>;

struct update_table {
  update_loops<float> of_float;
  update_loops<double> of_double;
};

/// Those of the instruction set that autodiff::kernels() chose.
template <class T>
const update_loops<T>& updates() noexcept;

/// The loop of a rule on this CPU.
template <class Rule>
auto update_of() noexcept {
  return std::get<update_loop<Rule>>(updates<typename Rule::value_type>()).run;
}

}  // namespace nn
