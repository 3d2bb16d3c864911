#pragma once
// fmt::print for everything that has an operator<< here; kept apart so that the engine's own
// headers do not pull in fmt.

#include <autodiff/anomaly.hpp>
#include <autodiff/check.hpp>
#include <autodiff/dual.hpp>
#include <autodiff/explain.hpp>
#include <autodiff/stream_formatter.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/mask.hpp>
#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

/// A var formats as its number and takes the number's format specification.
template <class T>
struct fmt::formatter<autodiff::basic_var<T>> : fmt::formatter<T> {
  template <class Context>
  auto format(const autodiff::basic_var<T>& x, Context& context) const {
    return fmt::formatter<T>::format(x.value(), context);
  }
};
/// So does an expression with its value.
template <autodiff::expression E>
struct fmt::formatter<E, char> : fmt::formatter<typename E::value_type> {
  template <class Context>
  auto format(const E& e, Context& context) const {
    return fmt::formatter<typename E::value_type>::format(e.value(), context);
  }
};
/// A dual applies the specification of its number to the value and each tangent: (1.50, 0.25).
template <class T, std::size_t N>
struct fmt::formatter<autodiff::dual<T, N>> : fmt::formatter<T> {
  template <class Context>
  auto format(const autodiff::dual<T, N>& x, Context& context) const {
    const auto put = [&](std::string_view text) {
      context.advance_to(std::copy(text.begin(), text.end(), context.out()));
    };
    put("(");
    context.advance_to(fmt::formatter<T>::format(x.value(), context));
    for (const T& tangent : x.tangents()) {
      put(", ");
      context.advance_to(fmt::formatter<T>::format(tangent, context));
    }
    put(")");
    return context.out();
  }
};
template <class T>
struct fmt::formatter<autodiff::tensor<T>> : autodiff::stream_formatter {};
template <>
struct fmt::formatter<autodiff::mask> : autodiff::stream_formatter {};
template <>
struct fmt::formatter<autodiff::shape> : autodiff::stream_formatter {};
template <>
struct fmt::formatter<autodiff::anomaly> : autodiff::stream_formatter {};
template <>
struct fmt::formatter<autodiff::tape_statistics> : autodiff::stream_formatter {};
template <>
struct fmt::formatter<autodiff::gradient_report> : autodiff::stream_formatter {};
template <>
struct fmt::formatter<autodiff::explanation> : autodiff::stream_formatter {};
