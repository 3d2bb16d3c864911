#include <nn/delta_equations.hpp>

#include <nn/delta.hpp>
#include <nn/delta_functions.hpp>
#include <nn/matrix.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

namespace nn {
namespace {

using textbook::activation, textbook::loss;
using numbers = std::vector<double>;

std::string unit(std::size_t k) { return std::to_string(k + 1); }
std::string units(std::size_t k, std::size_t m) { return unit(k) + ',' + unit(m); }

numbers row_of(const matrix<double>& m, std::size_t i) {
  const auto first = m.values.begin() + static_cast<std::ptrdiff_t>(i * m.columns);
  return {first, first + static_cast<std::ptrdiff_t>(m.columns)};
}
matrix<double> as_row(const numbers& x) { return matrix<double>(1, x.size(), x); }

/// One layer of a report, of its first sample, and what its formulas are written with.
class writer {
 public:
  writer(const delta_report& report, std::size_t l, const delta_format& format)
      : report_(report),
        l_(l),
        layer_(report.layers[l]),
        format_(format),
        h_(textbook::activation_of(layer_.activation)),
        a_(row_of(layer_.a.formula, 0)),
        z_(row_of(layer_.z.formula, 0)),
        samples_(report.input.rows) {}

  equations forward() const;
  equations deltas() const;
  equations gradients() const;

 private:
  bool is_last() const { return l_ + 1 == report_.layers.size(); }
  std::string name() const { return unit(l_); }
  std::string below() const { return std::to_string(l_); }
  std::string above() const { return unit(l_ + 1); }
  const matrix<double>& inputs() const {
    return l_ == 0 ? report_.input : report_.layers[l_ - 1].z.formula;
  }

  line& put(line& f, double x) const { return f.number(shown(x, format_.digits)); }
  line& put_bracketed(line& f, double x) const { return put(f.sign("("), x).sign(")"); }
  /// A factor that stands after another one or after a sign.
  line& put_factor(line& f, double x) const {
    return std::signbit(x) ? put_bracketed(f, x) : put(f, x);
  }
  /// u_0(v_0) + u_1(v_1) + ..., and what all of it comes to.
  double put_products(line& f, const numbers& u, const numbers& v) const;
  /// "= value", and what the report has instead where that is something else.
  void put_value(line& f, double value, const compared& c, std::size_t i) const;
  /// h'(0.5)
  void put_slope(line& f, std::size_t k) const;
  double slope(std::size_t k) const;

  line hidden_delta(std::size_t m) const;
  line output_delta(std::size_t k) const;
  void put_difference(line& f, loss e, double p, std::size_t k) const;
  std::optional<double> class_weight(loss e) const;
  void put_count(line& f, loss e) const;
  void put_symbolic_slope(line& f, loss e) const;
  void put_error_slope(line& f, loss e, std::size_t k, double value) const;
  line softmax_delta(std::size_t k, const numbers& de_dz) const;
  bool cancels() const;
  line general_delta() const;

