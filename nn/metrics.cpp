#include <nn/metrics.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/extremes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace nn {
namespace {

template <class T>
void require_classes(const autodiff::tensor<T>& outputs, const autodiff::tensor<T>& targets,
                     std::string_view operation) {
  if (outputs.shape() == targets.shape() && outputs.rank() == 2) return;
  throw autodiff::shape_error(
      operation,
      fmt::format("outputs {} and targets {}", autodiff::to_string(outputs.shape()),
                  autodiff::to_string(targets.shape())),
      "both must be [n, classes]");
}

}  // namespace

template <class T>
double accuracy(const autodiff::tensor<T>& outputs, const autodiff::tensor<T>& targets) {
  require_classes(outputs, targets, "accuracy");
  const auto predicted = autodiff::argmax(outputs, -1), actual = autodiff::argmax(targets, -1);
  std::size_t right = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) right += predicted.data()[i] == actual.data()[i];
  return static_cast<double>(right) / static_cast<double>(actual.size());
}

template <class T>
confusion_matrix confusion(const autodiff::tensor<T>& outputs, const autodiff::tensor<T>& targets) {
  require_classes(outputs, targets, "confusion");
  const std::size_t classes = outputs.shape()[1];
  const auto predicted = autodiff::argmax(outputs, -1), actual = autodiff::argmax(targets, -1);
  confusion_matrix matrix{std::vector(classes, std::vector<std::size_t>(classes))};
  for (std::size_t i = 0; i < actual.size(); ++i)
    ++matrix.counts[actual.data()[i]][predicted.data()[i]];
  return matrix;
}

double confusion_matrix::accuracy() const {
  std::size_t right = 0, all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    right += counts[i][i];
    for (const std::size_t count : counts[i]) all += count;
  }
  return static_cast<double>(right) / static_cast<double>(all);
}

std::string to_string(const confusion_matrix& matrix) {
  std::size_t largest = matrix.counts.size();
  for (const auto& row : matrix.counts) {
    for (const std::size_t count : row) largest = std::max(largest, count);
  }
  const std::size_t width = std::to_string(largest).size() + 2;
  std::string text = "actual | predicted\n       |";
  for (std::size_t j = 0; j < matrix.counts.size(); ++j) text += fmt::format("{:>{}}", j, width);
  text += "    right\n-------+" + std::string(width * matrix.counts.size() + 9, '-') + '\n';
  for (std::size_t i = 0; i < matrix.counts.size(); ++i) {
    text += fmt::format("{:>6} |", i);
    std::size_t all = 0;
    for (const std::size_t count : matrix.counts[i]) {
      text += count == 0 ? fmt::format("{:>{}}", ".", width) : fmt::format("{:>{}}", count, width);
      all += count;
    }
    text += all == 0
                ? "        -\n"
                : fmt::format("{:>7.1f} %\n", 100.0 * static_cast<double>(matrix.counts[i][i]) /
                                                  static_cast<double>(all));
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const confusion_matrix& matrix) {
  return out << to_string(matrix);
}

#define INSTANTIATE(T)                                                              \
  template double accuracy(const autodiff::tensor<T>&, const autodiff::tensor<T>&); \
  template confusion_matrix confusion(const autodiff::tensor<T>&, const autodiff::tensor<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
