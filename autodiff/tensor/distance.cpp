#include <autodiff/tensor/distance.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

namespace autodiff {

template <class T>
tensor<T> squared_distance(const tensor<T>& a, const tensor<T>& b, const T& scale) {
  if (a.shape() != b.shape()) {
    throw shape_error("squared_distance",
                      fmt::format("{} and {}", to_string(a.shape()), to_string(b.shape())),
                      "nothing is broadcast: reshape one of them");
  }
  auto y = tensor<T>::undefined(shape{});
  T& sum = y.mutable_values()[0];
  if (!a.is_recorded() && !b.is_recorded()) {
    sum = scale * plain<T>().squared_distance(a.size(), a.values().data(), b.values().data());
    return y;
  }
  // All that the pullback needs of both: a - b.
  array<T> apart(a.shape());
  T* const differences = apart.writable();
  plain<T>().scaled_difference(a.size(), T(1), a.values().data(), b.values().data(), differences,
                               store::write);
  sum = scale * plain<T>().dot(a.size(), differences, differences);
  record(
      "squared_distance", y,
      [apart = apart.share(), size = a.size(), twice = T(scale + scale)](
          const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
        const T slope = twice * *dy.data();
        const auto pull = [&](input_adjoint<T> into, const T& factor) {
          const auto place = into->open();
          plain<T>().accumulate(size, factor, apart.data(), 1, place.data, place.how);
        };
        if (da) pull(da, slope);
        if (db) pull(db, -slope);
      },
      a, b);
  return y;
}

#define INSTANTIATE(T) \
  template tensor<T> squared_distance(const tensor<T>&, const tensor<T>&, const T&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
