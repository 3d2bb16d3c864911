// The vectorised loops of every row of ops.def beside the row itself on plain numbers, where
// functions go wrong and over the whole range.

#include <autodiff/tensor/kernels.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensor/loop_rows.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using autodiff::kernel_table;
using autodiff::store;
using loop_rows::table_for;

/// Where functions go wrong: zeros, denormals, the ends of the range, poles and their neighbours.
template <class T>
std::vector<T> hard_points() {
  using limits = std::numeric_limits<T>;
  std::vector<T> points{limits::quiet_NaN()};
  for (const T x : {T(0),
                    limits::denorm_min(),
                    limits::min() / 3,
                    limits::min(),
                    limits::epsilon(),
                    T(1e-3),
                    T(0.25),
                    T(0.5),
                    T(1),
                    std::nextafter(T(1), T(0)),
                    std::nextafter(T(1), T(2)),
                    T(1.5),
                    T(2),
                    T(3),
                    T(10),
                    T(20),
                    T(50),
                    T(88.7),
                    T(89),
                    T(100),
                    T(104),
                    T(709.7),
                    T(710),
                    T(745),
                    T(800),
                    T(1e10),
                    T(1e30),
                    limits::max(),
                    limits::infinity()}) {
    points.push_back(x);
    points.push_back(-x);
  }
  return points;
}

/// Hard points, and numbers of every magnitude.
template <class T>
std::vector<T> wide_sample(std::size_t count, reference::random& random) {
  using limits = std::numeric_limits<T>;
  std::vector<T> points = hard_points<T>();
  for (std::size_t i = 0; i < count; ++i) {
    const double sign = random.below(2) ? 1 : -1;
    points.push_back(static_cast<T>(random.uniform(-1, 1)));
    points.push_back(static_cast<T>(random.uniform(-20, 20)));
    points.push_back(static_cast<T>(random.uniform(-800, 800)));
    points.push_back(static_cast<T>(
        sign * std::ldexp(random.uniform(1, 2), static_cast<int>(random.uniform(-40, 40)))));
    points.push_back(static_cast<T>(
        sign * std::ldexp(random.uniform(1, 2),
                          static_cast<int>(random.uniform(limits::min_exponent - 20,
                                                          limits::max_exponent - 1)))));
  }
  return points;
}

/// The worst disagreement found, and where.
struct disagreement {
  double ulps = 0;
  std::string where;

  template <class T>
  void note(T got, T expected, T a, T b = T(0)) {
    const double found = reference::ulps<T>(got, expected);
    if (found > ulps) {
      ulps = found;
      std::ostringstream text;
      text.precision(17);
      text << "at " << a << ", " << b << ": " << got << " for " << expected;
      where = text.str();
    }
  }
};

struct row_disagreement {
  disagreement value, slope_a, slope_b;
};

/// Rows of x times a gate: where the gate is subnormal, its last digit is as many of theirs as x is
/// large, and the units to count are those of the gate.
template <class T>
bool has_subnormal_gate(std::string_view row, T x, T y) {
  const bool is_gated = row == "silu" || row == "mish" || row == "gelu" || row == "gelu_tanh";
  return is_gated && std::fabs(y / x) < std::numeric_limits<T>::min();
}

/// The slope of a gate is that gate times a rate of less than 256, where the gate is small: where
/// it is subnormal, its last digit is as many of the slope's.
template <class T>
bool has_subnormal_factor(std::string_view row, T slope) {
  return row == "gelu_gate" && std::fabs(slope) < 256 * std::numeric_limits<T>::min();
}

template <class T>
row_disagreement unary_disagreement(const loop_rows::unary_row<T>& row) {
  const auto& f = row.loops;
  reference::random random(7);
  const std::vector<T> x = wide_sample<T>(600, random);
  std::vector<T> y(x.size()), expected(x.size()), dx(x.size());
  row_disagreement worst;
  f.forward(x.size(), x.data(), y.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    expected[i] = row.value(x[i]);
    if (has_subnormal_gate(row.name, x[i], expected[i])) {
      CHECK(std::fabs(y[i] - expected[i]) <= 4 * std::numeric_limits<T>::denorm_min() * -x[i]);
    } else {
      worst.value.note(y[i], expected[i], x[i]);
    }
  }
  const auto dy = random.uniform<T>(x.size(), 0.5, 2);
  f.pullback(x.size(), f.needs_x ? x.data() : nullptr, f.needs_y ? expected.data() : nullptr,
             dy.data(), dx.data(), store::write);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T share = row.share(dy[i], x[i], expected[i]);
    if (has_subnormal_factor(row.name, share)) {
      CHECK(std::fabs(dx[i] - share) <= 4 * std::numeric_limits<T>::denorm_min() * 256);
    } else {
      worst.slope_a.note(dx[i], share, x[i]);
    }
  }
  return worst;
}

