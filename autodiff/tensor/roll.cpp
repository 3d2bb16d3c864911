#include <autodiff/tensor/roll.hpp>

#include <algorithm>

namespace autodiff {
namespace {

/// Each row moved right by `cut`, what leaves on the right entering on the left.
template <class T>
void rotate_rows(std::size_t rows, std::size_t width, std::size_t cut, const T* from, T* to,
                 store how) {
  for (std::size_t row = 0; row < rows; ++row, from += width, to += width) {
    if (how == store::write) {
      std::rotate_copy(from, from + (width - cut), from + width, to);
    } else {
      for (std::size_t i = 0; i < cut; ++i) to[i] += from[width - cut + i];
      for (std::size_t i = cut; i < width; ++i) to[i] += from[i - cut];
    }
  }
}

}  // namespace

template <class T>
tensor<T> roll(const tensor<T>& x, std::ptrdiff_t shift, std::ptrdiff_t axis) {
  const axis_view along(x.shape(), x.shape().axis(axis, "roll"));
  if (x.size() == 0) return x;
  const auto extent = static_cast<std::ptrdiff_t>(along.extent);
  const auto steps = static_cast<std::size_t>((shift % extent + extent) % extent);
  const std::size_t width = along.extent * along.inner, cut = steps * along.inner;
  array<T> y(x.shape());
  rotate_rows(along.outer, width, cut, x.values().data(), y.writable(), store::write);
  static constexpr operation_rule rule{"roll", "y = x moved around an axis", "x̄ = ȳ moved back"};
  return record(
      rule, std::move(y),
      [rows = along.outer, width, cut](const array<T>& dy, input_adjoint<T> dx) {
        const auto into = dx->open();
        rotate_rows(rows, width, width - cut, dy.data(), into.data, into.how);
      },
      x);
}

#define INSTANTIATE(T) template tensor<T> roll(const tensor<T>&, std::ptrdiff_t, std::ptrdiff_t);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
