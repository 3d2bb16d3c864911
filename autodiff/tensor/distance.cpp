#include <autodiff/tensor/distance.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <utility>

namespace autodiff {
namespace {

// So few are added up in loops inline: a call of one of the tables would cost more.
constexpr std::size_t few = 8;

/// apart = a - b; the sum of its squares.
template <class T>
[[gnu::always_inline]] inline T square_differences(std::size_t n, const T* a, const T* b,
                                                   T* apart) {
  if (n > few) {
    plain<T>().scaled_difference(n, T(1), a, b, apart, store::write);
    return plain<T>().dot(n, apart, apart);
  }
  T sum(0);
  for (std::size_t i = 0; i < n; ++i) {
    apart[i] = a[i] - b[i];
    sum += apart[i] * apart[i];
  }
  return sum;
}

/// dx = or += factor * apart.
template <class T>
[[gnu::always_inline]] inline void pull(std::size_t n, const T& factor, const T* apart,
                                        input_adjoint<T> dx) {
  const auto into = dx->open();
  if (n > few || into.how == store::add)
    return plain<T>().accumulate(n, factor, apart, 1, into.data, into.how);
  for (std::size_t i = 0; i < n; ++i) into.data[i] = factor * apart[i];
}

[[noreturn, gnu::cold, gnu::noinline]] void refuse(const shape& a, const shape& b) {
  throw shape_error("squared_distance", fmt::format("{} and {}", to_string(a), to_string(b)),
                    "nothing is broadcast: reshape one of them");
}

/// Where an operand is recorded.
template <class T>
tensor<T> recorded_distance(const tensor<T>& a, const tensor<T>& b, const T& scale) {
  auto y = tensor<T>::undefined(shape{});
  T& sum = y.mutable_values()[0];
  // All that the pullback needs of both: a - b.
  const std::size_t size = a.size();
  storage_block* const block = take_block(size * sizeof(T));
  T* const differences = static_cast<T*>(block->data());
  auto apart = storage<T>::adopted(block, differences);
  sum = scale * square_differences(size, a.values().data(), b.values().data(), differences);
  record(
      "squared_distance", y,
      [apart = std::move(apart), size, twice = T(scale + scale)](
          const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
        // A zero adjoint wins over an infinite difference, as in the rows of ops.def.
        if (is_zero(*dy.data())) return;
        const T slope = twice * *dy.data();
        if (da) pull(size, slope, apart.data(), da);
        if (db) pull(size, T(-slope), apart.data(), db);
      },
      a, b);
  return y;
}

}  // namespace

template <class T>
tensor<T> squared_distance(const tensor<T>& a, const tensor<T>& b, const T& scale) {
  if (a.shape() != b.shape()) refuse(a.shape(), b.shape());
  if (a.is_recorded() || b.is_recorded()) return recorded_distance(a, b, scale);
  const std::size_t size = a.size();
  const T *left = a.values().data(), *right = b.values().data();
  // The same to the last bit, recorded or not.
  T apart[few];
  const T sum = size > few ? plain<T>().squared_distance(size, left, right)
                           : square_differences(size, left, right, apart);
  return tensor<T>(T(scale * sum));
}

#define INSTANTIATE(T) \
  template tensor<T> squared_distance(const tensor<T>&, const tensor<T>&, const T&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
