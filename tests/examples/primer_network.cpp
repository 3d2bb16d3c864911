#include <tests/examples/primer_network.hpp>

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace primer {
namespace {

template <class T>
using matrix = autodiff::tensor<T>;

/// Layers hold their weights as [in, out], the transpose of the document's.
template <class T, std::size_t Out, std::size_t In>
matrix<T> as_weights(const std::array<std::array<double, In>, Out>& w) {
  matrix<T> weights(autodiff::shape{In, Out});
  auto values = weights.mutable_values();
  for (std::size_t k = 0; k < Out; ++k) {
    for (std::size_t m = 0; m < In; ++m) values[m * Out + k] = static_cast<T>(w[k][m]);
  }
  return weights;
}

template <class T, std::size_t Out, std::size_t In>
void read_transposed(const matrix<T>& gradient, std::array<std::array<T, In>, Out>& dw) {
  for (std::size_t k = 0; k < Out; ++k) {
    for (std::size_t m = 0; m < In; ++m) dw[k][m] = gradient.value(m, k);
  }
}

template <class T, std::size_t N>
void read(const matrix<T>& values, std::array<T, N>& into) {
  std::copy(values.values().begin(), values.values().end(), into.begin());
}

}  // namespace

numbers<double> by_formula() {
  numbers<double> n{};
  for (std::size_t m = 0; m < 3; ++m) {
    for (std::size_t i = 0; i < 2; ++i) n.a1[m] += w1[m][i] * x[i];
    n.z1[m] = std::tanh(n.a1[m]);
    n.slope1[m] = 1 - n.z1[m] * n.z1[m];
  }
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t m = 0; m < 3; ++m) n.a2[k] += w2[k][m] * n.z1[m];
    n.delta2[k] = n.a2[k] - t[k];  // (5)
    n.e += 0.5 * n.delta2[k] * n.delta2[k];
    for (std::size_t m = 0; m < 3; ++m) n.dw2[k][m] = n.delta2[k] * n.z1[m];  // (1) and (6)
  }
  for (std::size_t m = 0; m < 3; ++m) {
    double sum = 0;
    for (std::size_t k = 0; k < 2; ++k) sum += w2[k][m] * n.delta2[k];
    n.delta1[m] = n.slope1[m] * sum;  // (7)
    for (std::size_t i = 0; i < 2; ++i) n.dw1[m][i] = n.delta1[m] * x[i];
  }
  return n;
}

numbers<double> by_tape() {
  nn::network<double> net(
      2, {nn::dense(3, nn::tanh, nn::bias::without), nn::dense(2, nn::identity, nn::bias::without)},
      nn::seed{1});
  nn::dense_layer<double>&first = net.layers()[0], &second = net.layers()[1];
  first.weights = as_weights<double>(w1);
  second.weights = as_weights<double>(w2);

  autodiff::tape tape;
  const nn::recorded_parameters recorded(net, tape);
  const auto a1 = first.preactivation(matrix<double>({x[0], x[1]}));
  const auto z1 = first.activation()(a1);
  const auto a2 = second.preactivation(z1);
  const auto e = nn::half_squared_error(a2, matrix<double>({t[0], t[1]}));
  tape.backward(e);

  numbers<double> n{};
  read(a1, n.a1);
  read(z1, n.z1);
  read(a2, n.a2);
  read(tape.adjoint(a1), n.delta1);
  read(tape.adjoint(a2), n.delta2);
  read_transposed(tape.adjoint(first.weights), n.dw1);
  read_transposed(tape.adjoint(second.weights), n.dw2);
  n.e = e.item();
  tape.backward(z1, autodiff::ones<double>(z1.shape()));
  read(tape.adjoint(a1), n.slope1);  // dz/da, one unit each
  return n;
}

numbers<float> by_tape_from_printed_outputs() {
  autodiff::tape tape;
  const auto input = matrix<float>({1.0f, 2.0f}), target = matrix<float>({1.0f, 1.15f});
  const auto first = tape.variable(as_weights<float>(w1)),
             second = tape.variable(as_weights<float>(w2));
  matrix<float> printed(autodiff::shape{3});
  std::transform(published.z1.begin(), published.z1.end(), printed.mutable_values().begin(),
                 [](const char* digits) { return std::strtof(digits, nullptr); });

  const auto a1 = matmul(input, first);
  const auto slope = 1.0f - square(printed);
  const auto z1 = printed + slope * (a1 - a1.detached());
  const auto a2 = matmul(z1, second);
  const auto e = nn::half_squared_error(a2, target);
  tape.backward(e);

  numbers<float> n{};
  read(a1, n.a1);
  read(z1, n.z1);
  read(slope, n.slope1);
  read(a2, n.a2);
  read(tape.adjoint(a1), n.delta1);
  read(tape.adjoint(a2), n.delta2);
  read_transposed(tape.adjoint(first), n.dw1);
  read_transposed(tape.adjoint(second), n.dw2);
  n.e = e.item();
  return n;
}

}  // namespace primer
