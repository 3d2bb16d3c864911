#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace {

using namespace tensors;
using reference::close;
using reference::real;

using reals = std::vector<real>;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// log(softmax) of each row of k, by the shifted definition.
reals plain_log_softmax(const reals& x, std::size_t k) {
  reals y(x.size());
  for (std::size_t row = 0; row < x.size(); row += k) {
    const real largest = *std::max_element(&x[row], &x[row] + k);
    real total = 0;
    for (std::size_t j = 0; j < k; ++j) total += std::exp(x[row + j] - largest);
    for (std::size_t j = 0; j < k; ++j) y[row + j] = x[row + j] - largest - std::log(total);
  }
  return y;
}

reals plain_softmax(const reals& x, std::size_t k) {
  reals y = plain_log_softmax(x, k);
  for (real& p : y) p = std::exp(p);
  return y;
}

real plain_cross_entropy(const reals& z, const reals& t, std::size_t k) {
  const reals log_p = plain_log_softmax(z, k);
  real total = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (t[i] != 0) total -= t[i] * log_p[i];
  }
  return total / static_cast<real>(z.size() / k);
}

reals widened(const doubles& x) { return {x.begin(), x.end()}; }

}  // namespace

TEST_CASE("softmax and log_softmax along the last axis are those of long double loops") {
  reference::random random(41);
  for (const shape& s :
       {shape{1}, shape{7}, shape{4, 1}, shape{4, 10}, shape{2, 3, 5}, shape{3, 100}}) {
    for (const double scale : {1.0, 30.0, 1000.0}) {
      const doubles x = random.uniform(s.size(), -scale, scale);
      const std::size_t k = s[s.rank() - 1];
      const tensor<double> t(s, x);
      CHECK(softmax(t).shape() == s);
      const reals p = plain_softmax(widened(x), k), log_p = plain_log_softmax(widened(x), k);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        // Relative, far into the tail: p may be 1e-300.
        wrong += std::fabs(softmax(t).values()[i] - p[i]) > 1e-13L * p[i] + 5e-324L;
        wrong += !close(log_softmax(t).values()[i], log_p[i], 4e-16L * static_cast<real>(scale));
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("softmax of float tensors adds up to 1") {
  reference::random random(42);
  const tensor<float> x(shape{5, 1000}, random.uniform<float>(5000, -10, 10));
  const tensor<float> totals = sum(softmax(x), {1});
  for (const float total : totals.values()) CHECK(close(total, 1, 1e-6L));
}

TEST_CASE("large logits do not overflow") {
  const tensor<double> x({{1000.0, 1001.0}, {-1000.0, -1001.0}, {1e300, -1e300}});
  const double p = 1 / (1 + std::exp(1.0));
  CHECK(reference::all_close(softmax(x).values(), doubles{p, 1 - p, 1 - p, p, 1, 0}, 1e-15L));
  CHECK(numbers(log_softmax(x))[5] == -2e300);
  // The tail keeps its digits where softmax underflows.
  CHECK(numbers(log_softmax(tensor<double>({0.0, -2000.0}))) == doubles{0, -2000});
  CHECK(close(softmax_cross_entropy(x, tensor<double>({{0.0, 1.0}, {1.0, 0.0}, {0.0, 0.0}})).item(),
              2 * std::log1p(std::exp(-1.0L)) / 3, 1e-15L));
}

TEST_CASE("entries of minus infinity have weight 0 and no adjoint") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({0.0, -infinity, 1.0}));
  const tensor<double> p = softmax(x), log_p = log_softmax(x);
  const double e = std::exp(1.0);
  CHECK(reference::all_close(p.values(), doubles{1 / (1 + e), 0, e / (1 + e)}, 1e-15L));
  CHECK(log_p.value(1) == -infinity);
  CHECK(close(log_p.value(2), -std::log1p(std::exp(-1.0L)), 1e-15L));
  t.backward(p, tensor<double>({1.0, 5.0, -2.0}));
  const double s = e / ((1 + e) * (1 + e));
  CHECK(reference::all_close(t.adjoint(x).values(), doubles{3 * s, 0, -3 * s}, 1e-15L));
  t.backward(log_p, tensor<double>({1.0, 0.0, 0.0}));
  CHECK(reference::all_close(t.adjoint(x).values(), doubles{e / (1 + e), 0, -e / (1 + e)}, 1e-15L));
  t.backward(softmax_cross_entropy(x, tensor<double>({1.0, 0.0, 0.0})));
  CHECK(reference::all_close(t.adjoint(x).values(), doubles{-e / (1 + e), 0, e / (1 + e)}, 1e-15L));
}

TEST_CASE("a row of nothing but minus infinity has all weights 0") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({{-infinity, -infinity}, {0.0, 0.0}}));
  const tensor<double> p = softmax(x);
  CHECK(numbers(p) == doubles{0, 0, 0.5, 0.5});
  CHECK(numbers(log_softmax(x))[0] == -infinity);
  t.backward(p, tensor<double>(shape{2, 2}, doubles{1, 2, 3, 4}));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0, -0.25, 0.25});
  // Without weight on that row the loss does not see it.
  const tensor<double> loss = softmax_cross_entropy(x, tensor<double>({{0.0, 0.0}, {1.0, 0.0}}));
  CHECK(close(loss.item(), std::log(2.0L) / 2, 1e-15L));
  t.backward(loss);
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0, -0.25, 0.25});
}

