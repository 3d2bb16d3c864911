#include <nn/delta/document.hpp>

#include <nn/delta/equations.hpp>
#include <nn/delta/matrix.hpp>
#include <nn/delta/tables.hpp>
#include <nn/delta/writer.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace nn {
namespace {

void require_range(const delta_format& format) {
  if (format.digits < 1 || format.digits > 17) {
    throw autodiff::domain_error("delta_format", fmt::format("{} digits", format.digits),
                                 "choose from 1 to 17: more than 17 no double has");
  }
  if (format.most_units == 0)
    throw autodiff::domain_error("delta_format", "most_units is 0", "show at least one unit");
}

using extents = std::pair<std::size_t, std::size_t>;

void require_extents(const matrix<double>& m, extents wanted, const std::string& what) {
  if (extents(m.rows, m.columns) == wanted && m.values.size() == m.rows * m.columns) return;
  throw autodiff::shape_error(
      "delta_format",
      fmt::format("{} [{}, {}] of {} values instead of [{}, {}]", what, m.rows, m.columns,
                  m.values.size(), wanted.first, wanted.second),
      "leave the matrices of a report as compare_deltas made them");
}

void require_extents(const compared& c, extents wanted, const std::string& what) {
  require_extents(c.formula, wanted, what + " by formula");
  require_extents(c.tape, wanted, what + " by tape");
  const largest_difference& worst = c.relative;
  if (c.formula.empty() || (worst.row < wanted.first && worst.column < wanted.second)) return;
  throw autodiff::shape_error(
      "delta_format",
      fmt::format("{} [{}, {}] with the largest difference at [{}, {}]", what, wanted.first,
                  wanted.second, worst.row, worst.column),
      "count rows and columns from 0");
}

/// Reports are plain structs, which anybody may fill.
void require_whole(const delta_report& report) {
  if (report.layers.empty()) {
    throw autodiff::shape_error("delta_format", "a report without layers",
                                "take the one that compare_deltas returns");
  }
  const std::size_t n = report.input.rows;
  if (n == 0) {
    throw autodiff::shape_error("delta_format", "a report without samples",
                                "give it at least one row of inputs");
  }
  require_extents(report.error, {1, 1}, "E");
  std::size_t inputs = report.input.columns;
  require_extents(report.input, {n, inputs}, "the inputs");
  for (std::size_t l = 0; l < report.layers.size(); ++l) {
    const delta_layer& layer = report.layers[l];
    const auto of_layer = [&](const char* what) {
      return fmt::format("{} of layer {}", what, l + 1);
    };
    const std::size_t outputs = layer.outputs;
    const bool biased = !layer.biases.empty();
    require_extents(layer.weights, {outputs, inputs}, of_layer("the weights"));
    if (biased) require_extents(layer.biases, {1, outputs}, of_layer("the biases"));
    require_extents(layer.a, {n, outputs}, of_layer("a"));
    require_extents(layer.z, {n, outputs}, of_layer("z"));
    require_extents(layer.delta, {n, outputs}, of_layer("delta"));
    require_extents(layer.dw, {outputs, inputs}, of_layer("dE/dW"));
    require_extents(layer.db, biased ? extents(1, outputs) : extents(0, 0), of_layer("dE/db"));
    inputs = outputs;
  }
  require_extents(report.target, {n, inputs}, "the targets");
  if (!report.output_factor.empty())
    require_extents(report.output_factor, {n, inputs}, "the factor of the output");
}

/// "3 units", "1 sample"
std::string counted(std::size_t n, const char* what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

/// "2 -> 3 tanh -> 2 identity"
std::string shape_of(const delta_report& report) {
  std::string text = std::to_string(report.input.columns);
  for (const delta_layer& layer : report.layers)
    text += fmt::format(" -> {} {}", layer.outputs, layer.activation);
  return text;
}

std::vector<const compared*> quantities_of(const delta_layer& layer) {
  return {&layer.a, &layer.z, &layer.delta, &layer.dw, &layer.db};
}

bool is_finite(const compared& c) {
  return std::all_of(c.tape.values.begin(), c.tape.values.end(),
                     [](double x) { return std::isfinite(x); });
}

std::string agreement(const delta_report& report) {
  double largest = report.error.relative.value;
  bool beyond = false;  // where sums cancel, and more is allowed
  for (const delta_layer& layer : report.layers) {
    for (const compared* c : quantities_of(layer)) {
      largest = std::max(largest, c->relative.value);
      beyond = beyond || c->relative.value > report.tolerance;
    }
  }
  if (largest == 0) return "Formula and tape agree in every bit.";
  return fmt::format(
      "Formula and tape agree: they differ by {:.2g} of the largest entry of a kind at most "
      "(tolerance {:.0e}{}).",
      largest, report.tolerance, beyond ? ", more where sums cancel" : "");
}

std::string verdict(const delta_report& report) {
  if (const auto first = report.first_disagreement())
    return "Formula and tape first disagree at " + to_string(*first) + '.';
  bool finite = is_finite(report.error);
  for (const delta_layer& layer : report.layers) {
    for (const compared* c : quantities_of(layer)) finite = finite && is_finite(*c);
  }
  return agreement(report) + (finite ? "" : " Not all of their numbers are finite.");
}

bool is_large(const delta_report& report, const delta_format& format) {
  return std::any_of(report.layers.begin(), report.layers.end(), [&](const delta_layer& layer) {
    return std::max(layer.inputs, layer.outputs) > format.most_units;
  });
}

/// Whether there are more weights, units or samples than are written out.
bool is_cut(const delta_report& report, const delta_format& format) {
  return is_large(report, format) ||
         std::any_of(report.layers.begin(), report.layers.end(), [&](const delta_layer& layer) {
           const std::size_t most = 2 * format.most_units;
           return std::max(layer.inputs, report.input.rows) * layer.outputs > most;
         });
}

line error_line(const delta_report& report) {
  line e;
  const std::string formula = fmt::format("{}", printable(report.error.formula(0, 0))),
                    tape = fmt::format("{}", printable(report.error.tape(0, 0)));
  e.symbol("E", "", "").words(" = ").number(formula);
  if (formula == tape) return e.words(" by the formula and by the tape.");
  return e.words(" by the formula, ").number(tape).words(" by the tape.");
}

/// (1, 2, ...) of the first sample
line vector_line(const char* letter, const matrix<double>& m, const delta_format& format) {
  line f;
  f.symbol(letter, "", "").sign("=").sign("(");
  for (std::size_t i = 0; i < std::min(m.columns, format.most_units); ++i) {
    if (i > 0) f.sign(",").turn();
    f.number(shown(m(0, i), format.digits));
  }
  if (m.columns > format.most_units) f.sign(",").sign("...");
  return f.sign(")");
}

part forward_part(const delta_report& report, const delta_format& format) {
  part p{.heading = "Forward pass"};
  p.blocks.emplace_back(
      line("Equations are numbered as in N. Santi, A Primer on Backpropagation with a Numerical "
           "Example (2025)."));
  p.blocks.emplace_back(line(report.input.rows == 1
                                 ? "From the input to the output, layer by layer:"
                                 : "Of the first sample, from the input to the output:"));
  p.blocks.emplace_back(
      equations{{vector_line("x", report.input, format), vector_line("t", report.target, format)}});
  for (std::size_t l = 0; l < report.layers.size(); ++l)
    p.blocks.emplace_back(forward_pass(report, l, format));
  return p;
}

part layer_part(const delta_report& report, std::size_t l, const delta_format& format) {
  const delta_layer& layer = report.layers[l];
  part p{.heading = layer.name, .state = "agrees"};
  for (const compared* c : quantities_of(layer)) p.agrees = p.agrees && agrees(*c);
  if (!p.agrees) p.state = "differs";
  if (report.input.rows > 1)
    p.blocks.emplace_back(line("Deltas of the first sample; sums over n are over all samples."));
  if (const equations e = deltas(report, l, format); !e.lines.empty())
    p.blocks.emplace_back(e);
  else
    p.blocks.emplace_back(
        line("The delta is not written out: no formula of the textbook has this "
             "activation or loss."));
  p.blocks.emplace_back(gradients(report, l, format));
  for (table& t : tables_of(report, l, format)) p.blocks.emplace_back(std::move(t));
  return p;
}

/// All that comes from outside, as text that any writer may escape.
delta_report cleaned(delta_report report) {
  for (std::string* text : {&report.number_type, &report.loss, &report.remark})
    *text = clean(*text);
  for (delta_layer& layer : report.layers) {
    layer.name = clean(layer.name);
    layer.activation = clean(layer.activation);
  }
  return report;
}

}  // namespace

delta_document document_of(const delta_report& untrusted, const delta_format& format) {
  require_range(format);
  require_whole(untrusted);
  const delta_report report = cleaned(untrusted);
  delta_document d;
  d.title = "Backpropagation by formula and by tape";
  d.verdict = verdict(report);
  d.agrees = report.agrees();
  d.opening.emplace_back(
      line(fmt::format("Network {} in {}, loss {}, {}.", shape_of(report), report.number_type,
                       report.loss, counted(report.input.rows, "sample"))));
  if (!report.remark.empty()) d.opening.emplace_back(line(report.remark));
  d.opening.emplace_back(error_line(report));
  d.opening.emplace_back(summary(report));
  if (is_cut(report, format)) {
    d.opening.emplace_back(line(fmt::format(
        "Of large layers the first {} and {} are written out, and longer tables are cut in the "
        "middle; the largest difference is always shown.",
        counted(format.most_units, "unit"), counted(2 * format.most_units, "weight"))));
  }
  d.parts.push_back(forward_part(report, format));
  for (std::size_t l = report.layers.size(); l-- > 0;)
    d.parts.push_back(layer_part(report, l, format));
  const bool all_short = !is_large(report, format) && report.layers.size() <= 3;
  for (part& p : d.parts) p.is_short = all_short;
  return d;
}

}  // namespace nn
