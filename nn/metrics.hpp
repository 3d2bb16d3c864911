#pragma once
// How good are the outputs: accuracy and the confusion matrix of a classifier.

#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace nn {

/// Share of rows whose largest output is at the largest target: outputs and targets [n, classes].
/// Throws shape_error with both shapes when they differ.
template <class T>
double accuracy(const autodiff::tensor<T>& outputs, const autodiff::tensor<T>& targets);

/// counts[actual][predicted].
struct confusion_matrix {
  std::vector<std::vector<std::size_t>> counts;

  double accuracy() const;
};

template <class T>
confusion_matrix confusion(const autodiff::tensor<T>& outputs, const autodiff::tensor<T>& targets);

/// A table: a row per actual class, a column per predicted one, and the share of each row that is
/// right.
std::string to_string(const confusion_matrix& matrix);
std::ostream& operator<<(std::ostream& out, const confusion_matrix& matrix);

}  // namespace nn
