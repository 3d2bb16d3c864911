#include <nn/files/number_type.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <tests/catch.hpp>
#include <vector>

namespace {

template <class T>
T read(std::string_view name, std::initializer_list<unsigned> bytes) {
  const nn::number_type* const type = nn::find_number_type(name);
  REQUIRE(type);
  REQUIRE(type->bytes == bytes.size());
  std::vector<std::byte> stored;
  for (const unsigned byte : bytes) stored.push_back(static_cast<std::byte>(byte));
  T value;
  nn::convert(*type, stored.data(), std::span<T>(&value, 1));
  return value;
}

/// The value of a small float by its definition, with std::ldexp.
double by_definition(unsigned bits, int exponent_bits, int mantissa_bits, bool has_infinity) {
  const int bias = (1 << (exponent_bits - 1)) - 1, top = (1 << exponent_bits) - 1;
  const int mantissa = static_cast<int>(bits & ((1U << mantissa_bits) - 1));
  const int exponent = static_cast<int>(bits >> mantissa_bits) & top;
  const double sign = bits >> (exponent_bits + mantissa_bits) ? -1 : 1;
  if (has_infinity && exponent == top) {
    return mantissa ? std::numeric_limits<double>::quiet_NaN()
                    : sign * std::numeric_limits<double>::infinity();
  }
  if (!has_infinity && exponent == top && mantissa == (1 << mantissa_bits) - 1) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
}

void check_every_value(std::string_view name, unsigned count, int exponent, int mantissa,
                       bool has_infinity = true) {
  const nn::number_type& type = *nn::find_number_type(name);
  unsigned wrong = 0;
  for (unsigned bits = 0; bits < count; ++bits) {
    const std::array<std::byte, 2> stored{static_cast<std::byte>(bits & 0xFF),
                                          static_cast<std::byte>(bits >> 8)};
    float value;
    nn::convert(type, stored.data(), std::span(&value, 1));
    const double expected = by_definition(bits, exponent, mantissa, has_infinity);
    const bool same = std::isnan(expected) ? std::isnan(value)
                                           : std::bit_cast<std::uint64_t>(expected) ==
                                                 std::bit_cast<std::uint64_t>(double{value});
    if (!same) ++wrong;
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("every number type of files is read in little-endian order") {
  CHECK(read<float>("BOOL", {0}) == 0);
  CHECK(read<float>("BOOL", {1}) == 1);
  CHECK(read<float>("U8", {0xFF}) == 255);
  CHECK(read<float>("I8", {0xFF}) == -1);
  CHECK(read<double>("U16", {0x34, 0x12}) == 0x1234);
  CHECK(read<double>("I16", {0xFE, 0xFF}) == -2);
  CHECK(read<double>("U32", {0x78, 0x56, 0x34, 0x92}) == 0x92345678U);
  CHECK(read<double>("I32", {0xFD, 0xFF, 0xFF, 0xFF}) == -3);
  CHECK(read<double>("U64", {0, 0, 0, 0, 0, 0, 0, 0x80}) == 0x1p63);
  CHECK(read<double>("I64", {0, 0, 0, 0, 0, 0, 0, 0x80}) == -0x1p63);
  CHECK(read<float>("F32", {0, 0, 0xC0, 0x3F}) == 1.5F);
  CHECK(read<double>("F64", {0, 0, 0, 0, 0, 0, 0x04, 0xC0}) == -2.5);
  CHECK(read<float>("BF16", {0xC0, 0x3F}) == 1.5F);
  CHECK(read<double>("F16", {0x00, 0x3E}) == 1.5);
  CHECK(nn::find_number_type("F8") == nullptr);
  CHECK(nn::number_types().size() == 15);
}

TEST_CASE("each value of the small floats is exact") {
  check_every_value("F16", 1 << 16, 5, 10);
  check_every_value("BF16", 1 << 16, 8, 7);
  check_every_value("F8_E5M2", 1 << 8, 5, 2);
  check_every_value("F8_E4M3", 1 << 8, 4, 3, false);
}

TEST_CASE("numbers that a float does not hold are rounded to the nearest") {
  CHECK(read<float>("I32", {0x01, 0, 0, 0x01}) == 0x1p24F);               // 2^24 + 1: tie to even
  CHECK(read<float>("F64", {1, 0, 0, 0, 0, 0, 0xF0, 0x3F}) == 1.0F);      // next after 1
  CHECK(std::isinf(read<float>("F64", {0, 0, 0, 0, 0, 0, 0xF0, 0x7E})));  // 2^1008
  CHECK(std::isnan(read<float>("F64", {0, 0, 0, 0, 0, 0, 0xF8, 0x7F})));
}

TEST_CASE("stored numbers are those of IEEE 754, little-endian") {
  std::array<std::byte, 8> bytes;
  const double minus_two_and_a_half = -2.5;
  nn::store(std::span(&minus_two_and_a_half, 1), bytes.data());
  constexpr std::array<unsigned char, 8> expected{0, 0, 0, 0, 0, 0, 0x04, 0xC0};
  CHECK(std::memcmp(bytes.data(), expected.data(), 8) == 0);
}
