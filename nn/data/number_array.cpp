#include <nn/data/number_array.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <concepts>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

namespace nn {
namespace {

struct described {
  std::string_view name;
  std::size_t size;  // bytes of an element
};

/// In the order of element_type.
constexpr std::array<described, 11> types{{{"bool", 1},
                                           {"int8", 1},
                                           {"int16", 2},
                                           {"int32", 4},
                                           {"int64", 8},
                                           {"uint8", 1},
                                           {"uint16", 2},
                                           {"uint32", 4},
                                           {"uint64", 8},
                                           {"float32", 4},
                                           {"float64", 8}}};

template <class Value>
constexpr element_type type_of() {
  using enum element_type;
  constexpr bool is_signed = std::is_signed_v<Value>;
  if constexpr (std::same_as<Value, bool>) return boolean;
  if constexpr (std::floating_point<Value>) return sizeof(Value) == 4 ? float32 : float64;
  switch (sizeof(Value)) {
    case 1: return is_signed ? int8 : uint8;
    case 2: return is_signed ? int16 : uint16;
    case 4: return is_signed ? int32 : uint32;
    default: return is_signed ? int64 : uint64;
  }
}

/// visit(Value{}) with the C++ type of the elements; truth values are bytes.
template <class Visitor>
void with_type(element_type type, Visitor&& visit) {
  switch (type) {
    case element_type::boolean: return visit(bool{});
    case element_type::int8: return visit(std::int8_t{});
    case element_type::int16: return visit(std::int16_t{});
    case element_type::int32: return visit(std::int32_t{});
    case element_type::int64: return visit(std::int64_t{});
    case element_type::uint8: return visit(std::uint8_t{});
    case element_type::uint16: return visit(std::uint16_t{});
    case element_type::uint32: return visit(std::uint32_t{});
    case element_type::uint64: return visit(std::uint64_t{});
    case element_type::float32: return visit(float{});
    case element_type::float64: return visit(double{});
  }
}

/// Whether x is a number of the type; of floating point all that do not leave its range are.
template <class To, class From>
bool fits(From x) {
  if constexpr (std::same_as<From, To> || std::same_as<From, bool>) {
    return true;
  } else if constexpr (std::floating_point<To>) {
    return !std::isfinite(static_cast<double>(x)) || std::isfinite(static_cast<To>(x));
  } else if constexpr (std::floating_point<From>) {
    // The bounds are powers of two, which a floating point type has exactly.
    const From beyond = std::ldexp(From(1), std::numeric_limits<To>::digits);
    return x == std::trunc(x) && x < beyond && x >= (std::is_signed_v<To> ? -beyond : From(0));
  } else {
    return std::in_range<To>(x);
  }
}

template <class From>
From element(const number_array& array, std::size_t i) {
  if constexpr (std::same_as<From, bool>) {
    return array.bytes[i] != 0;
  } else {
    From x;
    std::memcpy(&x, &array.bytes[i * sizeof x], sizeof x);
    return x;
  }
}

/// The indices of the element at a row-major place.
std::vector<std::size_t> indices(const number_array& array, std::size_t place) {
  std::vector<std::size_t> at(array.extents.size());
  for (std::size_t axis = at.size(); axis-- > 0;) {
    at[axis] = place % array.extents[axis];
    place /= array.extents[axis];
  }
  return at;
}

}  // namespace

std::string_view name(element_type type) { return types[static_cast<std::size_t>(type)].name; }
std::size_t size(element_type type) { return types[static_cast<std::size_t>(type)].size; }

std::string printed(std::span<const std::size_t> extents) {
  return fmt::format("[{}]", fmt::join(extents, ", "));
}

template <class Value>
void number_array::copy_to(std::span<Value> to) const {
  if (bytes.size() != to.size() * nn::size(type)) {
    throw autodiff::shape_error(
        "number_array",
        fmt::format("{} bytes of {} values {}", bytes.size(), nn::name(type), printed(extents)),
        "make the array with number_array::of");
  }
  with_type(type, [&]<class From>(From) {
    for (std::size_t i = 0; i < to.size(); ++i) {
      const From x = element<From>(*this, i);
      if (!fits<Value>(x)) {
        throw autodiff::domain_error(
            "number_array",
            fmt::format("the {} at {}{} is {}, which is no {}", nn::name(type),
                        printed(indices(*this, i)), origin.empty() ? "" : " of " + origin, x,
                        nn::name(type_of<Value>())),
            "ask for a type that holds it");
      }
      to[i] = static_cast<Value>(x);  // NOLINT(bugprone-signed-char-misuse): int8 is a number here
    }
  });
}

template <class Value>
std::vector<Value> number_array::values() const {
  std::vector<Value> result(bytes.size() / size(type));
  copy_to(std::span<Value>(result));
  return result;
}

template <class T>
autodiff::tensor<T> number_array::tensor() const {
  auto result = autodiff::tensor<T>::undefined(autodiff::shape(std::span(extents)));
  copy_to(result.mutable_values());
  return result;
}

template <class Value>
number_array number_array::of(const autodiff::shape& s, std::span<const Value> values) {
  if (s.size() != values.size()) {
    throw autodiff::shape_error(
        "number_array", fmt::format("{} values for {}", values.size(), autodiff::to_string(s)),
        "pass as many values as the shape has elements");
  }
  number_array array{type_of<Value>(), {s.begin(), s.end()}, {}};
  array.bytes.resize(values.size_bytes());
  if (!values.empty()) std::memcpy(array.bytes.data(), values.data(), values.size_bytes());
  return array;
}

#define INSTANTIATE(Value)                                     \
  template void number_array::copy_to(std::span<Value>) const; \
  template std::vector<Value> number_array::values() const;    \
  template number_array number_array::of(const autodiff::shape&, std::span<const Value>);
INSTANTIATE(std::int8_t)
INSTANTIATE(std::int16_t)
INSTANTIATE(std::int32_t)
INSTANTIATE(std::int64_t)
INSTANTIATE(std::uint8_t)
INSTANTIATE(std::uint16_t)
INSTANTIATE(std::uint32_t)
INSTANTIATE(std::uint64_t)
INSTANTIATE(float)
INSTANTIATE(double)
template number_array number_array::of(const autodiff::shape&, std::span<const bool>);
template autodiff::tensor<float> number_array::tensor() const;
template autodiff::tensor<double> number_array::tensor() const;

}  // namespace nn
