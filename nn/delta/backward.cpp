// The deltas of a layer: dE/dy through the activation of the last one, eq. (7) of the others.

#include <nn/delta/activations.hpp>
#include <nn/delta/delta.hpp>
#include <nn/delta/equations.hpp>
#include <nn/delta/losses.hpp>
#include <nn/delta/matrix.hpp>
#include <nn/delta/writer.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace nn {
namespace {

using textbook::activation, textbook::loss;

class writer : layer_writer {
 public:
  using layer_writer::layer_writer;
  equations deltas() const;

 private:
  line hidden_delta(std::size_t m) const;
  line output_delta(std::size_t k) const;
  void put_difference(line& f, loss e, double p, std::size_t k) const;
  std::optional<double> class_weight(loss e) const;
  void put_count(line& f, loss e) const;
  void put_symbolic_slope(line& f, loss e) const;
  void put_error_slope(line& f, loss e, std::size_t k, double value) const;
  bool couples_units() const { return h_ && textbook::couples_units(*h_); }
  line coupled_delta(std::size_t k, const numbers& de_dz) const;
  line softmax_delta(std::size_t k, const numbers& de_dz) const;
  line log_softmax_delta(std::size_t k, const numbers& de_dz) const;
  bool cancels() const;
  line general_delta() const;
};

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

line writer::log_softmax_delta(std::size_t k, const numbers& de_dz) const {
  // dE/dz_k - exp(z_k) sum_j dE/dz_j
  line f;
  f.symbol("delta", name(), unit(k)).sign("=").derivative("z", name(), unit(k)).sign("-");
  f.function("exp").sign("(").symbol("z", name(), unit(k)).sign(")").sum("j");
  f.derivative("z", name(), "j").turn().sign("=");
  const double p = std::exp(z_[k]), sum = std::accumulate(de_dz.begin(), de_dz.end(), 0.0);
  put(f, de_dz[k]).sign("-");
  put(f, p);
  put_bracketed(f, sum);
  put_value(f, de_dz[k] - p * sum, layer_.delta, k);
  return f;
}

line writer::coupled_delta(std::size_t k, const numbers& de_dz) const {
  return h_ == activation::softmax ? softmax_delta(k, de_dz) : log_softmax_delta(k, de_dz);
}

line writer::hidden_delta(std::size_t m) const {
  const delta_layer& above_layer = report_.layers[l_ + 1];
  const numbers delta = row_of(above_layer.delta.formula, 0);
  const auto through_weights = [&](std::size_t i) {
    const numbers w = column_of(above_layer.weights, i);
    double sum = 0;
    for (std::size_t k = 0; k < w.size(); ++k) sum += w[k] * delta[k];
    return sum;
  };
  if (couples_units()) {
    numbers de_dz(z_.size());
    for (std::size_t i = 0; i < de_dz.size(); ++i) de_dz[i] = through_weights(i);
    return coupled_delta(m, de_dz);
  }
  line f;
  f.symbol("delta", name(), unit(m)).sign("=");
  if (h_ != activation::identity) put_slope(f, m);
  f.turn().sign("[");
  const double sum = put_products(f, column_of(above_layer.weights, m), delta);
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
  if (couples_units() && !cancels()) return coupled_delta(k, de_dy);

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
  // Lines of coupled units show their formula themselves, those of a canonical link have none.
  if (!couples_units() && !(is_last() && cancels())) all.lines.push_back(general_delta());
  for (std::size_t k = 0; k < std::min(layer_.outputs, format_.most_units); ++k)
    all.lines.push_back(is_last() ? output_delta(k) : hidden_delta(k));
  return all;
}

}  // namespace

equations deltas(const delta_report& report, std::size_t l, const delta_format& format) {
  return writer(report, l, format).deltas();
}

}  // namespace nn
