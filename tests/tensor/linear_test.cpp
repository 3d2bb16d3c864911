#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/affine.hpp>
#include <autodiff/tensor/distance.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace tensors;
using reference::real;

/// c [m, n] = a [m, k] b [k, n], by definition.
template <class T>
std::vector<real> product(const std::vector<T>& a, const std::vector<T>& b, std::size_t m,
                          std::size_t k, std::size_t n) {
  std::vector<real> c(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t l = 0; l < k; ++l) c[i * n + j] += real{a[i * k + l]} * b[l * n + j];
    }
  }
  return c;
}

template <class T>
std::vector<T> turned(const std::vector<T>& a, std::size_t rows, std::size_t columns) {
  std::vector<T> t(a.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) t[j * rows + i] = a[i * columns + j];
  }
  return t;
}

}  // namespace

TEST_CASE("matmul of matrices and vectors has the shape and values of the definition") {
  const tensor<double> a({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}),
      b({{1.0, 0.0}, {2.0, 1.0}, {0.0, 3.0}});
  CHECK(matmul(a, b).shape() == shape{2, 2});
  CHECK(numbers(matmul(a, b)) == doubles{5, 11, 14, 23});
  const tensor<double> v({1.0, -1.0, 2.0}), w({2.0, -1.0});
  CHECK(matmul(a, v).shape() == shape{2});
  CHECK(numbers(matmul(a, v)) == doubles{5, 11});
  CHECK(matmul(w, a).shape() == shape{3});
  CHECK(numbers(matmul(w, a)) == doubles{-2, -1, 0});
  CHECK(matmul(v, v).shape() == shape{});
  CHECK(matmul(v, v).item() == 6);
}

TEMPLATE_TEST_CASE("matmul and its adjoints are the products of Giles, for every size", "", float,
                   double) {
  using T = TestType;
  reference::random random(31);
  for (const auto& [m, k, n] : {std::array<std::size_t, 3>{1, 1, 1},
                                {2, 3, 4},
                                {1, 7, 1},
                                {5, 1, 5},
                                {64, 1, 1},
                                {8, 9, 10},
                                {33, 65, 17},
                                {100, 40, 60}}) {
    INFO(m << " " << k << " " << n);
    const auto a = random.uniform<T>(m * k, -1, 1), b = random.uniform<T>(k * n, -1, 1),
               w = random.uniform<T>(m * n, -1, 1);
    tape t;
    const tensor<T> x = t.variable(tensor<T>(shape{m, k}, a)),
                    y = t.variable(tensor<T>(shape{k, n}, b));
    const tensor<T> z = matmul(x, y);
    const real tolerance = 4 * static_cast<real>(m + k + n) * std::numeric_limits<T>::epsilon();
    CHECK(reference::all_close(z.values(), product(a, b, m, k, n), tolerance));
    t.backward(z, tensor<T>(shape{m, n}, w));
    auto dx = product(w, turned(b, k, n), m, n, k), dy = product(turned(a, m, k), w, k, m, n);
    CHECK(reference::all_close(t.adjoint(x).values(), dx, tolerance));
    CHECK(reference::all_close(t.adjoint(y).values(), dy, tolerance));
    // Added to another share.
    t.backward(sum(z * tensor<T>(shape{m, n}, w)) + sum(x) + sum(y) + sum(matmul(x, y)) * T(0));
    for (real& g : dx) g += 1;
    for (real& g : dy) g += 1;
    CHECK(reference::all_close(t.adjoint(x).values(), dx, tolerance));
    CHECK(reference::all_close(t.adjoint(y).values(), dy, tolerance));
  }
}

TEST_CASE("matmul with one passive operand gives the other its adjoint") {
  tape t;
  const tensor<double> a({{1.0, 2.0}, {3.0, 4.0}});
  const tensor<double> x = t.variable(tensor<double>({5.0, 6.0}));
  t.backward(sum(matmul(a, x)));
  CHECK(numbers(t.adjoint(x)) == doubles{4, 6});
  t.backward(sum(matmul(x, a)));
  CHECK(numbers(t.adjoint(x)) == doubles{3, 7});
}

