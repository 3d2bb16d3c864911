#include <nn/delta/delta.hpp>

#include <autodiff/error.hpp>  // exceptions alone

#include <fmt/format.h>

#include <cstddef>
#include <string>

namespace nn::textbook {
namespace {

[[noreturn]] void refuse(const char* operation, const std::string& happened,
                         const std::string& remedy) {
  throw autodiff::shape_error(operation, happened, remedy);
}

template <class T>
void require_values(const char* operation, const char* what, const matrix<T>& m) {
  if (m.values.size() == m.rows * m.columns) return;
  refuse(operation,
         fmt::format("{} [{}, {}] with {} values", what, m.rows, m.columns, m.values.size()),
         "give as many values as rows times columns");
}

/// What goes through weights W[K, M], in one direction or the other.
template <class T>
void require_inputs(const char* operation, const char* what, const matrix<T>& m, const matrix<T>& w,
                    std::size_t columns) {
  require_values(operation, what, m);
  require_values(operation, "weights", w);
  if (m.columns == columns) return;
  refuse(
      operation,
      fmt::format("{} [{}, {}] for weights [{}, {}]", what, m.rows, m.columns, w.rows, w.columns),
      fmt::format("give {} [n, {}]", what, columns));
}

}  // namespace

template <class T>
matrix<T> preactivation(const layer<T>& layer, const matrix<T>& z) {
  const matrix<T>& w = layer.weights;
  require_inputs("preactivation", "z", z, w, w.columns);
  if (!layer.biases.empty() && layer.biases.size() != w.rows) {
    refuse("preactivation", fmt::format("{} units and {} biases", w.rows, layer.biases.size()),
           "give it one for each unit, or none");
  }
  matrix<T> a(z.rows, w.rows);
  for (std::size_t n = 0; n < z.rows; ++n) {
    for (std::size_t k = 0; k < w.rows; ++k) {
      T sum = 0;
      for (std::size_t m = 0; m < w.columns; ++m) sum += w(k, m) * z(n, m);
      a(n, k) = layer.biases.empty() ? sum : sum + layer.biases[k];
    }
  }
  return a;
}

template <class T>
matrix<T> output_delta(loss e, activation h, const matrix<T>& a, const matrix<T>& y,
                       const matrix<T>& t) {
  const bool sigmoid_cancels =
      e == loss::binary_cross_entropy_of_probabilities && h == activation::sigmoid;
  const bool softmax_cancels =
      e == loss::cross_entropy_of_probabilities && h == activation::softmax;
  if (!sigmoid_cancels && !softmax_cancels) {
    return through_activation(h, a, y, error_slope(e, y, t));
  }
  // The same as from logits, and computed so: there is no division by y.
  return error_slope(sigmoid_cancels ? loss::binary_cross_entropy : loss::softmax_cross_entropy, a,
                     t);
}

template <class T>
matrix<T> through_weights(const layer<T>& layer, const matrix<T>& delta) {
  const matrix<T>& w = layer.weights;
  require_inputs("through_weights", "delta", delta, w, w.rows);
  matrix<T> de_dz(delta.rows, w.columns);
  for (std::size_t n = 0; n < delta.rows; ++n) {
    for (std::size_t k = 0; k < w.rows; ++k) {
      for (std::size_t m = 0; m < w.columns; ++m) de_dz(n, m) += w(k, m) * delta(n, k);
    }
  }
  return de_dz;
}

template <class T>
matrix<T> hidden_delta(const layer<T>& above, const matrix<T>& delta_above, activation h,
                       const matrix<T>& a, const matrix<T>& z) {
  return through_activation(h, a, z, through_weights(above, delta_above));
}

template <class T>
matrix<T> weight_gradient(const matrix<T>& delta, const matrix<T>& z) {
  if (delta.rows != z.rows) {
    refuse(
        "weight_gradient",
        fmt::format("delta [{}, {}] and z [{}, {}]", delta.rows, delta.columns, z.rows, z.columns),
        "give both a row for each sample");
  }
  matrix<T> dw(delta.columns, z.columns);
  for (std::size_t n = 0; n < delta.rows; ++n) {
    for (std::size_t k = 0; k < delta.columns; ++k) {
      for (std::size_t m = 0; m < z.columns; ++m) dw(k, m) += delta(n, k) * z(n, m);
    }
  }
  return dw;
}

template <class T>
std::vector<T> bias_gradient(const matrix<T>& delta) {
  std::vector<T> db(delta.columns);
  for (std::size_t n = 0; n < delta.rows; ++n) {
    for (std::size_t k = 0; k < delta.columns; ++k) db[k] += delta(n, k);
  }
  return db;
}

template <class T>
void require_fit(const char* operation, std::span<const layer<T>> layers, const matrix<T>& x,
                 const matrix<T>& t) {
  if (layers.empty()) refuse(operation, "no layers", "give it at least one");
  if (x.rows == 0) refuse(operation, "no samples", "give it at least one row of inputs");
  require_values(operation, "inputs", x);
  require_values(operation, "targets", t);
  std::size_t inputs = x.columns;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const matrix<T>& w = layers[l].weights;
    const std::string name = fmt::format("the weights of layer {}", l + 1);
    require_values(operation, name.c_str(), w);
    if (w.rows == 0 || w.columns != inputs) {
      refuse(
          operation,
          fmt::format("{} are [{}, {}] and its inputs {} numbers", name, w.rows, w.columns, inputs),
          "weights stand as [units, inputs], a row for each unit");
    }
    if (!layers[l].biases.empty() && layers[l].biases.size() != w.rows) {
      refuse(operation,
             fmt::format("layer {} has {} units and {} biases", l + 1, w.rows,
                         layers[l].biases.size()),
             "give it one for each unit, or none");
    }
    inputs = w.rows;
  }
  if (t.rows == x.rows && t.columns == inputs) return;
  refuse(operation,
         fmt::format("outputs [{}, {}] and targets [{}, {}]", x.rows, inputs, t.rows, t.columns),
         "give the targets the shape of the outputs, a row for each sample");
}

