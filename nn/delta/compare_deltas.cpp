#include <nn/delta/compare_deltas.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>

#include <nn/delta/difference.hpp>
#include <nn/network/step.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <utility>

namespace nn {
namespace {

using autodiff::tensor;

/// [n, k] as it is, [k] as one row.
template <class T>
matrix<T> rows_of(const tensor<T>& x) {
  const auto values = x.values();
  const std::size_t columns = x.rank() == 0 ? 1 : x.shape()[x.rank() - 1];
  return {columns == 0 ? 0 : values.size() / columns, columns, {values.begin(), values.end()}};
}

template <class T>
matrix<T> transposed(const matrix<T>& m) {
  matrix<T> turned(m.columns, m.rows);
  for (std::size_t i = 0; i < m.rows; ++i) {
    for (std::size_t j = 0; j < m.columns; ++j) turned(j, i) = m(i, j);
  }
  return turned;
}

template <class T>
matrix<T> one_row(const std::vector<T>& values) {
  return values.empty() ? matrix<T>() : matrix<T>(1, values.size(), values);
}

/// The textbook has dense layers alone.
template <class T>
const dense_layer<T>& dense_of(const network<T>& net, std::size_t l) {
  if (const auto* d = net.layers()[l].template get_if<dense_layer<T>>()) return *d;
  throw autodiff::domain_error(
      "compare_deltas",
      fmt::format("layer {} is {}", l + 1, to_string(net.layers()[l].description())),
      "compare a network of dense layers: the textbook has no formulas for others");
}

/// What the tape says, in the textbook's layout.
template <class T>
textbook::backpropagation<T> by_tape(const network<T>& net, const tensor<T>& x, const tensor<T>& t,
                                     const loss& e) {
  network<T> own = net;  // which may be on its way through another tape
  own.parameters([](tensor<T>& p) { p.detach(); });
  autodiff::tape tape;
  const recorded_parameters recorded(own, tape);
  std::vector<tensor<T>> a, z;
  for (std::size_t l = 0; l < own.layers().size(); ++l) {
    const dense_layer<T>& layer = dense_of(own, l);
    a.push_back(layer.preactivation(z.empty() ? x : z.back()));
    z.push_back(layer.activation()(a.back()));
  }
  const tensor<T> error = e(z.back(), t);
  tape.backward(error);

  textbook::backpropagation<T> b;
  b.error = error.item();
  for (std::size_t l = 0; l < a.size(); ++l) {
    const dense_layer<T>& layer = dense_of(own, l);
    b.a.push_back(rows_of(a[l]));
    b.z.push_back(rows_of(z[l]));
    b.delta.push_back(rows_of(tape.adjoint(a[l])));
    b.dw.push_back(transposed(rows_of(tape.adjoint(layer.weights))));
    b.db.emplace_back();
    if (layer.has_bias()) b.db.back() = rows_of(tape.adjoint(layer.bias)).values;
  }
  return b;
}

template <class T>
void require_fit(const network<T>& net, const tensor<T>& x, const tensor<T>& t) {
  const autodiff::shape &inputs = x.shape(), &targets = t.shape();
  const std::size_t rank = inputs.rank();
  const bool fits = (rank == 1 || rank == 2) && inputs[rank - 1] == net.inputs() && x.size() > 0 &&
                    targets.rank() == rank && targets[rank - 1] == net.outputs() &&
                    targets[0] == (rank == 2 ? inputs[0] : net.outputs());
  if (fits) return;
  throw autodiff::shape_error(
      "compare_deltas",
      fmt::format("inputs {} and targets {} for a network from {} to {} numbers",
                  autodiff::to_string(inputs), autodiff::to_string(targets), net.inputs(),
                  net.outputs()),
      fmt::format("give inputs [n, {0}] and targets [n, {1}], or [{0}] and [{1}]; class labels "
                  "become rows with one_hot",
                  net.inputs(), net.outputs()));
}

void require_tolerance(double tolerance) {
  if (tolerance >= 0) return;
  throw autodiff::domain_error("compare_deltas", fmt::format("a tolerance of {}", tolerance),
                               "give it 0 (every bit) or more");
}

[[noreturn]] void refuse_unknown(const std::string& what) {
  throw autodiff::domain_error("compare_deltas",
                               fmt::format("the textbook has no formula for {}", what),
                               "pass formulas of your own as the fifth argument");
}

template <class T>
void require_known(const network<T>& net, const loss& e) {
  for (std::size_t l = 0; l < net.layers().size(); ++l) {
    const std::string_view name = dense_of(net, l).activation().name;
    if (!textbook::activation_of(name))
      refuse_unknown(fmt::format("the activation {} of layer {}", name, l + 1));
  }
  if (!textbook::loss_of(e.name)) refuse_unknown(fmt::format("the loss {}", e.name));
}

[[noreturn]] void refuse_formulas(const std::string& happened) {
  throw autodiff::shape_error("compare_deltas", "the formulas gave " + happened,
                              "textbook::backpropagation says what they are to fill");
}

template <class T>
void require_shape(const char* what, std::size_t layer, const std::vector<matrix<T>>& formulas,
                   const std::vector<matrix<T>>& tape) {
  if (formulas.size() != tape.size())
    refuse_formulas(fmt::format("{} for {} of {} layers", what, formulas.size(), tape.size()));
  const matrix<T>&m = formulas[layer], &wanted = tape[layer];
  if (m.rows != wanted.rows || m.columns != wanted.columns || m.size() != wanted.size()) {
    refuse_formulas(fmt::format("{} of layer {} as [{}, {}] instead of [{}, {}]", what, layer + 1,
                                m.rows, m.columns, wanted.rows, wanted.columns));
  }
}

template <class T>
void require_shapes(const textbook::backpropagation<T>& formulas,
                    const textbook::backpropagation<T>& tape) {
  if (formulas.db.size() != tape.db.size())
    refuse_formulas(fmt::format("db for {} of {} layers", formulas.db.size(), tape.db.size()));
  for (std::size_t l = 0; l < tape.a.size(); ++l) {
    require_shape("a", l, formulas.a, tape.a);
    require_shape("z", l, formulas.z, tape.z);
    require_shape("delta", l, formulas.delta, tape.delta);
    require_shape("dw", l, formulas.dw, tape.dw);
    const std::size_t count = formulas.db[l].size(), wanted = tape.db[l].size();
    if (count != wanted)
      refuse_formulas(fmt::format("{} db for the {} biases of layer {}", count, wanted, l + 1));
  }
}

bool all_finite(const matrix<double>& m) {
  return std::all_of(m.values.begin(), m.values.end(), [](double x) { return std::isfinite(x); });
}

/// Says so where the chain rule, link by link, meets log 0 that the formula has cancelled.
void remark_on_probabilities(delta_report& report) {
  const bool binary =
      report.loss == to_string(textbook::loss::binary_cross_entropy_of_probabilities);
  const bool of_classes = report.loss == to_string(textbook::loss::cross_entropy_of_probabilities);
  const delta_layer& last = report.layers.back();
  if (!(binary || of_classes) || !all_finite(last.delta.formula) || all_finite(last.delta.tape))
    return;
  report.remark = fmt::format(
      "An output is rounded to 0 or 1, where the slope of {} is infinite: the tape has no delta, "
      "the formula has cancelled the activation before. End the network with identity and use {}: "
      "then both have it.",
      report.loss, binary ? "binary_cross_entropy" : "softmax_cross_entropy");
}

/// Says so where the formulas took dE/dy for the delta of an output with an activation.
template <class T>
void remark_on_output(const network<T>& net, delta_report& report) {
  const auto h = textbook::activation_of(dense_of(net, net.layers().size() - 1).activation().name);
  const auto e = textbook::loss_of(report.loss);
  const bool squared =
      e == textbook::loss::half_squared_error || e == textbook::loss::mean_squared_error;
  const delta_layer& last = report.layers.back();
  if (!squared || !h || h == textbook::activation::identity || textbook::couples_units(*h) ||
      last.delta.relative.value <= last.delta.allowed) {
    return;
  }
  const matrix<double> slopes = textbook::error_slope(*e, last.z.tape, report.target);
  if (compare(last.delta.formula, slopes).relative.value > report.tolerance) return;
  const matrix<double> one(slopes.rows, slopes.columns, 1.0);
  report.output_factor = textbook::through_activation(*h, last.a.tape, last.z.tape, one);
  report.remark = fmt::format(
      "The formula takes dE/dy for the delta of the output, as for a unit without activation. "
      "Under {} the delta of a {} unit has the factor h'(a){} beside it.{}",
      report.loss, textbook::to_string(*h),
      h == textbook::activation::sigmoid ? " = f (1 - f), f being its output," : "",
      h == textbook::activation::sigmoid
          ? " It cancels only under the cross-entropy (binary_cross_entropy_of_probabilities)."
          : "");
}

template <class T>
delta_report side_by_side(const network<T>& net, const textbook::backpropagation<T>& formula,
                          const textbook::backpropagation<T>& tape,
                          std::span<const textbook::layer<T>> layers) {
  delta_report report;
  report.number_type = std::same_as<T, float> ? "float" : "double";
  report.error = compare(matrix<T>(1, 1, formula.error), matrix<T>(1, 1, tape.error));
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const dense_layer<T>& layer = dense_of(net, l);
    const std::string activation(layer.activation().name);
    report.layers.push_back(
        {fmt::format("layer {}: {} -> {} {}", l + 1, layer.inputs(), layer.outputs(), activation),
         layer.inputs(), layer.outputs(), activation, as_double(layers[l].weights),
         as_double(one_row(layers[l].biases)), compare(formula.a[l], tape.a[l]),
         compare(formula.z[l], tape.z[l]), compare(formula.delta[l], tape.delta[l]),
         compare(formula.dw[l], tape.dw[l]), compare(one_row(formula.db[l]), one_row(tape.db[l]))});
  }
  return report;
}

}  // namespace

