// Tensors on the same tape as scalars.

#include <autodiff/autodiff.hpp>

#include <fmt/format.h>

#include <vector>

namespace ad = autodiff;

int main() {
  ad::tensor<float> input({1.0f, 2.0f}), target({0.5f, 0.8f, 0.9f});

  ad::tape tape;
  ad::tensor<float> w =
      tape.variable(ad::tensor<float>({{0.1f, 0.2f}, {0.3f, 0.4f}, {0.5f, 0.6f}}));
  ad::tensor<float> a = matmul(w, input);  // [3, 2] x [2] -> [3]
  ad::tensor<float> e = 0.5f * sum(square(tanh(a) - target));
  tape.backward(e);
  fmt::print("dE/dw =\n{}\ndE/da = {}\n", tape.adjoint(w), tape.adjoint(a));

  ad::var c = a[1];                                    // an element as a scalar, recorded
  std::vector<ad::var> vars = {c, square(c), sin(c)};  // scalars computed from it
  ad::tensor<double> s = ad::stack(vars);              // and back, recorded too
  tape.backward(sum(s));
  fmt::print("d sum(s)/dw =\n{}\n", tape.adjoint(w));
}
