#include <autodiff/autodiff.hpp>

#include <fmt/format.h>

#include <tests/catch.hpp>

#include <sstream>
#include <string>

namespace ad = autodiff;

namespace {

template <class T>
std::string streamed(const T& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

}  // namespace

TEST_CASE("a var formats as its number, with the number's specification") {
  ad::tape tape;
  const ad::var x = tape.variable(1.5);
  CHECK(fmt::format("{}", x) == "1.5");
  CHECK(fmt::format("{:8.3f}|{:+.1e}", x, ad::var(-2.0)) == "   1.500|-2.0e+00");
  CHECK(streamed(x) == "1.5");
  const ad::basic_var<ad::var> nested = ad::var(2.5);
  CHECK(fmt::format("{}", nested) == "2.5");
  CHECK(streamed(nested) == "2.5");
  CHECK(fmt::format("{:.2f}", ad::basic_var<float>(0.25F)) == "0.25");
}

TEST_CASE("an expression formats as its value and records nothing") {
  ad::tape tape;
  const ad::var x = tape.variable(1.5);
  const auto z = x * x + 1.0;
  CHECK(fmt::format("{}", z) == "3.25");
  CHECK(fmt::format("{:.1f}", 2 * x) == "3.0");
  CHECK(streamed(z) == "3.25");
  CHECK(streamed(-x) == "-1.5");
  CHECK(tape.statistics().statements == 0);
}

TEST_CASE("a dual formats with its tangents") {
  CHECK(fmt::format("{}", ad::dual<double>(1.5, 2.0)) == "(1.5, 2)");
  CHECK(fmt::format("{}", ad::dual<double, 2>(1.0, {2.0, 3.0})) == "(1, 2, 3)");
  const ad::dual<ad::var> nested(ad::var(1.0), ad::var(0.5));
  CHECK(fmt::format("{}", nested) == "(1, 0.5)");
}

TEST_CASE("a shape formats as its extents") {
  CHECK(fmt::format("{}", ad::shape{2, 3}) == "[2, 3]");
  CHECK(fmt::format("{}", ad::shape{}) == "[]");
  CHECK(streamed(ad::shape{7}) == "[7]");
}

TEST_CASE("a tensor formats as nested brackets") {
  CHECK(fmt::format("{}", ad::tensor<double>{1.0, 2.5}) == "[1, 2.5]");
  CHECK(fmt::format("{}", ad::tensor<float>({{1.0F, 2.0F}, {3.0F, 4.0F}})) == "[[1, 2],\n [3, 4]]");
  CHECK(streamed(ad::tensor<double>{1.0}) == to_string(ad::tensor<double>{1.0}));
}

TEST_CASE("statistics format as a sentence") {
  ad::tape tape;
  const ad::var x = tape.variable(1.0), a = tape.variable(2.0);
  [[maybe_unused]] const ad::var y = a * x;
  const auto text = fmt::format("{}", tape.statistics());
  CHECK(text.rfind("1 statements, 2 arguments, 1 operations, 3 places, ", 0) == 0);
  CHECK(streamed(tape.statistics()) == text);
}

TEST_CASE("a gradient report formats") {
  const auto report = ad::check_gradient([](const auto& x) { return x * x; }, 3.0);
  const auto text = fmt::format("{}", report);
  CHECK(text == to_string(report));
  CHECK(text.find("argument 0 entry 0: 6 by the tape") != std::string::npos);
}
