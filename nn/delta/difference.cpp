#include <nn/delta/difference.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <vector>

namespace nn {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// |a - b| in units in the last place of the larger one.
template <class T>
double ulps(T a, T b) {
  int exponent = 0;
  std::frexp(std::max(std::abs(a), std::abs(b)), &exponent);
  using limits = std::numeric_limits<T>;
  const int unit = std::max(exponent, limits::min_exponent) - limits::digits;
  return std::ldexp(std::abs(double(a) - double(b)), -unit);
}

template <class T>
bool same(T a, T b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

void note(largest_difference& worst, double value, std::size_t row, std::size_t column) {
  if (value > worst.value) worst = {value, row, column};
}

template <class T>
using wider = std::conditional_t<std::same_as<T, float>, double, long double>;

template <class T>
matrix<wider<T>> widened(const matrix<T>& m) {
  return {m.rows, m.columns, {m.values.begin(), m.values.end()}};
}

template <class T>
std::vector<textbook::layer<wider<T>>> widened(std::span<const textbook::layer<T>> layers) {
  std::vector<textbook::layer<wider<T>>> wide;
  for (const textbook::layer<T>& l : layers)
    wide.push_back({widened(l.weights), {l.biases.begin(), l.biases.end()}, l.h});
  return wide;
}

/// The largest difference between numbers and the same in a wider type, relative to the largest.
template <class Numbers, class Wide>
double rounding(const Numbers& values, const Wide& exact) {
  double largest = 0, apart = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const auto x = exact[i], difference = std::abs(x - values[i]);
    if (std::isfinite(x)) largest = std::max(largest, static_cast<double>(std::abs(x)));
    if (std::isfinite(difference)) apart = std::max(apart, static_cast<double>(difference));
  }
  return largest > 0 ? apart / largest : 0;
}

bool is_known(const delta_report& report) {
  return textbook::loss_of(report.loss) &&
         std::all_of(report.layers.begin(), report.layers.end(), [](const delta_layer& l) {
           return textbook::activation_of(l.activation).has_value();
         });
}

/// Calls visit(compared, numbers of the formulas, the same in a wider type) in the order of
/// `quantity`.
template <class T, class Visitor>
void for_each_quantity(delta_report& report, const textbook::backpropagation<T>& b,
                       const textbook::backpropagation<wider<T>>& wide, const Visitor& visit) {
  for (std::size_t l = 0; l < report.layers.size(); ++l) {
    visit(report.layers[l].a, b.a[l].values, wide.a[l].values);
    visit(report.layers[l].z, b.z[l].values, wide.z[l].values);
  }
  visit(report.error, std::vector<T>{b.error}, std::vector<wider<T>>{wide.error});
  for (std::size_t l = report.layers.size(); l-- > 0;) {
    visit(report.layers[l].delta, b.delta[l].values, wide.delta[l].values);
    visit(report.layers[l].dw, b.dw[l].values, wide.dw[l].values);
    visit(report.layers[l].db, b.db[l], wide.db[l]);
  }
}

}  // namespace

template <class T>
matrix<double> as_double(const matrix<T>& m) {
  return {m.rows, m.columns, {m.values.begin(), m.values.end()}};
}

template <class T>
compared compare(const matrix<T>& formula, const matrix<T>& tape) {
  compared c{as_double(formula), as_double(tape), {}, {}, 0};
  double largest = 0;
  for (const matrix<double>* m : {&c.formula, &c.tape}) {
    for (const double entry : m->values) {
      if (std::isfinite(entry)) largest = std::max(largest, std::abs(entry));
    }
  }
  for (std::size_t i = 0; i < formula.rows; ++i) {
    for (std::size_t j = 0; j < formula.columns; ++j) {
      const T a = formula(i, j), b = tape(i, j);
      if (same(a, b)) continue;
      const bool finite = std::isfinite(a) && std::isfinite(b);
      const double apart = std::abs(double(a) - double(b));
      note(c.relative, finite ? apart / largest : infinity, i, j);
      note(c.ulp, finite ? ulps(a, b) : infinity, i, j);
    }
  }
  return c;
}

template <class T>
void allow_for_rounding(delta_report& report, std::span<const textbook::layer<T>> layers,
                        const matrix<T>& x, const matrix<T>& t) {
  double allowed = report.tolerance;
  // Of a probability that is nearly 1, the 1 - p of a loss has lost half the digits of double.
  const double most = (std::same_as<T, float> ? 1e4 : 1e6) * report.tolerance;
  if (!is_known(report)) {
    report.error.allowed = allowed;
    for (delta_layer& l : report.layers) {
      for (compared* c : {&l.a, &l.z, &l.delta, &l.dw, &l.db}) c->allowed = allowed;
    }
    return;
  }
  const textbook::loss e = *textbook::loss_of(report.loss);
  auto b = textbook::backpropagate(layers, x, t, e);
  // The tape does not know that a factor of the loss and one of the activation cancel.
  b.delta.back() = textbook::through_activation(layers.back().h, b.a.back(), b.z.back(),
                                                textbook::error_slope(e, b.z.back(), t));
  const auto wide = textbook::backpropagate(widened(layers), widened(x), widened(t), e);
  for_each_quantity(report, b, wide, [&](compared& c, const auto& values, const auto& exact) {
    allowed = std::min(std::max(allowed, 32 * rounding(values, exact)), most);
    c.allowed = allowed;
  });
}

#define INSTANTIATE(T)                                                                 \
  template matrix<double> as_double(const matrix<T>&);                                 \
  template compared compare(const matrix<T>&, const matrix<T>&);                       \
  template void allow_for_rounding(delta_report&, std::span<const textbook::layer<T>>, \
                                   const matrix<T>&, const matrix<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