TEST_CASE("entries of plus infinity share the weight") {
  const tensor<double> x({{infinity, 0.0, infinity}, {infinity, -infinity, 3.0}});
  CHECK(numbers(softmax(x)) == doubles{0.5, 0, 0.5, 1, 0, 0});
  const tensor<double> log_p = log_softmax(x);
  CHECK(close(log_p.value(0, 0), -std::log(2.0L), 1e-15L));
  CHECK(log_p.value(0, 1) == -infinity);
  CHECK(log_p.value(1, 0) == 0);
  tape t;
  const tensor<double> v = t.variable(x);
  t.backward(softmax(v), tensor<double>(shape{2, 3}, doubles{1, 2, 3, 4, 5, 6}));
  for (const double g : t.adjoint(v).values()) CHECK(std::isfinite(g));
}

TEST_CASE("a NaN makes its row NaN and no other") {
  const tensor<double> x({{1.0, std::nan(""), infinity}, {0.0, 0.0, 0.0}});
  for (const tensor<double>& y : {softmax(x), log_softmax(x)}) {
    for (int j = 0; j < 3; ++j) {
      CHECK(std::isnan(y.value(0, j)));
      CHECK_FALSE(std::isnan(y.value(1, j)));
    }
  }
}

TEST_CASE("the adjoints of softmax and log_softmax are those of long double differences") {
  reference::random random(43);
  constexpr std::size_t n = 3, k = 4;
  const doubles x = random.uniform(n * k, -2, 2), w = random.uniform(n * k, -1, 1);
  const auto along = [&](auto&& f, std::size_t entry) {
    return reference::derivative(
        [&](real value) {
          reals moved = widened(x);
          moved[entry] = value;
          const reals y = f(moved, k);
          real total = 0;
          for (std::size_t i = 0; i < y.size(); ++i) total += w[i] * y[i];
          return total;
        },
        x[entry]);
  };
  tape t;
  const tensor<double> v = t.variable(tensor<double>(shape{n, k}, x)), weights(shape{n, k}, w);
  t.backward(softmax(v), weights);
  const doubles by_softmax = numbers(t.adjoint(v));
  t.backward(log_softmax(v), weights);
  const doubles by_log_softmax = numbers(t.adjoint(v));
  for (std::size_t i = 0; i < n * k; ++i) {
    CHECK(close(by_softmax[i], along(plain_softmax, i), 1e-13L));
    CHECK(close(by_log_softmax[i], along(plain_log_softmax, i), 1e-13L));
  }
}

