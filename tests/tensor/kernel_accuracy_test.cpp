// The last digits of the loops behind tensors: every row of ops.def, every instruction set that
// this CPU has, float and double, value and slope. Held to the fifty-digit points of
// reference_table.txt and, between them, to the same row in long double.
// BACKSWEEP_LIST_ULPS=1 prints the worst error of every row.

#include <autodiff/ops.hpp>
#include <autodiff/tensor/kernels.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/reference_points.hpp>
#include <tests/tensor/loop_rows.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using autodiff::kernel_table;
using autodiff::store;
using reference::real;

namespace {

/// One argument list of N numbers, its value and slopes; NaN for a slope that nothing is known of.
template <class T, std::size_t N>
struct sample {
  std::array<T, N> at;
  real value;
  std::array<real, N> slopes;
};

struct worst {
  double error = 0;
  std::string where;

  template <class T, std::size_t N>
  void see(double found, const std::array<T, N>& at, T got, real expected) {
    if (!(found > error)) return;
    error = found;
    std::ostringstream text;
    text.precision(17);
    text << "at";
    for (const T x : at) text << ' ' << x;
    text << ": " << got << " for " << expected;
    where = text.str();
  }
};

template <std::size_t N>
struct worst_of_row {
  worst value;
  std::array<worst, N> slopes;
};

/// x times a gate: where the gate is subnormal, so many units are lost as x is large, and the slope
/// crosses zero between -3 and 0, where its error is that of its terms, some 1/8.
bool is_gated(std::string_view row) {
  return row == "silu" || row == "mish" || row == "gelu" || row == "gelu_tanh";
}

template <class T>
bool is_subnormal(real y) {
  return y != 0 && std::fabs(y) < std::numeric_limits<T>::min();
}

template <class T, std::size_t N>
double slope_error(std::string_view row, const sample<T, N>& s, std::size_t i, T got) {
  const real expected = s.slopes[i];
  if (is_gated(row) && std::fabs(expected) < 0.25L && s.at[0] > T(-3))
    return static_cast<double>(std::fabs(got - expected) * 8 / std::numeric_limits<T>::epsilon());
  return reference::ulps<T>(got, expected);
}

template <class T, std::size_t N>
void see(std::string_view row, const sample<T, N>& s, T value, const std::array<T, N>& slopes,
         worst_of_row<N>& found) {
  if (is_gated(row) && is_subnormal<T>(s.value / s.at[0])) return;
  found.value.see(reference::ulps<T>(value, s.value), s.at, value, s.value);
  // A value that overflows has no slope to speak of, and a slope in a subnormal value its digits.
  if (!std::isfinite(static_cast<T>(s.value)) || is_subnormal<T>(s.value)) return;
  for (std::size_t i = 0; i < N; ++i) {
    if (std::isnan(s.slopes[i])) continue;
    // A factor of this one is subnormal where the slope is.
    if (row == "gelu_gate" && is_subnormal<T>(s.slopes[i] / 256)) continue;
    found.slopes[i].see(slope_error(row, s, i, slopes[i]), s.at, slopes[i], s.slopes[i]);
  }
}

template <class T, std::size_t N>
std::vector<sample<T, N>> table_samples(std::string_view row) {
  std::vector<sample<T, N>> samples;
  for (const auto& p : reference_points::of(row, N)) {
    if (!reference_points::is_exact<T>(p.at)) continue;
    sample<T, N> s{{}, p.value, {}};
    for (std::size_t i = 0; i < N; ++i) {
      s.at[i] = static_cast<T>(p.at[i]);
      s.slopes[i] = p.slopes[i];
    }
    samples.push_back(s);
  }
  return samples;
}

/// Numbers over the interval where a row is sampled, over the reach of exponentials, and of every
/// magnitude.
template <class T>
std::vector<T> sweep(const autodiff::interval& over, std::size_t count, reference::random& random) {
  using limits = std::numeric_limits<T>;
  const double reach = limits::digits == 24 ? 105 : 750;
  std::vector<T> x{T(0),          T(-0.0),         limits::infinity(), -limits::infinity(),
                   limits::max(), limits::lowest()};
  for (std::size_t i = 0; i < count; ++i) {
    const auto exponent = static_cast<int>(
        random.uniform(limits::min_exponent - limits::digits, limits::max_exponent));
    const double magnitude = std::ldexp(random.uniform(0.5, 1), exponent);
    for (const double at :
         {random.uniform(over.from, over.to), random.uniform(-1, 1), random.uniform(-10, 10),
          random.uniform(-30, 30), random.uniform(-reach, reach), magnitude, -magnitude}) {
      x.push_back(static_cast<T>(at));
    }
  }
  return x;
}

constexpr std::size_t sweep_count = 1500;

template <class T>
worst_of_row<1> measure(const loop_rows::unary_row<T>& row,
                        const loop_rows::unary_row<T, real>& in_long_double) {
  auto samples = table_samples<T, 1>(row.name);
  reference::random random(3);
  for (const T x : sweep<T>(row.sampled[0], sweep_count, random)) {
    const real at{x}, y = in_long_double.value(at);
    samples.push_back({{x}, y, {in_long_double.share(1, at, y)}});
  }
  const std::size_t n = samples.size();
  std::vector<T> x(n), y(n), dx(n);
  const std::vector<T> dy(n, T(1));
  for (std::size_t i = 0; i < n; ++i) x[i] = samples[i].at[0];
  row.loops.forward(n, x.data(), y.data());
  row.loops.pullback(n, x.data(), y.data(), dy.data(), dx.data(), store::write);
  worst_of_row<1> found;
  for (std::size_t i = 0; i < n; ++i) see<T, 1>(row.name, samples[i], y[i], {dx[i]}, found);
  return found;
}

template <class T>
worst_of_row<2> measure(const loop_rows::binary_row<T>& row) {
  const auto samples = table_samples<T, 2>(row.name);
  const std::size_t n = samples.size();
  std::vector<T> a(n), b(n), y(n), da(n), db(n);
  const std::vector<T> dy(n, T(1));
  for (std::size_t i = 0; i < n; ++i) {
    a[i] = samples[i].at[0];
    b[i] = samples[i].at[1];
  }
  const auto& f = row.loops;
  f.forward(n, a.data(), 1, b.data(), 1, y.data());
  f.pullback_a(n, a.data(), 1, b.data(), 1, y.data(), dy.data(), da.data(), store::write, 0.5);
  f.pullback_b(n, a.data(), 1, b.data(), 1, y.data(), dy.data(), db.data(), store::write, 0.5);
  worst_of_row<2> found;
  for (std::size_t i = 0; i < n; ++i) see<T, 2>(row.name, samples[i], y[i], {da[i], db[i]}, found);
  return found;
}

/// Units in the last place that the slope of a row may lose.
double allowed_in_slope(std::string_view row) {
  // 1 + y^2: twice the error of y, the C library's, whose cosine would lose as much near its zeros.
  if (row == "tan") return 6;
  // y tanh(x / 2), both by vector forms; the form by e = exp(-|x|) alone has 1 - e, which cancels.
  if (row == "logistic_pdf") return 6;
  if (row == "gelu") return 5;  // normal_cdf and x normal_pdf, which cancel in part
  if (row == "mish" || row == "gelu_tanh") return 7;  // the same with slopes of the gates below
  // Three factors, rounded once more each where the compiler does not contract.
  if (row == "gelu_gate") return 6;
  if (row == "mish_gate") return 7;  // five, a quotient squared among them
  return 4;
}

template <std::size_t N>
void require(std::string_view name, const char* set, const char* type,
             const worst_of_row<N>& found) {
  if (std::getenv("BACKSWEEP_LIST_ULPS")) {
    std::printf("%-18s %-8s %-6s value %6.2f", std::string(name).c_str(), set, type,
                found.value.error);
    for (const worst& slope : found.slopes) std::printf("  slope %6.2f", slope.error);
    std::printf("   %s", found.value.error > 4 ? found.value.where.c_str() : "");
    for (const worst& slope : found.slopes) {
      if (slope.error > 4) std::printf("   slope %s", slope.where.c_str());
    }
    std::printf("\n");
  }
  INFO(name << " of " << type << ", " << set);
  INFO("value " << found.value.where);
  CHECK(found.value.error <= 4);
  for (const worst& slope : found.slopes) {
    INFO("slope " << slope.where);
    CHECK(slope.error <= allowed_in_slope(name));
  }
}

}  // namespace

