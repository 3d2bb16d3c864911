#include <autodiff/tensor/comparison.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/row_operand.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <functional>

namespace autodiff {
namespace {

/// Calls loop(stride) with a stride of 0 or 1 that the compiler knows, so that it can vectorise.
/// Loops on duals do not gain from it.
template <class T, class Loop>
void with_stride(std::ptrdiff_t stride, Loop&& loop) {
  if constexpr (!std::floating_point<T>) {
    loop(static_cast<std::size_t>(stride));
  } else if (stride == 0) {
    loop(std::integral_constant<std::size_t, 0>());
  } else {
    loop(std::integral_constant<std::size_t, 1>());
  }
}

template <class T, class Relation>
mask compare_each(const shape& whole, const tensor_or_number<T>& a, const tensor_or_number<T>& b,
                  Relation related, bool negated = false) {
  const auto in_a = operand_in_rows(a, whole, false), in_b = operand_in_rows(b, whole, false);
  const auto walk = walk_over<3>(whole, {in_a.strides, in_b.strides, row_major_strides(whole)});
  array<std::uint8_t> y(whole);
  std::uint8_t* out = y.writable();
  with_stride<T>(walk.stride(0), [&](auto step_a) {
    with_stride<T>(walk.stride(1), [&](auto step_b) {
      walk.for_each_row([&](const auto& at) {
        const T *from_a = in_a.data() + at[0], *from_b = in_b.data() + at[1];
        std::uint8_t* to = out + at[2];
        // Bytes may alias anything but locals.
        const bool flip = negated;
        for (std::size_t i = 0, n = walk.row_size(); i < n; ++i)
          to[i] = related(from_a[i * step_a], from_b[i * step_b]) != flip;
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

/// Adds dy to an adjoint where the mask is `chosen`.
template <class T>
void pull_choice(const row_operand<std::uint8_t>& m, std::uint8_t chosen, const array<T>& dy,
                 input_adjoint<T> adjoint) {
  if (!adjoint) return;
  pull_in_rows<T, 1>(adjoint, dy, {m.strides},
                     [&](const auto& walk, const auto& at, const T* from, T* into, store how) {
                       with_stride<T>(walk.stride(0), [&](auto step_m) {
                         // Copies, so that the compiler sees them constant while it writes, and a
                         // load without a condition: both let it vectorise.
                         const auto share = [row_m = m.data() + at[0], from, chosen,
                                             step_m](std::size_t i) {
                           const T all = from[i];
                           return row_m[i * step_m] == chosen ? all : T(0);
                         };
                         const std::size_t n = walk.row_size();
                         if (walk.stride(2) == 0) {
                           T total(0);
                           for (std::size_t i = 0; i < n; ++i) total += share(i);
                           *into += total;
                         } else if (how == store::write) {
                           for (std::size_t i = 0; i < n; ++i) into[i] = share(i);
                         } else {
                           for (std::size_t i = 0; i < n; ++i) into[i] += share(i);
                         }
                       });
                     });
}

}  // namespace

template <class T>
mask compare(relation r, const tensor_or_number<T>& a, const tensor_or_number<T>& b) {
  constexpr std::array<std::string_view, 6> symbols{"<", "<=", ">", ">=", "==", "!="};
  const shape whole = broadcast(a.shape(), b.shape(), symbols[static_cast<std::size_t>(r)]);
  switch (r) {
    case relation::less: return compare_each(whole, a, b, std::less<T>());
    case relation::less_equal: return compare_each(whole, a, b, std::less_equal<T>());
    // The same the other way round: fewer loops to compile.
    case relation::greater: return compare_each(whole, b, a, std::less<T>());
    case relation::greater_equal: return compare_each(whole, b, a, std::less_equal<T>());
    case relation::equal: return compare_each(whole, a, b, std::equal_to<T>());
    case relation::not_equal: break;
  }
  return compare_each(whole, a, b, std::equal_to<T>(), true);
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
tensor<T> choose(const operation_rule& operation, const mask& m, const tensor_or_number<T>& a,
                 const tensor_or_number<T>& b) {
  const shape whole = broadcast(m.shape(), broadcast(a.shape(), b.shape(), operation), operation);
  const row_operand<std::uint8_t> in_m = operand_in_rows(m.stored(), whole, false);
  const row_operand<T> in_a = operand_in_rows(a, whole, false),
                       in_b = operand_in_rows(b, whole, false);
  const auto walk =
      walk_over<4>(whole, {in_m.strides, in_a.strides, in_b.strides, row_major_strides(whole)});
  array<T> y(whole);
  T* out = y.writable();
  with_stride<T>(walk.stride(0), [&](auto step_m) {
    with_stride<T>(walk.stride(1), [&](auto step_a) {
      with_stride<T>(walk.stride(2), [&](auto step_b) {
        walk.for_each_row([&](const auto& at) {
          const std::uint8_t* row_m = in_m.data() + at[0];
          const T *from_a = in_a.data() + at[1], *from_b = in_b.data() + at[2];
          T* to = out + at[3];
          for (std::size_t i = 0; i < walk.row_size(); ++i) {
            const T one_a = from_a[i * step_a], one_b = from_b[i * step_b];
            to[i] = row_m[i * step_m] ? one_a : one_b;
          }
        });
      });
    });
  });
  if (!a.is_recorded() && !b.is_recorded()) return tensor<T>(std::move(y));
  return record(
      operation, std::move(y),
      [in_m](const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
        pull_choice(in_m, 1, dy, da);
        pull_choice(in_m, 0, dy, db);
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
  static constexpr operation_rule rule = choice("masked_fill");
  return choose<T>(rule, m, value, x);
}

#define INSTANTIATE(T)                                                                       \
  template mask compare(relation, const tensor_or_number<T>&, const tensor_or_number<T>&);   \
  template mask isnan(const tensor<T>&);                                                     \
  template mask isinf(const tensor<T>&);                                                     \
  template mask isfinite(const tensor<T>&);                                                  \
  template mask signbit(const tensor<T>&);                                                   \
  template tensor<T> cast(const mask&);                                                      \
  template tensor<T> fill_chosen(const tensor<T>&, const mask&, const tensor_or_number<T>&); \
  template tensor<T> choose(const operation_rule&, const mask&, const tensor_or_number<T>&,  \
                            const tensor_or_number<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
