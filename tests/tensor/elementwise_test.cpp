#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/rows.hpp>
#include <tests/tensors.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace tensors;
using autodiff::var;
using reference::close;
using reference::real;

constexpr double infinity = std::numeric_limits<double>::infinity();

const std::vector<std::pair<shape, shape>> broadcasts{{{}, {}},
                                                      {{3}, {3}},
                                                      {{3}, {}},
                                                      {{}, {3}},
                                                      {{1}, {3}},
                                                      {{2, 3}, {3}},
                                                      {{3}, {2, 3}},
                                                      {{2, 1}, {3}},
                                                      {{2, 1}, {1, 3}},
                                                      {{1, 3}, {2, 1}},
                                                      {{2, 3, 4}, {3, 1}},
                                                      {{3, 1}, {2, 3, 4}},
                                                      {{2, 1, 4}, {3, 1}},
                                                      {{1, 1}, {1}},
                                                      {{2, 3}, {1, 1, 1}},
                                                      {{2, 1, 2, 1, 2}, {3, 1, 3, 1}},
                                                      {{1, 17}, {5, 17}},
                                                      {{5, 17}, {5, 1}},
                                                      {{0, 3}, {3}},
                                                      {{1}, {0}},
                                                      {{2, 1}, {1, 0}}};

}  // namespace

TEST_CASE("every unary row has on tensors the values and slopes it has on numbers") {
  reference::random random(51);
  for (const auto& row : rows::unary<rows::row<tensor<double>(tensor<double>), real(real)>>()) {
    INFO(row.name);
    const doubles x = random.uniform(23, row.sampled[0].from, row.sampled[0].to);
    const doubles w = random.uniform(23, -1, 1);
    tape t;
    const tensor<double> v = t.variable(tensor<double>(shape{23}, x));
    const tensor<double> y = row(v);
    t.backward(y, tensor<double>(shape{23}, w));
    const doubles once = numbers(t.adjoint(v));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const real slope = reference::derivative([&](real at) { return row(at); }, x[i], 0.02L);
      CHECK(close(y.values()[i], row(real{x[i]}), 4e-15L));
      CHECK(close(once[i], w[i] * slope, 1e-12L));
    }
    // The second use adds to the first.
    const tensor<double> weights(shape{23}, w);
    t.backward(sum(row(v) * weights) + sum(y * weights));
    for (std::size_t i = 0; i < x.size(); ++i)
      CHECK(close(t.adjoint(v).values()[i], 2 * once[i], 1e-14L));
  }
}

TEST_CASE(
    "every binary row broadcasts its operands and sums their adjoints over what was repeated") {
  reference::random random(52);
  for (const auto& [a_shape, b_shape] : broadcasts) {
    for (const auto& row : rows::binary<
             rows::row<tensor<double>(tensor<double>, tensor<double>), real(real, real)>>()) {
      INFO(row.name << " of " << a_shape << " and " << b_shape);
      const doubles a = random.uniform(a_shape.size(), row.sampled[0].from, row.sampled[0].to);
      const doubles b = random.uniform(b_shape.size(), row.sampled[1].from, row.sampled[1].to);
      tape t;
      const tensor<double> x = t.variable(tensor<double>(a_shape, a));
      const tensor<double> y = t.variable(tensor<double>(b_shape, b));
      const tensor<double> z = row(x, y);
      const doubles w = random.uniform(z.size(), -1, 1);
      std::vector<real> da(a.size()), db(b.size());
      for (std::size_t i = 0; i < z.size(); ++i) {
        const std::size_t at_a = meeting(a_shape, z.shape(), i),
                          at_b = meeting(b_shape, z.shape(), i);
        const real va = a[at_a], vb = b[at_b];
        REQUIRE(close(z.values()[i], row(va, vb), 4e-15L));
        da[at_a] += w[i] * reference::derivative([&](real v) { return row(v, vb); }, va, 0.02L);
        db[at_b] += w[i] * reference::derivative([&](real v) { return row(va, v); }, vb, 0.02L);
      }
      const tensor<double> weights(z.shape(), w);
      t.backward(z, weights);
      CHECK(t.adjoint(x).shape() == a_shape);
      CHECK(t.adjoint(y).shape() == b_shape);
      CHECK(reference::all_close(t.adjoint(x).values(), da, 1e-11L));
      CHECK(reference::all_close(t.adjoint(y).values(), db, 1e-11L));
      // A second use adds, on each side alone too.
      const tensor<double> constant_a(a_shape, a), constant_b(b_shape, b);
      t.backward(sum(z * weights) + sum(row(x, constant_b) * weights) +
                 sum(row(constant_a, y) * weights));
      for (real& g : da) g *= 2;
      for (real& g : db) g *= 2;
      CHECK(reference::all_close(t.adjoint(x).values(), da, 1e-11L));
      CHECK(reference::all_close(t.adjoint(y).values(), db, 1e-11L));
    }
  }
}