TEMPLATE_TEST_CASE("loops keep all but the last digits of every row, in value and slope", "", float,
                   double) {
  using T = TestType;
  const char* type = std::numeric_limits<T>::digits == 24 ? "float" : "double";
  for (const kernel_table* kernels : autodiff::available_kernels()) {
    const auto& table = loop_rows::table_for<T>(*kernels);
    const auto in_long_double = loop_rows::unary<real>(table);
    std::size_t index = 0;
    for (const auto& row : loop_rows::unary<T>(table)) {
      require<1>(row.name, kernels->instruction_set, type,
                 measure<T>(row, in_long_double[index++]));
    }
    for (const auto& row : loop_rows::binary<T>(table)) {
      require<2>(row.name, kernels->instruction_set, type, measure<T>(row));
    }
  }
}

TEST_CASE("exp, tanh and sigmoid keep their digits over all floats") {
  struct function {
    const autodiff::unary_loops<float>& loops;
    double (*in_double)(double);
  };
  constexpr std::uint32_t stride =
      4099;  // a prime: every bit of a float changes from one to the next
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits >> 32 == 0; bits += stride) {
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  std::vector<float> y(x.size());
  for (const kernel_table* kernels : autodiff::available_kernels()) {
    const auto& of = kernels->of_float;
    for (const function& f :
         {function{of.exp, [](double at) { return std::exp(at); }},
          function{of.tanh, [](double at) { return std::tanh(at); }},
          function{of.sigmoid, [](double at) { return 1 / (1 + std::exp(-at)); }}}) {
      f.loops.forward(x.size(), x.data(), y.data());
      worst found;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const real expected{f.in_double(x[i])};
        found.see(reference::ulps(y[i], expected), std::array{x[i]}, y[i], expected);
      }
      INFO(f.loops.rule.name << ", " << kernels->instruction_set << ", " << found.where);
      CHECK(found.error <= 4);
    }
  }
}

