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
  array<T> y(shape{});
  *y.writable() =
      scale * plain<T>().squared_distance(a.size(), a.values().data(), b.values().data());
  return record(
      "squared_distance", std::move(y),
      [a_kept = a.stored().share(), b_kept = b.stored().share(), size = a.size(),
       twice = T(scale + scale)](const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
        // A zero adjoint wins over an infinite difference, as in the rows of ops.def.
        if (is_zero(*dy.data())) return;
        const T factor = twice * *dy.data();
        const auto pull = [&](input_adjoint<T> into, const T* from, const T* to) {
          const auto place = into->open();
          plain<T>().scaled_difference(size, factor, from, to, place.data, place.how);
        };
        if (da) pull(da, a_kept.data(), b_kept.data());
        if (db) pull(db, b_kept.data(), a_kept.data());
      },
      a, b);
}

#define INSTANTIATE(T) \
  template tensor<T> squared_distance(const tensor<T>&, const tensor<T>&, const T&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
