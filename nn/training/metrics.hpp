#pragma once
// How good are the outputs: measures as values, each a name and a function of outputs and targets
// that gives one number. Of no sample they are NaN.
//
//   nn::accuracy(net(x), t)
//   nn::f1(nn::average::weighted), nn::precision_of(1), nn::top_k_accuracy(5)
//   nn::metric(nn::mean_absolute_error)        a loss is a measure, too
//   nn::metric("within 0.1", [](const auto& y, const auto& t) { ... return share; })
//
// Those of classes read outputs and targets as confusion.hpp says, and throw as it does.

#include <autodiff/tensor/tensor.hpp>

#include <nn/loss/loss.hpp>
#include <nn/training/confusion.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace nn {

class metric {
 public:
  template <class T>
  using function =
      std::function<double(const autodiff::tensor<T>& outputs, const autodiff::tensor<T>& targets)>;

  /// From a function that takes tensors of both types, a generic lambda.
  template <class Function>
  metric(std::string name, Function f) : name(std::move(name)), on_float_(f), on_double_(f) {}
  metric(const loss& e);

  double operator()(const autodiff::tensor<float>& outputs,
                    const autodiff::tensor<float>& targets) const {
    return on_float_(outputs, targets);
  }
  double operator()(const autodiff::tensor<double>& outputs,
                    const autodiff::tensor<double>& targets) const {
    return on_double_(outputs, targets);
  }

  std::string name;

 private:
  function<float> on_float_;
  function<double> on_double_;
};

// Classifiers.

/// Share of samples whose class was predicted.
template <class T>
double share_right(const autodiff::tensor<T>& outputs, const autodiff::tensor<T>& targets,
                   double threshold = 0);
// Defined here, so that they are there before the global variables of whoever includes this.
inline const metric accuracy("accuracy",
                             [](const auto& y, const auto& t) { return share_right(y, t); });
/// Of single outputs, with another threshold than 0: 0.5 for probabilities.
metric accuracy_above(double threshold);
/// Share of samples whose class is among those of the k largest outputs; of equal outputs the first
/// counts as larger. Throws domain_error for k = 0.
metric top_k_accuracy(std::size_t k);

/// The scores of all classes as one: "f1", "f1 (weighted)".
metric precision(average how = average::macro, double threshold = 0);
metric recall(average how = average::macro, double threshold = 0);
metric f1(average how = average::macro, double threshold = 0);
/// Those of one class, "f1 of class 1", which of two classes usually is class 1.
metric precision_of(std::size_t class_index, double threshold = 0);
metric recall_of(std::size_t class_index, double threshold = 0);
metric f1_of(std::size_t class_index, double threshold = 0);

/// Of single outputs [n, 1]: how likely a sample of class 1 has a larger output than one of class
/// 0, equal ones counting one half: the area under the receiver operating characteristic. NaN
/// unless both classes are there. Source: Fawcett, An introduction to ROC analysis (2006),
/// section 7.
template <class T>
double area_under_curve(const autodiff::tensor<T>& outputs, const autodiff::tensor<T>& targets);
inline const metric roc_auc("roc_auc",
                            [](const auto& y, const auto& t) { return area_under_curve(y, t); });

// Regression: outputs and targets of one shape; else shape_error. The mean absolute error is the
// loss of that name.

/// 1 - sum (y - t)^2 / sum (t - mean t)^2, the mean over the columns of [n, k]. As in scikit-learn,
/// targets that are all the same give 1 if they were met and else 0, and one sample NaN.
template <class T>
double determination(const autodiff::tensor<T>& outputs, const autodiff::tensor<T>& targets);
inline const metric r_squared("r_squared",
                              [](const auto& y, const auto& t) { return determination(y, t); });
/// Root of the mean of (y - t)^2 over all elements.
template <class T>
double root_mean_square(const autodiff::tensor<T>& outputs, const autodiff::tensor<T>& targets);
inline const metric root_mean_squared_error("root_mean_squared_error",
                                            [](const auto& y, const auto& t) {
                                              return root_mean_square(y, t);
                                            });

}  // namespace nn
