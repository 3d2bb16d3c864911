// Reports of deltas in text, Markdown, LaTeX and HTML: what every form has to show.

#include <tests/catch.hpp>
#include <tests/nn/delta_reports.hpp>
#include <tests/reference.hpp>

#include <autodiff/tensor/tensor.hpp>
#include <nn/delta/compare_deltas.hpp>
#include <nn/delta/delta.hpp>
#include <nn/delta/format.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace delta_reports;
using reference::says;

}  // namespace

TEST_CASE("every form of a report shows the numbers of the primer") {
  for (const std::string& form : all_forms(primer())) {
    const std::string text = with_hyphens(form);
    INFO(text);
    CHECK(says(text, "-0.513066", "-0.003658", "-0.0415007", "-0.0375158", "-0.0195159"));
    CHECK(says(text, "-0.237096", "-0.410709", "-0.479926", "0.462117", "0.800499", "0.935409"));
    CHECK(says(text, "0.13162492755076", "half", "tanh", "identity", "double"));
  }
}

TEST_CASE("LaTeX and Markdown write the formulas out as the primer does") {
  for (const std::string& text : {nn::to_latex(primer()), nn::to_markdown(primer())}) {
    INFO(text);
    CHECK(says(text, "\\delta_{1}^{(2)} &= y_{1} - t_{1} = (0.486934 - 1) = {-0.513066}"));
    CHECK(says(text,
               "\\delta_{1}^{(1)} &= \\mathrm{tanh}'(0.5)[0.1({-0.513066}) + 0.4({-0.00365818})]"));
    CHECK(says(text, "= 0.786448({-0.0527698})"));
    CHECK(says(text,
               "\\frac{\\partial E}{\\partial w_{1,1}^{(2)}} &= {-0.513066}(0.462117) = "
               "{-0.237096}"));
    CHECK(says(text, "a_{3}^{(1)} &= 0.5(1) + 0.6(2) = 1.7", "\\text{(5)}", "\\text{(7)}"));
  }
}

TEST_CASE("digits are the reader's choice: with two, the lines of the primer's own section 5") {
  const nn::delta_format two{.digits = 2};
  for (const std::string& text : {nn::to_latex(primer(), two), nn::to_markdown(primer(), two)}) {
    INFO(text);
    // Where the primer goes on with rounded numbers, (0.48 - 1) = -0.52 and (1.14 - 1.15) = -0.01,
    // these are right.
    CHECK(says(text, "= (0.49 - 1) = {-0.51}", "= (1.1 - 1.1) = {-0.0037}"));
    CHECK(says(text, "\\mathrm{tanh}'(0.5)[0.1({-0.51}) + 0.4({-0.0037})]", "= {-0.042}"));
    CHECK(says(text, "= {-0.51}(0.46) = {-0.24}", "= {-0.51}(0.8) = {-0.41}"));
  }
  CHECK(says(nn::to_string(primer(), two), "-0.51", "-0.042", "-0.0037"));
  const nn::delta_report report = primer();
  CHECK(says(nn::to_string(report, {.digits = 17}),
             fmt::format("{:.17f}", report.layers[1].delta.formula(0, 0))));
}

TEST_CASE("a report that agrees says so in its first line, and one that does not names the entry") {
  CHECK(nn::to_string(primer()).starts_with("Formula and tape agree"));
  const nn::delta_report report = primer_with_a_slip(1.5);
  const std::string sentence = to_string(*report.first_disagreement());
  CHECK(nn::to_string(report).starts_with("Formula and tape first disagree at " + sentence));
  CHECK(says(nn::to_string(report), "layer 1: 2 -> 3 tanh (differs)", "<- differs most",
             "layer 2: 3 -> 2 identity (agrees)"));
  for (const std::string& text : all_forms(report)) {
    INFO(text);
    CHECK(says(text, "layer 1, delta, sample 1, unit 3", "differs most", "differs first"));
  }
}

