#include <autodiff/tensor/comparison.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/strided_walk.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace autodiff {
namespace {

/// Calls loop(stride) with a stride of 0 or 1 that the compiler knows, so that it can vectorise.
template <class Loop>
void with_stride(std::ptrdiff_t stride, Loop&& loop) {
  if (stride == 0) {
    loop(std::integral_constant<std::size_t, 0>());
  } else {
    loop(std::integral_constant<std::size_t, 1>());
  }
}

template <class T, class Relation>
mask compare_each(std::string_view symbol, const tensor_or_number<T>& a,
                  const tensor_or_number<T>& b, Relation related) {
  const shape whole = broadcast(a.shape(), b.shape(), symbol);
  const auto walk = broadcast_walk<3>(whole, {&a.shape(), &b.shape(), &whole});
  array<std::uint8_t> y(whole);
  std::uint8_t* out = y.writable();
  with_stride(walk.stride(0), [&](auto step_a) {
    with_stride(walk.stride(1), [&](auto step_b) {
      walk.for_each_row([&](const auto& at) {
        const T *from_a = a.data() + at[0], *from_b = b.data() + at[1];
        std::uint8_t* to = out + at[2];
        for (std::size_t i = 0; i < walk.row_size(); ++i) {
          to[i] = static_cast<std::uint8_t>(related(from_a[i * step_a], from_b[i * step_b]));
        }
      });
    });
  });
  return mask(std::move(y));
}

template <class T, class Classify>
mask classify(const tensor<T>& x, Classify holds) {
  array<std::uint8_t> y(x.shape());
  std::transform(x.values().begin(), x.values().end(), y.writable(),
                 [&](const T& value) { return static_cast<std::uint8_t>(holds(value)); });
  return mask(std::move(y));
}

/// The walk of a choice: mask, a, b, result.
using choice_walk = strided_walk<4>;

/// Adds dy to the adjoint of operand `side` (1 or 2) where the mask chose it.
template <class T>
void pull_choice(const choice_walk& walk, const std::uint8_t* m, std::size_t side,
                 const array<T>& dy, input_adjoint<T> into) {
  if (!into) return;
  const std::uint8_t chosen = side == 1;
  const bool repeated = into->shape().size() != dy.size();
  T* data = nullptr;
  store how = store::add;
  if (repeated) {
    data = into->open_zeroed();
  } else {
    const auto place = into->open();
    data = place.data;
    how = place.how;
  }
  with_stride(walk.stride(0), [&](auto step_m) {
    walk.for_each_row([&](const choice_walk::offsets& at) {
      const std::uint8_t* row_m = m + at[0];
      const T* from = dy.data() + at[3];
      T* to = data + at[side];
      const auto share = [&](std::size_t i) {
        return row_m[i * step_m] == chosen ? from[i] : T(0);
      };
      if (walk.stride(side) == 0) {
        T total(0);
        for (std::size_t i = 0; i < walk.row_size(); ++i) total += share(i);
        *to += total;
      } else if (how == store::write) {
        for (std::size_t i = 0; i < walk.row_size(); ++i) to[i] = share(i);
      } else {
        for (std::size_t i = 0; i < walk.row_size(); ++i) to[i] += share(i);
      }
    });
  });
}

}  // namespace

template <class T>
mask compare(relation r, const tensor_or_number<T>& a, const tensor_or_number<T>& b) {
  switch (r) {
    case relation::less: return compare_each("<", a, b, std::less<T>());
    case relation::less_equal: return compare_each("<=", a, b, std::less_equal<T>());
    case relation::greater: return compare_each(">", a, b, std::greater<T>());
    case relation::greater_equal: return compare_each(">=", a, b, std::greater_equal<T>());
    case relation::equal: return compare_each("==", a, b, std::equal_to<T>());
    case relation::not_equal: break;
  }
  return compare_each("!=", a, b, std::not_equal_to<T>());
}

template <class T>
mask isnan(const tensor<T>& x) {
  return classify(x, [](const T& value) { return isnan(value); });
}
template <class T>
mask isinf(const tensor<T>& x) {
  return classify(x, [](const T& value) { return isinf(value); });
}
template <class T>
mask isfinite(const tensor<T>& x) {
  return classify(x, [](const T& value) { return isfinite(value); });
}
template <class T>
mask signbit(const tensor<T>& x) {
  return classify(x, [](const T& value) { return signbit(value); });
}

template <class T>
tensor<T> cast(const mask& m) {
  array<T> y(m.shape());
  std::transform(m.values().begin(), m.values().end(), y.writable(),
                 [](std::uint8_t value) { return value ? T(1) : T(0); });
  return tensor<T>(std::move(y));
}

template <class T>
tensor<T> choose(std::string_view operation, const mask& m, const tensor_or_number<T>& a,
                 const tensor_or_number<T>& b) {
  const shape whole = broadcast(m.shape(), broadcast(a.shape(), b.shape(), operation), operation);
  const choice_walk walk = broadcast_walk<4>(whole, {&m.shape(), &a.shape(), &b.shape(), &whole});
  array<T> y(whole);
  T* out = y.writable();
  with_stride(walk.stride(0), [&](auto step_m) {
    with_stride(walk.stride(1), [&](auto step_a) {
      with_stride(walk.stride(2), [&](auto step_b) {
        walk.for_each_row([&](const choice_walk::offsets& at) {
          const std::uint8_t* row_m = m.values().data() + at[0];
          const T *from_a = a.data() + at[1], *from_b = b.data() + at[2];
          T* to = out + at[3];
          for (std::size_t i = 0; i < walk.row_size(); ++i) {
            const T in_a = from_a[i * step_a], in_b = from_b[i * step_b];
            to[i] = row_m[i * step_m] ? in_a : in_b;
          }
        });
      });
    });
  });
  if (!a.is_recorded() && !b.is_recorded()) return tensor<T>(std::move(y));
  return record(
      operation, std::move(y),
      [walk, m_kept = m.stored().share()](const array<T>& dy, input_adjoint<T> da,
                                          input_adjoint<T> db) {
        pull_choice(walk, m_kept.data(), 1, dy, da);
        pull_choice(walk, m_kept.data(), 2, dy, db);
      },
      a.recorded(), b.recorded());
}

template <class T>
tensor<T> fill_chosen(const tensor<T>& x, const mask& m, const tensor_or_number<T>& value) {
  const shape both = broadcast(m.shape(), value.shape(), "masked_fill");
  if (broadcast(x.shape(), both, "masked_fill") != x.shape()) {
    throw shape_error(
        "masked_fill",
        fmt::format("a mask of shape {} and a value of shape {} do not fit into {}",
                    to_string(m.shape()), to_string(value.shape()), to_string(x.shape())),
        "they must broadcast to the shape of the tensor; use where to enlarge it");
  }
  return choose<T>("masked_fill", m, value, x);
}

#define INSTANTIATE(T)                                                                       \
  template mask compare(relation, const tensor_or_number<T>&, const tensor_or_number<T>&);   \
  template mask isnan(const tensor<T>&);                                                     \
  template mask isinf(const tensor<T>&);                                                     \
  template mask isfinite(const tensor<T>&);                                                  \
  template mask signbit(const tensor<T>&);                                                   \
  template tensor<T> cast(const mask&);                                                      \
  template tensor<T> fill_chosen(const tensor<T>&, const mask&, const tensor_or_number<T>&); \
  template tensor<T> choose(std::string_view, const mask&, const tensor_or_number<T>&,       \
                            const tensor_or_number<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
