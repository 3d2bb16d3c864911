#include <autodiff/tensor/indexing.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace autodiff {

template <class T>
tensor<T> take_rows(const tensor<T>& x, std::span<const std::size_t> indices) {
  if (x.rank() == 0) {
    throw shape_error("take_rows", "a tensor of rank 0 has no rows", "reshape it");
  }
  const std::size_t rows = x.shape()[0];
  for (const std::size_t index : indices) {
    if (index >= rows) {
      throw shape_error("take_rows",
                        fmt::format("there is no row {} in shape {}", index, to_string(x.shape())),
                        fmt::format("rows run from 0 to {}", rows == 0 ? 0 : rows - 1));
    }
  }
  std::array<std::size_t, most_dimensions> extents{};
  std::copy(x.shape().begin(), x.shape().end(), extents.begin());
  extents[0] = indices.size();
  array<T> y(shape(std::span<const std::size_t>(extents.data(), x.rank())));
  const std::size_t width = rows == 0 ? 0 : x.size() / rows;
  T* out = y.writable();
  for (const std::size_t index : indices) {
    out = std::copy_n(x.values().data() + index * width, width, out);
  }
  if (!x.is_recorded()) return tensor<T>(std::move(y));
  array<std::size_t> kept(shape{indices.size()}, indices);
  return record(
      "take_rows", y,
      [kept, width](const array<T>& dy, input_adjoint<T> dx) {
        T* into = dx->open_zeroed();
        const T* from = dy.data();
        for (const std::size_t index : kept.values()) {
          plain<T>().accumulate(width, T(1), from, 1, into + index * width, store::add);
          from += width;
        }
      },
      x);
}

template <class T>
tensor<T> one_hot(std::span<const std::size_t> labels, std::size_t classes) {
  array<T> y(shape{labels.size(), classes}, T(0));
  T* row = y.writable();
  for (const std::size_t label : labels) {
    if (label >= classes) {
      throw shape_error("one_hot", fmt::format("label {} with {} classes", label, classes),
                        "labels run from 0 to classes - 1");
    }
    row[label] = T(1);
    row += classes;
  }
  return tensor<T>(std::move(y));
}

#define INSTANTIATE(T)                                                          \
  template tensor<T> take_rows(const tensor<T>&, std::span<const std::size_t>); \
  template tensor<T> one_hot(std::span<const std::size_t>, std::size_t);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
