// Reports of deltas in Markdown, LaTeX and HTML: that other programs can read them, whatever names
// they hold.

#include <tests/catch.hpp>
#include <tests/nn/delta_reports.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <nn/delta/compare_deltas.hpp>
#include <nn/delta/format.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using namespace delta_reports;
using reference::says;

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
  CHECK(pdflatex(nn::to_latex(primer_with_odd_numbers())) == "accepted");
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
