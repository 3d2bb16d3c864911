#pragma once
// What the formulas of activations and those of losses have in common.

#include <nn/delta/matrix.hpp>

#include <autodiff/error.hpp>  // exceptions alone

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>

namespace nn::textbook {

/// The entry of an enumeration that stands at this name's place in the list of names.
template <class Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) return std::nullopt;
  return static_cast<Enum>(at - names.begin());
}

/// factor * f, and 0 where the factor is, also beside an infinite f, but not beside a NaN.
template <class T>
T weighted(T factor, T f) {
  return factor == 0 && !std::isnan(f) ? T(0) : factor * f;
}

/// Throws shape_error unless both have one shape, and as many values as it says.
template <class T>
void require_alike(const char* operation, const char* first, const matrix<T>& m, const char* second,
                   const matrix<T>& other) {
  const std::size_t size = m.rows * m.columns;
  if (m.rows == other.rows && m.columns == other.columns && m.size() == size &&
      other.size() == size) {
    return;
  }
  throw autodiff::shape_error(operation,
                              fmt::format("{} [{}, {}] and {} [{}, {}]", first, m.rows, m.columns,
                                          second, other.rows, other.columns),
                              "give both the same shape, and as many values as rows times columns");
}

}  // namespace nn::textbook