TEMPLATE_TEST_CASE("a softmax that is nearly certain keeps the digits of small adjoints", "", float,
                   double) {
  using T = TestType;
  // Row by row: certain by margins up to where 1 - p is far below an ulp of 1, at each place.
  for (const T margin : {T(1), T(5), T(20), T(40)}) {
    for (std::size_t certain = 0; certain < 3; ++certain) {
      std::vector<T> x{T(0.25), T(-0.5), T(0.125)};
      x[certain] = margin;
      const std::vector<T> dy{T(0.75), T(-1.5), T(2)};
      reals p(3), log_p(3);
      real total = 0;
      for (const T each : x) total += std::exp(static_cast<real>(each));
      for (std::size_t j = 0; j < 3; ++j) p[j] = std::exp(static_cast<real>(x[j])) / total;
      tape t;
      const tensor<T> v = t.variable(tensor<T>(shape{3}, x)), seed(shape{3}, dy);
      t.backward(softmax(v), seed);
      const auto by_softmax = t.adjoint(v);
      t.backward(log_softmax(v), seed);
      const auto by_log_softmax = t.adjoint(v);
      for (std::size_t i = 0; i < 3; ++i) {
        // In differences of two entries, and in sums without the entry itself.
        real of_softmax = 0, of_log_softmax = 0, softmax_terms = 0, log_softmax_terms = 0;
        for (std::size_t j = 0; j < 3; ++j) {
          if (j == i) continue;
          const real apart = p[i] * p[j] * (real(dy[i]) - real(dy[j]));
          const real own = p[j] * real(dy[i]), other = p[i] * real(dy[j]);
          of_softmax += apart;
          of_log_softmax += own - other;
          softmax_terms += std::fabs(apart);
          log_softmax_terms += std::fabs(own) + std::fabs(other);
        }
        INFO("margin " << margin << " at " << certain << ", entry " << i);
        // A logarithm of the size of the margin has its ulps in the weight.
        const real most = (8 + real(margin)) * real(std::numeric_limits<T>::epsilon());
        CHECK(std::fabs(by_softmax.values()[i] - of_softmax) <= most * softmax_terms);
        CHECK(std::fabs(by_log_softmax.values()[i] - of_log_softmax) <= most * log_softmax_terms);
      }
    }
  }
}

TEST_CASE("cross-entropy on logits has the value and the adjoint p - t, one-hot and soft") {
  reference::random random(44);
  constexpr std::size_t n = 5, k = 4;
  const doubles z = random.uniform(n * k, -3, 3);
  const doubles soft = random.uniform(n * k, 0, 1);  // rows need not add up to 1
  const doubles hard =
      numbers(autodiff::one_hot<double>(std::vector<std::size_t>{0, 3, 1, 1, 2}, k));
  const reals p = plain_softmax(widened(z), k);
  for (const doubles& t : {soft, hard}) {
    tape record;
    const tensor<double> logits = record.variable(tensor<double>(shape{n, k}, z));
    const tensor<double> loss = softmax_cross_entropy(logits, tensor<double>(shape{n, k}, t));
    CHECK(loss.shape() == shape{});
    CHECK(close(loss.item(), plain_cross_entropy(widened(z), widened(t), k), 1e-15L));
    record.backward(3.0 * loss);
    const auto gradient = record.adjoint(logits).values();
    for (std::size_t i = 0; i < n * k; ++i) {
      real row = 0;
      for (std::size_t j = 0; j < k; ++j) row += t[i / k * k + j];
      CHECK(close(gradient[i], 3 * (p[i] * row - t[i]) / n, 1e-15L));
    }
    // A second loss on the same logits adds its share.
    const auto once = numbers(record.adjoint(logits));
    record.backward(3.0 * loss +
                    3.0 * softmax_cross_entropy(logits, tensor<double>(shape{n, k}, t)));
    for (std::size_t i = 0; i < n * k; ++i) {
      CHECK(close(record.adjoint(logits).values()[i], 2 * once[i], 1e-15L));
    }
  }
}

TEST_CASE("cross-entropy of one row, of float and of logits far apart") {
  const tensor<double> loss =
      softmax_cross_entropy(tensor<double>({1.0, 2.0, 3.0}), tensor<double>({0.0, 0.0, 1.0}));
  CHECK(close(loss.item(), std::log1p(std::exp(-1.0L) + std::exp(-2.0L)), 1e-15L));
  tape t;
  const tensor<float> z = t.variable(tensor<float>({{100.0f, -100.0f}}));
  const tensor<float> far = softmax_cross_entropy(z, tensor<float>({{0.0f, 1.0f}}));
  CHECK(far.item() == 200.0f);
  t.backward(far);
  CHECK(numbers(t.adjoint(z)) == std::vector<float>{1, -1});
}

