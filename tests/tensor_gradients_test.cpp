// One line per structured operation: its shapes, the call, and the same computation as a plain loop
// over long double. From the line come the value, the reverse mode against differences of the loop,
// a second use of the same inputs, the forward mode, forward over reverse, and float.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/affine.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

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

/// [m, k] x [k, n] on a[0] and a[1], by definition.
reals product(const operands& a, std::size_t m, std::size_t k, std::size_t n) {
  reals c(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t l = 0; l < k; ++l) c[i * n + j] += a[0][i * k + l] * a[1][l * n + j];
    }
  }
  return c;
}

reals log_softmax_rows(const reals& x, std::size_t k) {
  reals y(x.size());
  for (std::size_t row = 0; row < x.size(); row += k) {
    real total = 0;
    for (std::size_t j = 0; j < k; ++j) total += std::exp(x[row + j]);
    for (std::size_t j = 0; j < k; ++j) y[row + j] = x[row + j] - std::log(total);
  }
  return y;
}

const std::vector<std::size_t> picked{2, 0, 2, 1};

std::vector<structured_operation> table() {
  return {
      line(
          "add, broadcast", {{2, 3}, {3}}, [](auto x) { return x[0] + x[1]; },
          [](const operands& x) {
            reals y = x[0];
            for (std::size_t i = 0; i < 6; ++i) y[i] += x[1][i % 3];
            return y;
          }),
      line(
          "multiply, both broadcast", {{2, 1}, {3}}, [](auto x) { return x[0] * x[1]; },
          [](const operands& x) {
            reals y(6);
            for (std::size_t i = 0; i < 6; ++i) y[i] = x[0][i / 3] * x[1][i % 3];
            return y;
          }),
      line(
          "divide by a scalar tensor", {{4}, {}}, [](auto x) { return x[0] / (x[1] + 3.0); },
          [](const operands& x) {
            reals y = x[0];
            for (real& v : y) v /= x[1][0] + 3;
            return y;
          }),
      line(
          "tanh", {{5}}, [](auto x) { return tanh(x[0]); },
          [](const operands& x) {
            reals y = x[0];
            for (real& v : y) v = std::tanh(v);
            return y;
          }),
      line(
          "matmul, matrices", {{2, 3}, {3, 4}}, [](auto x) { return matmul(x[0], x[1]); },
          [](const operands& x) { return product(x, 2, 3, 4); }),
      line(
          "matmul, matrices for BLAS", {{5, 6}, {6, 7}}, [](auto x) { return matmul(x[0], x[1]); },
          [](const operands& x) { return product(x, 5, 6, 7); }),
      line(
          "matmul, matrix and vector", {{2, 3}, {3}}, [](auto x) { return matmul(x[0], x[1]); },
          [](const operands& x) { return product(x, 2, 3, 1); }),
      line(
          "matmul, vector and matrix", {{3}, {3, 2}}, [](auto x) { return matmul(x[0], x[1]); },
          [](const operands& x) { return product(x, 1, 3, 2); }),
      line(
          "matmul, vectors", {{4}, {4}}, [](auto x) { return matmul(x[0], x[1]); },
          [](const operands& x) { return product(x, 1, 4, 1); }),
      line(
          "matmul, a matrix by itself", {{3, 3}}, [](auto x) { return matmul(x[0], x[0]); },
          [](const operands& x) {
            return product({x[0], x[0]}, 3, 3, 3);
          }),
      line(
          "affine, rows", {{4, 2}, {2, 3}, {3}}, [](auto x) { return affine(x[0], x[1], x[2]); },
          [](const operands& x) {
            reals y = product(x, 4, 2, 3);
            for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[2][i % 3];
            return y;
          }),
      line(
          "affine, one row", {{2}, {2, 3}, {3}}, [](auto x) { return affine(x[0], x[1], x[2]); },
          [](const operands& x) {
            reals y = product(x, 1, 2, 3);
            for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[2][i];
            return y;
          }),
      line(
          "transpose", {{2, 3}}, [](auto x) { return transpose(x[0]); },
          [](const operands& x) {
            return reals{x[0][0], x[0][3], x[0][1], x[0][4], x[0][2], x[0][5]};
          }),
      line(
          "sum, all", {{2, 3}}, [](auto x) { return sum(x[0]); },
          [](const operands& x) {
            real total = 0;
            for (const real v : x[0]) total += v;
            return reals{total};
          }),
      line(
          "sum, first axis", {{2, 3}}, [](auto x) { return sum(x[0], {0}); },
          [](const operands& x) {
            return reals{x[0][0] + x[0][3], x[0][1] + x[0][4], x[0][2] + x[0][5]};
          }),
      line(
          "sum, middle axis kept", {{2, 2, 2}}, [](auto x) { return sum(x[0], {1}, true); },
          [](const operands& x) {
            return reals{x[0][0] + x[0][2], x[0][1] + x[0][3], x[0][4] + x[0][6],
                         x[0][5] + x[0][7]};
          }),
      line(
          "mean, all", {{3, 2}}, [](auto x) { return mean(x[0]); },
          [](const operands& x) {
            real total = 0;
            for (const real v : x[0]) total += v;
            return reals{total / 6};
          }),
      line(
          "mean, outer axes", {{2, 2, 2}},
          [](auto x) {
            return mean(x[0], {0, -1});
          },
          [](const operands& x) {
            return reals{(x[0][0] + x[0][1] + x[0][4] + x[0][5]) / 4,
                         (x[0][2] + x[0][3] + x[0][6] + x[0][7]) / 4};
          }),
      line(
          "reshape", {{2, 3}},
          [](auto x) {
            return reshape(x[0], {3, 2});
          },
          [](const operands& x) { return x[0]; }),
      line(
          "take_rows", {{3, 2}}, [](auto x) { return take_rows(x[0], picked); },
          [](const operands& x) {
            reals y;
            for (const std::size_t row : picked)
              y.insert(y.end(), {x[0][row * 2], x[0][row * 2 + 1]});
            return y;
          }),
      line(
          "softmax", {{2, 4}}, [](auto x) { return softmax(x[0]); },
          [](const operands& x) {
            reals y = log_softmax_rows(x[0], 4);
            for (real& v : y) v = std::exp(v);
            return y;
          }),
      line(
          "log_softmax", {{2, 4}}, [](auto x) { return log_softmax(x[0]); },
          [](const operands& x) { return log_softmax_rows(x[0], 4); }),
      line(
          "softmax_cross_entropy", {{3, 4}, {3, 4}},
          [](auto x) { return softmax_cross_entropy(x[0], x[1]); },
          [](const operands& x) {
            const reals log_p = log_softmax_rows(x[0], 4);
            real total = 0;
            for (std::size_t i = 0; i < log_p.size(); ++i) total -= x[1][i] * log_p[i];
            return reals{total / 3};
          }),
      line(
          "a network: affine, tanh, affine, cross-entropy",
          {{3, 2}, {2, 4}, {4}, {4, 3}, {3}, {3, 3}},
          [](auto x) {
            return softmax_cross_entropy(affine(tanh(affine(x[0], x[1], x[2])), x[3], x[4]), x[5]);
          },
          [](const operands& x) {
            reals hidden = product(x, 3, 2, 4);
            for (std::size_t i = 0; i < hidden.size(); ++i)
              hidden[i] = std::tanh(hidden[i] + x[2][i % 4]);
            reals z = product({hidden, x[3]}, 3, 4, 3);
            for (std::size_t i = 0; i < z.size(); ++i) z[i] += x[4][i % 3];
            const reals log_p = log_softmax_rows(z, 3);
            real total = 0;
            for (std::size_t i = 0; i < z.size(); ++i) total -= x[5][i] * log_p[i];
            return reals{total / 3};
          }),
  };
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

}  // namespace

TEST_CASE(
    "structured operations have the values of plain loops and adjoints of their differences") {
  for (const structured_operation& f : table()) {
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

TEST_CASE("structured operations add their share to what others left") {
  for (const structured_operation& f : table()) {
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

TEST_CASE("structured operations give each input its adjoint when it alone is recorded") {
  for (const structured_operation& f : table()) {
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

TEST_CASE("structured operations on duals have the tangents of their differences, without a tape") {
  for (const structured_operation& f : table()) {
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

TEST_CASE("duals on a tape give Hessian-vector products of structured operations") {
  for (const structured_operation& f : table()) {
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

TEST_CASE("structured operations on float have the gradient of double") {
  for (const structured_operation& f : table()) {
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
