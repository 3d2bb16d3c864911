#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/slice.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace {

using namespace tensors;
using autodiff::axes;
using reference::real;

tensor<double> counted(const shape& s) {
  doubles values(s.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i + 1);
  return tensor<double>(s, values);
}

/// The sum over axes whose bit is set in `over`, index by index, with the weights' sum beside it.
struct reduction {
  std::vector<real> sums;
  std::vector<std::size_t> target;  // where each element of x went
};

reduction by_index(const shape& s, const std::vector<double>& x, unsigned over) {
  reduction r{{}, std::vector<std::size_t>(x.size())};
  std::size_t results = 1;
  for (std::size_t i = 0; i < s.rank(); ++i) results *= over >> i & 1 ? 1 : s[i];
  r.sums.resize(results);
  for (std::size_t flat = 0; flat < x.size(); ++flat) {
    std::size_t rest = flat, stride = 1, to = 0;
    for (std::size_t i = s.rank(); i-- > 0; rest /= s[i]) {
      if (over >> i & 1) continue;
      to += rest % s[i] * stride;
      stride *= s[i];
    }
    r.sums[to] += x[flat];
    r.target[flat] = to;
  }
  return r;
}

/// The axes of the bits of `over`; every second one counts from the back.
axes axes_of(unsigned over, std::ptrdiff_t rank) {
  std::vector<std::ptrdiff_t> list;
  for (std::ptrdiff_t i = 0; i < rank; ++i) {
    if (over >> i & 1) list.insert(list.begin(), i % 2 ? i - rank : i);
  }
  return list;
}

}  // namespace

TEST_CASE("sum and mean of all elements have rank 0") {
  const auto x = counted({2, 3});
  CHECK(sum(x).shape() == shape{});
  CHECK(sum(x).item() == 21);
  CHECK(mean(x).shape() == shape{});
  CHECK(mean(x).item() == 3.5);
  CHECK(sum(tensor<double>(5.0)).item() == 5);
  CHECK(mean(tensor<double>(5.0)).item() == 5);
}

TEST_CASE("sum over axes drops them, or keeps them with extent 1") {
  const auto x = counted({2, 3});
  CHECK(numbers(sum(x, {0})) == doubles{5, 7, 9});
  CHECK(sum(x, {0}).shape() == shape{3});
  CHECK(numbers(sum(x, {-1})) == doubles{6, 15});
  CHECK(sum(x, {1}, true).shape() == shape{2, 1});
  CHECK(sum(x, {0, 1}).shape() == shape{});
  // One axis, a vector and a span say the same as braces.
  const std::vector<std::ptrdiff_t> list{0};
  CHECK(numbers(sum(x, 0)) == doubles{5, 7, 9});
  CHECK(numbers(sum(x, list)) == doubles{5, 7, 9});
  CHECK(numbers(sum(x, std::span<const std::ptrdiff_t>(list))) == doubles{5, 7, 9});
  CHECK(numbers(sum(x, std::vector<int>{-1}, true)) == doubles{6, 15});
  CHECK(sum(x, {0, 1}, true).shape() == shape{1, 1});
  CHECK(sum(x, {}, true).shape() == shape{1, 1});
  CHECK(numbers(mean(x, {0})) == doubles{2.5, 3.5, 4.5});
  CHECK(numbers(mean(x, {-1})) == doubles{2, 5});
}

TEST_CASE(
    "sum and mean over every set of axes are those of index loops, and so are their adjoints") {
  reference::random random(21);
  for (const shape& s : {shape{5}, shape{1}, shape{3, 4}, shape{1, 4}, shape{4, 1}, shape{2, 3, 4},
                         shape{2, 1, 4}, shape{2, 3, 2, 5}, shape{1, 3, 1, 2}, shape{40, 50}}) {
    const auto rank = static_cast<std::ptrdiff_t>(s.rank());
    for (unsigned over = 1; over < 1u << rank; ++over) {
      for (const bool keep_dims : {false, true}) {
        INFO("shape " << s << ", axes " << over << ", keep_dims " << keep_dims);
        const doubles values = random.uniform(s.size(), -1, 1);
        const reduction expected = by_index(s, values, over);
        const real count =
            static_cast<real>(values.size()) / static_cast<real>(expected.sums.size());
        tape t;
        const tensor<double> x = t.variable(tensor<double>(s, values));
        const tensor<double> y = sum(x, axes_of(over, rank), keep_dims);
        const tensor<double> m = mean(x, axes_of(over, rank), keep_dims);
        CHECK(reference::all_close(y.values(), expected.sums, 1e-14L));
        CHECK(
            y.rank() ==
            (keep_dims ? s.rank() : s.rank() - static_cast<std::size_t>(__builtin_popcount(over))));
        CHECK(m.shape() == y.shape());
        const doubles weights = random.uniform(y.size(), -1, 1);
        const tensor<double> w(y.shape(), weights);
        // Twice, so that the second share is added to the first.
        t.backward(sum(y * w) + sum(m * w));
        const auto gradient = t.adjoint(x).values();
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
          const real weight = weights[expected.target[i]];
          wrong += !reference::close(gradient[i], weight + weight / count, 1e-15L);
        }
        CHECK(wrong == 0);
        for (std::size_t i = 0; i < m.size(); ++i) {
          CHECK(reference::close(m.values()[i], expected.sums[i] / count, 1e-14L));
        }
      }
    }
  }
}