TEST_CASE("every binary row takes a number on either side as a constant") {
  reference::random random(53);
  for (const auto& row :
       rows::binary<rows::row<tensor<double>(tensor<double>, double),
                              tensor<double>(double, tensor<double>), real(real, real)>>()) {
    INFO(row.name);
    const doubles a = random.uniform(11, row.sampled[0].from, row.sampled[0].to);
    const doubles b = random.uniform(11, row.sampled[1].from, row.sampled[1].to);
    tape t;
    const tensor<double> x = t.variable(tensor<double>(shape{11}, a));
    const tensor<double> y = t.variable(tensor<double>(shape{11}, b));
    const tensor<double> right = row(x, b[0]), left = row(a[0], y);
    t.backward(sum(right) + sum(left) + sum(row(x, b[0])) + sum(row(a[0], y)));
    for (std::size_t i = 0; i < 11; ++i) {
      CHECK(close(right.values()[i], row(real{a[i]}, real{b[0]}), 4e-15L));
      CHECK(close(left.values()[i], row(real{a[0]}, real{b[i]}), 4e-15L));
      const real da =
          reference::derivative([&](real v) { return row(v, real{b[0]}); }, a[i], 0.02L);
      const real db =
          reference::derivative([&](real v) { return row(real{a[0]}, v); }, b[i], 0.02L);
      CHECK(close(t.adjoint(x).values()[i], 2 * da, 1e-11L));
      CHECK(close(t.adjoint(y).values()[i], 2 * db, 1e-11L));
    }
  }
}

TEST_CASE("every binary row broadcasts a scalar variable and gives it its derivative") {
  reference::random random(54);
  for (const auto& row :
       rows::binary<rows::row<tensor<double>(tensor<double>, var),
                              tensor<double>(var, tensor<double>), real(real, real)>>()) {
    INFO(row.name);
    const doubles a = random.uniform(7, row.sampled[0].from, row.sampled[0].to);
    const doubles b = random.uniform(7, row.sampled[1].from, row.sampled[1].to);
    tape t;
    const tensor<double> x = t.variable(tensor<double>(shape{7}, a));
    const tensor<double> y = t.variable(tensor<double>(shape{7}, b));
    const var p = t.variable(a[0]), q = t.variable(b[0]);
    const tensor<double> right = row(x, q), left = row(p, y);
    CHECK(right.shape() == shape{7});
    t.backward(sum(right) + sum(left));
    real dp = 0, dq = 0;
    for (std::size_t i = 0; i < 7; ++i) {
      const auto in_a = [&](real va, real vb) {
        return reference::derivative([&](real v) { return row(v, vb); }, va, 0.02L);
      };
      const auto in_b = [&](real va, real vb) {
        return reference::derivative([&](real v) { return row(va, v); }, vb, 0.02L);
      };
      CHECK(close(right.values()[i], row(real{a[i]}, real{b[0]}), 4e-15L));
      CHECK(close(t.adjoint(x).values()[i], in_a(a[i], b[0]), 1e-11L));
      CHECK(close(t.adjoint(y).values()[i], in_b(a[0], b[i]), 1e-11L));
      dq += in_b(a[i], b[0]);
      dp += in_a(a[0], b[i]);
    }
    CHECK(close(t.adjoint(p), dp, 1e-11L));
    CHECK(close(t.adjoint(q), dq, 1e-11L));
  }
}

