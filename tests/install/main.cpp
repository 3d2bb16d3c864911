// A user's first program, built against the installed package alone.

#include <autodiff/autodiff.hpp>
#include <cstdio>
#include <nn/network/network.hpp>

int main() {
  autodiff::tape tape;
  autodiff::var x = tape.variable(2.0);
  autodiff::var y = x * x;
  tape.backward(y);

  nn::network<float> net(2, {nn::dense(3, nn::tanh), nn::dense(1)}, nn::seed{1});

  std::printf("d(x*x)/dx at 2 = %g\n", tape.adjoint(x));
  return tape.adjoint(x) == 4 ? 0 : 1;
}
