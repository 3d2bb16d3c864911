#include <nn/training/confusion.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/extremes.hpp>

#include <nn/loss/loss.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace nn {
namespace {

using autodiff::array, autodiff::shape, autodiff::tensor;

/// 1 where x lies above the threshold, else 0.
template <class T>
array<std::size_t> above(const tensor<T>& x, double threshold) {
  array<std::size_t> classes(shape{x.size()});
  std::ranges::transform(x.values(), classes.writable(),
                         [=](T value) { return static_cast<double>(value) > threshold; });
  return classes;
}

template <class T>
array<std::size_t> indices(std::string_view operation, const tensor<T>& targets,
                           std::size_t classes) {
  array<std::size_t> actual(targets.shape());
  std::size_t* out = actual.writable();
  const auto values = targets.values();
  for (std::size_t i = 0; i < values.size(); ++i)
    out[i] = class_index(operation, values[i], i, classes);
  return actual;
}

/// What the counts say of one class: right, and all that were predicted so or are so.
struct tally {
  std::size_t right, predicted, actual;
};

tally tally_of(const std::vector<std::vector<std::size_t>>& counts, std::size_t c) {
  tally n{counts[c][c], 0, 0};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    n.predicted += counts[i][c];
    n.actual += counts[c][i];
  }
  return n;
}

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// 2 p r / (p + r) = 2 right / (predicted + actual).
class_scores scores_of(const tally& n) {
  return {share(n.right, n.predicted), share(n.right, n.actual),
          share(2 * n.right, n.predicted + n.actual)};
}

}  // namespace

template <class T>
classified classify(std::string_view operation, const tensor<T>& outputs, const tensor<T>& targets,
                    double threshold) {
  const shape &y = outputs.shape(), &t = targets.shape();
  if (y.rank() != 2 || !(y == t || holds_class_indices(y, t))) {
    throw autodiff::shape_error(
        operation, fmt::format("outputs {} and targets {}", to_string(y), to_string(t)),
        "outputs [n, classes] go with targets [n, classes] or [n], class indices");
  }
  if (y[1] == 1) return {2, above(outputs, threshold), above(targets, 0.5)};
  return {y[1], autodiff::argmax(outputs, -1),
          y == t ? autodiff::argmax(targets, -1) : indices(operation, targets, y[1])};
}

confusion_matrix confusion(const classified& samples) {
  confusion_matrix matrix{std::vector(samples.classes, std::vector<std::size_t>(samples.classes))};
  for (std::size_t i = 0; i < samples.actual.size(); ++i)
    ++matrix.counts[samples.actual.data()[i]][samples.predicted.data()[i]];
  return matrix;
}

template <class T>
confusion_matrix confusion(const tensor<T>& outputs, const tensor<T>& targets, double threshold) {
  return confusion(classify("confusion", outputs, targets, threshold));
}

double confusion_matrix::accuracy() const {
  std::size_t right = 0, all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    right += counts[i][i];
    for (const std::size_t count : counts[i]) all += count;
  }
  return static_cast<double>(right) / static_cast<double>(all);
}

class_scores confusion_matrix::of(std::size_t class_index) const {
  if (class_index < counts.size()) return scores_of(tally_of(counts, class_index));
  throw autodiff::shape_error("confusion_matrix",
                              fmt::format("class {} of {}", class_index, counts.size()),
                              "classes are counted from 0");
}

class_scores confusion_matrix::mean(average how) const {
  if (how == average::micro) return {accuracy(), accuracy(), accuracy()};
  class_scores total{0, 0, 0};
  double weights = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const tally n = tally_of(counts, c);
    if (n.predicted + n.actual == 0) continue;
    const double weight = how == average::macro ? 1 : static_cast<double>(n.actual);
    const class_scores scores = scores_of(n);
    total.precision += weight * scores.precision;
    total.recall += weight * scores.recall;
    total.f1 += weight * scores.f1;
    weights += weight;
  }
  return {total.precision / weights, total.recall / weights, total.f1 / weights};
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

#define INSTANTIATE(T)                                                                        \
  template classified classify(std::string_view, const tensor<T>&, const tensor<T>&, double); \
  template confusion_matrix confusion(const tensor<T>&, const tensor<T>&, double);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