TEST_CASE("sum and mean of a view are those of its elements, also along axes of extent 1") {
  const tensor<double> x = counted({3, 1, 5});
  const std::vector<tensor<double>> views{transpose(x), flip(x, {0, 2}), permute(x, {2, 0, 1}),
                                          slice(x, -1, {1, 5, 2}), flip(permute(x, {2, 1, 0}), 0)};
  for (const tensor<double>& view : views) {
    const tensor<double> packed(view.shape(), view.values());
    for (unsigned over = 1; over < 8; ++over) {
      INFO("shape " << view.shape() << ", axes " << over);
      const axes along = axes_of(over, 3);
      CHECK(numbers(sum(view, along)) == numbers(sum(packed, along)));
      CHECK(numbers(mean(view, along)) == numbers(mean(packed, along)));
    }
  }
}

TEST_CASE("sum and mean of float tensors keep their type and their accuracy") {
  const tensor<float> x(shape{1000, 1000}, 0.1f);
  CHECK(std::fabs(sum(x).item() / (1e6L * real{0.1f}) - 1) < 1e-6L);
  CHECK(std::fabs(mean(x).item() / 0.1f - 1) < 1e-6f);
  CHECK(std::fabs(sum(x, {1}).value(999) / (1e3L * real{0.1f}) - 1) < 1e-6L);
  tape t;
  const tensor<float> v = t.variable(tensor<float>({{1.0f, 2.0f}, {3.0f, 4.0f}}));
  t.backward(mean(square(v)));
  CHECK(numbers(t.adjoint(v)) == std::vector<float>{0.5f, 1, 1.5f, 2});
}

TEST_CASE("the sum of nothing is 0 and the mean of nothing NaN, over all or some axes") {
  const tensor<double> none(shape{0, 3});
  CHECK(sum(none).item() == 0);
  CHECK(std::isnan(mean(none).item()));
  CHECK(numbers(sum(none, {0})) == doubles{0, 0, 0});
  CHECK(sum(none, {1}).shape() == shape{0});
  CHECK(mean(none, {1}).shape() == shape{0});
  const auto means = mean(none, {0});
  CHECK(means.shape() == shape{3});
  for (const double m : means.values()) CHECK(std::isnan(m));
  CHECK(sum(tensor<double>()).item() == 0);
  CHECK(std::isnan(mean(tensor<dual<double>>(shape{0})).item().value()));

  tape t;
  const tensor<double> x = t.variable(none);
  t.backward(sum(sum(x, {0})));
  CHECK(t.adjoint(x).shape() == shape{0, 3});
}

TEST_CASE("NaN and infinity pass through sums") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(sum(tensor<double>({1.0, infinity})).item() == infinity);
  CHECK(std::isnan(sum(tensor<double>({infinity, -infinity})).item()));
  CHECK(std::isnan(mean(tensor<double>({1.0, std::nan("")})).item()));
}

TEST_CASE("an axis that is not there is an error with the operation, the axis and the shape") {
  const auto x = counted({2, 3});
  CHECK(says(message<shape_error>([&] { sum(x, {2}); }), "sum: ", "axis 2", "[2, 3]"));
  CHECK(says(message<shape_error>([&] { mean(x, {-3}); }), "mean: ", "axis -3", "[2, 3]"));
  CHECK(says(message<shape_error>([&] { sum(x, {1, -1}); }), "sum: ", "twice"));
  CHECK(says(message<shape_error>([&] { sum(tensor<double>(1.0), {0}); }), "sum: ", "rank 0"));
}

TEST_CASE("sum and mean of duals carry tangents") {
  std::vector<dual<double>> values;
  for (int i = 1; i <= 6; ++i) values.emplace_back(i, 10.0 * i);
  const tensor<dual<double>> x(shape{2, 3}, values);
  CHECK(sum(x).item().tangent() == 210);
  CHECK(mean(x).item().tangent() == 35);
  CHECK(sum(x, {0}).value(1).tangent() == 70);
  CHECK(mean(x, {1}, true).value(1, 0).tangent() == 50);
}

