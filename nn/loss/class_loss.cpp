// Losses of a sample with one output for each class.

#include <autodiff/error.hpp>
#include <autodiff/tensor/comparison.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <nn/loss/loss.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nn {
namespace {

using autodiff::shape, autodiff::tensor;

template <class T>
std::size_t classes_of(const tensor<T>& y) {
  return y.shape()[y.rank() - 1];
}

void require_classes(const loss& e, const shape& y, const shape& t) {
  if (y.rank() > 0 && (y == t || holds_class_indices(y, t))) return;
  throw autodiff::shape_error(
      e.name, fmt::format("outputs {} and targets {}", to_string(y), to_string(t)),
      "outputs [n, k] go with targets [n, k], one weight per class, or [n], class indices");
}

/// Class indices as rows with a 1; those to be ignored as rows of 0.
template <class T>
tensor<T> one_hot_rows(const loss& e, const tensor<T>& y, const tensor<T>& t,
                       std::optional<int> ignored = std::nullopt) {
  const std::size_t classes = classes_of(y);
  tensor<T> rows(y.shape());
  T* row = rows.mutable_values().data();
  const auto targets = t.values();
  for (std::size_t i = 0; i < targets.size(); ++i, row += classes) {
    if (ignored && targets[i] == static_cast<T>(*ignored)) continue;
    row[class_index(e.name, targets[i], i, classes)] = 1;
  }
  return rows;
}

/// -sum over the classes of t times log-probabilities, by `how` over the samples.
template <class T>
tensor<T> cross_entropy(const loss& e, const tensor<T>& y, const tensor<T>& t) {
  if (y.shape() == t.shape()) return autodiff::softmax_cross_entropy(y, t, e.how());
  require_classes(e, y.shape(), t.shape());
  return autodiff::softmax_cross_entropy(y, one_hot_rows(e, y, t), e.how());
}

/// One weight for each class, or a single 1.
template <class T>
tensor<T> weights_of(const loss& e, const tensor<T>& y, const std::vector<double>& weights) {
  if (weights.empty()) return tensor<T>(T(1));
  if (weights.size() != classes_of(y)) {
    throw autodiff::shape_error(
        e.name,
        fmt::format("{} class weights and outputs {}", weights.size(), to_string(y.shape())),
        "give it one weight for each class");
  }
  tensor<T> w(shape{weights.size()});
  std::ranges::transform(weights, w.mutable_values().begin(),
                         [](double weight) { return static_cast<T>(weight); });
  return w;
}

template <class T>
tensor<T> weighted_cross_entropy(const loss& e, const tensor<T>& y, const tensor<T>& t,
                                 const cross_entropy_settings& settings) {
  require_classes(e, y.shape(), t.shape());
  const bool indices = y.shape() != t.shape();
  const tensor<T> hard = indices ? one_hot_rows(e, y, t, settings.ignored_index) : t;
  const auto smoothing = static_cast<T>(settings.label_smoothing);
  const tensor<T> counted = indices ? sum(hard, {-1}, true) : tensor<T>(T(1));
  const tensor<T> w = weights_of(e, y, settings.class_weights);
  const tensor<T> rows =
      w * ((1 - smoothing) * hard + smoothing / static_cast<T>(classes_of(y)) * counted);
  if (!indices || e.how() != reduction::mean)
    return autodiff::softmax_cross_entropy(y, rows, e.how());
  const tensor<T> total = autodiff::softmax_cross_entropy(y, rows, reduction::sum);
  const T weight = sum(w * hard).item();
  // Where no sample counts there is no mean, but no slope either that would spoil the weights.
  return weight == 0 ? total + std::numeric_limits<T>::quiet_NaN() : total / weight;
}

/// The losses of the elements of rows, added up along each.
template <class T>
tensor<T> of_rows(const tensor<T>& losses, reduction how) {
  return collected(sum(losses, {-1}), how);
}

template <class T>
tensor<T> margins(const loss& e, const tensor<T>& y, const tensor<T>& t) {
  require_classes(e, y.shape(), t.shape());
  const tensor<T> rows = y.shape() == t.shape() ? t.detached() : one_hot_rows(e, y, t);
  const std::size_t classes = classes_of(y);
  autodiff::array<std::int64_t> right(y.shape().with_extent(y.rank() - 1, 1));
  std::int64_t* index = right.writable();
  const auto values = rows.values();
  for (std::size_t i = 0; i < right.size(); ++i) {
    const auto row = values.subspan(i * classes, classes);
    const auto one = std::ranges::find(row, T(1));
    if (one == row.end() || std::ranges::count(row, T(0)) + 1 != std::ssize(row)) {
      throw autodiff::domain_error(
          e.name, fmt::format("targets [{}] of sample {}", fmt::join(row, ", "), i),
          "mark one class by a 1 among zeros, or pass class indices");
    }
    *index++ = one - row.begin();
  }
  const tensor<T> beyond = relu(1 + y - gather(y, -1, autodiff::index_array(std::move(right))));
  return of_rows(where(rows == 1, 0, beyond) * (T(1) / static_cast<T>(classes)), e.how());
}

}  // namespace

