#pragma once
// L-BFGS: for small problems and all of the data at once, where it needs far fewer evaluations than
// the optimizers of steps (nn/optimizer/optimizer.hpp).

#include <autodiff/tape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/network/step.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nn {

/// Meanings are those of PyTorch's LBFGS with line_search_fn "strong_wolfe", and so are the
/// defaults but for the iterations: those of PyTorch are of one call of many.
struct lbfgs {
  double rate = 1;               ///< the first step that each line search tries
  std::size_t iterations = 200;  ///< at most
  std::size_t evaluations = 0;   ///< of objective and gradient, at most; 0: 5/4 of the iterations
  double tolerance_gradient = 1e-7;  ///< of the largest entry
  double tolerance_change = 1e-9;    ///< of the objective, and of the largest change of an entry
  std::size_t history = 100;         ///< pairs of steps and changes of the gradient
};

enum class lbfgs_stop { gradient, change, iterations, evaluations, line_search };
/// "the gradient is within its tolerance" and the like.
std::string_view to_string(lbfgs_stop reason) noexcept;

struct lbfgs_result {
  double value;     ///< of the objective where it ended
  double gradient;  ///< its largest entry there
  std::size_t iterations, evaluations;
  lbfgs_stop reason;
};

/// Minimises f from x on, in place; f returns its value and writes its gradient. `precision` is the
/// rounding error of f in parts of it. Throws domain_error for settings out of range and where f or
/// its gradient is not finite at the start.
/// Source: Nocedal and Wright, Numerical optimization (2nd edition, 2006), algorithms 7.4 and 7.5.
lbfgs_result minimise_function(
    std::vector<double>& x,
    const std::function<double(std::span<const double> x, std::span<double> gradient)>& f,
    const lbfgs& how = {}, double precision = std::numeric_limits<double>::epsilon());

/// Minimises the objective, which returns a tensor with one element, over the parameters of the
/// model. After an exception they are as they were. Throws what the objective throws and as
/// minimise_function().
template <class Model, class Objective>
lbfgs_result minimise(Model& model, Objective&& objective, const lbfgs& how = {}) {
  using tensor = std::remove_cvref_t<std::invoke_result_t<Objective&>>;
  using T = typename tensor::value_type;
  std::vector<double> x;
  model.parameters(
      [&](const tensor& p) { x.insert(x.end(), p.values().begin(), p.values().end()); });
  const auto set = [&model](std::span<const double> values) {
    auto from = values.begin();
    model.parameters([&](tensor& p) {
      for (T& w : p.mutable_values()) w = static_cast<T>(*from++);
    });
  };
  autodiff::tape tape;
  std::vector<tensor> gradients;
  const auto evaluate = [&](std::span<const double> at, std::span<double> gradient) {
    set(at);
    const T value = gradient_step(tape, model, objective, gradients);
    auto to = gradient.begin();
    for (const tensor& g : gradients) to = std::copy(g.values().begin(), g.values().end(), to);
    return static_cast<double>(value);
  };
  const std::vector<double> start = x;
  try {
    const lbfgs_result result =
        minimise_function(x, evaluate, how, static_cast<double>(std::numeric_limits<T>::epsilon()));
    set(x);
    return result;
  } catch (...) {
    set(start);
    throw;
  }
}

}  // namespace nn
