// Every row of ops.def against fifty-digit mathematics from outside the engine
// (reference_table.py): value, slope in reverse and forward mode, second derivatives by nested
// duals and by a tape of duals, at points from subnormal to 1e300, near singularities and in
// saturated tails. BACKSWEEP_LIST_ULPS=1 prints the worst error of every row.

#include <autodiff/dual.hpp>
#include <autodiff/ops.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/reference_points.hpp>
#include <tests/rows.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using autodiff::basic_tape;
using autodiff::basic_var;
using autodiff::dual;
using reference::real;
using reference_points::is_exact;
using reference_points::point;

namespace {

/// The worst error of one kind in one row.
struct worst {
  double error = 0;
  std::string where;

  template <class T>
  void see(double found, const std::vector<double>& at, T got, real expected) {
    if (found <= error) return;
    error = found;
    std::ostringstream text;
    text.precision(17);
    text << "at";
    for (const double x : at) text << ' ' << x;
    text << ": " << got << ", expected " << expected;
    where = text.str();
  }
};

struct worst_of_row {
  worst value, reverse, forward, second;
};

/// An error relative to the size of the result, which below the normal range no number can keep.
double relative(double got, real expected) {
  if (std::isnan(expected)) return 0;
  const auto rounded = static_cast<double>(expected);
  if (got == rounded) return 0;
  if (!std::isfinite(got) || !std::isfinite(rounded))
    return std::numeric_limits<double>::infinity();
  const real size = std::max<real>(std::fabs(expected), std::numeric_limits<double>::min());
  return static_cast<double>(std::fabs(got - expected) / size);
}

/// A row of N arguments in every mode that the table is compared with.
template <class X, std::size_t N>
using of = X(std::array<X, N>);
template <std::size_t N>
using modes = rows::row<of<double, N>, of<float, N>, of<basic_var<double>, N>,
                        of<basic_var<float>, N>, of<dual<double, N>, N>, of<dual<float, N>, N>,
                        of<dual<dual<double>>, N>, of<basic_var<dual<double>>, N>>;

/// What a slope in terms of a subnormal value y may lose, in units in its last place: as many as y.
template <class T>
double lost_below_normal(const point& p, std::size_t i) {
  const auto y = static_cast<T>(p.value);
  if (y == 0 || std::fabs(y) >= std::numeric_limits<T>::min()) return 0;
  const real lost = std::fabs(p.slopes[i] / p.value) * std::numeric_limits<T>::denorm_min();
  const auto slope = static_cast<T>(p.slopes[i]);
  return reference::ulps<T>(static_cast<T>(slope + lost), slope);
}

template <class T, std::size_t N>
void see_first_order(const modes<N>& row, const point& p, worst_of_row& found) {
  std::array<T, N> x;
  for (std::size_t i = 0; i < N; ++i) x[i] = static_cast<T>(p.at[i]);
  const T y = row(x);
  // x times a subnormal: as many units in the last place as x is large.
  const bool product =
      row.name == "silu" || row.name == "mish" || row.name == "gelu" || row.name == "gelu_tanh";
  const double lost = product && !autodiff::is_normal(y) ? std::fabs(p.at[0]) : 0;
  found.value.see(reference::ulps<T>(y, p.value) - lost, p.at, y, p.value);
  // A value that overflows has no slope to speak of.
  if (!std::isfinite(y)) return;

  basic_tape<T> t;
  const std::array<basic_var<T>, N> v = t.variable(x);
  const basic_var<T> z = row(v);
  t.backward(z);
  using moved = dual<T, N>;
  std::array<moved, N> d;
  for (std::size_t i = 0; i < N; ++i) {
    std::array<T, N> direction{};
    direction[i] = T(1);
    d[i] = moved(x[i], direction);
  }
  const moved w = row(d);
  for (std::size_t i = 0; i < N; ++i) {
    if (std::isnan(p.slopes[i])) continue;
    const double slack = lost_below_normal<T>(p, i) + lost;
    found.reverse.see(reference::ulps<T>(t.adjoint(v[i]), p.slopes[i]) - slack, p.at,
                      t.adjoint(v[i]), p.slopes[i]);
    found.forward.see(reference::ulps<T>(w.tangent(i), p.slopes[i]) - slack, p.at, w.tangent(i),
                      p.slopes[i]);
  }
}

template <std::size_t N>
void see_second_order(const modes<N>& row, const point& p, worst_of_row& found) {
  // Next to a derivative that overflows, inf - inf may be NaN.
  const auto overflows = [](real x) { return std::fabs(x) > std::numeric_limits<double>::max(); };
  for (const real x : p.slopes) {
    if (overflows(x)) return;
  }
  for (const real x : p.seconds) {
    if (overflows(x)) return;
  }
  if (overflows(p.value)) return;
  std::size_t next = 0;
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = i; j < N; ++j) {
      const real expected = p.seconds[next++];
      if (std::isnan(expected)) continue;
      using number = dual<double>;
      using twice = dual<number>;
      std::array<twice, N> nested;
      std::array<number, N> tangents;
      for (std::size_t k = 0; k < N; ++k) {
        nested[k] = twice(number(p.at[k], k == i), number(k == j, 0.0));
        tangents[k] = number(p.at[k], k == i);
      }
      const double forward = row(nested).tangent().tangent();
      found.second.see(relative(forward, expected), p.at, forward, expected);

      basic_tape<number> t;
      const std::array<basic_var<number>, N> v = t.variable(tangents);
      const basic_var<number> y = row(v);
      t.backward(y);
      const double reverse = t.adjoint(v[j]).tangent();
      found.second.see(relative(reverse, expected), p.at, reverse, expected);
    }
  }
}

