#include <nn/training/metrics.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace nn {
namespace {

using autodiff::tensor;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// One score of classes, of all or of one; its name is a literal.
metric score(std::string_view name, double class_scores::*which, average how, double threshold) {
  constexpr std::string_view suffix[] = {"", " (weighted)", " (micro)"};
  return {fmt::format("{}{}", name, suffix[static_cast<int>(how)]),
          [=](const auto& y, const auto& t) {
            return confusion(classify(name, y, t, threshold)).mean(how).*which;
          }};
}
metric score(std::string_view name, double class_scores::*which, std::size_t c, double threshold) {
  return {fmt::format("{} of class {}", name, c), [=](const auto& y, const auto& t) {
            return confusion(classify(name, y, t, threshold)).of(c).*which;
          }};
}

/// Whether fewer than k outputs of a row stand before the one of this class.
template <class T>
bool among_largest(const T* row, std::size_t classes, std::size_t c, std::size_t k) {
  std::size_t before = 0;
  for (std::size_t j = 0; j < classes; ++j)
    before += j < c ? !(row[j] < row[c]) : j > c && !(row[j] <= row[c]);
  return before < k;
}

template <class T>
double share_among_largest(const tensor<T>& y, const tensor<T>& t, std::size_t k) {
  const auto [classes, predicted, actual] = classify("top_k_accuracy", y, t);
  const std::size_t columns = y.shape()[1];
  if (columns == 1) {
    throw autodiff::shape_error("top_k_accuracy", fmt::format("outputs {}", to_string(y.shape())),
                                "one output has no order; use accuracy");
  }
  const T* row = y.values().data();
  std::size_t right = 0;
  for (std::size_t i = 0; i < actual.size(); ++i, row += columns)
    right += among_largest(row, columns, actual.data()[i], k);
  return static_cast<double>(right) / static_cast<double>(actual.size());
}

template <class T>
void require_alike(std::string_view operation, const tensor<T>& y, const tensor<T>& t) {
  if (y.shape() == t.shape()) return;
  throw autodiff::shape_error(
      operation,
      fmt::format("outputs {} and targets {}", to_string(y.shape()), to_string(t.shape())),
      "give the targets the shape of the outputs");
}

/// 1 - residual / total of one column of n rows.
template <class T>
double determination_of_column(const T* y, const T* t, std::size_t n, std::size_t columns) {
  // From the first target on, so that the mean of equal ones is exact.
  const auto origin = static_cast<double>(t[0]);
  double mean = 0, residual = 0, total = 0;
  for (std::size_t i = 0; i < n; ++i) mean += static_cast<double>(t[i * columns]) - origin;
  mean /= static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto output = static_cast<double>(y[i * columns]),
               target = static_cast<double>(t[i * columns]);
    const double from_mean = target - origin - mean;
    residual += (output - target) * (output - target);
    total += from_mean * from_mean;
  }
  if (total == 0) return residual == 0 ? 1 : std::isnan(residual) ? nan : 0;
  return 1 - residual / total;
}

}  // namespace

metric::metric(const loss& e)
    : metric(std::string(e.name),
             [e](const auto& y, const auto& t) { return static_cast<double>(e(y, t).item()); }) {}

template <class T>
double share_right(const tensor<T>& outputs, const tensor<T>& targets, double threshold) {
  const auto [classes, predicted, actual] = classify("accuracy", outputs, targets, threshold);
  std::size_t right = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) right += predicted.data()[i] == actual.data()[i];
  return static_cast<double>(right) / static_cast<double>(actual.size());
}

metric accuracy_above(double threshold) {
  return {"accuracy",
          [threshold](const auto& y, const auto& t) { return share_right(y, t, threshold); }};
}

metric top_k_accuracy(std::size_t k) {
  if (k == 0) {
    throw autodiff::domain_error("top_k_accuracy", "the class is never among the 0 largest outputs",
                                 "give it a k of 1 or more");
  }
  return {fmt::format("top_{}_accuracy", k),
          [k](const auto& y, const auto& t) { return share_among_largest(y, t, k); }};
}

metric precision(average how, double threshold) {
  return score("precision", &class_scores::precision, how, threshold);
}
metric recall(average how, double threshold) {
  return score("recall", &class_scores::recall, how, threshold);
}
metric f1(average how, double threshold) { return score("f1", &class_scores::f1, how, threshold); }
metric precision_of(std::size_t class_index, double threshold) {
  return score("precision", &class_scores::precision, class_index, threshold);
}
metric recall_of(std::size_t class_index, double threshold) {
  return score("recall", &class_scores::recall, class_index, threshold);
}
metric f1_of(std::size_t class_index, double threshold) {
  return score("f1", &class_scores::f1, class_index, threshold);
}

template <class T>
double area_under_curve(const tensor<T>& outputs, const tensor<T>& targets) {
  const auto [classes, predicted, actual] = classify("roc_auc", outputs, targets);
  if (outputs.shape()[1] != 1) {
    throw autodiff::shape_error("roc_auc", fmt::format("outputs {}", to_string(outputs.shape())),
                                "pass one output per sample, [n, 1], that of class 1");
  }
  std::vector<std::pair<T, bool>> by_output;
  const auto y = outputs.values();
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (std::isnan(y[i])) return nan;
    by_output.emplace_back(y[i], actual.data()[i] == 1);
  }
  std::ranges::sort(by_output);
  // A pair of samples counts two where class 1 has the larger output, one where they are equal.
  double wins = 0, ones = 0, zeros = 0;
  for (std::size_t i = 0; i < by_output.size();) {
    double equal_ones = 0, equal_zeros = 0;
    const T output = by_output[i].first;
    for (; i < by_output.size() && by_output[i].first == output; ++i)
      ++(by_output[i].second ? equal_ones : equal_zeros);
    wins += equal_ones * (2 * zeros + equal_zeros);
    ones += equal_ones;
    zeros += equal_zeros;
  }
  return wins / (2 * ones * zeros);
}

template <class T>
double determination(const tensor<T>& outputs, const tensor<T>& targets) {
  require_alike("r_squared", outputs, targets);
  const std::size_t n = outputs.rank() == 0 ? 1 : outputs.shape()[0];
  if (n < 2) return nan;
  const std::size_t columns = outputs.size() / n;
  double total = 0;
  for (std::size_t j = 0; j < columns; ++j) {
    total += determination_of_column(outputs.values().data() + j, targets.values().data() + j, n,
                                     columns);
  }
  return total / static_cast<double>(columns);
}

template <class T>
double root_mean_square(const tensor<T>& outputs, const tensor<T>& targets) {
  require_alike("root_mean_squared_error", outputs, targets);
  const double squares =
      std::transform_reduce(outputs.values().begin(), outputs.values().end(),
                            targets.values().begin(), 0.0, std::plus<>(), [](T y, T t) {
                              const double apart = static_cast<double>(y) - static_cast<double>(t);
                              return apart * apart;
                            });
  return std::sqrt(squares / static_cast<double>(outputs.size()));
}

#define INSTANTIATE(T)                                                     \
  template double share_right(const tensor<T>&, const tensor<T>&, double); \
  template double area_under_curve(const tensor<T>&, const tensor<T>&);    \
  template double determination(const tensor<T>&, const tensor<T>&);       \
  template double root_mean_square(const tensor<T>&, const tensor<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
