#include <autodiff/tensor/extremes.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/folds.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace autodiff {
namespace {

template <bool largest>
struct extreme_fold {
  static constexpr operation_rule rule =
      largest
          ? operation_rule{"max", "y = max x", "x̄ = ȳ at the largest x, in equal shares, else 0"}
          : operation_rule{"min", "y = min x", "x̄ = ȳ at the smallest x, in equal shares, else 0"};

  template <class T>
  T value(std::size_t n, const T* x) const {
    return largest ? plain<T>().max(n, x) : by_rows<T>().min(n, x);
  }
  template <class T>
  void pull(std::size_t n, const T* x, const T& y, const T& dy, T* dx) const {
    const T share(dy / T(static_cast<double>(std::count(x, x + n, y))));
    for (std::size_t i = 0; i < n; ++i) dx[i] = x[i] == y ? share : T(0);
  }
  static std::string_view kinks() { return "1/k each of k equal ones"; }
  template <class T>
  bool is_kink(std::size_t n, const T* x, const T& y) const {
    return std::count(x, x + n, y) > 1;
  }
};

template <bool largest, class T>
std::size_t position(std::size_t n, const T* x) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < n && x[best] == x[best]; ++i) {
    const bool better = largest ? x[i] > x[best] : x[i] < x[best];
    if (better || x[i] != x[i]) best = i;
  }
  return best;
}

void require_elements(std::string_view operation, const shape& s, const line_walk& walk) {
  if (walk.length() > 0 || walk.lines() == 0) return;
  throw shape_error(operation, fmt::format("shape {} has no elements to choose from", to_string(s)),
                    "pass at least one element along the axes");
}

template <bool largest, class T>
tensor<T> extremes(const tensor<T>& x, const axes& over, bool keep_dims) {
  constexpr extreme_fold<largest> fold{};
  require_elements(fold.rule, x.shape(), line_walk(x.shape(), over, fold.rule));
  return reduce_lines(x, over, keep_dims, fold);
}

template <bool largest, class T>
array<std::size_t> positions(std::string_view operation, const tensor<T>& x, const axes& along,
                             bool keep_dims) {
  const line_walk walk(x.shape(), x.stored().strides(), along, operation);
  require_elements(operation, x.shape(), walk);
  array<std::size_t> found(reduced(x.shape(), along, keep_dims, operation));
  std::size_t* out = found.writable();
  const std::size_t n = walk.length();
  walk.read(x.stored().first(), [&](std::size_t first, std::size_t count, const T* rows) {
    for (std::size_t i = 0; i < count; ++i) out[first + i] = position<largest>(n, rows + i * n);
  });
  return found;
}

}  // namespace

#define EXTREME(NAME, LARGEST)                                                            \
  template <class T>                                                                      \
  tensor<T> NAME(const tensor<T>& x) {                                                    \
    return extremes<LARGEST>(x, axes{}, false);                                           \
  }                                                                                       \
  template <class T>                                                                      \
  tensor<T> NAME(const tensor<T>& x, const axes& over, bool keep_dims) {                  \
    return extremes<LARGEST>(x, over, keep_dims);                                         \
  }                                                                                       \
  template <class T>                                                                      \
  std::size_t arg##NAME(const tensor<T>& x) {                                             \
    return *positions<LARGEST>("arg" #NAME, x, axes{}, false).data();                     \
  }                                                                                       \
  template <class T>                                                                      \
  array<std::size_t> arg##NAME(const tensor<T>& x, std::ptrdiff_t axis, bool keep_dims) { \
    return positions<LARGEST>("arg" #NAME, x, axis, keep_dims);                           \
  }
EXTREME(max, true)
EXTREME(min, false)
#undef EXTREME

#define INSTANTIATE(T)                                                        \
  template tensor<T> max(const tensor<T>&);                                   \
  template tensor<T> max(const tensor<T>&, const axes&, bool);                \
  template tensor<T> min(const tensor<T>&);                                   \
  template tensor<T> min(const tensor<T>&, const axes&, bool);                \
  template std::size_t argmax(const tensor<T>&);                              \
  template array<std::size_t> argmax(const tensor<T>&, std::ptrdiff_t, bool); \
  template std::size_t argmin(const tensor<T>&);                              \
  template array<std::size_t> argmin(const tensor<T>&, std::ptrdiff_t, bool);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
