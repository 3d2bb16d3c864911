#include <autodiff/tensor/distance.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <utility>

namespace autodiff {
namespace {

// So few are added up in loops inline, where a call of one of the tables would cost more, and are
// kept on the tape itself.
constexpr std::size_t few = 8;

/// dx = or += factor * apart.
template <class T>
[[gnu::always_inline]] inline void pull(std::size_t n, const T& factor, const T* apart,
                                        input_adjoint<T> dx) {
  const auto into = dx->open();
  if (n > few || into.how == store::add)
    return plain<T>().accumulate(n, factor, apart, 1, into.data, into.how);
  for (std::size_t i = 0; i < n; ++i) into.data[i] = factor * apart[i];
}

/// Records y, `apart` being all that the pullback needs of both: a - b.
template <class T, class Numbers>
void record_distance(tensor<T>& y, Numbers apart, std::size_t size, const T& scale,
                     const tensor<T>& a, const tensor<T>& b) {
  static constexpr operation_rule rule{"squared_distance", "y = s Σ (a − b)²",
                                       "ā = 2 s ȳ (a − b), b̄ = −ā"};
  record(
      rule, y,
      [&] {
        return [apart = std::move(apart), size, twice = T(scale + scale)](
                   const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
          // A zero adjoint wins over an infinite difference, as in the rows of ops.def.
          if (is_zero(*dy.data())) return;
          const T slope = twice * *dy.data();
          if (da) pull(size, slope, apart.data(), da);
          if (db) pull(size, T(-slope), apart.data(), db);
        };
      },
      a, b);
}

template <class T>
tensor<T> distance_of_few(const tensor<T>& a, const tensor<T>& b, const T& scale) {
  const std::size_t size = a.size();
  const T *left = a.values().data(), *right = b.values().data();
  std::array<T, few> apart;
  T sum(0);
  for (std::size_t i = 0; i < size; ++i) {
    apart[i] = left[i] - right[i];
    sum += apart[i] * apart[i];
  }
  tensor<T> y(T(scale * sum));
  record_distance(y, apart, size, scale, a, b);
  return y;
}

template <class T>
tensor<T> recorded_distance(const tensor<T>& a, const tensor<T>& b, const T& scale) {
  const std::size_t size = a.size();
  storage_block* const block = take_block(size * sizeof(T));
  T* const differences = static_cast<T*>(block->data());
  auto apart = storage<T>::adopted(block, differences);
  plain<T>().scaled_difference(size, T(1), a.values().data(), b.values().data(), differences,
                               store::write);
  tensor<T> y(T(scale * plain<T>().dot(size, differences, differences)));
  record_distance(y, std::move(apart), size, scale, a, b);
  return y;
}

[[noreturn, gnu::cold, gnu::noinline]] void refuse(const shape& a, const shape& b) {
  throw shape_error("squared_distance", fmt::format("{} and {}", to_string(a), to_string(b)),
                    "nothing is broadcast: reshape one of them");
}

}  // namespace

template <class T>
tensor<T> squared_distance(const tensor<T>& a, const tensor<T>& b, const T& scale) {
  if (a.shape() != b.shape()) refuse(a.shape(), b.shape());
  if (a.size() <= few) return distance_of_few(a, b, scale);
  if (a.is_recorded() || b.is_recorded()) return recorded_distance(a, b, scale);
  // The same to the last bit, recorded or not.
  return tensor<T>(
      T(scale * plain<T>().squared_distance(a.size(), a.values().data(), b.values().data())));
}

#define INSTANTIATE(T) \
  template tensor<T> squared_distance(const tensor<T>&, const tensor<T>&, const T&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
