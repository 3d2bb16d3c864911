#include <nn/delta/writer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace nn {

std::string shown(double x, int digits) {
  return x == 0 ? "0" : fmt::format("{:.{}g}", printable(x), digits);  // and no "-0"
}

std::string unit(std::size_t k) { return std::to_string(k + 1); }
std::string units(std::size_t k, std::size_t m) { return unit(k) + ',' + unit(m); }

numbers row_of(const matrix<double>& m, std::size_t i) {
  const auto first = m.values.begin() + static_cast<std::ptrdiff_t>(i * m.columns);
  return {first, first + static_cast<std::ptrdiff_t>(m.columns)};
}
numbers column_of(const matrix<double>& m, std::size_t j) {
  numbers x(m.rows);
  for (std::size_t i = 0; i < m.rows; ++i) x[i] = m(i, j);
  return x;
}
matrix<double> as_row(const numbers& x) { return matrix<double>(1, x.size(), x); }

line& layer_writer::put_factor(line& f, double x) const {
  return x < 0 ? put_bracketed(f, x) : put(f, x);
}

double layer_writer::put_products(line& f, const numbers& u, const numbers& v) const {
  double sum = 0;
  if (u.empty()) f.number("0");
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

void layer_writer::put_value(line& f, double value, const compared& c, std::size_t i) const {
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

void layer_writer::put_slope(line& f, std::size_t k) const {
  put_bracketed(f.slope(layer_.activation), a_[k]);
}

double layer_writer::slope(std::size_t k) const {
  return textbook::through_activation(*h_, as_row({a_[k]}), as_row({z_[k]}), as_row({1.0}))(0, 0);
}

}  // namespace nn