template <class T>
row_disagreement binary_disagreement(const loop_rows::binary_row<T>& row) {
  const auto& f = row.loops;
  reference::random random(8);
  // Every pair of hard points, and random pairs.
  std::vector<T> a, b;
  for (const T x : hard_points<T>()) {
    for (const T y : hard_points<T>()) {
      a.push_back(x);
      b.push_back(y);
    }
  }
  const std::vector<T> more = wide_sample<T>(600, random);
  for (const T x : more) {
    a.push_back(x);
    b.push_back(more[random.below(more.size())]);
    // Arguments of like size, where neither decides alone.
    a.push_back(x);
    b.push_back(static_cast<T>(x * static_cast<T>(random.uniform(-3, 3))));
  }
  std::vector<T> y(a.size()), expected(a.size()), da(a.size()), db(a.size());
  row_disagreement worst;
  f.forward(a.size(), a.data(), 1, b.data(), 1, y.data());
  for (std::size_t i = 0; i < a.size(); ++i) {
    expected[i] = row.value(a[i], b[i]);
    worst.value.note(y[i], expected[i], a[i], b[i]);
  }
  const auto dy = random.uniform<T>(a.size(), 0.5, 2);
  const T* needed_a = f.needs_a ? a.data() : nullptr;
  const T* needed_b = f.needs_b ? b.data() : nullptr;
  const T* needed_y = f.needs_y ? expected.data() : nullptr;
  f.pullback_a(a.size(), needed_a, 1, needed_b, 1, needed_y, dy.data(), da.data(), store::write,
               0.5);
  f.pullback_b(a.size(), needed_a, 1, needed_b, 1, needed_y, dy.data(), db.data(), store::write,
               0.5);
  for (std::size_t i = 0; i < a.size(); ++i) {
    worst.slope_a.note(da[i], row.share_a(dy[i], a[i], b[i], expected[i]), a[i], b[i]);
    worst.slope_b.note(db[i], row.share_b(dy[i], a[i], b[i], expected[i]), a[i], b[i]);
  }
  return worst;
}

/// visit(name, instruction set, row_disagreement) for every row.
template <class T, class Visitor>
void for_each_disagreement(Visitor&& visit) {
  for (const kernel_table* kernels : autodiff::available_kernels()) {
    for (const auto& row : loop_rows::unary<T>(table_for<T>(*kernels))) {
      visit(row.name, kernels->instruction_set, unary_disagreement(row));
    }
    for (const auto& row : loop_rows::binary<T>(table_for<T>(*kernels))) {
      visit(row.name, kernels->instruction_set, binary_disagreement(row));
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("every row's vector loops agree with its function and slopes on plain numbers",
                   "", float, double) {
  // Vector functions are good to 4 units in the last place; slopes may combine two of them. The
  // slope of atan2 is a quotient of three.
  for_each_disagreement<TestType>(
      [](std::string_view name, const char* set, const row_disagreement& worst) {
        INFO(name << ", " << set);
        const double in_slopes = name == "atan2" || name == "mish_gate" ? 8 : 6;
        INFO("value " << worst.value.where);
        CHECK(worst.value.ulps <= 4);
        // These slopes cross zero; ops_tensor_test.cpp looks at them elsewhere.
        if (name == "silu" || name == "mish" || name == "gelu" || name == "gelu_tanh") return;
        INFO("slope a " << worst.slope_a.where);
        CHECK(worst.slope_a.ulps <= in_slopes);
        INFO("slope b " << worst.slope_b.where);
        CHECK(worst.slope_b.ulps <= in_slopes);
      });
}
