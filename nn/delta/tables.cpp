#include <nn/delta/tables.hpp>

#include <nn/delta/matrix.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace nn {
namespace {

using numbers = std::vector<double>;

std::string difference_text(double x) { return x == 0 ? "0" : fmt::format("{:.2g}", printable(x)); }
line number(std::string text) { return line().number(std::move(text)); }

/// How the numbers of one column are written: all with as many decimals, or all with an exponent.
class number_format {
 public:
  number_format(const numbers& column, int digits) : digits_(digits) {
    double largest = 0, smallest = std::numeric_limits<double>::infinity();
    for (const double x : column) {
      if (!std::isfinite(x) || x == 0) continue;
      largest = std::max(largest, std::abs(x));
      smallest = std::min(smallest, std::abs(x));
    }
    if (largest == 0) return;
    const int power = static_cast<int>(std::floor(std::log10(largest)));
    const int least = static_cast<int>(std::floor(std::log10(smallest)));
    fixed_ = power < std::max(digits, 3) && power > -4 && power - least <= 3;
    // The smallest keeps two digits.
    decimals_ = std::max({digits - 1 - power, std::min(digits, 2) - 1 - least, 0});
  }

  std::string operator()(double x) const {
    if (x == 0) return "0";
    x = printable(x);
    return fixed_ ? fmt::format("{:.{}f}", x, decimals_) : fmt::format("{:.{}e}", x, digits_ - 1);
  }

 private:
  int digits_, decimals_ = 0;
  bool fixed_ = true;
};

/// The row numbers of a table that are shown: the first, the last, and the worst in between.
std::vector<std::size_t> shown_rows(std::size_t rows, std::size_t worst, std::size_t most) {
  const bool all = rows <= 2 * most;
  const std::size_t first = all ? rows : most, last = all ? rows : rows - most / 2;
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < first; ++i) shown.push_back(i);
  if (worst >= first && worst < last) shown.push_back(worst);
  for (std::size_t i = last; i < rows; ++i) shown.push_back(i);
  return shown;
}

/// One quantity, its entries numbered row by row, and which of them are shown.
class comparison {
 public:
  comparison(const compared& c, const delta_format& format)
      : c_(c),
        worst_(c.relative.row * c.formula.columns + c.relative.column),
        shown_(shown_rows(c.formula.size(), worst_, format.most_units)),
        digits_(format.digits) {
    for (const matrix<double>* m : {&c.formula, &c.tape}) {
      for (const double x : m->values) {
        if (std::isfinite(x)) scale_ = std::max(scale_, std::abs(x));
      }
    }
  }

  const std::vector<std::size_t>& shown() const { return shown_; }
  nn::mark mark(std::size_t i) const {
    const bool worst = i == worst_ && c_.relative.value != 0;
    if (differs(i)) return worst ? mark::differs_most : mark::differs;
    return worst ? mark::largest : mark::none;
  }
  /// Formula and tape in the format of their columns, and the difference.
  std::vector<std::vector<line>> cells() const {
    int digits = digits_;
    while (digits < 17 && hides_a_difference(digits)) ++digits;
    const number_format text = pair_format(digits);
    std::vector<std::vector<line>> rows;
    for (const std::size_t i : shown_) {
      const double formula = c_.formula.values[i], tape = c_.tape.values[i];
      // Infinities of one sign are no different; their difference would say NaN.
      const double difference = formula == tape ? 0 : formula - tape;
      rows.push_back(
          {number(text(formula)), number(text(tape)), number(difference_text(difference))});
    }
    return rows;
  }
  /// One more column: other numbers of the same entries.
  std::vector<line> column(const numbers& values) const {
    numbers these;
    for (const std::size_t i : shown_) these.push_back(values[i]);
    const number_format text(these, digits_);
    std::vector<line> cells;
    for (const double x : these) cells.push_back(number(text(x)));
    return cells;
  }

 private:
  bool differs(std::size_t i) const {
    const double formula = c_.formula.values[i], tape = c_.tape.values[i];
    if (formula == tape || (std::isnan(formula) && std::isnan(tape))) return false;
    return !(std::abs(formula - tape) <= c_.allowed * scale_);
  }
  number_format pair_format(int digits) const {
    numbers both;
    for (const std::size_t i : shown_) {
      both.push_back(c_.formula.values[i]);
      both.push_back(c_.tape.values[i]);
    }
    return {both, digits};
  }
  bool hides_a_difference(int digits) const {
    const number_format text = pair_format(digits);
    return std::any_of(shown_.begin(), shown_.end(), [&](std::size_t i) {
      return differs(i) && text(c_.formula.values[i]) == text(c_.tape.values[i]);
    });
  }

  const compared& c_;
  double scale_ = 0;
  std::size_t worst_;
  std::vector<std::size_t> shown_;
  int digits_;
};

std::string largest_of(const compared& c) {
  if (c.relative.value == 0) return "formula and tape are the same";
  return fmt::format("largest difference {:.2g} of the largest entry, {:.3g} ulp", c.relative.value,
                     c.ulp.value);
}

/// Puts rows together; `place` gives the cells that say which entry a row is.
template <class Place>
void add_rows(table& t, const comparison& c, const std::vector<std::vector<line>>& columns,
              Place&& place) {
  const auto cells = c.cells();
  std::size_t expected = 0;
  for (std::size_t r = 0; r < c.shown().size(); ++r) {
    const std::size_t i = c.shown()[r];
    if (i != expected) {
      const std::size_t out = i - expected;
      t.rows.push_back({.left_out = fmt::format("{} {} left out", out, out == 1 ? "row" : "rows")});
    }
    expected = i + 1;
    table::row row{.cells = place(i), .mark = c.mark(i)};
    for (const std::vector<line>& column : columns) row.cells.push_back(column[r]);
    row.cells.insert(row.cells.end(), cells[r].begin(), cells[r].end());
    t.rows.push_back(std::move(row));
  }
}

