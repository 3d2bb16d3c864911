#include <autodiff/dual.hpp>
#include <autodiff/tensor/kernels.hpp>

#include <tests/catch.hpp>
#include <tests/loop_rows.hpp>
#include <tests/reference.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using autodiff::kernel_table;
using autodiff::store;
using loop_rows::table_for;
using reference::real;

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

namespace {

/// A guarded stretch of n numbers: writing beyond either end is noticed.
template <class T>
class guarded {
 public:
  explicit guarded(std::size_t n) : numbers_(n + 2 * margin, T(12345)), size_(n) {}
  T* data() { return numbers_.data() + margin; }
  T operator[](std::size_t i) const { return numbers_[margin + i]; }
  bool intact() const {
    const auto sound = [](T x) { return x == T(12345); };
    return std::all_of(numbers_.begin(), numbers_.begin() + margin, sound) &&
           std::all_of(numbers_.end() - margin, numbers_.end(), sound);
  }

 private:
  static constexpr std::ptrdiff_t margin = 32;
  std::vector<T> numbers_;
  std::size_t size_;
};

/// Whether `got` is `expected` up to the disagreement that vector functions may have.
template <class T>
bool agrees(T got, T expected, double ulps = 8) {
  return reference::ulps<T>(got, expected) <= ulps;
}

/// All lengths with a different remainder of the vector loops, on unaligned data; write and add.
template <class T>
void require_every_length(const loop_rows::unary_row<T>& row) {
  // Near its zero crossing the slope of mish is the difference of two terms.
  const double slope_ulps = row.name == "mish" ? 16 : 8;
  const auto& f = row.loops;
  reference::random random(9);
  const auto [from, to] = row.sampled[0];
  std::size_t wrong = 0;
  for (std::size_t n = 0; n < 70; ++n) {
    const auto x = random.uniform<T>(n, from, to), dy = random.uniform<T>(n, 0.5, 2);
    guarded<T> y(n), written(n), added(n);
    f.forward(n, x.data(), y.data());
    for (std::size_t i = 0; i < n; ++i) added.data()[i] = T(1);
    f.pullback(n, x.data(), y.data(), dy.data(), written.data(), store::write);
    f.pullback(n, x.data(), y.data(), dy.data(), added.data(), store::add);
    for (std::size_t i = 0; i < n; ++i) {
      const T slope = row.share(dy[i], x[i], y[i]);
      wrong += !agrees(y[i], row.value(x[i]));
      wrong += !agrees(written[i], slope, slope_ulps) ||
               !reference::close(added[i], T(1) + slope, 1e-5L);
    }
    wrong += !y.intact() + !written.intact() + !added.intact();
  }
  CHECK(wrong == 0);
}

/// Both operands long, or one of them repeated; both pullbacks, write and add.
template <class T>
void require_every_stride(const loop_rows::binary_row<T>& row) {
  const auto& f = row.loops;
  reference::random random(10);
  const auto [a_from, a_to] = row.sampled[0];
  const auto [b_from, b_to] = row.sampled[1];
  const real tolerance = 64 * std::numeric_limits<T>::epsilon();
  std::size_t wrong = 0;
  for (const std::size_t n : {2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 67}) {
    for (const auto& [stride_a, stride_b] : {std::pair{1, 1}, {1, 0}, {0, 1}}) {
      const auto a = random.uniform<T>(stride_a ? n : 1, a_from, a_to);
      const auto b = random.uniform<T>(stride_b ? n : 1, b_from, b_to);
      const auto dy = random.uniform<T>(n, 0.5, 2);
      const auto step_a = static_cast<std::size_t>(stride_a),
                 step_b = static_cast<std::size_t>(stride_b);
      guarded<T> y(n);
      f.forward(n, a.data(), step_a, b.data(), step_b, y.data());
      std::vector<real> da(a.size()), db(b.size());
      for (std::size_t i = 0; i < n; ++i) {
        const T at_a = a[i * step_a], at_b = b[i * step_b];
        wrong += !agrees(y[i], row.value(at_a, at_b));
        da[i * step_a] += row.share_a(dy[i], at_a, at_b, y[i]);
        db[i * step_b] += row.share_b(dy[i], at_a, at_b, y[i]);
      }
      for (const store how : {store::write, store::add}) {
        guarded<T> into_a(a.size()), into_b(b.size());
        std::fill_n(into_a.data(), a.size(), T(3));
        std::fill_n(into_b.data(), b.size(), T(3));
        f.pullback_a(n, a.data(), step_a, b.data(), step_b, y.data(), dy.data(), into_a.data(), how,
                     0.5);
        f.pullback_b(n, a.data(), step_a, b.data(), step_b, y.data(), dy.data(), into_b.data(), how,
                     0.5);
        const real start = how == store::write ? 0 : 3;
        // Sums of shares may be large and their result small: relative to the terms, about 1 to 10
        // each.
        const real scale = tolerance * static_cast<real>(n);
        for (std::size_t i = 0; i < a.size(); ++i) {
          wrong += !reference::close(into_a[i], start + da[i], scale);
        }
        for (std::size_t i = 0; i < b.size(); ++i) {
          wrong += !reference::close(into_b[i], start + db[i], scale);
        }
        wrong += !into_a.intact() + !into_b.intact();
      }
      wrong += !y.intact();
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEMPLATE_TEST_CASE("unary loops serve every length and write nowhere else", "", float, double) {
  for (const kernel_table* kernels : autodiff::available_kernels()) {
    for (const auto& row : loop_rows::unary<TestType>(table_for<TestType>(*kernels))) {
      INFO(row.name << ", " << kernels->instruction_set);
      require_every_length(row);
    }
  }
}

TEMPLATE_TEST_CASE("binary loops serve long and repeated operands and sum into a repeated one", "",
                   float, double) {
  for (const kernel_table* kernels : autodiff::available_kernels()) {
    for (const auto& row : loop_rows::binary<TestType>(table_for<TestType>(*kernels))) {
      INFO(row.name << ", " << kernels->instruction_set);
      require_every_stride(row);
    }
  }
}

TEST_CASE("a unary loop may write over its argument") {
  for (const kernel_table* kernels : autodiff::available_kernels()) {
    for (const auto& row : loop_rows::unary<double>(kernels->of_double)) {
      INFO(row.name << ", " << kernels->instruction_set);
      reference::random random(11);
      auto x = random.uniform(53, row.sampled[0].from, row.sampled[0].to);
      std::vector<double> y(x.size());
      row.loops.forward(x.size(), x.data(), y.data());
      row.loops.forward(x.size(), x.data(), x.data());
      CHECK(x == y);
    }
  }
}

TEST_CASE("a zero weight wins over an infinite slope of a steep row") {
  for (const kernel_table* table : autodiff::available_kernels()) {
    const std::vector<double> x(9, 0.0), y(9, 0.0), dy{0, 1, -1, 0, 0, 2, 0, 0, 1};
    std::vector<double> dx(9);
    table->of_double.sqrt.pullback(9, x.data(), y.data(), dy.data(), dx.data(), store::write);
    for (std::size_t i = 0; i < 9; ++i) CHECK(dx[i] == (dy[i] == 0 ? 0 : dy[i] * HUGE_VAL));
  }
}

TEST_CASE("the share of a tie is what the caller says") {
  for (const kernel_table* table : autodiff::available_kernels()) {
    const std::vector<float> a{1, 2, 3, 4, 5}, b{1, 0, 3, 9, 5}, dy(5, 1.0f);
    std::vector<float> da(5), db(5);
    for (const double tie : {0.5, 0.0}) {
      const auto share = static_cast<float>(tie);
      table->of_float.max.pullback_a(5, a.data(), 1, b.data(), 1, nullptr, dy.data(), da.data(),
                                     store::write, tie);
      table->of_float.max.pullback_b(5, a.data(), 1, b.data(), 1, nullptr, dy.data(), db.data(),
                                     store::write, tie);
      CHECK(da == std::vector<float>{share, 1, share, 0, share});
      CHECK(db == std::vector<float>{share, 0, share, 1, share});
      table->of_float.min.pullback_a(5, a.data(), 1, b.data(), 1, nullptr, dy.data(), da.data(),
                                     store::write, tie);
      CHECK(da == std::vector<float>{share, 0, share, 1, share});
    }
  }
}

TEMPLATE_TEST_CASE("sum and dot are those of long double up to rounding", "", float, double) {
  using T = TestType;
  reference::random random(12);
  for (const kernel_table* table : autodiff::available_kernels()) {
    const auto& loops = table_for<T>(*table).plain;
    for (const std::size_t n : {0, 1, 2, 15, 16, 17, 31, 32, 100, 511, 512, 513, 1023, 1024, 1025,
                                1536, 2560, 4000, 100001}) {
      const auto x = random.uniform<T>(n, -1, 1), y = random.uniform<T>(n, -1, 1);
      real sum = 0, size = 0, dot = 0, dot_size = 0;
      for (std::size_t i = 0; i < n; ++i) {
        sum += x[i];
        size += std::fabs(x[i]);
        dot += real{x[i]} * y[i];
        dot_size += std::fabs(real{x[i]} * y[i]);
      }
      INFO(n << ", " << table->instruction_set);
      const real unit = std::numeric_limits<T>::epsilon();
      // Sixteen sums of at most 32 terms, joined pairwise: some forty roundings, whatever n is.
      CHECK(std::fabs(loops.sum(n, x.data()) - sum) <= 40 * unit * size);
      CHECK(std::fabs(loops.dot(n, x.data(), y.data()) - dot) <=
            (static_cast<real>(n) / 16 + 20) * unit * dot_size);
    }
  }
}

TEST_CASE("the error of a long sum grows slowly") {
  // One running sum of float would be off by more than a percent here.
  const std::vector<float> x(10'000'000, 0.1f);
  const real exact = real{0.1f} * static_cast<real>(x.size());
  for (const kernel_table* table : autodiff::available_kernels()) {
    CHECK(std::fabs(table->of_float.plain.sum(x.size(), x.data()) / exact - 1) < 1e-6L);
  }
}

TEMPLATE_TEST_CASE("max is the largest number, and NaN where there is one", "", float, double) {
  using T = TestType;
  const T infinity = std::numeric_limits<T>::infinity();
  reference::random random(13);
  for (const kernel_table* table : autodiff::available_kernels()) {
    const auto& loops = table_for<T>(*table).plain;
    for (std::size_t n = 1; n < 70; ++n) {
      auto x = random.uniform<T>(n, -5, -1);
      CHECK(loops.max(n, x.data()) == *std::max_element(x.begin(), x.end()));
      for (std::size_t i = 0; i < n; ++i) {
        const T before = x[i];
        x[i] = infinity;
        REQUIRE(loops.max(n, x.data()) == infinity);
        x[i] = std::numeric_limits<T>::quiet_NaN();
        REQUIRE(std::isnan(loops.max(n, x.data())));
        x[i] = before;
      }
      std::fill(x.begin(), x.end(), -infinity);
      CHECK(loops.max(n, x.data()) == -infinity);
    }
  }
}

TEMPLATE_TEST_CASE("accumulate writes or adds a multiple of a vector or of one number", "", float,
                   double) {
  using T = TestType;
  reference::random random(14);
  for (const kernel_table* table : autodiff::available_kernels()) {
    const auto& loops = table_for<T>(*table).plain;
    for (std::size_t n = 1; n < 40; ++n) {
      for (const std::size_t stride : {0, 1}) {
        for (const store how : {store::write, store::add}) {
          const auto x = random.uniform<T>(n, -1, 1);
          guarded<T> y(n);
          std::fill_n(y.data(), n, T(2));
          loops.accumulate(n, T(-1.5), x.data(), stride, y.data(), how);
          const real start = how == store::write ? 0 : 2;
          std::size_t wrong = !y.intact();
          for (std::size_t i = 0; i < n; ++i) {
            wrong += !reference::close(y[i], start - 1.5L * x[i * stride],
                                       2 * std::numeric_limits<T>::epsilon());
          }
          CHECK(wrong == 0);
        }
      }
    }
  }
}

TEST_CASE("plain loops for duals carry tangents") {
  using dual = autodiff::dual<double>;
  std::vector<dual> x;
  double value = 0, tangent = 0, product = 0;
  for (int i = 0; i < 600; ++i) {
    x.emplace_back(0.5 * i, 1.0 - i);
    value += 0.5 * i;
    tangent += 1.0 - i;
    product += 0.25 * i * i;
  }
  const auto& loops = autodiff::plain<dual>();
  CHECK(loops.sum(x.size(), x.data()).value() == value);
  CHECK(loops.sum(x.size(), x.data()).tangent() == tangent);
  CHECK(loops.dot(x.size(), x.data(), x.data()).value() == product);
  CHECK(loops.max(x.size(), x.data()).value() == 299.5);
  CHECK(loops.max(x.size(), x.data()).tangent() == -598);
  dual y(1, 1);
  loops.accumulate(1, dual(2, 3), x.data() + 4, 1, &y, store::add);
  CHECK(y.value() == 5);
  CHECK(y.tangent() == 1 + 2 * -3 + 3 * 2);
}

TEST_CASE("the chosen table is the best that this CPU can run, or the one asked for") {
  const auto tables = autodiff::available_kernels();
  CHECK(std::string_view(tables.front()->instruction_set) == "baseline");
  const char* asked = std::getenv("BACKSWEEP_ISA");
  for (const kernel_table* table : tables) {
    if (asked && std::string_view(asked) == table->instruction_set) {
      CHECK(&autodiff::kernels() == table);
      return;
    }
  }
  CHECK(&autodiff::kernels() == tables.back());
}
