#include <autodiff/tensor/reduce.hpp>

#include <autodiff/tensor/column_sums.hpp>
#include <autodiff/tensor/folds.hpp>
#include <autodiff/tensor/parallel.hpp>
#include <autodiff/tensor/strides.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>

namespace autodiff {
namespace {

/// The blocked sum of kernels.hpp, subtrees of it by several threads.
template <class T>
T sum_of(std::size_t n, const T* x) {
  constexpr std::size_t piece = 64 * sum_block;
  if (n < 2 * piece) return plain<T>().sum(n, x);
  const std::size_t pieces = (n + piece - 1) / piece;
  array<T> sums(shape{pieces});
  parallel_ranges(pieces, 1, 1, [=, out = sums.writable()](std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i)
      out[i] = plain<T>().sum(std::min(piece, n - i * piece), x + i * piece);
  });
  sum_tree<T> tree;
  for (std::size_t i = 0; i < pieces; ++i) tree.add(sums.data()[i]);
  return tree.total();
}

/// Sums of x over the axes that `kept` holds with extent 1, a run of neighbouring axes at a time.
template <class T>
array<T> sums(array<T> x, const shape& kept) {
  std::array<std::size_t, most_dimensions> extents{};
  const shape whole = x.shape();
  std::copy(whole.begin(), whole.end(), extents.begin());
  std::size_t inner = 1;
  for (std::size_t end = whole.rank(); end > 0;) {
    if (kept[end - 1] == whole[end - 1]) {
      inner *= whole[--end];
      continue;
    }
    std::size_t count = 1, outer = 1, begin = end;
    while (begin > 0 && (kept[begin - 1] == 1)) count *= whole[--begin];
    for (std::size_t i = 0; i < begin; ++i) outer *= whole[i];
    std::fill(&extents[begin], &extents[begin] + (end - begin), std::size_t{1});
    array<T> y(shape(std::span<const std::size_t>(extents.data(), whole.rank())));
    T* to = y.writable();
    const T* from = x.data();
    for (std::size_t i = 0; i < outer; ++i, from += count * inner, to += inner) {
      if (inner == 1)
        *to = sum_of(count, from);
      else
        column_sums(count, inner, from, to, store::write);
    }
    x = std::move(y);
    end = begin;
  }
  return x;
}

/// The same for a view. Sums do not ask in which order axes stand: along those of its storage a
/// transpose is the matrix that it was made of.
template <class T>
array<T> sums_of_view(const array<T>& x, const shape& kept) {
  if (x.is_contiguous()) return sums(x, kept);
  const std::size_t rank = kept.rank();
  const stride_list strides = x.strides();
  std::array<std::size_t, most_dimensions> order{}, extents{}, kept_extents{};
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::size_t at = axis;
    for (; at > 0 && std::abs(strides[order[at - 1]]) < std::abs(strides[axis]); --at)
      order[at] = order[at - 1];
    order[at] = axis;
  }
  stride_list sorted{}, back{};
  for (std::size_t i = 0; i < rank; ++i) {
    extents[i] = x.shape()[order[i]];
    kept_extents[i] = kept[order[i]];
    sorted[i] = strides[order[i]];
  }
  const shape laid(std::span<const std::size_t>(extents.data(), rank)),
      kept_laid(std::span<const std::size_t>(kept_extents.data(), rank));
  const stride_list own = row_major_strides(kept_laid);
  for (std::size_t i = 0; i < rank; ++i) back[order[i]] = own[i];
  // Over axes of extent 1 alone, the sums are the view itself.
  const array<T> rows = sums(x.viewed(laid, 0, sorted), kept_laid).contiguous();
  return rows.viewed(kept, 0, back).contiguous();
}