TEST_CASE("an expression of scalars beside a tensor is one scalar") {
  tape t;
  const var p = t.variable(2.0);
  const tensor<double> x = t.variable(tensor<double>({1.0, 3.0}));
  t.backward(sum((p * p + 1.0) * x / (p - 1.0)));
  CHECK(numbers(t.adjoint(x)) == doubles{5, 5});
  // d/dp (p^2 + 1) / (p - 1) = (p^2 - 2 p - 1) / (p - 1)^2 = -1 at 2, times 1 + 3.
  CHECK(close(t.adjoint(p), -4, 1e-15L));
  const tensor<double> beside_passive = x + var(1.5);
  CHECK(numbers(beside_passive) == doubles{2.5, 4.5});
}

TEST_CASE("float tensors take numbers, doubles among them, and scalar variables") {
  tape t;
  const tensor<float> x = t.variable(tensor<float>({1.0f, 2.0f}));
  const var p = t.variable(3.0);
  const tensor<float> y = 0.5 * x + 1 - x / 2.0f + x * p;
  CHECK(numbers(y) == std::vector<float>{4, 7});
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(x)) == std::vector<float>{3, 3});
  CHECK(t.adjoint(p) == 3);
}

TEST_CASE("float rows agree with double rows") {
  reference::random random(55);
  for (const auto& row :
       rows::unary<rows::row<tensor<float>(tensor<float>), tensor<double>(tensor<double>)>>()) {
    INFO(row.name);
    const auto x = random.uniform<float>(19, row.sampled[0].from, row.sampled[0].to);
    tape t;
    const tensor<float> narrow = t.variable(tensor<float>(shape{19}, x));
    const tensor<double> wide = t.variable(tensor<double>(shape{19}, doubles(x.begin(), x.end())));
    const tensor<float> y = row(narrow);
    t.backward(sum(y));
    const auto by_float = t.adjoint(narrow);
    const tensor<double> z = row(wide);
    t.backward(sum(z));
    CHECK(reference::all_close(y.values(), z.values(), 2e-6L));
    CHECK(reference::all_close(by_float.values(), t.adjoint(wide).values(), 1e-5L));
  }
}

TEST_CASE("operators are the rows they are named after") {
  tape t;
  tensor<double> x = t.variable(tensor<double>({1.0, 2.0}));
  const tensor<double> start = x;
  CHECK(numbers(-x) == doubles{-1, -2});
  CHECK(numbers(x - 3.0) == doubles{-2, -1});
  CHECK(numbers(3.0 - x) == doubles{2, 1});
  CHECK(numbers(2.0 / x) == doubles{2, 1});
  CHECK(numbers(x / 2) == doubles{0.5, 1});
  x += 1.0;
  x *= start;
  x -= start;
  x /= 2.0;
  x *= t.variable(4.0);
  CHECK(numbers(x) == doubles{2, 8});
  t.backward(sum(x));
  CHECK(numbers(t.adjoint(start)) == doubles{4, 8});
  CHECK(numbers(start) == doubles{1, 2});
}

TEST_CASE("an operator that assigns never changes what was recorded") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({3.0, 4.0}));
  tensor<double> y = x;
  for (int i = 0; i < 3; ++i) y *= y;
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(x)) == doubles{8 * 2187, 8 * 16384});
}