template <class T>
backpropagation<T> backpropagate(std::span<const layer<T>> layers, const matrix<T>& x,
                                 const matrix<T>& t, loss e, output_rule output) {
  require_fit("backpropagate", layers, x, t);
  const std::size_t last = layers.size() - 1;
  backpropagation<T> b;
  const auto inputs_of = [&](std::size_t l) -> const matrix<T>& { return l == 0 ? x : b.z[l - 1]; };
  for (std::size_t l = 0; l <= last; ++l) {
    b.a.push_back(preactivation(layers[l], inputs_of(l)));
    b.z.push_back(activate(layers[l].h, b.a[l]));
  }
  b.error = error(e, b.z[last], t);

  b.delta.resize(layers.size());
  b.delta[last] = output == output_rule::as_if_linear
                      ? error_slope(e, b.z[last], t)
                      : output_delta(e, layers[last].h, b.a[last], b.z[last], t);
  for (std::size_t l = last; l-- > 0;)
    b.delta[l] = hidden_delta(layers[l + 1], b.delta[l + 1], layers[l].h, b.a[l], b.z[l]);

  for (std::size_t l = 0; l <= last; ++l) {
    b.dw.push_back(weight_gradient(b.delta[l], inputs_of(l)));
    b.db.push_back(layers[l].biases.empty() ? std::vector<T>() : bias_gradient(b.delta[l]));
  }
  return b;
}

#define INSTANTIATE(T)                                                                             \
  template matrix<T> preactivation(const layer<T>&, const matrix<T>&);                             \
  template matrix<T> output_delta(loss, activation, const matrix<T>&, const matrix<T>&,            \
                                  const matrix<T>&);                                               \
  template matrix<T> through_weights(const layer<T>&, const matrix<T>&);                           \
  template matrix<T> hidden_delta(const layer<T>&, const matrix<T>&, activation, const matrix<T>&, \
                                  const matrix<T>&);                                               \
  template matrix<T> weight_gradient(const matrix<T>&, const matrix<T>&);                          \
  template std::vector<T> bias_gradient(const matrix<T>&);                                         \
  template void require_fit(const char*, std::span<const layer<T>>, const matrix<T>&,              \
                            const matrix<T>&);                                                     \
  template backpropagation<T> backpropagate(std::span<const layer<T>>, const matrix<T>&,           \
                                            const matrix<T>&, loss, output_rule);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(long double)

}  // namespace nn::textbook
