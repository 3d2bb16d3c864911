#pragma once
// A delta report to read: as text for a terminal, Markdown, LaTeX, or a page of HTML. All four say
// the same: whether formula and tape agree and, if not, where they first part; then every layer,
// the numbers of both sides next to each other and, but for the text, the formulas with the numbers
// put in. Names are escaped, so that a layer may be called anything.

#include <nn/delta/report.hpp>

#include <autodiff/stream_formatter.hpp>

#include <cstddef>
#include <iosfwd>
#include <string>

namespace nn {

struct delta_format {
  /// Significant digits, 1 to 17. Numbers that disagree get as many as it takes to tell them apart.
  int digits = 6;
  /// Formulas are written out for so many units of a layer, sums to so many terms. Tables longer
  /// than twice that are cut in the middle, where the worst entry stays.
  std::size_t most_units = 6;
};

/// Tables for a terminal, aligned, without colour.
/// All four throw domain_error for digits outside 1 to 17 and for no units at all, shape_error for
/// a report whose matrices do not fit each other.
std::string to_string(const delta_report& report, const delta_format& format = {});
/// Tables and formulas as GitHub renders them.
std::string to_markdown(const delta_report& report, const delta_format& format = {});
/// A document for pdflatex with amsmath, booktabs and geometry.
std::string to_latex(const delta_report& report, const delta_format& format = {});
/// A page that needs no other file and no network; well-formed XML as well.
std::string to_html(const delta_report& report, const delta_format& format = {});

std::ostream& operator<<(std::ostream& out, const delta_report& report);

}  // namespace nn

template <>
struct fmt::formatter<nn::delta_report> : autodiff::stream_formatter {};