TEST_CASE("an axis twice and more axes than a tensor can have are errors") {
  const auto x = counted({2, 3});
  CHECK(
      says(message<shape_error>([&] { sum(x, std::vector<int>(9, 0)); }), "axes: ", "more than 8"));
  CHECK(says(message<shape_error>([&] { norm(x, 2, {0, -2}); }), "norm: ", "twice"));
}

TEST_CASE("sums over leading axes of float do not drift") {
  // One running sum of float would be off by a percent.
  const tensor<float> x(shape{1'000'000, 3}, 0.1f);
  for (const auto sums = sum(x, 0); const float s : sums.values()) {
    CHECK(std::fabs(s / (1e6L * real{0.1f}) - 1) < 1e-6L);
  }
  const tensor<float> cube(shape{1000, 2, 1000}, 0.1f);
  for (const auto sums = sum(cube, {0, 2}); const float s : sums.values()) {
    CHECK(std::fabs(s / (1e6L * real{0.1f}) - 1) < 1e-6L);
  }
}

TEST_CASE("the product of nothing is 1, its derivative that of the others also at zeros") {
  CHECK(prod(tensor<double>(shape{0, 2}), 0).value(1) == 1);
  CHECK(prod(tensor<double>(5.0)).item() == 5);
  const auto slopes = [](const doubles& at) {
    tape t;
    const tensor<double> x = t.variable(tensor<double>(shape{at.size()}, at));
    t.backward(prod(x));
    return numbers(t.adjoint(x));
  };
  CHECK(slopes({2, 3, 4}) == doubles{12, 8, 6});
  CHECK(slopes({2, 0, 4}) == doubles{0, 8, 0});
  CHECK(slopes({2, 0, 0}) == doubles{0, 0, 0});
  // The second derivative at two zeros is that of x[1] x[2].
  tape t;
  std::vector<dual<double>> at{{2.0, 0.0}, {0.0, 1.0}, {0.0, 0.0}};
  const auto x = t.variable(tensor<dual<double>>(shape{3}, at));
  t.backward(prod(x));
  CHECK(t.adjoint(x).value(2).tangent() == 2);
}

TEST_CASE("the variance keeps its digits far from 0") {
  const tensor<double> x({1e8 + 4, 1e8 + 7, 1e8 + 13, 1e8 + 16});
  CHECK(variance(x).item() == 30);
  CHECK(variance(x, {}, {0}).item() == 22.5);
  CHECK(stddev(x, {}, {0}).item() == std::sqrt(22.5));
  CHECK(variance(counted({2, 3}), {1}, {}, true).shape() == shape{2, 1});
  CHECK(std::isnan(variance(tensor<double>({3.0})).item()));
  CHECK(variance(tensor<double>({3.0}), {}, {0}).item() == 0);
  CHECK(std::isnan(variance(tensor<double>(shape{0}), {}, {0}).item()));
  CHECK(reference::close(stddev(tensor<double>({-1e200, 1e200}), {}, {0}).item(), 1e200L, 1e-15L));
}

TEST_CASE("the standard deviation of equal numbers has slope 0") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({0.1, 0.1, 0.1}));
  const auto s = stddev(tensor<double>({2.0, 2.0}));
  CHECK(s.item() == 0);
  const tensor<double> y = t.variable(tensor<double>({2.0, 2.0}));
  t.backward(stddev(y) + 0.0 * stddev(x));
  CHECK(numbers(t.adjoint(y)) == doubles{0, 0});
}

TEST_CASE("a rounded mean does not pass for a deviation") {
  tape t;
  // Among these are sums of equal numbers that, divided by their count, are another number.
  for (const float number : {0.1F, 1.45F, 1.645679F, 1.72F}) {
    for (const std::size_t count : {2, 3, 7, 13, 200}) {
      const auto x = t.variable(tensor<float>(shape{count}, number));
      const auto s = stddev(x);
      CHECK(s.item() == 0);
      t.backward(s + variance(x));
      CHECK(t.adjoint(x).value(0) == 0);
    }
  }
  const float number = 1.45F;
  // Neighbours: their mean lies between two numbers.
  const float next = std::nextafter(number, 2.0F);
  const auto y = t.variable(tensor<float>({number, number, next}));
  t.backward(stddev(y, {}, {0}));
  CHECK(reference::close(t.adjoint(y).value(2), std::sqrt(2.0L) / 3, 1e-6L));
  CHECK(reference::close(t.adjoint(y).value(0), -std::sqrt(2.0L) / 6, 1e-6L));
}

