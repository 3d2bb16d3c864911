// Must not compile: ctest passes one EXPRESSION of a tensor<float> a, a tensor<double> b and a
// double at a time and looks for the advice in the compiler's message.

#include <autodiff/tensor/cast.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/linear.hpp>

int main(int arguments, char**) {
  const autodiff::tensor<float> a({1.0f});
  const autodiff::tensor<double> b({1.0});
  [[maybe_unused]] const double number = arguments;
  static_cast<void>(EXPRESSION);
}