  const delta_report& report_;
  std::size_t l_;
  const delta_layer& layer_;
  const delta_format& format_;
  std::optional<activation> h_;
  numbers a_, z_;
  std::size_t samples_;
};

double writer::put_products(line& f, const numbers& u, const numbers& v) const {
  double sum = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    sum += u[i] * v[i];
    if (i < format_.most_units) {
      if (i > 0) f.turn().sign("+");
      i > 0 ? put_factor(f, u[i]) : put(f, u[i]);
      put_bracketed(f, v[i]);
    } else if (i == format_.most_units) {
      f.turn().sign("+").sign("...");
    }
  }
  return sum;
}

void writer::put_value(line& f, double value, const compared& c, std::size_t i) const {
  put(f.turn().sign("="), value);
  double scale = 0;
  for (const double x : c.formula.values) {
    if (std::isfinite(x)) scale = std::max(scale, std::abs(x));
  }
  const double given = c.formula.values[i];
  if (given == value || (std::isnan(given) && std::isnan(value))) return;
  // The sum was taken in another order and perhaps in another number type.
  if (std::abs(given - value) <= c.allowed * scale) return;
  put(f.words(", ").turn().words("where the function compared gave "), given);
}

void writer::put_slope(line& f, std::size_t k) const {
  put_bracketed(f.slope(layer_.activation), a_[k]);
}

double writer::slope(std::size_t k) const {
  return textbook::through_activation(*h_, as_row({a_[k]}), as_row({z_[k]}), as_row({1.0}))(0, 0);
}

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
    } else if (h_ == activation::softmax) {
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

line writer::softmax_delta(std::size_t k, const numbers& de_dz) const {
  // z_k (dE/dz_k - sum_j z_j dE/dz_j)
  line f;
  f.symbol("delta", name(), unit(k)).sign("=").symbol("z", name(), unit(k)).sign("[");
  f.derivative("z", name(), unit(k)).sign("-").sum("j").symbol("z", name(), "j");
  f.derivative("z", name(), "j").sign("]").turn().sign("=");
  double mean = 0;
  for (std::size_t j = 0; j < z_.size(); ++j) mean += z_[j] * de_dz[j];
  put(f, z_[k]).sign("[");
  put(f, de_dz[k]).sign("-");
  put_factor(f, mean).sign("]");
  put_value(f, z_[k] * (de_dz[k] - mean), layer_.delta, k);
  return f;
}

line writer::hidden_delta(std::size_t m) const {
  const delta_layer& above_layer = report_.layers[l_ + 1];
  const numbers delta = row_of(above_layer.delta.formula, 0);
  const auto column = [&](std::size_t i) {
    numbers w(delta.size());
    for (std::size_t k = 0; k < w.size(); ++k) w[k] = above_layer.weights(k, i);
    return w;
  };
  const auto through_weights = [&](std::size_t i) {
    const numbers w = column(i);
    double sum = 0;
    for (std::size_t k = 0; k < w.size(); ++k) sum += w[k] * delta[k];
    return sum;
  };
  if (h_ == activation::softmax) {
    numbers de_dz(z_.size());
    for (std::size_t i = 0; i < de_dz.size(); ++i) de_dz[i] = through_weights(i);
    return softmax_delta(m, de_dz);
  }
  line f;
  f.symbol("delta", name(), unit(m)).sign("=");
  if (h_ != activation::identity) put_slope(f, m);
  f.turn().sign("[");
  const double sum = put_products(f, column(m), delta);
  f.sign("]");
  if (h_ != activation::identity) {
    put(f.turn().sign("="), slope(m));
    put_bracketed(f, sum);
  }
  put_value(f, slope(m) * sum, layer_.delta, m);
  return f;
}

/// (p - t) / count; for classes whose targets do not sum to 1, (p(sum) - t) / count.
void writer::put_difference(line& f, loss e, double p, std::size_t k) const {
  put(f.sign("("), p);
  if (const auto sum = class_weight(e)) put_bracketed(f, *sum);
  put_factor(f.sign("-"), report_.target(0, k)).sign(")");
  put_count(f, e);
}

/// The sum of the first sample's targets, where it stands in the delta of classes: unless it is 1.
std::optional<double> writer::class_weight(loss e) const {
  if (e != loss::softmax_cross_entropy && e != loss::cross_entropy_of_probabilities)
    return std::nullopt;
  const numbers t = row_of(report_.target, 0);
  const double sum = std::accumulate(t.begin(), t.end(), 0.0);
  return shown(sum, format_.digits) == "1" ? std::nullopt : std::optional(sum);
}

/// "/ 6": what a mean divides by.
void writer::put_count(line& f, loss e) const {
  const double count = 1 / textbook::loss_scale<double>(e, samples_, z_.size());
  if (e != loss::half_squared_error && count != 1) f.sign("/").number(shown(count, 12));
}

/// The same as put_error_slope() in symbols; nothing for losses of probabilities.
void writer::put_symbolic_slope(line& f, loss e) const {
  switch (e) {
    case loss::mean_squared_error: f.sign("=").number("2").sign("(").symbol("y", "", "k"); break;
    case loss::binary_cross_entropy:
      f.sign("=").sign("(").function("sigmoid").sign("(").symbol("y", "", "k").sign(")");
      break;
    case loss::softmax_cross_entropy:
      f.sign("=").sign("(").function("softmax", "k").sign("(").symbol("y", "", "").sign(")");
      if (class_weight(e)) f.sum("j").symbol("t", "", "j");
      break;
    default: return;
  }
  put_count(f.sign("-").symbol("t", "", "k").sign(")"), e);
}

/// dE/dy_k: (y - t), 2 (y - t) / count, (sigmoid(y) - t) / count, or its value alone.
void writer::put_error_slope(line& f, loss e, std::size_t k, double value) const {
  const auto linked = [&](activation h) { return textbook::activate(h, as_row(z_))(0, k); };
  switch (e) {
    case loss::half_squared_error: put_difference(f, e, z_[k], k); break;
    case loss::mean_squared_error: put_difference(f.number("2"), e, z_[k], k); break;
    case loss::binary_cross_entropy: put_difference(f, e, linked(activation::sigmoid), k); break;
    case loss::softmax_cross_entropy: put_difference(f, e, linked(activation::softmax), k); break;
    default: put_bracketed(f, value);
  }
}

/// Whether the activation cancels out against the loss, and the delta is (y - t) / count.
bool writer::cancels() const {
  const auto e = textbook::loss_of(report_.loss);
  return (e == loss::binary_cross_entropy_of_probabilities && h_ == activation::sigmoid) ||
         (e == loss::cross_entropy_of_probabilities && h_ == activation::softmax);
}

line writer::output_delta(std::size_t k) const {
  const loss e = *textbook::loss_of(report_.loss);
  const matrix<double>&a = layer_.a.formula, &y = layer_.z.formula, &t = report_.target;
  const numbers de_dy = row_of(textbook::error_slope(e, y, t), 0);
  if (h_ == activation::softmax && !cancels()) return softmax_delta(k, de_dy);

  line f;
  f.symbol("delta", name(), unit(k)).sign("=");
  if (cancels()) {
    put_difference(f, e, z_[k], k);
  } else if (h_ == activation::identity) {
    if (e == loss::half_squared_error)
      f.symbol("y", "", unit(k)).sign("-").symbol("t", "", unit(k)).turn().sign("=");
    put_error_slope(f, e, k, de_dy[k]);
  } else {
    put_slope(f, k);
    put_error_slope(f, e, k, de_dy[k]);
    put(f.turn().sign("="), slope(k));
    put_bracketed(f, de_dy[k]);
  }
  put_value(f, textbook::output_delta(e, *h_, a, y, t)(0, k), layer_.delta, k);
  return f;
}

/// The formula of this layer in symbols, with its number in the primer.
line writer::general_delta() const {
  line f;
  const char* own = is_last() ? "k" : "m";
  f.symbol("delta", name(), own).sign("=");
  if (is_last() && h_ == activation::identity) {
    const loss e = *textbook::loss_of(report_.loss);
    if (e == loss::half_squared_error)
      return f.symbol("y", "", "k").sign("-").symbol("t", "", "k").tag("(5)");
    put_symbolic_slope(f.derivative("y", "", "k"), e);
    return f.tag("(6)");
  }
  if (h_ != activation::identity)
    f.slope(layer_.activation).sign("(").symbol("a", name(), own).sign(")");
  if (is_last()) return f.derivative("y", "", "k").tag("(3), (6)");
  f.sum("k").symbol("w", above(), "k,m").symbol("delta", above(), "k");
  return f.tag("(7)");
}

equations writer::deltas() const {
  equations all;
  if (!h_ || (is_last() && !textbook::loss_of(report_.loss))) return all;
  // The lines of a softmax show their formula themselves, those of a canonical link have none.
  if (h_ != activation::softmax && !(is_last() && cancels())) all.lines.push_back(general_delta());
  for (std::size_t k = 0; k < std::min(layer_.outputs, format_.most_units); ++k)
    all.lines.push_back(is_last() ? output_delta(k) : hidden_delta(k));
  return all;
}

equations writer::gradients() const {
  equations all;
  line general;
  general.derivative("w", name(), "k,m").sign("=");
  if (samples_ > 1) general.sum("n");
  general.symbol("delta", name(), "k").symbol("z", below(), "m").tag("(1), (6)");
  all.lines.push_back(std::move(general));

  const auto column = [](const matrix<double>& m, std::size_t j) {
    numbers x(m.rows);
    for (std::size_t i = 0; i < m.rows; ++i) x[i] = m(i, j);
    return x;
  };
  const std::size_t most = 2 * format_.most_units;
  for (std::size_t i = 0; i < std::min(layer_.outputs * layer_.inputs, most); ++i) {
    const std::size_t k = i / layer_.inputs, m = i % layer_.inputs;
    line f;
    f.derivative("w", name(), units(k, m)).sign("=");
    const double sum = put_products(f, column(layer_.delta.formula, k), column(inputs(), m));
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
    for (const double x : column(layer_.delta.formula, k)) sum += x;
    put_value(f, sum, layer_.db, k);
    all.lines.push_back(std::move(f));
  }
  return all;
}

}  // namespace

std::string shown(double x, int digits) { return fmt::format("{:.{}g}", printable(x), digits); }

equations forward_pass(const delta_report& report, std::size_t l, const delta_format& format) {
  return writer(report, l, format).forward();
}
equations deltas(const delta_report& report, std::size_t l, const delta_format& format) {
  return writer(report, l, format).deltas();
}
equations gradients(const delta_report& report, std::size_t l, const delta_format& format) {
  return writer(report, l, format).gradients();
}

}  // namespace nn
