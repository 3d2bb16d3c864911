#include <nn/data/scaling.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/elementwise.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nn {
namespace {

/// Sums over many samples are exact to the last place of T or nearly.
template <class T>
using wider = std::conditional_t<std::is_same_v<T, float>, double, long double>;

/// The rows of x, which are proven finite.
template <class T>
class checked_rows {
 public:
  checked_rows(std::string_view operation, const autodiff::tensor<T>& x)
      : x_(x), count_(x.rank() == 0 ? 0 : x.shape()[0]) {
    if (count_ == 0) {
      throw autodiff::shape_error(operation, "no samples in " + autodiff::to_string(x.shape()),
                                  "pass [n, features] with at least one sample");
    }
    const std::span<const T> values = x.values();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isfinite(values[i])) continue;
      throw autodiff::domain_error(
          operation,
          fmt::format("sample {} has {} in entry {}", i / features(), values[i], i % features()),
          "leave such samples out, or put a number there");
    }
  }

  std::size_t count() const { return count_; }
  std::size_t features() const { return x_.size() / count_; }
  /// visit(feature, value) for all values, row by row.
  template <class Visitor>
  void each(Visitor&& visit) const {
    const std::span<const T> values = x_.values();
    const std::size_t width = features();
    for (std::size_t from = 0; from < values.size(); from += width) {
      for (std::size_t feature = 0; feature < width; ++feature) {
        visit(feature, values[from + feature]);
      }
    }
  }
  /// The shape of a row.
  autodiff::shape row() const { return autodiff::shape(x_.shape().extents().subspan(1)); }

 private:
  const autodiff::tensor<T>& x_;
  std::size_t count_;
};

template <class T>
struct range {
  std::vector<T> least, most;
};

template <class T>
range<T> range_of(const checked_rows<T>& rows, const autodiff::tensor<T>& x) {
  const auto first = x.values().first(rows.features());
  range<T> result{{first.begin(), first.end()}, {first.begin(), first.end()}};
  rows.each([&](std::size_t feature, T value) {
    result.least[feature] = std::min(result.least[feature], value);
    result.most[feature] = std::max(result.most[feature], value);
  });
  return result;
}

/// A feature whose values are too far from each other for their difference to be a number.
template <class T>
[[noreturn]] void refuse_range(std::string_view operation, const range<T>& bounds,
                               std::size_t feature) {
  throw autodiff::domain_error(operation,
                               fmt::format("entry {} goes from {} to {}", feature,
                                           bounds.least[feature], bounds.most[feature]),
                               "divide its values by something first");
}

template <class T>
void require_row(std::string_view operation, const scaling<T>& by, const autodiff::tensor<T>& x) {
  const auto row = by.offset.shape().extents(), all = x.shape().extents();
  if (!all.empty() && std::equal(row.begin(), row.end(), all.begin() + 1, all.end())) return;
  throw autodiff::shape_error(
      operation,
      fmt::format("learned from rows {}, applied to {}", autodiff::to_string(by.offset.shape()),
                  autodiff::to_string(x.shape())),
      "pass samples with the same features, [n, ...]");
}

}  // namespace

template <class T>
autodiff::tensor<T> scaling<T>::apply(const autodiff::tensor<T>& x) const {
  require_row("scaling::apply", *this, x);
  return (x - offset) / spread + base;
}

template <class T>
autodiff::tensor<T> scaling<T>::invert(const autodiff::tensor<T>& y) const {
  require_row("scaling::invert", *this, y);
  return (y - base) * spread + offset;
}

template <class T>
scaling<T> standard_scaling(const autodiff::tensor<T>& x) {
  const checked_rows<T> rows("standard_scaling", x);
  const range<T> bounds = range_of(rows, x);
  const auto n = static_cast<wider<T>>(rows.count());
  std::vector<wider<T>> means(rows.features(), 0), squares(rows.features(), 0);
  rows.each([&](std::size_t feature, T value) { means[feature] += value; });
  for (wider<T>& mean : means) mean /= n;
  rows.each([&](std::size_t feature, T value) {
    const wider<T> off = value - means[feature];
    squares[feature] += off * off;
  });
  scaling<T> result{autodiff::tensor<T>(rows.row()), autodiff::tensor<T>(rows.row()),
                    autodiff::tensor<T>(rows.row())};
  const auto offset = result.offset.mutable_values(), spread = result.spread.mutable_values();
  for (std::size_t feature = 0; feature < offset.size(); ++feature) {
    // The rounded mean of equal numbers need not be that number, nor their spread 0.
    const bool is_constant = bounds.least[feature] == bounds.most[feature];
    offset[feature] = is_constant ? bounds.least[feature] : static_cast<T>(means[feature]);
    spread[feature] = static_cast<T>(std::sqrt(squares[feature] / n));
    if (is_constant || spread[feature] == T(0)) spread[feature] = 1;
    if (!std::isfinite(bounds.most[feature] - offset[feature]) ||
        !std::isfinite(bounds.least[feature] - offset[feature]))
      refuse_range("standard_scaling", bounds, feature);
  }
  return result;
}

template <class T>
scaling<T> min_max_scaling(const autodiff::tensor<T>& x, T least, T most) {
  if (!(least < most) || !std::isfinite(most - least)) {
    throw autodiff::domain_error("min_max_scaling", fmt::format("a range of {} .. {}", least, most),
                                 "use one that has a width");
  }
  const checked_rows<T> rows("min_max_scaling", x);
  const range<T> bounds = range_of(rows, x);
  scaling<T> result{autodiff::tensor<T>(rows.row(), bounds.least), autodiff::tensor<T>(rows.row()),
                    autodiff::tensor<T>(rows.row(), least)};
  const auto spread = result.spread.mutable_values();
  for (std::size_t feature = 0; feature < spread.size(); ++feature) {
    const T width = bounds.most[feature] - bounds.least[feature];
    if (!std::isfinite(width)) refuse_range("min_max_scaling", bounds, feature);
    spread[feature] = width / (most - least);
    if (spread[feature] == T(0)) spread[feature] = 1;
  }
  return result;
}

#define INSTANTIATE(T)                                              \
  template struct scaling<T>;                                       \
  template scaling<T> standard_scaling(const autodiff::tensor<T>&); \
  template scaling<T> min_max_scaling(const autodiff::tensor<T>&, T, T);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