TEST_CASE("norms neither overflow nor underflow and have slope 0 at the origin") {
  const double infinity = std::numeric_limits<double>::infinity();
  const tensor<double> x({3.0, -4.0, 0.0});
  CHECK(norm(x).item() == 5);
  CHECK(norm(x, 1).item() == 7);
  CHECK(norm(x, infinity).item() == 4);
  CHECK(reference::close(norm(x, 3).item(), std::cbrt(91.0L), 1e-15L));
  for (const double scale : {1e300, 1e-300}) {
    const tensor<double> far({3 * scale, -4 * scale});
    CHECK(reference::close(norm(far).item() / scale, 5, 1e-15L));
    CHECK(reference::close(norm(far, 3).item() / scale, std::cbrt(91.0L), 1e-14L));
    tape t;
    const tensor<double> v = t.variable(far);
    t.backward(norm(v));
    CHECK(reference::all_close(t.adjoint(v).values(), doubles{0.6, -0.8}, 1e-15L));
  }
  CHECK(reference::close(norm(tensor<float>({3e30f, 4e30f})).item() / 5e30f, 1, 1e-6L));
  for (const double p : {1.0, 1.5, 2.0, 3.0, infinity}) {
    tape t;
    const tensor<double> v = t.variable(tensor<double>(shape{3}));
    const tensor<double> y = norm(v, p);
    CHECK(y.item() == 0);
    t.backward(y);
    CHECK(numbers(t.adjoint(v)) == doubles{0, 0, 0});
    const auto none = norm(tensor<double>(shape{0}), p);
    CHECK(none.item() == 0);
    const auto nan = norm(tensor<double>({1.0, std::nan("")}), p);
    CHECK(std::isnan(nan.item()));
  }
  tape t;
  const tensor<double> v = t.variable(tensor<double>({1.0, -infinity}));
  const tensor<double> y = norm(v);
  CHECK(y.item() == infinity);
  t.backward(y);
  CHECK(numbers(t.adjoint(v)) == doubles{0, -1});
  const tensor<double> w = t.variable(tensor<double>({2.0, -2.0, 1.0}));
  t.backward(norm(w, infinity));
  CHECK(numbers(t.adjoint(w)) == doubles{0.5, -0.5, 0});
  CHECK(
      says(message<autodiff::domain_error>([&] { norm(x, 0.5); }), "norm: ", "p = 0.5", "from 1"));
}

TEST_CASE("log_sum_exp holds its conventions at infinities") {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto at = [](const doubles& values) {
    tape t;
    const tensor<double> x = t.variable(tensor<double>(shape{values.size()}, values));
    const tensor<double> y = log_sum_exp(x);
    t.backward(y);
    doubles all = numbers(t.adjoint(x));
    all.push_back(y.item());
    return all;
  };
  CHECK(reference::all_close(at({1000, 1000}), std::vector<real>{0.5L, 0.5L, 1000 + std::log(2.0L)},
                             1e-15L));
  CHECK(at({-infinity, 3}) == doubles{0, 1, 3});
  CHECK(at({-infinity, -infinity}) == doubles{0, 0, -infinity});
  CHECK(at({infinity, 0, infinity}) == doubles{0.5, 0, 0.5, infinity});
  CHECK(at({}) == doubles{-infinity});
  for (const double g : at({std::nan(""), 1})) CHECK(std::isnan(g));
  // The tangent of a dual follows the same shares.
  std::vector<dual<double>> two{{infinity, 1.0}, {infinity, 3.0}};
  CHECK(log_sum_exp(tensor<dual<double>>(shape{2}, two)).item().tangent() == 2);
  // Elementwise beside a number, over an axis in braces.
  CHECK(log_sum_exp(tensor<double>(shape{2, 3}), 0).shape() == shape{2, 3});
  CHECK(log_sum_exp(tensor<double>(shape{2, 3}), {0}).shape() == shape{3});
}

TEST_CASE("a line whose adjoint is 0 gets no NaN from its neighbours") {
  tape t;
  const double nan = std::nan("");
  const tensor<double> x = t.variable(tensor<double>({{1.0, nan}, {3.0, 4.0}}));
  t.backward(norm(x, 2, {1}), tensor<double>({0.0, 1.0}));
  CHECK(reference::all_close(t.adjoint(x).values(), doubles{0, 0, 0.6, 0.8}, 1e-15L));
  t.backward(norm(x, 2, {1}), tensor<double>({1.0, 0.0}));
  CHECK(std::isnan(t.adjoint(x).value(0, 0)));
  CHECK(t.adjoint(x).value(1, 0) == 0);
}
