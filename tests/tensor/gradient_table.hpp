#pragma once
// One line per structured operation: its shapes, the call, and the same computation as a plain loop
// over long double. From the line come the value, the reverse mode against differences of the loop,
// a second use of the same inputs, the forward mode, forward over reverse, and float.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gradient_table {

using autodiff::dual;
using autodiff::shape;
using autodiff::tape;
using autodiff::tensor;
using reference::real;

using reals = std::vector<real>;
using operands = std::vector<reals>;

template <class T>
using tensors = std::span<const tensor<T>>;

struct structured_operation {
  std::string name;
  std::vector<shape> inputs;
  std::function<tensor<double>(tensors<double>)> of_doubles;
  std::function<tensor<float>(tensors<float>)> of_floats;
  std::function<tensor<dual<double>>(tensors<dual<double>>)> of_duals;
  std::function<reals(const operands&)> plain;
};

template <class Call, class Plain>
structured_operation line(std::string name, std::vector<shape> inputs, Call call, Plain plain) {
  return {std::move(name), std::move(inputs), call, call, call, plain};
}

/// Inputs, a direction for each of them, and weights that make the output one number.
struct sample {
  std::vector<std::vector<double>> at, along;
  std::vector<double> weights;

  explicit sample(const structured_operation& f) {
    reference::random random(61);
    operands wide;
    for (const shape& s : f.inputs) {
      at.push_back(random.uniform(s.size(), -1, 1));
      along.push_back(random.uniform(s.size(), -1, 1));
      wide.emplace_back(at.back().begin(), at.back().end());
    }
    weights = random.uniform(f.plain(wide).size(), -1, 1);
  }
  /// The inputs moved by `step` along the direction.
  operands moved(real step) const {
    operands x;
    for (std::size_t k = 0; k < at.size(); ++k) {
      x.emplace_back(at[k].begin(), at[k].end());
      for (std::size_t i = 0; i < at[k].size(); ++i) x[k][i] += step * along[k][i];
    }
    return x;
  }
  real weighted(const reals& y) const {
    real total = 0;
    for (std::size_t i = 0; i < y.size(); ++i) total += weights[i] * y[i];
    return total;
  }
  /// The derivative of the weighted loop by one entry of one input, at the moved inputs.
  real slope(const structured_operation& f, std::size_t input, std::size_t entry,
             real step = 0) const {
    operands x = moved(step);
    const real start = x[input][entry];
    return reference::derivative(
        [&](real value) {
          x[input][entry] = value;
          return weighted(f.plain(x));
        },
        start);
  }
};

/// The inputs as leaves of a tape.
template <class T, class Make>
std::vector<tensor<T>> leaves(tape& t, const structured_operation& f, Make&& make) {
  std::vector<tensor<T>> made;
  for (std::size_t k = 0; k < f.inputs.size(); ++k) {
    std::vector<T> values;
    for (std::size_t i = 0; i < f.inputs[k].size(); ++i) values.push_back(make(k, i));
    made.push_back(t.variable(tensor<T>(f.inputs[k], values)));
  }
  return made;
}

/// The value of the loop, and adjoints that are its differences.
inline void check_values_and_adjoints(const std::vector<structured_operation>& table) {
  for (const structured_operation& f : table) {
    INFO(f.name);
    const sample s(f);
    tape t;
    const auto x = leaves<double>(t, f, [&](std::size_t k, std::size_t i) { return s.at[k][i]; });
    const tensor<double> y = f.of_doubles(x);
    CHECK(reference::all_close(y.values(), f.plain(s.moved(0)), 1e-15L));
    const tensor<double> w(y.shape(), s.weights);
    t.backward(y, w);
    for (std::size_t k = 0; k < x.size(); ++k) {
      CHECK(t.adjoint(x[k]).shape() == x[k].shape());
      for (std::size_t i = 0; i < x[k].size(); ++i) {
        CHECK(reference::close(t.adjoint(x[k]).values()[i], s.slope(f, k, i), 1e-12L));
      }
    }
  }
}

/// A second use of the same inputs, and shares of others, add up.
inline void check_accumulation(const std::vector<structured_operation>& table) {
  for (const structured_operation& f : table) {
    INFO(f.name);
    const sample s(f);
    tape t;
    const auto x = leaves<double>(t, f, [&](std::size_t k, std::size_t i) { return s.at[k][i]; });
    const tensor<double> y = f.of_doubles(x), again = f.of_doubles(x);
    const tensor<double> w(y.shape(), s.weights);
    tensor<double> total = sum(y * w) + 2.0 * sum(again * w);
    for (const tensor<double>& leaf : x) total = total + sum(leaf);
    t.backward(total, autodiff::leaves_only);
    for (std::size_t k = 0; k < x.size(); ++k) {
      for (std::size_t i = 0; i < x[k].size(); ++i) {
        CHECK(reference::close(t.adjoint(x[k]).values()[i], 3 * s.slope(f, k, i) + 1, 1e-12L));
      }
    }
  }
}

