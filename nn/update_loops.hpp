#pragma once
// The rules of update_rules.hpp as loops: one pass over memory each, compiled once per instruction
// set (update_loops.cpp) and chosen as the kernels of tensors are (update_dispatch.cpp).

#include <nn/update_rules.hpp>

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

template <class T>
using update_loops = std::tuple<
    update_loop<sgd_rule<T>>, update_loop<momentum_rule<T>>, update_loop<adagrad_rule<T>>,
    update_loop<adadelta_rule<T>>, update_loop<rmsprop_rule<T, false, false>>,
    update_loop<rmsprop_rule<T, true, false>>, update_loop<rmsprop_rule<T, false, true>>,
    update_loop<rmsprop_rule<T, true, true>>, update_loop<adam_rule<T, false>>,
    update_loop<adam_rule<T, true>>, update_loop<nadam_rule<T>>, update_loop<adamax_rule<T>>,
    update_loop<lion_rule<T>>, update_loop<rprop_rule<T>>, update_loop<average_rule<T>>>;

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
