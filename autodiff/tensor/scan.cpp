#include <autodiff/tensor/scan.hpp>

#include <autodiff/tensor/lines.hpp>

#include <array>

namespace autodiff {
namespace {

/// scan(n, x, y) fills each line; pull(n, x, dy, dx) its share, in one pass from the end and, where
/// it needs the elements before, one from the front.
template <class T, class Scan, class Pull>
tensor<T> scan_lines(const operation_rule& operation, const tensor<T>& x, std::ptrdiff_t axis,
                     Scan scan, Pull pull) {
  const line_walk walk(x.shape(), axis, operation);
  array<T> y(x.shape());
  walk.map(std::array{x.values().data()}, y.writable(), store::write,
           [&](std::size_t, std::size_t count, const auto& rows, T* out, store) {
             const std::size_t n = walk.length();
             for (std::size_t i = 0; i < count; ++i) scan(n, rows[0] + i * n, out + i * n);
           });
  if (!x.is_recorded()) return tensor<T>(std::move(y));
  auto pullback = [walk, pull, x_kept = x.stored()](const array<T>& dy, input_adjoint<T> dx) {
    const auto into = dx->open();
    const std::size_t n = walk.length();
    array<T> scratch(shape{n});
    T* const share = scratch.writable();
    walk.map(std::array{x_kept.data(), dy.data()}, into.data, into.how,
             [&](std::size_t, std::size_t count, const auto& rows, T* out, store how) {
               for (std::size_t i = 0; i < count; ++i) {
                 pull(n, rows[0] + i * n, rows[1] + i * n, share);
                 plain<T>().accumulate(n, T(1), share, 1, out + i * n, how);
               }
             });
  };
  return record(operation, std::move(y), std::move(pullback), x);
}

}  // namespace

template <class T>
tensor<T> cumsum(const tensor<T>& x, std::ptrdiff_t axis) {
  static constexpr operation_rule rule{"cumsum", "y[i] = Σ x[k], k ≤ i", "x̄[i] = Σ ȳ[k], k ≥ i"};
  return scan_lines(
      rule, x, axis,
      [](std::size_t n, const T* in, T* out) {
        T total(0);
        for (std::size_t i = 0; i < n; ++i) out[i] = total += in[i];
      },
      [](std::size_t n, const T*, const T* dy, T* dx) {
        T total(0);
        for (std::size_t i = n; i-- > 0;) dx[i] = total += dy[i];
      });
}

template <class T>
tensor<T> cumprod(const tensor<T>& x, std::ptrdiff_t axis) {
  static constexpr operation_rule rule{"cumprod", "y[i] = Π x[k], k ≤ i",
                                       "x̄[i] = Σ ȳ[k] y[k] / x[i], k ≥ i"};
  return scan_lines(
      rule, x, axis,
      [](std::size_t n, const T* in, T* out) {
        T product(1);
        for (std::size_t i = 0; i < n; ++i) out[i] = product *= in[i];
      },
      // dx[i] = (x[0] ... x[i-1]) (dy[i] + x[i+1] (dy[i+1] + x[i+2] (...))).
      [](std::size_t n, const T* in, const T* dy, T* dx) {
        for (std::size_t i = n; i-- > 0;)
          dx[i] = i + 1 < n ? T(dy[i] + in[i + 1] * dx[i + 1]) : dy[i];
        T before(1);
        for (std::size_t i = 0; i < n; before *= in[i], ++i) dx[i] = T(before * dx[i]);
      });
}

#define INSTANTIATE(T)                                         \
  template tensor<T> cumsum(const tensor<T>&, std::ptrdiff_t); \
  template tensor<T> cumprod(const tensor<T>&, std::ptrdiff_t);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
