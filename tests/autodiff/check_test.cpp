#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace ad = autodiff;

namespace {

/// The report of a check that fails; empty when it passes.
template <class F, class... Args>
std::string complaint(F&& f, const Args&... args) {
  try {
    ad::check_gradient(f, args...);
  } catch (const ad::domain_error& e) {
    return e.what();
  }
  return {};
}

bool has(const std::string& text, const std::string& words) {
  UNSCOPED_INFO(text);
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("right gradients pass, whatever the arguments") {
  const auto f = [](const auto& x, const auto& y) { return sin(x) * y + exp(x * y); };
  const ad::gradient_report report = ad::check_gradient(f, 1.5, -0.3);
  REQUIRE(report.derivatives.size() == 2);
  CHECK(report.derivatives[0].argument == 0);
  CHECK(report.derivatives[1].argument == 1);
  CHECK(report.derivatives[1].entry == 0);
  for (const auto& d : report.derivatives)
    CHECK(d.by_tape == Approx(d.by_differences).epsilon(1e-9));

  const auto norm = [](const auto& x) { return sqrt(x[0] * x[0] + x[1] * x[1]) * exp(x[2]); };
  ad::check_gradient(norm, std::array{3.0, 4.0, 0.5});
  ad::check_gradient(norm, std::vector{3.0, 4.0, 0.5});
  const std::vector<double> data{3.0, 4.0, 0.5};
  ad::check_gradient(norm, std::span<const double>(data));
  const auto network = [](const auto& w, const auto& x, const auto& scale) {
    return sum(square(tanh(matmul(w, x)))) * scale;
  };
  const ad::tensor<double> w({{0.1, 0.2}, {0.3, 0.4}, {0.5, 0.6}}), x{1.0, -2.0};
  const auto mixed = ad::check_gradient(network, w, x, 2.0);
  REQUIRE(mixed.derivatives.size() == 9);
  CHECK(mixed.derivatives[5].argument == 0);
  CHECK(mixed.derivatives[5].entry == 5);
  CHECK(mixed.derivatives[7].argument == 1);
  CHECK(mixed.derivatives[7].entry == 1);
  CHECK(mixed.derivatives[8].argument == 2);
}

TEST_CASE("whole numbers may be checked") {
  CHECK(ad::check_gradient([](const auto& x) { return x * x; }, 3).derivatives[0].by_tape == 6);
  CHECK(complaint([](const auto& x) { return x[0] * x[1]; }, std::vector{3, 4}).empty());
}

TEST_CASE("functions that do not depend on an argument pass") {
  CHECK(complaint([](const auto& x, const auto&) { return x * x; }, 1.0, 2.0).empty());
  CHECK(complaint([](const auto&) { return 4.0; }, 1.0).empty());
}

TEST_CASE("a value taken out of the record is found and named") {
  const auto laundered = [](const auto& x, const auto& v) {
    return x * v[0] + sin(v[2].value()) * v[1];
  };
  const std::string report = complaint(laundered, 2.0, std::vector{0.5, 3.0, 0.7});
  CHECK(has(report, "check_gradient"));
  CHECK(has(report, "1 of 4 derivatives differ"));
  // The worst stands first: argument 1, entry 2, with 0 by the tape and 3 cos(0.7) by differences.
  CHECK(has(report, "\n  argument 1 entry 2: 0 by the tape, 2.29"));
  CHECK(has(report, ".value()"));
  CHECK(report.find("argument 1 entry 2") < report.find("argument 0 entry 0"));
}

TEST_CASE("a value taken out of a tensor is found and named") {
  const auto laundered = [](const ad::tensor<double>& x) { return sum(x * x.detached()); };
  const std::string report = complaint(laundered, ad::tensor<double>({{1.0, 2.0}, {0.0, 3.0}}));
  CHECK(has(report, "3 of 4 derivatives differ"));
  CHECK(has(report, "\n  argument 0 entry 3: 3 by the tape, "));
}

TEST_CASE("small relative errors are found within the tolerance that was asked for") {
  const auto slightly_off = [](const auto& x) { return x * x + 1e-4 * x.value() * x.value(); };
  CHECK_FALSE(complaint(slightly_off, 3.0).empty());
  CHECK_NOTHROW(ad::check_gradient_with({.tolerance = 1e-3, .step = 0.05}, slightly_off, 3.0));
  CHECK_THROWS_AS(ad::check_gradient_with({.tolerance = 1e-5, .step = 0.05}, slightly_off, 3.0),
                  ad::domain_error);
}

TEST_CASE("a kink under the point is reported, not averaged") {
  // abs has slope 0 at 0 here, and so have its central differences: they agree. At a distance
  // within the first step the extrapolation has to step down to it.
  CHECK(complaint([](const auto& x) { return abs(x); }, 0.0).empty());
  CHECK(complaint([](const auto& x) { return abs(x); }, 0.03).empty());
  // relu's slope at 0 is 0, its central differences are 1/2.
  CHECK(has(complaint([](const auto& x) { return relu(x); }, 0.0), "kink"));
}

TEST_CASE("points near the edge of a domain can be checked") {
  CHECK(complaint([](const auto& x) { return log(x); }, 0.01).empty());
  CHECK(complaint([](const auto& x) { return sqrt(x); }, 0.01).empty());
}

TEST_CASE("differences reach near the precision of the function") {
  const auto [slope, uncertainty] =
      ad::derivative_by_differences([](double x) { return std::sin(x) * std::exp(x); }, 1.0, 0.05);
  CHECK(slope == Approx((std::sin(1.0) + std::cos(1.0)) * std::exp(1.0)).epsilon(1e-12));
  CHECK(uncertainty < 1e-10);
  // Large arguments scale the step.
  const auto report = ad::check_gradient([](const auto& x) { return log(x); }, 1e8);
  CHECK(report.derivatives[0].by_differences == Approx(1e-8).epsilon(1e-9));
}

TEST_CASE("single-precision tensors are checked within their own precision") {
  const auto f = [](const ad::tensor<float>& x) { return sum(exp(x) * x); };
  CHECK(complaint(f, ad::tensor<float>{0.1F, 0.5F, -1.0F}).empty());
  const auto wrong = [](const ad::tensor<float>& x) { return sum(exp(x) * x.detached()); };
  CHECK_FALSE(complaint(wrong, ad::tensor<float>{0.5F, 1.5F, -2.0F}).empty());
}

TEST_CASE("a report prints the worst derivatives first and counts the rest") {
  ad::gradient_report report;
  for (std::size_t i = 0; i < 20; ++i) {
    report.derivatives.push_back({0, i, 1.0, 1.0 + 0.001 * double(i), 1e-12});
  }
  std::ostringstream out;
  out << report;
  CHECK(out.str() == to_string(report));
  CHECK(has(out.str(), "20 derivatives"));
  CHECK(has(out.str(), "entry 19"));
  CHECK(out.str().find("entry 19") < out.str().find("entry 18"));
  CHECK(out.str().find("entry 3:") == std::string::npos);
  CHECK(has(out.str(), "and 12 that agree"));
}

TEST_CASE("a NaN agrees with nothing but a NaN") {
  const double nan = std::nan("");
  CHECK_THROWS_AS(ad::require_agreement({{{0, 0, nan, 1.0, 0.0}}}, {}), ad::domain_error);
  CHECK_THROWS_AS(ad::require_agreement({{{0, 0, 1.0, nan, 0.0}}}, {}), ad::domain_error);
  CHECK_NOTHROW(ad::require_agreement({{{0, 0, nan, nan, 0.0}}}, {}));
  CHECK_NOTHROW(ad::require_agreement({}, {}));
}
