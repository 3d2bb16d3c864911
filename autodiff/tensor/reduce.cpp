#include <autodiff/tensor/reduce.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

namespace autodiff {
namespace {

/// factor * sum of x over the axes that `kept_shape` holds with extent 1.
template <class T>
array<T> sum_into(const array<T>& x, const shape& kept_shape, const T& factor) {
  const auto& loops = plain<T>();
  // The mean of nothing is inf * 0.
  array<T> y(kept_shape, T(factor * T(0)));
  T* out = y.writable();
  const row_walk walk(x.shape(), x.shape(), kept_shape);
  if (kept_shape.size() == 1) {
    *out = factor * loops.sum(x.size(), x.data());
    return y;
  }
  walk.for_each_row([&](std::size_t at, std::size_t, std::size_t to) {
    if (walk.stride_b() == 0) {
      out[to] += factor * loops.sum(walk.row_size(), x.data() + at);
    } else {
      loops.accumulate(walk.row_size(), factor, x.data() + at, 1, out + to, store::add);
    }
  });
  return y;
}

template <class T>
tensor<T> scaled_sum(std::string_view operation, const tensor<T>& x, const shape& kept_shape,
                     const shape& result, const T& factor) {
  return record(
      operation, sum_into(x.stored(), kept_shape, factor).reshaped(result),
      [kept_shape, factor](const array<T>& dy, input_adjoint<T> dx) {
        const auto into = dx->open();
        const row_walk walk(dx->shape(), dx->shape(), kept_shape);
        walk.for_each_row([&](std::size_t at, std::size_t, std::size_t from) {
          plain<T>().accumulate(walk.row_size(), factor, dy.data() + from, walk.stride_b(),
                                into.data + at, into.how);
        });
      },
      x);
}

template <class T>
T mean_factor(const shape& whole, const shape& result) {
  return T(1) / T(static_cast<double>(whole.size()) / static_cast<double>(result.size()));
}

}  // namespace

template <class T>
tensor<T> sum(const tensor<T>& x) {
  return sum(x, {});
}

template <class T>
tensor<T> sum(const tensor<T>& x, axes over, bool keep_dims) {
  const std::span<const std::ptrdiff_t> list(over.begin(), over.size());
  return scaled_sum("sum", x, reduced(x.shape(), list, true, "sum"),
                    reduced(x.shape(), list, keep_dims, "sum"), T(1));
}

template <class T>
tensor<T> mean(const tensor<T>& x) {
  return mean(x, {});
}

template <class T>
tensor<T> mean(const tensor<T>& x, axes over, bool keep_dims) {
  const std::span<const std::ptrdiff_t> list(over.begin(), over.size());
  const shape result = reduced(x.shape(), list, keep_dims, "mean");
  return scaled_sum("mean", x, reduced(x.shape(), list, true, "mean"), result,
                    mean_factor<T>(x.shape(), result));
}

template <class T>
std::vector<std::size_t> argmax(const tensor<T>& x) {
  if (x.rank() == 0 || x.shape()[x.rank() - 1] == 0) {
    throw shape_error("argmax",
                      fmt::format("shape {} has no last axis to search", to_string(x.shape())),
                      "pass at least one element per row");
  }
  const std::size_t columns = x.shape()[x.rank() - 1];
  std::vector<std::size_t> indices;
  indices.reserve(x.size() / columns);
  for (const T* row = x.values().data(); row != x.values().data() + x.size(); row += columns) {
    std::size_t best = 0;
    for (std::size_t j = 1; j < columns; ++j) {
      if (row[j] > row[best]) best = j;
    }
    indices.push_back(best);
  }
  return indices;
}

#define INSTANTIATE(T)                                   \
  template tensor<T> sum(const tensor<T>&);              \
  template tensor<T> sum(const tensor<T>&, axes, bool);  \
  template tensor<T> mean(const tensor<T>&);             \
  template tensor<T> mean(const tensor<T>&, axes, bool); \
  template std::vector<std::size_t> argmax(const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
