#include <nn/files/number_type.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>

namespace nn {
namespace {

/// Little-endian order is its own inverse: this loads and stores.
template <class Number>
Number in_file_order(Number number) {
  if constexpr (std::endian::native == std::endian::little || sizeof(Number) == 1) {
    return number;
  } else {
    auto bytes = std::bit_cast<std::array<std::byte, sizeof(Number)>>(number);
    std::reverse(bytes.begin(), bytes.end());
    return std::bit_cast<Number>(bytes);
  }
}

/// A float of 8 or 16 bits, of which `Mantissa` are behind the point. The highest exponent is for
/// infinity and NaN, or, where the format has no infinity, its last value alone for NaN.
template <class Bits, int Exponent, int Mantissa, bool HasInfinity = true>
struct small_float {
  Bits bits;

  explicit operator float() const {
    constexpr unsigned magnitude_bits = (1U << (Exponent + Mantissa)) - 1;
    constexpr unsigned infinity = ((1U << Exponent) - 1) << Mantissa;
    // As the bits of a float they are too small by the difference of the exponents' biases.
    constexpr int bias = (1 << (Exponent - 1)) - 1;
    constexpr float scale = std::bit_cast<float>(static_cast<std::uint32_t>(254 - bias) << 23);
    const unsigned magnitude = bits & magnitude_bits;
    float value = std::bit_cast<float>(std::uint32_t{magnitude} << (23 - Mantissa)) * scale;
    if (HasInfinity ? magnitude > infinity : magnitude == magnitude_bits) {
      value = std::numeric_limits<float>::quiet_NaN();
    } else if (HasInfinity && magnitude == infinity) {
      value = std::numeric_limits<float>::infinity();
    }
    return bits > magnitude_bits ? -value : value;
  }
};

using float8_e5m2 = small_float<std::uint8_t, 5, 2>;
using float8_e4m3 = small_float<std::uint8_t, 4, 3, false>;
using float16 = small_float<std::uint16_t, 5, 10>;

/// The upper half of a float.
struct bfloat16 {
  std::uint16_t bits;
  explicit operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

struct boolean {
  std::uint8_t bits;
  explicit operator float() const { return bits == 0 ? 0.0F : 1.0F; }
};

template <class Stored, class T>
void read_as(const std::byte* from, std::span<T> to) {
  for (T& value : to) {
    if constexpr (std::is_arithmetic_v<Stored>) {
      Stored stored;
      std::memcpy(&stored, from, sizeof(Stored));
      value = static_cast<T>(in_file_order(stored));
    } else {
      Stored stored;
      std::memcpy(&stored.bits, from, sizeof(Stored));
      stored.bits = in_file_order(stored.bits);
      value = static_cast<T>(static_cast<float>(stored));
    }
    from += sizeof(Stored);
  }
}

template <class Stored>
constexpr number_type make(std::string_view name) {
  return {name, sizeof(Stored), read_as<Stored, float>, read_as<Stored, double>};
}

constexpr std::array types{
    make<boolean>("BOOL"),        make<std::uint8_t>("U8"),     make<std::int8_t>("I8"),
    make<float8_e5m2>("F8_E5M2"), make<float8_e4m3>("F8_E4M3"), make<std::uint16_t>("U16"),
    make<std::int16_t>("I16"),    make<float16>("F16"),         make<bfloat16>("BF16"),
    make<std::uint32_t>("U32"),   make<std::int32_t>("I32"),    make<float>("F32"),
    make<std::uint64_t>("U64"),   make<std::int64_t>("I64"),    make<double>("F64")};

}  // namespace

std::span<const number_type> number_types() noexcept { return types; }

const number_type* find_number_type(std::string_view name) noexcept {
  const auto* const found = std::find_if(
      types.begin(), types.end(), [&](const number_type& type) { return type.name == name; });
  return found == types.end() ? nullptr : found;
}

template <class T>
void convert(const number_type& type, const std::byte* from, std::span<T> to) {
  if constexpr (std::same_as<T, float>)
    type.to_float(from, to);
  else
    type.to_double(from, to);
}

template <class T>
void store(std::span<const T> values, std::byte* to) {
  for (const T& value : values) {
    const T stored = in_file_order(value);
    std::memcpy(to, &stored, sizeof(T));
    to += sizeof(T);
  }
}

#define INSTANTIATE(T)                                                       \
  template void convert(const number_type&, const std::byte*, std::span<T>); \
  template void store(std::span<const T>, std::byte*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
