// Must not compile: ctest passes one EXPRESSION of a tensor<float> a and a tensor<double> b at a
// time and looks for the advice in the compiler's message.

#include <autodiff/tensor/cast.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/linear.hpp>

int main() {
  const autodiff::tensor<float> a({1.0f});
  const autodiff::tensor<double> b({1.0});
  static_cast<void>(EXPRESSION);
}