/// Rows whose values come from series and fractions rather than from <cmath>.
constexpr std::string_view special[] = {"sinpi",
                                        "cospi",
                                        "gaussian",
                                        "erf",
                                        "erfc",
                                        "erfcx",
                                        "ierfcx",
                                        "erfinv",
                                        "normal_pdf",
                                        "normal_cdf",
                                        "tgamma",
                                        "lgamma",
                                        "digamma",
                                        "trigamma",
                                        "polygamma",
                                        "lbeta",
                                        "digamma_difference",
                                        "log_sum_exp",
                                        "log_diff_exp",
                                        "softmax_share",
                                        "bose",
                                        "mish_gate",
                                        "mish",
                                        "gelu",
                                        "gelu_gate",
                                        "gelu_tanh",
                                        "silu"};

bool is_special(std::string_view name) {
  return std::find(std::begin(special), std::end(special), name) != std::end(special);
}

template <std::size_t N>
void check_row(const modes<N>& row) {
  INFO(row.name << " of " << N);
  const std::vector<point>& points = reference_points::of(row.name, N);
  REQUIRE(points.size() >= 5);
  worst_of_row in_double, in_float;
  for (const point& p : points) {
    see_first_order<double, N>(row, p, in_double);
    see_second_order<N>(row, p, in_double);
    if (is_exact<float>(p.at)) see_first_order<float, N>(row, p, in_float);
  }
  if (std::getenv("BACKSWEEP_LIST_ULPS")) {
    std::printf("%-13s %zu  double %5.2f %5.2f %5.2f  float %5.2f %5.2f %5.2f  second %.1e\n",
                std::string(row.name).c_str(), N, in_double.value.error, in_double.reverse.error,
                in_double.forward.error, in_float.value.error, in_float.reverse.error,
                in_float.forward.error, in_double.second.error);
  }
  const double limit = is_special(row.name) ? 8 : 4;
  for (const worst_of_row* found : {&in_double, &in_float}) {
    for (const worst* w : {&found->value, &found->reverse, &found->forward}) {
      INFO(w->where);
      CHECK(w->error <= limit);
    }
  }
  INFO(in_double.second.where);
  CHECK(in_double.second.error <= (row.name == "lbeta" ? 1e-11 : 1e-12));
}

}  // namespace

TEST_CASE("unary rows agree with many-digit arithmetic in value and derivatives") {
  for (const auto& row : rows::unary<modes<1>>()) check_row<1>(row);
}

TEST_CASE("binary rows agree with many-digit arithmetic in value and derivatives") {
  for (const auto& row : rows::binary<modes<2>>()) check_row<2>(row);
}

TEST_CASE("ternary rows agree with many-digit arithmetic in value and derivatives") {
  for (const auto& row : rows::ternary<modes<3>>()) check_row<3>(row);
}