template <class T>
std::vector<textbook::layer<T>> textbook_layers(const network<T>& net) {
  std::vector<textbook::layer<T>> layers;
  for (std::size_t l = 0; l < net.layers().size(); ++l) {
    const dense_layer<T>& layer = dense_of(net, l);
    const auto biases = layer.bias.values();
    layers.push_back({transposed(rows_of(layer.weights)),
                      {biases.begin(), biases.end()},
                      textbook::activation_of(layer.activation().name)
                          .value_or(textbook::activation::identity)});
  }
  return layers;
}

template <class T>
delta_report compare_deltas(const network<T>& net, const tensor<T>& x, const tensor<T>& t,
                            const loss& e, double tolerance) {
  require_known(net, e);
  const textbook::loss known = *textbook::loss_of(e.name);
  return compare_deltas<T>(
      net, x, t, e,
      [known](std::span<const textbook::layer<T>> layers, const matrix<T>& inputs,
              const matrix<T>& targets) {
        return textbook::backpropagate(layers, inputs, targets, known);
      },
      tolerance);
}

template <class T>
delta_report compare_deltas(const network<T>& net, const tensor<T>& x, const tensor<T>& t,
                            const loss& e, const std::type_identity_t<delta_formulas<T>>& formulas,
                            double tolerance) {
  require_fit(net, x, t);
  require_tolerance(tolerance);
  if (!formulas) {
    throw autodiff::domain_error("compare_deltas", "no formulas in the function given",
                                 "pass a function, or leave the argument out");
  }
  const std::vector<textbook::layer<T>> layers = textbook_layers(net);
  const textbook::backpropagation<T> formula = formulas(layers, rows_of(x), rows_of(t)),
                                     tape = by_tape(net, x.detached(), t.detached(), e);
  require_shapes(formula, tape);
  delta_report report = side_by_side<T>(net, formula, tape, layers);
  report.loss = e.name;
  report.tolerance = tolerance;
  report.input = as_double(rows_of(x));
  report.target = as_double(rows_of(t));
  allow_for_rounding<T>(report, layers, rows_of(x), rows_of(t));
  remark_on_output(net, report);
  remark_on_probabilities(report);
  return report;
}

#define INSTANTIATE(T)                                                                        \
  template std::vector<textbook::layer<T>> textbook_layers(const network<T>&);                \
  template delta_report compare_deltas(const network<T>&, const tensor<T>&, const tensor<T>&, \
                                       const loss&, double);                                  \
  template delta_report compare_deltas(const network<T>&, const tensor<T>&, const tensor<T>&, \
                                       const loss&,                                           \
                                       const std::type_identity_t<delta_formulas<T>>&, double);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