void add_both_ways(table& t, line by_formula) {
  t.columns.push_back({by_formula.words(" by formula")});
  t.columns.push_back({line("by tape")});
  t.columns.push_back({line("difference")});
}

/// Entries of [n, K]: sample and unit.
table begin_units(const compared& c) {
  table t;
  if (c.formula.rows > 1) t.columns.push_back({line("sample")});
  t.columns.push_back({line("unit")});
  return t;
}
auto sample_and_unit(const compared& c) {
  return [&c](std::size_t i) {
    std::vector<line> cells;
    const std::size_t k = i % c.formula.columns;
    if (c.formula.rows > 1) cells.push_back(number(std::to_string(i / c.formula.columns + 1)));
    cells.push_back(number(std::to_string(k + 1)));
    return cells;
  };
}

table unit_table(const delta_report& report, std::size_t l, const delta_format& format) {
  const delta_layer& layer = report.layers[l];
  const std::string name = std::to_string(l + 1);
  const comparison c(layer.delta, format);
  table t = begin_units(layer.delta);
  t.caption.symbol("delta", name, "").words(": " + largest_of(layer.delta));
  t.columns.push_back({line().symbol("a", name, "")});
  t.columns.push_back({line().symbol("z", name, "")});
  std::vector columns{c.column(layer.a.formula.values), c.column(layer.z.formula.values)};
  if (l + 1 == report.layers.size() && !report.output_factor.empty()) {
    t.columns.push_back({line("factor")});
    columns.push_back(c.column(report.output_factor.values));
  }
  add_both_ways(t, line().symbol("delta", name, ""));
  add_rows(t, c, columns, sample_and_unit(layer.delta));
  return t;
}

/// What formula and tape have of a or z, where they do not agree.
table forward_table(const compared& c, const char* letter, std::size_t l,
                    const delta_format& format) {
  table t = begin_units(c);
  t.caption.symbol(letter, std::to_string(l + 1), "").words(": " + largest_of(c));
  add_both_ways(t, line().symbol(letter, std::to_string(l + 1), ""));
  add_rows(t, comparison(c, format), {}, sample_and_unit(c));
  return t;
}

/// dE/dW or dE/db beside the parameters themselves.
table parameter_table(std::size_t l, const delta_format& format, const compared& gradient,
                      const matrix<double>& values, const char* letter) {
  const std::string name = std::to_string(l + 1);
  const comparison c(gradient, format);
  table t;
  t.caption.derivative(letter, name, "").words(": " + largest_of(gradient));
  t.columns.push_back({line("entry"), false});
  t.columns.push_back({line().symbol(letter, name, "")});
  add_both_ways(t, line().derivative(letter, name, ""));
  add_rows(t, c, {c.column(values.values)}, [&](std::size_t i) {
    const std::size_t k = i / values.columns + 1, m = i % values.columns + 1;
    const bool is_bias = letter[0] == 'b';
    return std::vector{
        line().symbol(letter, "", is_bias ? std::to_string(m) : fmt::format("{},{}", k, m))};
  });
  return t;
}

}  // namespace

bool agrees(const compared& c) { return c.relative.value <= c.allowed; }

table summary(const delta_report& report) {
  table t;
  t.caption.words("Largest differences, as shares of the largest entry of each kind");
  t.columns.push_back({line("layer")});
  t.columns.push_back({line().symbol("a", "", "")});
  t.columns.push_back({line().symbol("z", "", "")});
  t.columns.push_back({line().symbol("delta", "", "")});
  t.columns.push_back({line().derivative("W", "", "")});
  t.columns.push_back({line().derivative("b", "", "")});
  const auto first = report.first_disagreement();
  for (std::size_t l = 0; l < report.layers.size(); ++l) {
    const delta_layer& layer = report.layers[l];
    table::row row{.cells = {number(std::to_string(l + 1))}};
    for (const compared* c : {&layer.a, &layer.z, &layer.delta, &layer.dw, &layer.db}) {
      if (c->formula.empty()) {
        row.cells.emplace_back("none");
        continue;
      }
      row.cells.push_back(number(difference_text(c->relative.value)));
      if (!agrees(*c)) row.mark = mark::differs;
    }
    const bool is_first = first && first->layer == l + 1 && first->quantity != quantity::error;
    if (row.mark == mark::differs && is_first) row.mark = mark::differs_first;
    t.rows.push_back(std::move(row));
  }
  return t;
}

std::vector<table> tables_of(const delta_report& report, std::size_t l,
                             const delta_format& format) {
  const delta_layer& layer = report.layers[l];
  std::vector<table> tables;
  if (!agrees(layer.a)) tables.push_back(forward_table(layer.a, "a", l, format));
  if (!agrees(layer.z)) tables.push_back(forward_table(layer.z, "z", l, format));
  tables.push_back(unit_table(report, l, format));
  tables.push_back(parameter_table(l, format, layer.dw, layer.weights, "w"));
  if (!layer.db.formula.empty())
    tables.push_back(parameter_table(l, format, layer.db, layer.biases, "b"));
  return tables;
}

}  // namespace nn
