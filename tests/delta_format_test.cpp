// Reports of deltas in text, Markdown, LaTeX and HTML: what every form has to show, and that other
// programs can read it.

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <nn/activation.hpp>
#include <nn/compare_deltas.hpp>
#include <nn/delta.hpp>
#include <nn/delta_format.hpp>
#include <nn/loss.hpp>
#include <nn/network.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using autodiff::shape, autodiff::tensor;
using reference::says;
namespace textbook = nn::textbook;

nn::network<double> primer_network() {
  nn::network<double> net(
      2, {nn::dense(3, nn::tanh, nn::bias::without), nn::dense(2, nn::identity, nn::bias::without)},
      nn::seed{1});
  net.layers()[0].dense().weights = tensor<double>({{0.1, 0.3, 0.5}, {0.2, 0.4, 0.6}});
  net.layers()[1].dense().weights = tensor<double>({{0.1, 0.4}, {0.2, 0.5}, {0.3, 0.6}});
  return net;
}

nn::delta_report primer() {
  return nn::compare_deltas(primer_network(), tensor<double>({1.0, 2.0}),
                            tensor<double>({1.0, 1.15}), nn::half_squared_error);
}

/// The primer with one entry of one delta, and nothing else, off by this factor.
nn::delta_report primer_with_a_slip(double factor) {
  return nn::compare_deltas(primer_network(), tensor<double>({1.0, 2.0}),
                            tensor<double>({1.0, 1.15}), nn::half_squared_error,
                            [factor](std::span<const textbook::layer<double>> layers,
                                     const nn::matrix<double>& x, const nn::matrix<double>& t) {
                              auto b = textbook::backpropagate(layers, x, t,
                                                               textbook::loss::half_squared_error);
                              b.delta[0](0, 2) *= factor;
                              return b;
                            });
}

template <class T>
nn::delta_report drawn_report(std::size_t inputs, const std::vector<nn::dense>& layers,
                              std::size_t batch, const nn::loss& e) {
  const nn::network<T> net(inputs, layers, nn::seed{5});
  reference::random random(17);
  const auto drawn = [&](std::size_t columns, double from, double to) {
    const std::vector<T> values = random.uniform<T>(batch * columns, from, to);
    return tensor<T>(shape{batch, columns}, std::span<const T>(values));
  };
  const tensor<T> x = drawn(inputs, -1, 1), t = drawn(net.outputs(), 0.05, 0.95);
  return nn::compare_deltas(net, x, t, e);
}

std::vector<std::string> all_forms(const nn::delta_report& report,
                                   const nn::delta_format& format = {}) {
  return {nn::to_string(report, format), nn::to_markdown(report, format),
          nn::to_latex(report, format), nn::to_html(report, format)};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size()))
    ++found;
  return found;
}

/// HTML with a hyphen for each minus sign.
std::string with_hyphens(std::string text) {
  for (std::size_t at; (at = text.find("\u2212")) != std::string::npos;) text.replace(at, 3, "-");
  return text;
}

/// False, with the reason printed, where the program is missing.
bool is_here(const std::string& program, const char* package) {
  if (std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0) return true;
  WARN("skipped: " << program << " is not installed (apt-get install " << package << ")");
  return false;
}

/// The same for pdflatex and the packages that a report asks for.
bool latex_is_here() {
  if (!is_here("pdflatex", "texlive-latex-recommended")) return false;
  const bool complete =
      std::system("kpsewhich amsmath.sty booktabs.sty geometry.sty >/dev/null 2>&1") == 0;
  if (!complete) {
    WARN(
        "skipped: pdflatex is here without amsmath, booktabs or geometry "
        "(apt-get install texlive-latex-recommended)");
  }
  return complete;
}

/// "accepted", or what the program says about the text, in a file of this name.
std::string verdict(const std::string& text, const std::string& name, const std::string& command) {
  const temporary_folder folder;
  std::ofstream(folder / name) << text;
  const std::string in_folder = "cd '" + folder.path().string() + "' && " + command + " >log 2>&1";
  if (std::system(in_folder.c_str()) == 0) return "accepted";
  std::ifstream log(folder / "log");
  return {std::istreambuf_iterator<char>(log), {}};
}

std::string pdflatex(const std::string& document) {
  return verdict(document, "report.tex",
                 "pdflatex -interaction=nonstopmode -halt-on-error report.tex");
}
std::string xml_parser(const std::string& page) {
  return verdict(page, "report.html",
                 "python3 -c \"import xml.dom.minidom as d; d.parse('report.html')\"");
}

/// A report whose every text is this name.
nn::delta_report named(const std::string& name) {
  nn::delta_report report = primer();
  report.loss = report.remark = report.number_type = name;
  for (nn::delta_layer& layer : report.layers) layer.name = layer.activation = name;
  return report;
}

const std::string hostile =
    "</details><script>alert('1')</script>\"&amp;|\n\n# $\\end{document}$ \\input{/etc/passwd} "
    "100% _a_ ^~ {} `b` **c** \x1b[31m \xff \u5C42 \u202E ``` <!-- ]]> \\\\";

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