TEMPLATE_TEST_CASE("erfc, normal_cdf and gelu keep their digits at densely sampled arguments", "",
                   float, double) {
  using T = TestType;
  const double reach = std::numeric_limits<T>::digits == 24 ? 12.5 : 37;
  for (const kernel_table* kernels : autodiff::available_kernels()) {
    const auto& table = loop_rows::table_for<T>(*kernels);
    const auto in_long_double = loop_rows::unary<real>(table);
    std::size_t index = 0;
    for (const auto& row : loop_rows::unary<T>(table)) {
      const auto& expected = in_long_double[index++];
      if (row.name != "erfc" && row.name != "normal_cdf" && row.name != "gelu") continue;
      reference::random random(5);
      std::vector<T> x;
      for (std::size_t i = 0; i < 20000; ++i) {
        x.push_back(static_cast<T>(random.uniform(-3, 3)));
        x.push_back(static_cast<T>(random.uniform(-reach, 0)));
      }
      std::vector<T> y(x.size());
      row.loops.forward(x.size(), x.data(), y.data());
      worst found;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const real value = expected.value(real{x[i]});
        found.see(reference::ulps(y[i], value), std::array{x[i]}, y[i], value);
      }
      INFO(row.name << ", " << kernels->instruction_set << ", " << found.where);
      CHECK(found.error <= 4);
    }
  }
}