TEST_CASE("matmul of extents 0 is empty, or a sum of nothing") {
  const tensor<double> a(shape{2, 0}), b(shape{0, 3});
  CHECK(matmul(a, b).shape() == shape{2, 3});
  CHECK(numbers(matmul(a, b)) == doubles(6));
  CHECK(matmul(b, tensor<double>(shape{3, 4})).shape() == shape{0, 4});
  CHECK(matmul(tensor<double>(shape{0}), tensor<double>(shape{0})).item() == 0);
  CHECK(numbers(matmul(tensor<double>(shape{100, 0}), tensor<double>(shape{0, 2}))) ==
        doubles(200));
  tape t;
  const tensor<double> x = t.variable(b), y = t.variable(tensor<double>(shape{3, 2}, 1.0));
  t.backward(sum(matmul(x, y)));
  CHECK(t.adjoint(x).shape() == shape{0, 3});
  CHECK(numbers(t.adjoint(y)) == doubles(6));
  const tensor<double> empty = t.variable(tensor<double>());
  t.backward(matmul(empty, empty));
  CHECK(t.adjoint(empty).size() == 0);
}

TEST_CASE("matmul of batches multiplies matrix by matrix and broadcasts the axes before them") {
  const tensor<double> batch(shape{2, 2, 2}, doubles{1, 2, 3, 4, 5, 6, 7, 8}),
      turn({{0.0, 1.0}, {1.0, 0.0}}), v({1.0, 10.0});
  CHECK(numbers(matmul(batch, turn)) == doubles{2, 1, 4, 3, 6, 5, 8, 7});
  CHECK(numbers(matmul(turn, batch)) == doubles{3, 4, 1, 2, 7, 8, 5, 6});
  CHECK(numbers(matmul(batch, batch)) == doubles{7, 10, 15, 22, 67, 78, 91, 106});
  CHECK(matmul(batch, v).shape() == shape{2, 2});
  CHECK(numbers(matmul(batch, v)) == doubles{21, 43, 65, 87});
  CHECK(matmul(v, batch).shape() == shape{2, 2});
  CHECK(numbers(matmul(v, batch)) == doubles{31, 42, 75, 86});
  const tensor<double> column(shape{3, 1, 2, 4}), row(shape{5, 4, 1});
  CHECK(matmul(column, row).shape() == shape{3, 5, 2, 1});
}

TEST_CASE("matmul of batches of extent 0 is empty, and what it was broadcast from has adjoint 0") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{0, 2, 3})),
                       y = t.variable(tensor<double>(shape{3, 4}, 1.0)),
                       z = t.variable(tensor<double>(shape{1, 3, 4}, 1.0));
  CHECK(matmul(x, y).shape() == shape{0, 2, 4});
  t.backward(sum(matmul(x, y)) + sum(matmul(x, z)));
  CHECK(t.adjoint(x).shape() == shape{0, 2, 3});
  CHECK(numbers(t.adjoint(y)) == doubles(12));
  CHECK(numbers(t.adjoint(z)) == doubles(12));
  const tensor<double> a(shape{2, 2, 0}), b = t.variable(tensor<double>(shape{2, 0, 3}));
  CHECK(numbers(matmul(a, b)) == doubles(12));
}

TEST_CASE("dot and outer of vectors") {
  const tensor<double> v({1.0, 2.0, 3.0}), w({4.0, 5.0});
  CHECK(dot(v, v).item() == 14);
  CHECK(dot(tensor<double>(shape{0}), tensor<double>(shape{0})).item() == 0);
  CHECK(outer(v, w).shape() == shape{3, 2});
  CHECK(numbers(outer(v, w)) == doubles{4, 5, 8, 10, 12, 15});
  CHECK(outer(tensor<double>(shape{0}), w).shape() == shape{0, 2});
  CHECK(says(message<shape_error>([&] { dot(v, w); }), "dot: ", "[3] x [2]", "one length"));
  CHECK(says(message<shape_error>([&] { dot(outer(v, w), w); }), "dot: ", "[3, 2] x [2]"));
  CHECK(says(message<shape_error>([&] { outer(v, outer(v, w)); }), "outer: ", "[3] x [3, 2]"));
}

TEMPLATE_TEST_CASE("a squared distance has the same value recorded or not", "", float, double) {
  reference::random random(5);
  for (std::size_t n = 0; n < 70; ++n) {
    std::vector<TestType> from(n), to(n);
    for (std::size_t i = 0; i < n; ++i) {
      from[i] = static_cast<TestType>(random.uniform(-1, 1));
      to[i] = static_cast<TestType>(random.uniform(-1, 1));
    }
    const tensor<TestType> a(shape{n}, from), b(shape{n}, to);
    tape t;
    CHECK(squared_distance(t.variable(a), b).item() == squared_distance(a, b).item());
  }
}

