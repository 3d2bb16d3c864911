#pragma once
// The number types of files, by the names that safetensors gives them, and how each is read as a
// float or a double. Numbers stand in little-endian order, whatever the machine.

#include <cstddef>
#include <span>
#include <string_view>

namespace nn {

/// One number type of files.
struct number_type {
  std::string_view name;  ///< "F32"
  std::size_t bytes;      ///< of one number
  /// Converts to.size() numbers that begin at `from`. Integers and doubles are rounded to the
  /// nearest T, and become infinite where T ends; everything else is exact.
  void (*to_float)(const std::byte* from, std::span<float> to);
  void (*to_double)(const std::byte* from, std::span<double> to);
};

/// All of them, the smallest first: BOOL, U8, I8, F8_E5M2, F8_E4M3, U16, I16, F16, BF16, U32, I32,
/// F32, U64, I64, F64.
/// Source of the 8-bit ones: Micikevicius et al., FP8 formats for deep learning (2022).
std::span<const number_type> number_types() noexcept;

/// The one of this name; null where there is none.
const number_type* find_number_type(std::string_view name) noexcept;

/// The name under which numbers of type T are written.
template <class T>
inline constexpr std::string_view number_name = "F32";
template <>
inline constexpr std::string_view number_name<double> = "F64";

/// Reads numbers of a type as T.
template <class T>
void convert(const number_type& type, const std::byte* from, std::span<T> to);

/// Writes numbers as they stand in files: values.size() * sizeof(T) bytes from `to` on.
template <class T>
void store(std::span<const T> values, std::byte* to);

}  // namespace nn