bool holds_class_indices(const shape& y, const shape& t) {
  return y.rank() == t.rank() + 1 &&
         std::equal(t.extents().begin(), t.extents().end(), y.extents().begin());
}

template <class T>
std::size_t class_index(std::string_view operation, T target, std::size_t i, std::size_t classes) {
  if (target >= 0 && target < static_cast<T>(classes) && target == std::floor(target))
    return static_cast<std::size_t>(target);
  throw autodiff::domain_error(
      operation, fmt::format("target {} of sample {}", target, i),
      fmt::format("with {} outputs, class indices are whole numbers below {}", classes, classes));
}
template std::size_t class_index(std::string_view, float, std::size_t, std::size_t);
template std::size_t class_index(std::string_view, double, std::size_t, std::size_t);

constinit const loss softmax_cross_entropy("softmax_cross_entropy", reduction::mean,
                                           []<class T>(const loss& e, const tensor<T>& y,
                                                       const tensor<T>& t) {
                                             return cross_entropy(e, y, t);
                                           });

loss softmax_cross_entropy_with(const cross_entropy_settings& settings) {
  const auto& [smoothing, weights, ignored] = settings;
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw autodiff::domain_error("softmax_cross_entropy",
                                 fmt::format("label_smoothing is {}", smoothing),
                                 "give it a share between 0 and 1");
  }
  for (const double w : weights) {
    if (w >= 0 && std::isfinite(w)) continue;
    throw autodiff::domain_error("softmax_cross_entropy", fmt::format("a class weight of {}", w),
                                 "give it finite ones that are not negative");
  }
  std::vector<std::string> set;
  if (smoothing != 0) set.push_back(fmt::format("label_smoothing {}", smoothing));
  if (!weights.empty()) set.push_back(fmt::format("class_weights [{}]", fmt::join(weights, ", ")));
  if (ignored) set.push_back(fmt::format("ignored_index {}", *ignored));
  if (set.empty()) return softmax_cross_entropy;
  return parameterised_loss(
      fmt::format("softmax_cross_entropy({})", fmt::join(set, ", ")), reduction::mean, settings,
      []<class T>(const loss& e, const tensor<T>& y, const tensor<T>& t) {
        return weighted_cross_entropy(e, y, t, e.kept<cross_entropy_settings>());
      });
}

constinit const loss cross_entropy_of_probabilities("cross_entropy_of_probabilities",
                                                    reduction::mean,
                                                    []<class T>(const loss& e, const tensor<T>& y,
                                                                const tensor<T>& t) {
                                                      require_alike(e, y.shape(), t.shape());
                                                      return of_rows(-xlogy(t, y), e.how());
                                                    });

constinit const loss multiclass_hinge("multiclass_hinge", reduction::mean,
                                      []<class T>(const loss& e, const tensor<T>& y,
                                                  const tensor<T>& t) { return margins(e, y, t); });

constinit const loss kl_divergence("kl_divergence", reduction::mean,
                                   []<class T>(const loss& e, const tensor<T>& y,
                                               const tensor<T>& t) {
                                     require_alike(e, y.shape(), t.shape());
                                     return autodiff::softmax_cross_entropy(y, t, e.how()) +
                                            of_rows(xlogy(t, t), e.how());
                                   });

constinit const loss kl_divergence_of_log_probabilities(
    "kl_divergence_of_log_probabilities", reduction::mean,
    []<class T>(const loss& e, const tensor<T>& y, const tensor<T>& t) {
      require_alike(e, y.shape(), t.shape());
      return of_rows(where(t == 0, 0, xlogy(t, t) - t * y), e.how());
    });

}  // namespace nn