TEST_CASE("shapes that do not broadcast are an error that names the row and both shapes") {
  const tensor<double> a(shape{2, 3}), b(shape{4, 2, 2});
  for (const auto& row :
       rows::binary<rows::row<tensor<double>(tensor<double>, tensor<double>)>>()) {
    const std::string text = message<shape_error>([&] { row(a, b); });
    CHECK(says(text, std::string(row.name) + ": ", "[2, 3]", "[4, 2, 2]"));
  }
  tensor<double> c = a;
  CHECK_THROWS_AS(c += b, shape_error);
  CHECK(c.shape() == shape{2, 3});
}

TEST_CASE("a tie of two variables is shared, a tie with a constant gives 0") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0, 3.0})),
                       y = t.variable(tensor<double>({3.0, 2.0, 1.0}));
  t.backward(sum(max(x, y)));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0.5, 1});
  CHECK(numbers(t.adjoint(y)) == doubles{1, 0.5, 0});
  t.backward(sum(min(x, y)));
  CHECK(numbers(t.adjoint(x)) == doubles{1, 0.5, 0});
  CHECK(numbers(t.adjoint(y)) == doubles{0, 0.5, 1});
  // The same on both sides and for every kind of constant.
  const tensor<double> constant({2.0, 2.0, 2.0});
  for (const tensor<double>& z :
       {max(x, constant), max(constant, x), max(x, 2.0), max(2.0, x), max(x, var(2.0)),
        max(var(2.0), x), max(x, y.detached() * 0.0 + 2.0)}) {
    t.backward(sum(z));
    CHECK(numbers(t.adjoint(x)) == doubles{0, 0, 1});
  }
  for (const tensor<double>& z : {min(x, constant), min(constant, x), min(x, 2.0), min(2.0, x)}) {
    t.backward(sum(z));
    CHECK(numbers(t.adjoint(x)) == doubles{1, 0, 0});
  }
  const var p = t.variable(2.0);
  t.backward(sum(max(x, p)));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0.5, 1});
  CHECK(t.adjoint(p) == 1.5);
  t.backward(sum(max(x, x)));
  CHECK(numbers(t.adjoint(x)) == doubles{1, 1, 1});
}

TEST_CASE("max and min propagate NaN into value and adjoint") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({NAN, 1.0, 2.0})),
                       y = t.variable(tensor<double>({1.0, NAN, 1.0}));
  for (const tensor<double>& z : {max(x, y), min(x, y)}) {
    CHECK(std::isnan(z.value(0)));
    CHECK(std::isnan(z.value(1)));
    CHECK_FALSE(std::isnan(z.value(2)));
    t.backward(sum(z));
    CHECK(std::isnan(t.adjoint(x).value(0)));
    CHECK(std::isnan(t.adjoint(y).value(1)));
    CHECK_FALSE(std::isnan(t.adjoint(x).value(2)));
  }
}

TEST_CASE("kinks have the minimum-norm slope in tensors too") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({0.0, -0.0, 1.0, -1.0}));
  t.backward(sum(abs(x)));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0, 1, -1});
  t.backward(sum(relu(x)));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0, 1, 0});
  t.backward(sum(sign(x)));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0, 0, 0});
  t.backward(sum(floor(x)));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0, 0, 0});
}

TEST_CASE("an infinite slope stays infinite, and a zero adjoint wins over it") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({0.0, 4.0}));
  t.backward(sum(sqrt(x)));
  CHECK(numbers(t.adjoint(x)) == doubles{infinity, 0.25});
  t.backward(sum(0.0 * sqrt(x)));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0});
  t.backward(sqrt(x), tensor<double>({0.0, 1.0}));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0.25});
  t.backward(sum(sqrt(x) * tensor<double>({0.0, 2.0})) + sum(x));
  CHECK(numbers(t.adjoint(x)) == doubles{1, 1.5});
  t.backward(sum(0.0 * log(x)) + sum(0.0 * cbrt(x)));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0});
  const tensor<double> base = t.variable(tensor<double>({0.0, 0.0})), power({0.5, -1.0});
  t.backward(pow(base, power), tensor<double>({1.0, 1.0}));
  CHECK(numbers(t.adjoint(base)) == doubles{infinity, -infinity});
  t.backward(pow(base, power), tensor<double>({0.0, 0.0}));
  CHECK(numbers(t.adjoint(base)) == doubles{0, 0});
}