TEST_CASE("recorded targets get their adjoint, with passive or recorded logits") {
  reference::random random(45);
  constexpr std::size_t n = 2, k = 3;
  const doubles z = random.uniform(n * k, -2, 2), w = random.uniform(n * k, 0.1, 1);
  const reals log_p = plain_log_softmax(widened(z), k);
  tape t;
  const tensor<double> logits = t.variable(tensor<double>(shape{n, k}, z));
  const tensor<double> targets = t.variable(tensor<double>(shape{n, k}, w));
  for (const tensor<double>& used : {logits, logits.detached()}) {
    t.backward(2.0 * softmax_cross_entropy(used, targets));
    for (std::size_t i = 0; i < n * k; ++i) {
      CHECK(close(t.adjoint(targets).values()[i], -2 * log_p[i] / n, 1e-15L));
    }
  }
  // The same tensor as logits and targets.
  t.backward(softmax_cross_entropy(logits, logits));
  for (std::size_t i = 0; i < n * k; ++i) {
    const real expected = reference::derivative(
        [&](real value) {
          reals moved = widened(z);
          moved[i] = value;
          return plain_cross_entropy(moved, moved, k);
        },
        z[i]);
    CHECK(close(t.adjoint(logits).values()[i], expected, 1e-13L));
  }
}

TEST_CASE("a loss that nothing depends on sends no NaN to its targets") {
  tape t;
  const tensor<double> z = t.variable(tensor<double>({0.0, -infinity}));
  const tensor<double> targets = t.variable(tensor<double>({1.0, 0.0}));
  t.backward(0.0 * softmax_cross_entropy(z, targets));
  CHECK(numbers(t.adjoint(targets)) == doubles{0, 0});
  CHECK(numbers(t.adjoint(z)) == doubles{0, 0});
}

TEST_CASE("softmax of no elements is empty and the mean loss of no rows NaN") {
  CHECK(softmax(tensor<double>(shape{0, 3})).shape() == shape{0, 3});
  CHECK(log_softmax(tensor<double>(shape{3, 0})).shape() == shape{3, 0});
  CHECK(std::isnan(
      softmax_cross_entropy(tensor<double>(shape{0, 3}), tensor<double>(shape{0, 3})).item()));
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{0, 3}));
  t.backward(sum(softmax(x)));
  CHECK(t.adjoint(x).shape() == shape{0, 3});
}

TEST_CASE("softmax of a scalar and a loss of different shapes are errors with the shapes") {
  CHECK(says(message<shape_error>([] { softmax(tensor<double>(1.0)); }), "softmax: ", "rank 0"));
  CHECK(says(message<shape_error>([] { log_softmax(tensor<double>(1.0)); }),
             "log_softmax: ", "rank 0"));
  CHECK(says(message<shape_error>([] {
               softmax_cross_entropy(tensor<double>(shape{4, 3}), tensor<double>(shape{4, 2}));
             }),
             "softmax_cross_entropy: ", "[4, 3]", "[4, 2]"));
  CHECK_THROWS_AS(softmax_cross_entropy(tensor<double>(shape{4, 3}), tensor<double>(shape{3})),
                  shape_error);
  CHECK_THROWS_AS(softmax_cross_entropy(tensor<double>(1.0), tensor<double>(1.0)), shape_error);
}

TEST_CASE("the Hessian of cross-entropy on logits is (diag(p) - p p^T) / n, forward over reverse") {
  reference::random random(46);
  constexpr std::size_t n = 3, k = 4;
  const doubles z = random.uniform(n * k, -2, 2), v = random.uniform(n * k, -1, 1);
  std::vector<dual<double>> directed;
  for (std::size_t i = 0; i < n * k; ++i) directed.emplace_back(z[i], v[i]);
  const auto targets = autodiff::one_hot<dual<double>>(std::vector<std::size_t>{0, 3, 1}, k);
  tape t;
  const tensor<dual<double>> logits = t.variable(tensor<dual<double>>(shape{n, k}, directed));
  const auto loss = softmax_cross_entropy(logits, targets);
  t.backward(loss);
  const auto p = plain_softmax(widened(z), k);
  for (std::size_t i = 0; i < n * k; ++i) {
    real along = 0;
    for (std::size_t j = i / k * k; j < i / k * k + k; ++j) along += p[j] * v[j];
    const auto& g = t.adjoint(logits).values()[i];
    CHECK(close(g.value(), (p[i] - targets.values()[i].value()) / n, 1e-15L));
    CHECK(close(g.tangent(), p[i] * (v[i] - along) / n, 1e-15L));
    // The hand-derived gradient, differentiated along v by differences.
    const real by_differences = reference::derivative(
        [&](real step) {
          reals moved = widened(z);
          for (std::size_t j = 0; j < n * k; ++j) moved[j] += step * v[j];
          return (plain_softmax(moved, k)[i] - targets.values()[i].value()) / n;
        },
        0);
    CHECK(close(g.tangent(), by_differences, 1e-13L));
  }
}