TEST_CASE("dot and squared_distance pass infinite elements by where their adjoint is 0") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const tensor<double> far({infinity, 1.0}), near({2.0, 3.0});
  const auto check = [&](auto f) {
    for (const double chosen : {0.0, 1.0}) {
      tape t;
      const tensor<double> x = t.variable(near), y = t.variable(far);
      t.backward(f(x, y) * chosen + sum(x) + sum(y));
      INFO("weight " << chosen);
      CHECK((numbers(t.adjoint(x)) == doubles{1, 1}) == (chosen == 0));
      CHECK(std::isinf(t.adjoint(x).value(0)) == (chosen == 1));
      CHECK((numbers(t.adjoint(y)) == doubles{1, 1}) == (chosen == 0));
    }
    // Nor is anything left to read where this was the only share.
    tape t;
    const tensor<double> x = t.variable(near);
    t.backward(f(x, far) * 0.0);
    CHECK(numbers(t.adjoint(x)) == doubles{0, 0});
  };
  check([](const auto& a, const auto& b) { return dot(a, b); });
  check([](const auto& a, const auto& b) { return squared_distance(a, b); });
}

TEST_CASE("the adjoints of matmul are sums of products with infinities as IEEE has them") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  tape t;
  const tensor<double> x = t.variable(tensor<double>({{1.0, 2.0}})),
                       w({{infinity, 3.0}, {4.0, 5.0}});
  t.backward(matmul(x, w), tensor<double>({{0.0, 1.0}}));
  CHECK(std::isnan(t.adjoint(x).value(0, 0)));  // 0 inf + 1 3
  CHECK(t.adjoint(x).value(0, 1) == 5);
}

TEST_CASE("matmul of shapes that do not fit is an error with both") {
  const auto refused = [](const shape& a, const shape& b) {
    const std::string text =
        message<shape_error>([&] { matmul(tensor<double>(a), tensor<double>(b)); });
    return says(text, "matmul: ", to_string(a), to_string(b));
  };
  CHECK(refused({2, 3}, {4, 3}));
  CHECK(refused({2, 3}, {2}));
  CHECK(refused({2}, {3, 2}));
  CHECK(refused({2}, {3}));
  CHECK(refused({}, {3}));
  CHECK(refused({3}, {}));
  CHECK(refused({2, 3, 4}, {3, 2}));
  CHECK(refused({4, 2}, {2, 3, 4}));
  CHECK(refused({2, 3, 4}, {3, 4, 5}));
  CHECK(refused({2, 3, 4}, {3}));
  CHECK(refused({}, {2, 3, 4}));
}

TEST_CASE("affine is a product with the bias added to every row") {
  const tensor<double> x({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}}),
      w({{1.0, 0.0, 2.0}, {0.0, 1.0, -1.0}}), b({10.0, 20.0, 30.0});
  const tensor<double> y = affine(x, w, b);
  CHECK(y.shape() == shape{3, 3});
  CHECK(numbers(y) == doubles{11, 22, 30, 13, 24, 32, 15, 26, 34});
  const tensor<double> one = affine(tensor<double>({1.0, 2.0}), w, b);
  CHECK(one.shape() == shape{3});
  CHECK(numbers(one) == doubles{11, 22, 30});
}

TEST_CASE("the adjoints of affine are those of matmul plus a broadcast sum") {
  reference::random random(32);
  for (const std::size_t n : {1, 3, 80}) {
    const std::size_t in = 7, out = 9;
    tape t;
    const tensor<double> x =
        t.variable(tensor<double>(shape{n, in}, random.uniform(n * in, -1, 1)));
    const tensor<double> w =
        t.variable(tensor<double>(shape{in, out}, random.uniform(in * out, -1, 1)));
    const tensor<double> b = t.variable(tensor<double>(shape{out}, random.uniform(out, -1, 1)));
    const tensor<double> cotangent(shape{n, out}, random.uniform(n * out, -1, 1));
    t.backward(affine(x, w, b), cotangent);
    const auto dx = t.adjoint(x), dw = t.adjoint(w), db = t.adjoint(b);
    t.backward(matmul(x, w) + b, cotangent);
    CHECK(reference::all_close(dx.values(), t.adjoint(x).values(), 1e-14L));
    CHECK(reference::all_close(dw.values(), t.adjoint(w).values(), 1e-14L));
    CHECK(reference::all_close(db.values(), t.adjoint(b).values(), 1e-14L));
    // A layer used twice adds both shares.
    t.backward(sum(affine(x, w, b) * cotangent) + sum(affine(x, w, b) * cotangent));
    CHECK(reference::all_close(t.adjoint(b).values(), (2.0 * db).values(), 1e-14L));
    CHECK(reference::all_close(t.adjoint(w).values(), (2.0 * dw).values(), 1e-14L));
  }
}