TEST_CASE("a NaN value has a NaN slope") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({-1.0, 1.0}));
  t.backward(sum(log(x)));
  CHECK(std::isnan(t.adjoint(x).value(0)));
  CHECK(t.adjoint(x).value(1) == 1);
}

TEST_CASE("a constant power never touches the logarithm of its base") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({-2.0, 0.0, 3.0}));
  t.backward(sum(pow(x, 3.0)));
  CHECK(reference::all_close(t.adjoint(x).values(), doubles{12, 0, 27}, 1e-15L));
  t.backward(sum(pow(x, 0.0)));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0, 0});
  t.backward(sum(pow(x, 1.0)));
  CHECK(numbers(t.adjoint(x)) == doubles{1, 1, 1});
}

TEST_CASE("operands keep only what a slope needs") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{1000}, 1.0));
  const double* sum_data;
  {
    const tensor<double> y = x + 1.0;
    sum_data = y.values().data();
    const tensor<double> z = y + 1.0;
    CHECK(z.value(0) == 3);
  }
  // Nothing held y: a new tensor of its size gets its block, unless blocks are not reused at all.
#if !defined(__SANITIZE_ADDRESS__)
  const tensor<double> next(shape{1000}, 0.0), after(shape{1000}, 0.0);
  CHECK((next.values().data() == sum_data || after.values().data() == sum_data));
#else
  CHECK(sum_data != nullptr);
#endif
}

TEST_CASE("a pullback keeps what the slopes of recorded operands read, and no other operand") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0, 3.0}));
  const tensor<double> constant({4.0, 5.0, 6.0}), row({{2.0, 3.0, 4.0}, {5.0, 6.0, 7.0}});
  const auto keeps = [&](auto&& call) { return keeps_operand(t, x, call); };
  CHECK_FALSE(keeps([](const auto& y) { return y * 2.0; }));
  CHECK_FALSE(keeps([](const auto& y) { return 2.0 * y; }));
  CHECK_FALSE(keeps([](const auto& y) { return y / 2.0; }));
  CHECK_FALSE(keeps([&](const auto& y) { return y * constant; }));
  CHECK_FALSE(keeps([&](const auto& y) { return constant * y; }));
  CHECK_FALSE(keeps([&](const auto& y) { return y * row; }));
  CHECK(keeps([](const auto& y) { return y * y; }));
  CHECK(keeps([&](const auto& y) { return x * y; }));
  CHECK(keeps([](const auto& y) { return 2.0 / y; }));
}

