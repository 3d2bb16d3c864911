#include <nn/delta_document.hpp>

#include <nn/delta_equations.hpp>
#include <nn/delta_tables.hpp>
#include <nn/delta_writer.hpp>
#include <nn/matrix.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
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

/// A report need not come from compare_deltas.
void require_whole(const delta_report& report) {
  const auto refuse = [](const std::string& what) {
    throw autodiff::shape_error("delta_format", what,
                                "fill every matrix of the report, as compare_deltas does");
  };
  const auto require = [&](const matrix<double>& m, std::size_t rows, std::size_t columns,
                           const std::string& what) {
    if (m.rows == rows && m.columns == columns && m.size() == rows * columns) return;
    refuse(fmt::format("{} [{}, {}] instead of [{}, {}]", what, m.rows, m.columns, rows, columns));
  };
  const auto require_both = [&](const compared& c, std::size_t rows, std::size_t columns,
                                const std::string& what) {
    require(c.formula, rows, columns, what + " by the formula");
    require(c.tape, rows, columns, what + " by the tape");
    if (c.relative.row >= rows || c.relative.column >= columns)
      refuse(what + " with its largest difference outside");
  };
  const std::size_t samples = report.input.rows;
  std::size_t inputs = report.input.columns;
  if (report.layers.empty()) refuse("a report without layers");
  if (samples == 0) refuse("a report without samples");
  require(report.input, samples, inputs, "input");
  require_both(report.error, 1, 1, "E");
  for (std::size_t l = 0; l < report.layers.size(); ++l) {
    const delta_layer& layer = report.layers[l];
    const std::string name = fmt::format("layer {}: ", l + 1);
    const std::size_t units = layer.outputs;
    if (layer.inputs != inputs || inputs == 0 || units == 0)
      refuse(
          fmt::format("{}{} inputs from {} outputs, {} units", name, layer.inputs, inputs, units));
    require(layer.weights, units, inputs, name + "weights");
    require_both(layer.a, samples, units, name + "a");
    require_both(layer.z, samples, units, name + "z");
    require_both(layer.delta, samples, units, name + "delta");
    require_both(layer.dw, units, inputs, name + "dE/dW");
    const bool learns = !layer.db.formula.empty();
    if (learns || !layer.biases.empty()) require(layer.biases, 1, units, name + "biases");
    if (learns) require_both(layer.db, 1, units, name + "dE/db");
    inputs = units;
  }
  require(report.target, samples, inputs, "target");
  if (!report.output_factor.empty())
    require(report.output_factor, samples, inputs, "output_factor");
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
