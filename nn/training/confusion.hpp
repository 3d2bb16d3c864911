#pragma once
// Which class was taken for which, and what follows from that: precision, recall, F1.
//
// Classes are read from outputs [n, k] and targets [n, k], one-hot or soft, the largest of a row
// being its class, or targets [n] of class indices. From a single output per sample, [n, 1], class
// 1 is predicted where it lies above a threshold, 0 for logits and 0.5 for probabilities; targets
// [n, 1] or [n] above 0.5 are class 1.

#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace nn {

/// Classes by sample.
struct classified {
  std::size_t classes;
  autodiff::array<std::size_t> predicted, actual;
};
/// Throws shape_error with both shapes when they do not fit each other, domain_error for a target
/// that is no class index, both naming `operation`.
template <class T>
classified classify(std::string_view operation, const autodiff::tensor<T>& outputs,
                    const autodiff::tensor<T>& targets, double threshold = 0);

/// How the scores of classes become one: their mean, their mean weighted by the samples of each
/// class, or the score of all decisions in one pot, which for one class per sample is the accuracy.
/// A class that neither is there nor was predicted does not count.
enum class average { macro, weighted, micro };

/// Of what was predicted as the class, the share that is; of what is, the share that was predicted
/// so; their harmonic mean. A share of nothing counts as 0. The definitions are scikit-learn's.
struct class_scores {
  double precision, recall, f1;
};

/// counts[actual][predicted].
struct confusion_matrix {
  std::vector<std::vector<std::size_t>> counts;

  /// The share of samples on the diagonal; of none NaN.
  double accuracy() const;
  /// Throws shape_error when there is no such class.
  class_scores of(std::size_t class_index) const;
  class_scores mean(average how) const;
};

confusion_matrix confusion(const classified& samples);
/// Throws as classify() does.
template <class T>
confusion_matrix confusion(const autodiff::tensor<T>& outputs, const autodiff::tensor<T>& targets,
                           double threshold = 0);

/// A table: a row per actual class, a column per predicted one, and the share of each row that is
/// right.
std::string to_string(const confusion_matrix& matrix);
std::ostream& operator<<(std::ostream& out, const confusion_matrix& matrix);

}  // namespace nn