TEST_CASE("every row on duals has the values and tangents of its slopes") {
  reference::random random(56);
  for (const auto& row :
       rows::unary<rows::row<tensor<dual<double>>(tensor<dual<double>>), real(real)>>()) {
    INFO(row.name);
    const doubles x = random.uniform(5, row.sampled[0].from, row.sampled[0].to);
    const doubles dx = random.uniform(5, -1, 1);
    std::vector<dual<double>> values;
    for (std::size_t i = 0; i < 5; ++i) values.emplace_back(x[i], dx[i]);
    const auto y = row(tensor<dual<double>>(shape{5}, values));
    for (std::size_t i = 0; i < 5; ++i) {
      const real slope = reference::derivative([&](real at) { return row(at); }, x[i], 0.02L);
      CHECK(close(y.value(i).value(), row(real{x[i]}), 4e-15L));
      CHECK(close(y.value(i).tangent(), dx[i] * slope, 1e-12L));
    }
  }
  for (const auto& row :
       rows::binary<rows::row<tensor<dual<double>>(tensor<dual<double>>, tensor<dual<double>>),
                              real(real, real)>>()) {
    INFO(row.name);
    const doubles a = random.uniform(2, row.sampled[0].from, row.sampled[0].to);
    const doubles b = random.uniform(3, row.sampled[1].from, row.sampled[1].to);
    const std::vector<dual<double>> da{{a[0], 0.5}, {a[1], -2.0}},
        db{{b[0], 1.0}, {b[1], 0.0}, {b[2], 3.0}};
    const auto y = row(tensor<dual<double>>(shape{2, 1}, da), tensor<dual<double>>(shape{3}, db));
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        const real slope = reference::derivative(
            [&](real step) {
              return row(a[i] + step * da[i].tangent(), b[j] + step * db[j].tangent());
            },
            0, 0.01L);
        CHECK(close(y.value(i, j).value(), row(real{a[i]}, real{b[j]}), 4e-15L));
        CHECK(close(y.value(i, j).tangent(), slope, 1e-11L));
      }
    }
  }
}

TEST_CASE("the second derivative of every unary row comes from duals on the tape") {
  reference::random random(57);
  for (const auto& row :
       rows::unary<rows::row<tensor<dual<double>>(tensor<dual<double>>), real(real)>>()) {
    INFO(row.name);
    const doubles x = random.uniform(5, row.sampled[0].from, row.sampled[0].to);
    std::vector<dual<double>> values;
    for (const double at : x) values.emplace_back(at, 1.0);
    tape t;
    const auto v = t.variable(tensor<dual<double>>(shape{5}, values));
    const tensor<dual<double>> y = row(v);
    t.backward(sum(y));
    for (std::size_t i = 0; i < 5; ++i) {
      const auto slope = [&](real at) {
        return reference::derivative([&](real inner) { return row(inner); }, at, 0.02L);
      };
      CHECK(close(t.adjoint(v).values()[i].value(), slope(x[i]), 1e-12L));
      CHECK(close(t.adjoint(v).values()[i].tangent(), reference::derivative(slope, x[i], 0.02L),
                  1e-8L));
    }
  }
}

TEST_CASE("a Hessian-vector product of an elementwise formula is that of its gradient by hand") {
  // f(x) = sum(exp(x) x^2), gradient exp(x) (x^2 + 2 x), second derivative exp(x) (x^2 + 4 x + 2).
  const doubles x{0.5, -1.5, 2.0}, v{1.0, -2.0, 0.5};
  std::vector<dual<double>> directed;
  for (std::size_t i = 0; i < 3; ++i) directed.emplace_back(x[i], v[i]);
  tape t;
  const auto leaf = t.variable(tensor<dual<double>>(shape{3}, directed));
  t.backward(sum(exp(leaf) * square(leaf)));
  for (std::size_t i = 0; i < 3; ++i) {
    const auto gradient = [](real at) { return std::exp(at) * (at * at + 2 * at); };
    const auto& g = t.adjoint(leaf).values()[i];
    CHECK(close(g.value(), gradient(x[i]), 1e-14L));
    CHECK(close(g.tangent(), std::exp(x[i]) * (x[i] * x[i] + 4 * x[i] + 2) * v[i], 1e-14L));
    CHECK(close(g.tangent(), v[i] * reference::derivative(gradient, x[i]), 1e-13L));
  }
}

TEST_CASE("duals beside a tensor of duals are constants that carry tangents") {
  const dual<double> c(2, 10);
  const std::vector<dual<double>> values{{1.0, 1.0}, {3.0, 0.0}};
  const tensor<dual<double>> x(shape{2}, values);
  CHECK((x * c).value(0).tangent() == 12);
  CHECK((c * x).value(1).tangent() == 30);
  CHECK((x + 1.0).value(1).value() == 4);
  CHECK((2.0 / x).value(0).tangent() == -2);
}