TEST_CASE("affine of no rows gives weights and bias adjoint 0") {
  tape t;
  const tensor<double> x(shape{0, 2});
  const tensor<double> w = t.variable(tensor<double>(shape{2, 3}, 1.0)),
                       b = t.variable(tensor<double>(shape{3}, 1.0));
  const tensor<double> y = affine(x, w, b);
  CHECK(y.shape() == shape{0, 3});
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(w)) == doubles(6));
  CHECK(numbers(t.adjoint(b)) == doubles(3));
}

TEST_CASE("affine of shapes that do not fit is an error with both") {
  const auto text = [](const shape& x, const shape& w, const shape& b) {
    return message<shape_error>(
        [&] { affine(tensor<double>(x), tensor<double>(w), tensor<double>(b)); });
  };
  CHECK(says(text({5, 2}, {3, 4}, {4}), "affine: ", "[5, 2]", "[3, 4]"));
  CHECK(says(text({5, 3}, {3, 4}, {3}), "affine: ", "[3, 4]", "[3]"));
  CHECK(says(text({5, 3}, {3, 4}, {1, 4}), "affine: ", "[3, 4]", "[1, 4]"));
  CHECK(says(text({3}, {3}, {1}), "affine: ", "[3]", "[1]"));
  CHECK(says(text({2, 3, 5}, {3, 4}, {4}), "affine: ", "[2, 3, 5]", "[3, 4]"));
}

TEST_CASE("transpose exchanges rows and columns, and so does its adjoint") {
  const tensor<double> a({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  CHECK(transpose(a).shape() == shape{3, 2});
  CHECK(numbers(transpose(a)) == doubles{1, 4, 2, 5, 3, 6});
  CHECK(numbers(transpose(transpose(a))) == numbers(a));
  CHECK(transpose(tensor<double>(shape{0, 4})).shape() == shape{4, 0});
  tape t;
  const tensor<double> x = t.variable(a);
  const tensor<double> w({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}});
  t.backward(transpose(x), w);
  CHECK(t.adjoint(x).shape() == shape{2, 3});
  CHECK(numbers(t.adjoint(x)) == doubles{1, 3, 5, 2, 4, 6});
  t.backward(sum(transpose(x) * w) + sum(square(x)) + sum(transpose(x)));
  CHECK(numbers(t.adjoint(x)) == doubles{4, 8, 12, 11, 15, 19});
}

TEST_CASE("transpose of another rank is an error with the shape") {
  CHECK(says(message<shape_error>([] { transpose(tensor<double>(shape{3})); }),
             "transpose: ", "[3]"));
}

TEST_CASE("products of duals carry the tangents of both factors") {
  std::vector<dual<double>> a, b;
  for (int i = 0; i < 6; ++i) {
    a.emplace_back(i, 1);
    b.emplace_back(1, i);
  }
  const tensor<dual<double>> x(shape{2, 3}, a), y(shape{3, 2}, b);
  // Row 1, column 0: values 3 + 4 + 5; tangents 1 + 1 + 1 and 3 * 0 + 4 * 2 + 5 * 4.
  CHECK(matmul(x, y).value(1, 0).value() == 12);
  CHECK(matmul(x, y).value(1, 0).tangent() == 31);
  CHECK(transpose(y).value(1, 2).tangent() == 5);
  const tensor<dual<double>> bias(shape{2}, std::vector<dual<double>>{{1.0, 100.0}, {0.0, 0.0}});
  CHECK(affine(x, y, bias).value(1, 0).value() == 13);
  CHECK(affine(x, y, bias).value(1, 0).tangent() == 131);
}
