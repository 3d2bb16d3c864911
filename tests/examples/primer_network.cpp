#include <tests/examples/primer_network.hpp>

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <algorithm>
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

template <std::size_t N>
void copy(const nn::matrix<double>& from, std::array<double, N>& into) {
  std::copy(from.values.begin(), from.values.end(), into.begin());
}

template <std::size_t Out, std::size_t In>
void copy(const nn::matrix<double>& from, std::array<std::array<double, In>, Out>& into) {
  for (std::size_t k = 0; k < Out; ++k) {
    for (std::size_t m = 0; m < In; ++m) into[k][m] = from(k, m);
  }
}

/// The numbers of a report on one of its sides, but for the slopes, which it does not hold.
numbers<double> one_side(const nn::delta_report& report, nn::matrix<double> nn::compared::*side) {
  const nn::delta_layer &first = report.layers[0], &second = report.layers[1];
  numbers<double> n{};
  copy(first.a.*side, n.a1);
  copy(first.z.*side, n.z1);
  copy(first.delta.*side, n.delta1);
  copy(first.dw.*side, n.dw1);
  copy(second.a.*side, n.a2);
  copy(second.delta.*side, n.delta2);
  copy(second.dw.*side, n.dw2);
  n.e = (report.error.*side)(0, 0);
  return n;
}

}  // namespace

nn::delta_report compared() {
  nn::network<double> net(
      2, {nn::dense(3, nn::tanh, nn::bias::without), nn::dense(2, nn::identity, nn::bias::without)},
      nn::seed{1});
  net.layers()[0].dense().weights = as_weights<double>(w1);
  net.layers()[1].dense().weights = as_weights<double>(w2);
  return nn::compare_deltas(net, matrix<double>({x[0], x[1]}), matrix<double>({t[0], t[1]}),
                            nn::half_squared_error);
}

numbers<double> by_formula() {
  numbers<double> n = one_side(compared(), &nn::compared::formula);
  for (std::size_t m = 0; m < 3; ++m) n.slope1[m] = 1 - n.z1[m] * n.z1[m];  // (3)
  return n;
}

numbers<double> by_tape() {
  numbers<double> n = one_side(compared(), &nn::compared::tape);
  autodiff::tape tape;
  const auto a1 = tape.variable(matrix<double>({n.a1[0], n.a1[1], n.a1[2]}));
  const auto z1 = tanh(a1);
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