TEST_CASE("softmax of duals handles infinite entries as softmax of numbers does") {
  std::vector<dual<double>> x{{0.0, 1.0}, {-infinity, 0.0}, {1.0, -1.0}};
  const auto p = softmax(tensor<dual<double>>(shape{3}, x));
  const double e = std::exp(1.0), s = e / ((1 + e) * (1 + e));
  CHECK(close(p.value(0).tangent(), 2 * s, 1e-15L));
  CHECK(p.value(1).value() == 0);
  CHECK(p.value(1).tangent() == 0);
  CHECK(close(p.value(2).tangent(), -2 * s, 1e-15L));
}

TEST_CASE("cross-entropy of class indices is that of their one-hot rows") {
  reference::random random(47);
  const std::vector<std::size_t> labels{2, 0, 1, 1};
  tape t;
  const tensor<double> z = t.variable(tensor<double>(shape{4, 3}, random.uniform(12, -3, 3)));
  const tensor<double> by_index = softmax_cross_entropy(z, labels);
  const tensor<double> by_rows = softmax_cross_entropy(z, autodiff::one_hot<double>(labels, 3));
  CHECK(by_index.item() == by_rows.item());
  t.backward(by_index - by_rows);
  for (const double g : t.adjoint(z).values()) CHECK(g == 0);
  CHECK(says(message<shape_error>([&] {
               softmax_cross_entropy(z, std::vector<std::size_t>{0, 1});
             }),
             "softmax_cross_entropy: ", "[4, 3]", "2 labels"));
  CHECK(says(message<shape_error>([&] {
               softmax_cross_entropy(z, std::vector<std::size_t>{0, 1, 3, 0});
             }),
             "softmax_cross_entropy: ", "label 3", "[4, 3]"));
}

TEST_CASE("losses are left to each sample, added up or averaged") {
  const tensor<double> z({{1.0, 2.0}, {5.0, 1.0}});
  const std::vector<std::size_t> labels{0, 0};
  const auto each = softmax_cross_entropy(z, labels, autodiff::reduction::none);
  CHECK(each.shape() == shape{2});
  CHECK(close(each.value(0), 1 + std::log1p(std::exp(-1.0L)), 1e-15L));
  CHECK(close(softmax_cross_entropy(z, labels, autodiff::reduction::sum).item(),
              each.value(0) + each.value(1), 1e-15L));
  CHECK(
      close(softmax_cross_entropy(z, labels).item(), (each.value(0) + each.value(1)) / 2, 1e-15L));
}

TEST_CASE("binary cross-entropy keeps its digits where the output is right, and its infinities") {
  tape t;
  const tensor<double> z = t.variable(tensor<double>({40.0, -40.0, 800.0, infinity}));
  const tensor<double> target({1.0, 0.0, 0.0, 1.0});
  const auto each = binary_cross_entropy_with_logits(z, target, autodiff::reduction::none);
  const real small = std::log1p(std::exp(-40.0L));
  CHECK(std::fabs(each.value(0) / small - 1) < 1e-14L);
  CHECK(std::fabs(each.value(1) / small - 1) < 1e-14L);
  CHECK(each.value(2) == 800);
  CHECK(each.value(3) == 0);
  t.backward(each, tensor<double>({1.0, 1.0, 1.0, 1.0}));
  const auto g = t.adjoint(z).values();
  CHECK(std::fabs(g[0] / -std::exp(-40.0L) - 1) < 1e-14L);
  CHECK(g[2] == 1);
  CHECK(g[3] == 0);
  CHECK(says(
      message<shape_error>([&] { binary_cross_entropy_with_logits(z, tensor<double>({1.0})); }),
      "binary_cross_entropy_with_logits: ", "[4]", "[1]"));
}