/// Each input gets its adjoint when it alone is recorded.
inline void check_each_input_alone(const std::vector<structured_operation>& table) {
  for (const structured_operation& f : table) {
    INFO(f.name);
    const sample s(f);
    for (std::size_t k = 0; k < f.inputs.size(); ++k) {
      tape t;
      auto x =
          leaves<double>(t, f, [&](std::size_t input, std::size_t i) { return s.at[input][i]; });
      for (std::size_t other = 0; other < x.size(); ++other) {
        if (other != k) x[other] = x[other].detached();
      }
      const tensor<double> y = f.of_doubles(x);
      t.backward(y, tensor<double>(y.shape(), s.weights));
      for (std::size_t i = 0; i < x[k].size(); ++i) {
        CHECK(reference::close(t.adjoint(x[k]).values()[i], s.slope(f, k, i), 1e-12L));
      }
    }
  }
}

/// Duals without a tape: the tangents of differences.
inline void check_duals(const std::vector<structured_operation>& table) {
  for (const structured_operation& f : table) {
    INFO(f.name);
    const sample s(f);
    std::vector<tensor<dual<double>>> x;
    for (std::size_t k = 0; k < f.inputs.size(); ++k) {
      std::vector<dual<double>> values;
      for (std::size_t i = 0; i < s.at[k].size(); ++i)
        values.emplace_back(s.at[k][i], s.along[k][i]);
      x.emplace_back(f.inputs[k], values);
    }
    const auto y = f.of_duals(x);
    CHECK_FALSE(y.is_recorded());
    const reals values = f.plain(s.moved(0));
    for (std::size_t i = 0; i < y.size(); ++i) {
      const real tangent =
          reference::derivative([&](real step) { return f.plain(s.moved(step))[i]; }, 0);
      CHECK(reference::close(y.values()[i].value(), values[i], 1e-15L));
      CHECK(reference::close(y.values()[i].tangent(), tangent, 1e-12L));
    }
  }
}

/// Duals on a tape: Hessian-vector products.
inline void check_duals_on_tape(const std::vector<structured_operation>& table) {
  for (const structured_operation& f : table) {
    INFO(f.name);
    const sample s(f);
    tape t;
    const auto x = leaves<dual<double>>(t, f, [&](std::size_t k, std::size_t i) {
      return dual<double>(s.at[k][i], s.along[k][i]);
    });
    const auto y = f.of_duals(x);
    const std::vector<dual<double>> w(s.weights.begin(), s.weights.end());
    t.backward(y, tensor<dual<double>>(y.shape(), w));
    for (std::size_t k = 0; k < x.size(); ++k) {
      for (std::size_t i = 0; i < x[k].size(); ++i) {
        const real curvature =
            reference::derivative([&](real step) { return s.slope(f, k, i, step); }, 0);
        const dual<double>& adjoint = t.adjoint(x[k]).values()[i];
        CHECK(reference::close(adjoint.value(), s.slope(f, k, i), 1e-12L));
        CHECK(reference::close(adjoint.tangent(), curvature, 1e-9L));
      }
    }
  }
}

/// float has the gradient of double.
inline void check_floats(const std::vector<structured_operation>& table) {
  for (const structured_operation& f : table) {
    INFO(f.name);
    const sample s(f);
    tape t;
    const auto x = leaves<float>(
        t, f, [&](std::size_t k, std::size_t i) { return static_cast<float>(s.at[k][i]); });
    const tensor<float> y = f.of_floats(x);
    const std::vector<float> w(s.weights.begin(), s.weights.end());
    t.backward(y, tensor<float>(y.shape(), w));
    CHECK(reference::all_close(y.values(), f.plain(s.moved(0)), 2e-6L));
    for (std::size_t k = 0; k < x.size(); ++k) {
      for (std::size_t i = 0; i < x[k].size(); ++i) {
        CHECK(reference::close(t.adjoint(x[k]).values()[i], s.slope(f, k, i), 1e-5L));
      }
    }
  }
}

/// All of these: what every table of a test file is held to.
inline void check_table(const std::vector<structured_operation>& table) {
  check_values_and_adjoints(table);
  check_accumulation(table);
  check_each_input_alone(table);
  check_duals(table);
  check_duals_on_tape(table);
  check_floats(table);
}

}  // namespace gradient_table
