#include <nn/training/predict.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/join.hpp>
#include <autodiff/tensor/slice.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

namespace nn {
namespace {

void require_rows(const autodiff::shape& y, std::size_t rows) {
  if (y.rank() > 0 && y[0] == rows) return;
  throw autodiff::shape_error(
      "predict", fmt::format("the model gives {} for {} samples", autodiff::to_string(y), rows),
      "let it give a row for each sample");
}

autodiff::shape with_rows(const autodiff::shape& s, std::size_t rows) {
  std::vector<std::size_t> extents(s.begin(), s.end());
  extents.front() = rows;
  return autodiff::shape(std::span<const std::size_t>(extents));
}

template <class T>
autodiff::tensor<T> rows_of(const autodiff::tensor<T>& x, std::size_t from, std::size_t to) {
  return autodiff::slice(x, 0,
                         {static_cast<std::ptrdiff_t>(from), static_cast<std::ptrdiff_t>(to)});
}

}  // namespace

template <class T>
autodiff::tensor<T> predict(const std::type_identity_t<model_view<T>>& model,
                            const autodiff::tensor<T>& inputs, std::size_t at_a_time) {
  if (inputs.rank() == 0)
    throw autodiff::shape_error("predict", "inputs of shape []", "pass a row for each sample");
  if (at_a_time == 0)
    throw autodiff::domain_error("predict", "0 samples at a time", "use at least 1");
  const std::size_t n = inputs.shape()[0];
  const auto outputs_of = [&](std::size_t from, std::size_t to) {
    auto y = model(from == 0 && to == n ? inputs : rows_of(inputs, from, to)).detached();
    require_rows(y.shape(), to - from);
    return y;
  };
  auto first = outputs_of(0, std::min(n, at_a_time));
  if (first.shape()[0] == n) return first;

  auto all = autodiff::tensor<T>::undefined(with_rows(first.shape(), n));
  auto into = all.mutable_values().begin();
  into = std::copy(first.values().begin(), first.values().end(), into);
  for (std::size_t from = at_a_time; from < n; from += at_a_time) {
    const auto y = outputs_of(from, std::min(n, from + at_a_time));
    into = std::copy(y.values().begin(), y.values().end(), into);
  }
  return all;
}

template <class T>
predictions<T> predict(const std::type_identity_t<model_view<T>>& model, batch_source<T>& data) {
  std::vector<autodiff::tensor<T>> outputs, targets;
  predictions<T> all;
  batch<T> some;
  data.begin(0);
  while (data.next(some)) {
    outputs.push_back(model(some.inputs).detached());
    require_rows(outputs.back().shape(), some.inputs.shape()[0]);
    targets.push_back(some.targets);
    all.samples.insert(all.samples.end(), some.samples.begin(), some.samples.end());
  }
  if (outputs.empty()) {
    throw autodiff::shape_error("predict", "the source has no batches",
                                "pass one with at least one sample, and with drop_last at least "
                                "one whole batch");
  }
  all.outputs = autodiff::concat(outputs);
  all.targets = autodiff::concat(targets);
  return all;
}

template predictions<float> predict(const model_view<float>&, batch_source<float>&);
template predictions<double> predict(const model_view<double>&, batch_source<double>&);
template autodiff::tensor<float> predict(const model_view<float>&, const autodiff::tensor<float>&,
                                         std::size_t);
template autodiff::tensor<double> predict(const model_view<double>&,
                                          const autodiff::tensor<double>&, std::size_t);

}  // namespace nn
