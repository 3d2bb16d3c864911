// Differences between two matrices, and the first of them in a report.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <nn/delta/delta.hpp>
#include <nn/delta/difference.hpp>
#include <nn/delta/matrix.hpp>
#include <nn/delta/report.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace {

using nn::compare, nn::matrix, nn::quantity;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// A report of two layers in which all agrees.
nn::delta_report agreeing() {
  nn::delta_report report;
  report.tolerance = 1e-14;
  const matrix<double> one(2, 2, 1.0);
  const auto same = [&] {
    nn::compared c = compare(one, one);
    c.allowed = report.tolerance;
    return c;
  };
  report.error = same();
  for (int l = 0; l < 2; ++l)
    report.layers.push_back({"", 2, 2, "tanh", one, one, same(), same(), same(), same(), same()});
  return report;
}

void part(nn::compared& c) {
  matrix<double> other = c.formula;
  other(1, 0) += 0.5;
  const double allowed = c.allowed;
  c = compare(other, c.tape);
  c.allowed = allowed;
}

std::string first(const nn::delta_report& report) {
  const auto d = report.first_disagreement();
  return d ? std::to_string(d->layer) + " " + nn::to_string(d->quantity) : "none";
}

}  // namespace

TEST_CASE("a difference is relative to the largest entry of both matrices") {
  const nn::compared c =
      compare(matrix<double>(2, 2, {1, -4, 0.5, 2}), matrix<double>(2, 2, {1, -4, 0.25, 2.0001}));
  CHECK(c.relative.value == 0.0625);
  CHECK(c.relative.row == 1);
  CHECK(c.relative.column == 0);
  CHECK(c.formula(1, 0) == 0.5);
  CHECK(c.tape(1, 0) == 0.25);
}

TEST_CASE("a difference in units in the last place is one of its own entry and number type") {
  const double next = std::nextafter(1e-3, 1.0);
  const nn::compared c =
      compare(matrix<double>(1, 2, {1000.0, 1e-3}), matrix<double>(1, 2, {1000.0, next}));
  CHECK(c.ulp.value == 1);
  CHECK(c.ulp.column == 1);
  CHECK(c.relative.value < 1e-20);
  const float above = std::nextafter(std::nextafter(1.5f, 2.0f), 2.0f);
  CHECK(compare(matrix<float>(1, 1, {1.5f}), matrix<float>(1, 1, {above})).ulp.value == 2);
  // Below the smallest normal number the unit stays.
  const double tiny = std::numeric_limits<double>::denorm_min();
  CHECK(compare(matrix<double>(1, 1, {tiny}), matrix<double>(1, 1, {4 * tiny})).ulp.value == 3);
  CHECK(compare(matrix<double>(1, 1, {0.0}), matrix<double>(1, 1, {-0.0})).ulp.value == 0);
}

TEST_CASE("what is not finite differs from everything but its like") {
  const auto apart = [](double a, double b) {
    return compare(matrix<double>(1, 2, {1.0, a}), matrix<double>(1, 2, {1.0, b})).relative.value;
  };
  CHECK(apart(not_a_number, not_a_number) == 0);
  CHECK(apart(infinity, infinity) == 0);
  CHECK(apart(infinity, -infinity) == infinity);
  CHECK(apart(not_a_number, 1) == infinity);
  CHECK(apart(1, infinity) == infinity);
  CHECK(compare(matrix<double>(), matrix<double>()).relative.value == 0);
}

TEST_CASE("the first disagreement is the first in the order of the derivation") {
  nn::delta_report report = agreeing();
  CHECK(first(report) == "none");
  CHECK(report.agrees());
  // Backwards: what is spoilt later here comes earlier there.
  part(report.layers[0].db);
  CHECK(first(report) == "1 dE/db");
  part(report.layers[0].dw);
  CHECK(first(report) == "1 dE/dW");
  part(report.layers[0].delta);
  CHECK(first(report) == "1 delta");
  part(report.layers[1].db);
  CHECK(first(report) == "2 dE/db");
  part(report.layers[1].dw);
  CHECK(first(report) == "2 dE/dW");
  part(report.layers[1].delta);
  CHECK(first(report) == "2 delta");
  part(report.error);
  CHECK(first(report) == "2 E");
  part(report.layers[1].z);
  CHECK(first(report) == "2 z");
  part(report.layers[1].a);
  CHECK(first(report) == "2 a");
  part(report.layers[0].z);
  CHECK(first(report) == "1 z");
  part(report.layers[0].a);
  CHECK(first(report) == "1 a");
  CHECK(!report.agrees());
  CHECK(nn::to_string(*report.first_disagreement()) ==
        "layer 1, a, sample 2, unit 1: 1.5 by the formula, 1 by the tape (relative difference "
        "3.3e-01)");
}

TEST_CASE("every quantity says where it differs in the words that fit it") {
  const auto said = [](quantity q) {
    return nn::to_string(nn::disagreement{3, q, 1, 4, 0.5, 0.25, 0.5});
  };
  CHECK(said(quantity::z).starts_with("layer 3, z, sample 2, unit 5: 0.5 by the formula, 0.25 by"));
  CHECK(said(quantity::error).starts_with("E: 0.5"));
  CHECK(said(quantity::delta).starts_with("layer 3, delta, sample 2, unit 5: "));
  CHECK(said(quantity::dw).starts_with("layer 3, dE/dW, row 2, column 5: "));
  CHECK(said(quantity::db).starts_with("layer 3, dE/db, unit 5: "));
}

TEST_CASE("where sums cancel, what rounding does is allowed, elsewhere the tolerance") {
  using namespace nn::textbook;
  const auto allowed = [](double nearly_one) {
    // a = (1 - nearly_one) / 3, beside which the roundings of both products are large.
    const std::vector<layer<double>> layers{
        {{1, 2, std::vector<double>{0.1, -nearly_one}}, {}, activation::tanh}};
    const matrix<double> x(1, 2, std::vector<double>{10.0 / 3, 1.0 / 3}), t(1, 1, 0.5);
    nn::delta_report report;
    report.tolerance = 1e-14;
    report.loss = "half_squared_error";
    report.layers.resize(1);
    report.layers[0].activation = "tanh";
    nn::allow_for_rounding<double>(report, layers, x, t);
    return report.layers[0].a.allowed;
  };
  CHECK(allowed(0.5) == 1e-14);
  CHECK(allowed(1 - 1e-3) > 1e-14);
  CHECK(allowed(1 - 1e-3) < 1e-10);
  CHECK(allowed(1 - 1e-12) == 1e-8);  // a million times the tolerance at most
}