TEST_CASE("a formula that was not the textbook's stands beside what the products come to") {
  const nn::delta_report report = primer_with_a_slip(1.5);
  for (const std::string& text :
       {nn::to_latex(report), nn::to_markdown(report), nn::to_html(report)})
    CHECK(says(text, "where the function compared gave ", "0.0292738"));
  for (const std::string& text : all_forms(primer())) CHECK_FALSE(says(text, "function compared"));
}

TEST_CASE("numbers that disagree get as many digits as it takes to tell them apart") {
  const nn::delta_report report = primer_with_a_slip(1 + 1e-10);
  REQUIRE_FALSE(report.agrees());
  const auto lines = lines_of(nn::to_string(report));
  const auto row = std::find_if(lines.begin() + 1, lines.end(), [](const std::string& line) {
    return says(line, "<- differs most");
  });
  REQUIRE(row != lines.end());
  std::istringstream in(*row);
  std::string unit, a, z, formula, tape;
  in >> unit >> a >> z >> formula >> tape;
  CHECK(unit == "3");
  CHECK(formula != tape);
  CHECK(formula.starts_with("-0.019515870"));
}

TEST_CASE("columns of the text stand under their headings") {
  for (const auto& report : {primer(), primer_with_a_slip(2),
                             drawn_report<float>(30, {nn::dense(40, nn::relu), nn::dense(11)}, 3,
                                                 nn::softmax_cross_entropy)}) {
    std::size_t rule = 0;
    for (const std::string& line : lines_of(nn::to_string(report))) {
      INFO(line);
      const bool is_rule = says(line, "  --") && line.find_first_not_of(" -") == std::string::npos;
      if (is_rule) rule = line.size();
      if (line.empty() || !line.starts_with("    ")) rule = 0;
      if (rule > 0 && !says(line, "left out"))
        CHECK(line.substr(0, line.find("  <-")).size() == rule);
      CHECK(line.find('\x1b') == std::string::npos);
    }
  }
}

TEST_CASE("where the factor of an output activation was forgotten, the report shows it") {
  const nn::network<double> net(2, {nn::dense(2, nn::sigmoid)}, nn::seed{4});
  const nn::delta_report report = nn::compare_deltas(
      net, tensor<double>({1.0, -2.0}), tensor<double>({0.0, 1.0}), nn::half_squared_error,
      [](std::span<const textbook::layer<double>> l, const nn::matrix<double>& x,
         const nn::matrix<double>& t) {
        auto b = textbook::backpropagate(l, x, t, textbook::loss::half_squared_error);
        for (std::size_t k = 0; k < 2; ++k) b.delta[0](0, k) = b.z[0](0, k) - t(0, k);
        b.dw[0] = textbook::weight_gradient(b.delta[0], x);
        b.db[0] = textbook::bias_gradient(b.delta[0]);
        return b;
      });
  for (const std::string& text : all_forms(report)) CHECK(says(text, "factor", "f (1 - f)"));
}

TEST_CASE("a report prints by fmt and by a stream as its text") {
  const nn::delta_report report = primer();
  std::ostringstream out;
  out << report;
  CHECK(out.str() == nn::to_string(report));
  CHECK(fmt::format("{}", report) == nn::to_string(report));
}

TEST_CASE("what is left out of formulas is said, and whose deltas are written out") {
  const std::string cut = "the first 6 units and 12 weights are written out";
  const std::string whose = "Deltas of the first sample; sums over n are over all samples.";
  const auto report = [](std::size_t units, std::size_t batch) {
    return drawn_report<double>(5, {nn::dense(units)}, batch, nn::mean_squared_error);
  };
  for (const std::string& text : all_forms(report(3, 1))) CHECK(says(text, cut));
  for (const std::string& text : all_forms(report(2, 7))) CHECK(says(text, cut));
  for (const std::string& text : all_forms(report(2, 6))) CHECK_FALSE(says(text, cut));
  CHECK(says(nn::to_latex(report(2, 6)), whose));
  CHECK(says(nn::to_html(report(2, 6)), whose));
  CHECK_FALSE(says(nn::to_html(report(2, 1)), whose));
}
