#pragma once
// Arrays of numbers as files hold them: the type of the elements is a value, not a type of C++.

#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nn {

enum class element_type : std::uint8_t {
  boolean,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float32,
  float64,
};

/// NumPy's name of it: "float64".
std::string_view name(element_type type);
/// Bytes of an element.
std::size_t size(element_type type);

/// An array as it stands in a file, with elements of any type.
struct number_array {
  element_type type = element_type::float64;
  std::vector<std::size_t> extents;  ///< none for a single number
  std::vector<std::uint8_t> bytes;   ///< row-major, in the byte order of this machine
  std::string origin = {};           ///< the file it was read from, for messages

  /// The elements as numbers of a type: of floating point rounded to it, of integers exactly.
  /// Throws domain_error, with its place, for an element that is no such number: -1 or 0.5 as
  /// unsigned.
  template <class Value>
  std::vector<Value> values() const;
  /// The same into a span with as many elements, or shape_error.
  template <class Value>
  void copy_to(std::span<Value> to) const;
  /// The same as a tensor. Throws shape_error for more than 8 dimensions.
  template <class T>
  autodiff::tensor<T> tensor() const;

  /// Row-major values of a shape. Value is bool, a sized integer, float or double. Throws
  /// shape_error when their number is not s.size().
  template <class Value>
  static number_array of(const autodiff::shape& s, std::span<const Value> values);
  /// A tensor of float or double.
  template <class T>
  static number_array of(const autodiff::tensor<T>& x) {
    return of<T>(x.shape(), x.values());
  }
};

/// Extents as messages print them: "[2, 3]".
std::string printed(std::span<const std::size_t> extents);

}  // namespace nn