TEST_CASE("Markdown tables have a rule under the head and no row with more cells than that") {
  for (const auto& report : {primer_with_a_slip(2), named(hostile)}) {
    const auto lines = lines_of(nn::to_markdown(report));
    std::size_t tables = 0;
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
      const bool head = lines[i].starts_with("| ") && (i == 0 || !lines[i - 1].starts_with("|"));
      if (!head) continue;
      ++tables;
      INFO(lines[i] << "\n" << lines[i + 1]);
      CHECK(lines[i - 1].empty());
      CHECK(lines[i + 1].find_first_not_of("|-: ") == std::string::npos);
      const std::size_t cells = count(lines[i + 1], "|");
      CHECK(count(lines[i], "|") == cells);
      for (std::size_t r = i + 2; r < lines.size() && lines[r].starts_with("|"); ++r)
        CHECK(count(lines[r], "|") <= cells);
    }
    CHECK(tables == 5);
  }
}

TEST_CASE("the LaTeX of a report compiles") {
  if (!latex_is_here()) return;
  CHECK(pdflatex(nn::to_latex(primer())) == "accepted");
  CHECK(pdflatex(nn::to_latex(primer_with_a_slip(1.5), {.digits = 17})) == "accepted");
  CHECK(pdflatex(nn::to_latex(named(hostile))) == "accepted");
  CHECK(pdflatex(nn::to_latex(named("Gr\u00F6\u00DFe \u00D0 ?` --- \u0416"))) == "accepted");
  CHECK(pdflatex(nn::to_latex(
            drawn_report<float>(40, {nn::dense(30, nn::relu), nn::dense(10, nn::softmax)}, 4,
                                nn::mean_squared_error))) == "accepted");
}

TEST_CASE("the HTML of a report is well-formed and asks for nothing") {
  const std::string page = nn::to_html(primer_with_a_slip(1.5));
  CHECK_FALSE(says(page, "http:"));
  CHECK_FALSE(says(page, "https:"));
  CHECK_FALSE(says(page, "<script"));
  CHECK_FALSE(says(page, "src="));
  CHECK(says(page, "prefers-color-scheme: dark", "position: sticky", "<details", "lang=\"en\""));
  if (!is_here("python3", "python3")) return;
  CHECK(xml_parser(page) == "accepted");
  CHECK(xml_parser(nn::to_html(named(hostile))) == "accepted");
  CHECK(xml_parser(nn::to_html(
            drawn_report<double>(40, {nn::dense(30, nn::relu), nn::dense(10, nn::softmax)}, 4,
                                 nn::mean_squared_error))) == "accepted");
}

TEST_CASE("names from outside stay text in every form") {
  const nn::delta_report report = named(hostile);
  for (const std::string& text : all_forms(report)) {
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\xff') == std::string::npos);
    CHECK(text.find("\u202E") == std::string::npos);
  }
  CHECK_FALSE(says(nn::to_html(report), "<script"));
  CHECK_FALSE(says(nn::to_html(report), "</details><"));
  CHECK(count(nn::to_latex(report), "\\end{document}") == 1);
  CHECK_FALSE(says(nn::to_latex(report), "\\input"));
  const std::string markdown = nn::to_markdown(report);
  CHECK(count(markdown, "<") == count(markdown, "\\<"));
  CHECK_FALSE(says(markdown, "**c**"));
  for (const std::string& line : lines_of(markdown)) {
    if (line.starts_with("```")) CHECK((line == "```" || line == "```math"));
  }
}

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
  nn::delta_report report = primer();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  report.layers[0].delta.formula(0, 1) = nan;
  report.layers[0].delta.relative = {infinity, 0, 1};
  report.layers[1].dw.formula(0, 0) = report.layers[1].dw.tape(0, 0) = -infinity;
  report.layers[1].weights(0, 0) = infinity;
  const std::string text = nn::to_string(report);
  CHECK(says(text, "nan", "-inf", "<- differs most", "layer 1, delta, sample 1, unit 2"));
  CHECK(says(with_hyphens(nn::to_html(report)), "NaN", "-\u221E"));
  CHECK(says(nn::to_latex(report), "\\mathrm{NaN}", "\\infty"));
  CHECK(says(nn::to_markdown(report), "| nan |", "| -inf |"));
  if (latex_is_here()) CHECK(pdflatex(nn::to_latex(report)) == "accepted");
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

TEST_CASE("a report whose matrices do not fit each other is refused with both shapes") {
  using reference::message;
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
  using reference::message;
  for (const int digits : {0, -1, 18}) {
    const std::string text =
        message<autodiff::domain_error>([&] { nn::to_latex(primer(), {.digits = digits}); });
    CHECK(says(text, "delta_format", std::to_string(digits) + " digits", "from 1 to 17"));
  }
  const std::string text =
      message<autodiff::domain_error>([] { nn::to_string(primer(), {.most_units = 0}); });
  CHECK(says(text, "delta_format", "most_units is 0", "at least one"));
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
