#include <nn/delta/equations.hpp>

#include <nn/delta/activations.hpp>
#include <nn/delta/writer.hpp>

#include <algorithm>
#include <utility>

namespace nn {
namespace {

using textbook::activation;

class writer : layer_writer {
 public:
  using layer_writer::layer_writer;
  equations forward() const;
  equations gradients() const;
};

equations writer::forward() const {
  equations all;
  const numbers x = row_of(inputs(), 0);
  for (std::size_t k = 0; k < std::min(layer_.outputs, format_.most_units); ++k) {
    line f;
    f.symbol("a", name(), unit(k)).sign("=");
    double a = put_products(f, row_of(layer_.weights, k), x);
    if (!layer_.biases.empty()) {
      put_factor(f.turn().sign("+"), layer_.biases(0, k));
      a += layer_.biases(0, k);
    }
    put_value(f, a, layer_.a, k);
    all.lines.push_back(std::move(f));
  }
  for (std::size_t k = 0; k < std::min(layer_.outputs, format_.most_units); ++k) {
    line f;
    f.symbol("z", name(), unit(k)).sign("=");
    if (h_ == activation::identity) {
      f.symbol("a", name(), unit(k));
    } else if (h_ && textbook::couples_units(*h_)) {
      f.function(layer_.activation, unit(k)).sign("(").symbol("a", name(), "").sign(")");
    } else {
      put_bracketed(f.function(layer_.activation), a_[k]);
    }
    const double z = h_ ? textbook::activate(*h_, as_row(a_))(0, k) : z_[k];
    put_value(f, z, layer_.z, k);
    all.lines.push_back(std::move(f));
  }
  return all;
}

equations writer::gradients() const {
  equations all;
  line general;
  general.derivative("w", name(), "k,m").sign("=");
  if (samples_ > 1) general.sum("n");
  general.symbol("delta", name(), "k").symbol("z", below(), "m").tag("(1), (6)");
  all.lines.push_back(std::move(general));

  const std::size_t width = inputs().columns, most = 2 * format_.most_units;
  for (std::size_t i = 0; i < std::min(layer_.outputs * width, most); ++i) {
    const std::size_t k = i / width, m = i % width;
    line f;
    f.derivative("w", name(), units(k, m)).sign("=");
    const double sum = put_products(f, column_of(layer_.delta.formula, k), column_of(inputs(), m));
    put_value(f, sum, layer_.dw, i);
    all.lines.push_back(std::move(f));
  }
  if (layer_.db.formula.empty()) return all;
  for (std::size_t k = 0; k < std::min(layer_.outputs, format_.most_units); ++k) {
    line f;
    f.derivative("b", name(), unit(k)).sign("=");
    if (samples_ > 1) f.sum("n");
    f.symbol("delta", name(), unit(k));
    double sum = 0;
    for (const double x : column_of(layer_.delta.formula, k)) sum += x;
    put_value(f, sum, layer_.db, k);
    all.lines.push_back(std::move(f));
  }
  return all;
}

}  // namespace

equations forward_pass(const delta_report& report, std::size_t l, const delta_format& format) {
  return writer(report, l, format).forward();
}
equations gradients(const delta_report& report, std::size_t l, const delta_format& format) {
  return writer(report, l, format).gradients();
}

}  // namespace nn