/// sum(x) / divisor.
template <class T>
tensor<T> scaled_sum(const operation_rule& operation, const tensor<T>& x, const axes& over,
                     bool keep_dims, bool is_mean) {
  const shape kept = reduced(x.shape(), over, true, operation);
  array<T> y = sums_of_view(x.stored(), kept)
                   .reshaped(keep_dims ? kept : reduced(x.shape(), over, false, operation));
  const T count(static_cast<double>(x.size()) / static_cast<double>(kept.size()));
  if (is_mean) {
    T* out = y.writable();
    for (std::size_t i = 0; i < y.size(); ++i) out[i] = T(out[i] / count);
  }
  const T factor = is_mean ? T(T(1) / count) : T(1);
  return record(
      operation, std::move(y),
      [kept, factor](const array<T>& dy, input_adjoint<T> dx) {
        const auto into = dx->open();
        const auto walk = broadcast_walk<2>(dx->shape(), {&dx->shape(), &kept});
        const auto stride = static_cast<std::size_t>(walk.stride(1));
        walk.for_each_row([&](const auto& at) {
          parallel_elements(walk.row_size(), [&](std::size_t first, std::size_t n) {
            plain<T>().accumulate(n, factor, dy.data() + at[1] + first * stride, stride,
                                  into.data + at[0] + first, into.how);
          });
        });
      },
      x);
}

struct product_fold {
  static constexpr operation_rule rule{"prod", "y = Π x", "x̄ = ȳ times the product of the others"};

  template <class T>
  T value(std::size_t n, const T* x) const {
    return by_rows<T>().product(n, x);
  }
  /// The others are those before times those after.
  template <class T>
  void pull(std::size_t n, const T* x, const T&, const T& dy, T* dx) const {
    T after(1), before = dy;
    for (std::size_t i = n; i-- > 0; after *= x[i]) dx[i] = after;
    for (std::size_t i = 0; i < n; before *= x[i], ++i) dx[i] = T(before * dx[i]);
  }
};

struct log_sum_exp_fold {
  static constexpr operation_rule rule{"log_sum_exp", "y = log Σ exp(x)", "x̄ = ȳ softmax(x)"};

  template <class T>
  T value(std::size_t n, const T* x) const {
    array<T> weights(shape{n});
    T y;
    by_rows<T>().softmax(1, n, x, weights.writable(), nullptr, &y);
    return y;
  }
  template <class T>
  void pull(std::size_t n, const T* x, const T&, const T& dy, T* dx) const {
    by_rows<T>().softmax(1, n, x, dx, nullptr, nullptr);
    for (std::size_t i = 0; i < n; ++i) dx[i] = T(dx[i] * dy);
  }
};

}  // namespace

template <class T>
tensor<T> sum(const tensor<T>& x, const axes& over, bool keep_dims) {
  static constexpr operation_rule rule{"sum", "y = Σ x", "x̄ = ȳ, broadcast"};
  return scaled_sum(rule, x, over, keep_dims, false);
}

template <class T>
tensor<T> mean(const tensor<T>& x, const axes& over, bool keep_dims) {
  static constexpr operation_rule rule{"mean", "y = Σ x / n", "x̄ = ȳ / n, broadcast"};
  return scaled_sum(rule, x, over, keep_dims, true);
}

template <class T>
tensor<T> prod(const tensor<T>& x, const axes& over, bool keep_dims) {
  return reduce_lines(x, over, keep_dims, product_fold{});
}

template <class T>
tensor<T> log_sum_exp(const tensor<T>& x) {
  return log_sum_exp(x, axes{});
}

template <class T>
tensor<T> log_sum_exp(const tensor<T>& x, const axes& over, bool keep_dims) {
  return reduce_lines(x, over, keep_dims, log_sum_exp_fold{});
}

#define INSTANTIATE(T)                                          \
  template tensor<T> sum(const tensor<T>&, const axes&, bool);  \
  template tensor<T> mean(const tensor<T>&, const axes&, bool); \
  template tensor<T> prod(const tensor<T>&, const axes&, bool); \
  template tensor<T> log_sum_exp(const tensor<T>&);             \
  template tensor<T> log_sum_exp(const tensor<T>&, const axes&, bool);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
