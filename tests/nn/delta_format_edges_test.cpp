// Reports of deltas at the edges: large layers, numbers that are none, E alone, and what is
// refused.

#include <tests/catch.hpp>
#include <tests/nn/delta_reports.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <nn/delta/compare_deltas.hpp>
#include <nn/delta/delta.hpp>
#include <nn/delta/format.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace delta_reports;
using reference::message, reference::says;

}  // namespace

TEST_CASE("large layers stay short, and their worst entry is shown") {
  const std::vector<nn::dense> layers{nn::dense(200, nn::relu), nn::dense(100, nn::tanh),
                                      nn::dense(10)};
  const nn::network<double> net(300, layers, nn::seed{3});
  const tensor<double> x(shape{8, 300}, 0.5), t(shape{8, 10}, 0.25);
  const nn::delta_report report = nn::compare_deltas(
      net, x, t, nn::half_squared_error,
      [](std::span<const textbook::layer<double>> l, const nn::matrix<double>& inputs,
         const nn::matrix<double>& targets) {
        auto b = textbook::backpropagate(l, inputs, targets, textbook::loss::half_squared_error);
        b.dw[0](123, 234) += 1000;
        b.db[1][57] += 1000;
        return b;
      });
  CHECK(lines_of(nn::to_string(report)).size() < 160);
  for (const std::string& text : all_forms(report)) {
    CHECK(text.size() < 120'000);
    CHECK(says(text, "rows left out", "first 6 units", "largest difference is always shown"));
  }
  const std::string text = nn::to_string(report);
  CHECK(says(text, "w_124,235 ", "b_58 "));
  CHECK(count(text, "<- differs most") == 2);
  CHECK(says(nn::to_html(report), "<mn>124</mn><mo>,</mo><mn>235</mn>"));
  CHECK(lines_of(nn::to_string(report, {.most_units = 1})).size() < 80);
}

TEST_CASE("NaN and infinity are shown, and a NaN on one side differs") {
  const nn::delta_report report = primer_with_odd_numbers();
  const std::string text = nn::to_string(report);
  CHECK(says(text, "nan", "-inf", "<- differs most", "layer 1, delta, sample 1, unit 2"));
  CHECK(says(with_hyphens(nn::to_html(report)), "NaN", "-\u221E"));
  CHECK(says(nn::to_latex(report), "\\mathrm{NaN}", "\\infty"));
  CHECK(says(nn::to_markdown(report), "| nan |", "| -inf |"));
}

TEST_CASE("where E alone differs, that is said and no layer is blamed") {
  const nn::delta_report report = nn::compare_deltas(
      primer_network(), tensor<double>({1.0, 2.0}), tensor<double>({1.0, 1.15}),
      nn::half_squared_error,
      [](std::span<const textbook::layer<double>> layers, const nn::matrix<double>& x,
         const nn::matrix<double>& t) {
        auto b = textbook::backpropagate(layers, x, t, textbook::loss::half_squared_error);
        b.error *= 2;
        return b;
      });
  CHECK(nn::to_string(report).starts_with("Formula and tape first disagree at E: 0.2632498"));
  for (const std::string& text : all_forms(report)) {
    CHECK(says(text, "by the formula, ", "by the tape", "0.26324985", "0.13162492"));
    CHECK_FALSE(says(text, "differs most"));
    CHECK_FALSE(says(text, "differs first"));
    CHECK_FALSE(says(text, "(differs)"));
  }
  // A delta that differs as well comes after E.
  nn::delta_report both = report;
  both.layers[1].delta.formula(0, 0) = 7;
  both.layers[1].delta.relative = {1, 0, 0};
  CHECK(says(nn::to_string(both), "first disagree at E", "<- differs most"));
  CHECK_FALSE(says(nn::to_string(both), "differs first"));
}

TEST_CASE("a NaN is printed without a sign") {
  nn::delta_report report = primer();
  const double negative_nan = -std::numeric_limits<double>::quiet_NaN();
  report.layers[0].delta.formula(0, 1) = report.input(0, 0) = negative_nan;
  report.error.formula(0, 0) = report.error.tape(0, 0) = negative_nan;
  report.layers[0].delta.relative = {std::numeric_limits<double>::infinity(), 0, 1};
  for (const std::string& text : all_forms(report)) {
    CHECK_FALSE(says(with_hyphens(text), "-nan"));
    CHECK_FALSE(says(with_hyphens(text), "-NaN"));
    CHECK_FALSE(says(text, "-\\mathrm{NaN}"));
    CHECK(says(text, " by the formula and by the tape."));
  }
}

TEST_CASE("agreement on numbers that are not finite says that they are not") {
  const auto with = [](double input) {
    return nn::to_string(nn::compare_deltas(primer_network(), tensor<double>({input, 2.0}),
                                            tensor<double>({1.0, 1.15}), nn::half_squared_error));
  };
  const std::string warning = " Not all of their numbers are finite.\n";
  CHECK(says(with(std::numeric_limits<double>::quiet_NaN()), "agree", warning));
  CHECK_FALSE(says(with(1), warning));
}

TEST_CASE("a report whose matrices do not fit each other is refused with both shapes") {
  const auto refusal = [](auto&& spoil) {
    nn::delta_report report = primer();
    spoil(report);
    return message<autodiff::shape_error>([&] { nn::to_html(report); });
  };
  CHECK(says(message<autodiff::shape_error>([] { nn::to_string(nn::delta_report()); }),
             "delta_format", "without layers", "compare_deltas"));
  CHECK(says(refusal([](nn::delta_report& r) { r.input = {}; }), "without samples"));
  CHECK(says(refusal([](nn::delta_report& r) { r.error = {}; }), "E by formula [0, 0]", "[1, 1]"));
  CHECK(says(refusal([](nn::delta_report& r) { r.target = {1, 3}; }), "targets [1, 3]", "[1, 2]"));
  CHECK(says(refusal([](nn::delta_report& r) {
               r.layers[1].weights = {3, 2};
             }),
             "the weights of layer 2 [3, 2]", "[2, 3]"));
  CHECK(says(refusal([](nn::delta_report& r) { r.layers[0].delta.tape.values.pop_back(); }),
             "delta of layer 1 by tape [1, 3] of 2 values"));
  CHECK(says(refusal([](nn::delta_report& r) {
               r.layers[0].biases = {1, 3};
             }),
             "dE/db of layer 1 by formula [0, 0]", "[1, 3]"));
  CHECK(says(refusal([](nn::delta_report& r) {
               r.layers[0].dw.relative = {1.0, 3, 0};
             }),
             "dE/dW of layer 1 [3, 2]", "at [3, 0]"));
  CHECK(says(refusal([](nn::delta_report& r) { r.output_factor = {1, 1}; }), "factor", "[1, 1]"));
}

TEST_CASE("a format out of range is refused with what is possible") {
  for (const int digits : {0, -1, 18}) {
    const std::string text =
        message<autodiff::domain_error>([&] { nn::to_latex(primer(), {.digits = digits}); });
    CHECK(says(text, "delta_format", std::to_string(digits) + " digits", "from 1 to 17"));
  }
  const std::string text =
      message<autodiff::domain_error>([] { nn::to_string(primer(), {.most_units = 0}); });
  CHECK(says(text, "delta_format", "most_units is 0", "at least one"));
}
