#pragma once
// What the formulas of one layer of a report are written with: its numbers, and the ways to put
// them into a line.

#include <nn/delta/activations.hpp>
#include <nn/delta/format.hpp>
#include <nn/delta/matrix.hpp>
#include <nn/delta/pieces.hpp>
#include <nn/delta/report.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace nn {

using numbers = std::vector<double>;

/// "0.486934": so many significant digits without zeros at the end.
std::string shown(double x, int digits);

/// Indices as they are read, from 1: "2" and "2,3".
std::string unit(std::size_t k);
std::string units(std::size_t k, std::size_t m);

numbers row_of(const matrix<double>& m, std::size_t i);
numbers column_of(const matrix<double>& m, std::size_t j);
matrix<double> as_row(const numbers& x);

/// One layer of a report, of its first sample. The report and the format must outlive it.
class layer_writer {
 public:
  layer_writer(const delta_report& report, std::size_t l, const delta_format& format)
      : report_(report),
        l_(l),
        layer_(report.layers[l]),
        format_(format),
        h_(textbook::activation_of(layer_.activation)),
        a_(row_of(layer_.a.formula, 0)),
        z_(row_of(layer_.z.formula, 0)),
        samples_(report.input.rows) {}

 protected:
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
  line& put_factor(line& f, double x) const;
  /// u_0(v_0) + u_1(v_1) + ..., and what all of it comes to.
  double put_products(line& f, const numbers& u, const numbers& v) const;
  /// "= value", and what the report has instead where that is something else.
  void put_value(line& f, double value, const compared& c, std::size_t i) const;
  /// h'(0.5)
  void put_slope(line& f, std::size_t k) const;
  double slope(std::size_t k) const;

  const delta_report& report_;
  std::size_t l_;
  const delta_layer& layer_;
  const delta_format& format_;
  std::optional<textbook::activation> h_;
  numbers a_, z_;
  std::size_t samples_;
};

}  // namespace nn
