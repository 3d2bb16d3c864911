#include <nn/loss.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/distance.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <fmt/format.h>

namespace nn {
namespace {

[[noreturn, gnu::cold, gnu::noinline]] void refuse(std::string_view name, const autodiff::shape& y,
                                                   const autodiff::shape& t) {
  throw autodiff::shape_error(
      name,
      fmt::format("outputs {} and targets {}", autodiff::to_string(y), autodiff::to_string(t)),
      "give the targets the shape of the outputs; class labels become rows with one_hot");
}

template <class F>
constexpr loss make_loss(std::string_view name, F f) {
  return {name, f, f};
}

}  // namespace

autodiff::tensor<float> loss::operator()(const autodiff::tensor<float>& y,
                                         const autodiff::tensor<float>& t) const {
  if (y.shape() != t.shape()) refuse(name, y.shape(), t.shape());
  return on_float(y, t);
}

autodiff::tensor<double> loss::operator()(const autodiff::tensor<double>& y,
                                          const autodiff::tensor<double>& t) const {
  if (y.shape() != t.shape()) refuse(name, y.shape(), t.shape());
  return on_double(y, t);
}

constinit const loss half_squared_error = make_loss(
    "half_squared_error", []<class T>(const autodiff::tensor<T>& y, const autodiff::tensor<T>& t) {
      return squared_distance(y, t, T(0.5));
    });
constinit const loss mean_squared_error = make_loss(
    "mean_squared_error", []<class T>(const autodiff::tensor<T>& y, const autodiff::tensor<T>& t) {
      return squared_distance(y, t, T(1) / static_cast<T>(y.size()));
    });
constinit const loss binary_cross_entropy = make_loss(
    "binary_cross_entropy",
    [](const auto& y, const auto& t) { return autodiff::binary_cross_entropy_with_logits(y, t); });
constinit const loss softmax_cross_entropy =
    make_loss("softmax_cross_entropy",
              [](const auto& y, const auto& t) { return autodiff::softmax_cross_entropy(y, t); });
constinit const loss binary_cross_entropy_of_probabilities =
    make_loss("binary_cross_entropy_of_probabilities", [](const auto& y, const auto& t) {
      return -mean(autodiff::xlogy(t, y) + autodiff::xlog1py(1 - t, -y));
    });
constinit const loss cross_entropy_of_probabilities =
    make_loss("cross_entropy_of_probabilities",
              []<class T>(const autodiff::tensor<T>& y, const autodiff::tensor<T>& t) {
                const std::size_t samples = y.rank() == 2 ? y.shape()[0] : 1;
                return sum(autodiff::xlogy(t, y)) * (T(-1) / static_cast<T>(samples));
              });

}  // namespace nn
