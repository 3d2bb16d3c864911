// The published worked example, held digit by digit.

#include <tests/catch.hpp>
#include <tests/examples/primer_network.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

// Units in the last place between two doubles of one sign.
double ulps(double a, double b) {
  return std::abs(a - b) / (std::nextafter(std::abs(b), INFINITY) - std::abs(b));
}

// How a value prints with as many decimals as the published digits have.
std::string printed_like(float value, const std::string& digits) {
  const int decimals = static_cast<int>(digits.size() - digits.find('.') - 1);
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, static_cast<double>(value));
  return text;
}

}  // namespace

TEST_CASE("the tape agrees with the primer's formulas to the last places of double") {
  const auto formula = primer::by_formula(), tape = primer::by_tape();
  for (std::size_t m = 0; m < 3; ++m) {
    CHECK(ulps(tape.a1[m], formula.a1[m]) <= 1);
    CHECK(ulps(tape.z1[m], formula.z1[m]) <= 4);
    // 1 - z * z cancels: its own error is several units where z is near 1.
    CHECK(std::abs(tape.slope1[m] - formula.slope1[m]) < 1e-15);
    CHECK(std::abs(tape.delta1[m] - formula.delta1[m]) < 1e-15);
    for (std::size_t i = 0; i < 2; ++i) CHECK(std::abs(tape.dw1[m][i] - formula.dw1[m][i]) < 1e-15);
  }
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(std::abs(tape.a2[k] - formula.a2[k]) < 1e-15);
    CHECK(std::abs(tape.delta2[k] - formula.delta2[k]) < 1e-15);
    for (std::size_t m = 0; m < 3; ++m) CHECK(std::abs(tape.dw2[k][m] - formula.dw2[k][m]) < 1e-15);
  }
  CHECK(std::abs(tape.e - formula.e) < 1e-15);
}

TEST_CASE("the tape has the primer's numbers, computed elsewhere with fifty digits") {
  // Computed outside the engine with 50 digits and rounded.
  const auto tape = primer::by_tape();
  CHECK(ulps(tape.z1[0], 0.46211715726000975850) <= 1);
  CHECK(ulps(tape.z1[1], 0.80049902176062970601) <= 1);
  CHECK(ulps(tape.z1[2], 0.93540907060309898052) <= 1);
  CHECK(ulps(tape.slope1[2], 0.12500987063344658666) <= 4);
  CHECK(ulps(tape.a2[0], 0.48693424125905661121) <= 2);
  CHECK(ulps(tape.a2[1], 1.1463418161461781447) <= 2);
}

TEST_CASE(
    "the tape reproduces every digit of the published table from the script's hidden outputs") {
  const auto tape = primer::by_tape_from_printed_outputs();
  const auto& table = primer::published;
  for (std::size_t m = 0; m < 3; ++m) {
    CHECK(printed_like(tape.z1[m], table.z1[m]) == table.z1[m]);
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(printed_like(tape.dw1[m][i], table.dw1[m][i]) == table.dw1[m][i]);
  }
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(printed_like(tape.a2[k], table.a2[k]) == table.a2[k]);
    for (std::size_t m = 0; m < 3; ++m)
      CHECK(printed_like(tape.dw2[k][m], table.dw2[k][m]) == table.dw2[k][m]);
  }
}

TEST_CASE(
    "in double the tape differs from the published table by the script's float32 rounding alone") {
  const auto tape = primer::by_tape();
  const auto& table = primer::published;
  const auto close = [](double value, const char* digits) {
    return std::abs(value - std::strtod(digits, nullptr)) < 0x1p-24;
  };
  for (std::size_t m = 0; m < 3; ++m) {
    for (std::size_t i = 0; i < 2; ++i) CHECK(close(tape.dw1[m][i], table.dw1[m][i]));
  }
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(close(tape.a2[k], table.a2[k]));
    for (std::size_t m = 0; m < 3; ++m) CHECK(close(tape.dw2[k][m], table.dw2[k][m]));
  }
}
