#pragma once
// Arguments as duals, which carry directions of the argument space through a function, and what the
// function made of them taken apart again.

#include <autodiff/argument.hpp>
#include <autodiff/dual.hpp>
#include <autodiff/expression.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace autodiff {

/// The argument over dual<T, N>. tangents(i) is the std::array of N tangents of its i-th number.
/// A tensor<U> becomes a tensor<dual<U>>, for N = 1 only. Throws tape_error, naming `operation`,
/// for a tensor that is recorded: there are none of duals over vars.
template <class T, std::size_t N, class A, class Tangents>
auto along(std::string_view operation, const A& x, Tangents&& tangents) {
  std::size_t i = 0;
  return map_leaves(x, [&](const auto& leaf) {
    using L = std::remove_cvref_t<decltype(leaf)>;
    if constexpr (is_tensor<L>) {
      using U = typename L::value_type;
      // Written over L: clang would refuse it at once, were N alone to decide.
      static_assert(is_tensor<L> && N == 1, "tensors carry one direction");
      if (leaf.is_recorded()) tensor_errors::recorded_argument(operation, leaf.shape());
      array<dual<U>> duals(leaf.shape());
      dual<U>* out = duals.writable();
      for (const U& value : leaf.values()) *out++ = dual<U>(value, U(tangents(i++)[0]));
      return tensor<dual<U>>(std::move(duals));
    } else {
      return dual<T, N>(T(leaf), tangents(i++));
    }
  });
}

/// The argument x along the direction dx. Throws shape_error, naming `operation`, where they differ
/// in size.
template <class T, class A, class D>
auto along_direction(std::string_view operation, const A& x, const D& dx) {
  const flat_argument<T> direction = flattened<T>(dx);
  require_alike(operation, "argument", flattened<T>(x).layout(), "direction", direction.layout());
  return along<T, 1>(operation, x,
                     [&](std::size_t i) { return std::array<T, 1>{direction.numbers[i]}; });
}

/// The argument x along N unit directions: those of its numbers `first`, `first` + 1, ...
template <class T, std::size_t N, class A>
auto along_units(std::string_view operation, const A& x, std::size_t first) {
  return along<T, N>(operation, x, [&](std::size_t i) {
    std::array<T, N> tangents{};
    if (i - first < N) tangents[i - first] = T(1);
    return tangents;
  });
}

template <class L, class T>
inline constexpr bool is_dual_over = false;
template <class T, std::size_t N>
inline constexpr bool is_dual_over<dual<T, N>, T> = true;

/// The same argument or result without tangents and places: numbers of type T, passive tensors.
template <class T, class Y>
auto values_of(const Y& y) {
  return map_leaves(y, [](const auto& leaf) {
    using L = std::remove_cvref_t<decltype(leaf)>;
    if constexpr (is_tensor<L>) {
      using U = typename L::value_type;
      if constexpr (is_dual<U>) {
        array<typename U::value_type> values(leaf.shape());
        auto* out = values.writable();
        for (const U& one : leaf.values()) *out++ = one.value();
        return tensor<typename U::value_type>(std::move(values));
      } else {
        return leaf.detached();
      }
    } else if constexpr (is_dual_over<L, T> || (recordable<L> && !std::same_as<L, T>)) {
      return T(leaf.value());
    } else {
      return T(leaf);
    }
  });
}

/// Its tangents along one direction; 0 for what is no dual over T.
template <class T, class Y>
auto tangents_of(const Y& y, std::size_t direction = 0) {
  return map_leaves(y, [&](const auto& leaf) {
    using L = std::remove_cvref_t<decltype(leaf)>;
    if constexpr (is_tensor<L>) {
      using U = typename L::value_type;
      if constexpr (is_dual<U>) {
        array<typename U::value_type> tangents(leaf.shape());
        auto* out = tangents.writable();
        for (const U& one : leaf.values()) *out++ = one.tangent(direction);
        return tensor<typename U::value_type>(std::move(tangents));
      } else {
        return zeros<U>(leaf.shape());
      }
    } else if constexpr (is_dual_over<L, T>) {
      return leaf.tangent(direction);
    } else {
      return T(0);
    }
  });
}

}  // namespace autodiff
