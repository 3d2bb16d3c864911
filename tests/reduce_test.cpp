#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace {

using autodiff::axes;
using autodiff::dual;
using autodiff::shape;
using autodiff::shape_error;
using autodiff::tape;
using autodiff::tensor;
using reference::message;
using reference::real;
using reference::says;

using doubles = std::vector<double>;

template <class T>
std::vector<T> numbers(const tensor<T>& x) {
  return {x.values().begin(), x.values().end()};
}

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

/// sum() with axes from the bits of `over`; an initializer list needs its length written down.
template <class Reduce>
auto with_axes(unsigned over, std::ptrdiff_t rank, Reduce&& reduce) {
  std::vector<std::ptrdiff_t> list;
  // Every second axis counts from the back.
  for (std::ptrdiff_t i = 0; i < rank; ++i) {
    if (over >> i & 1) list.push_back(i % 2 ? i - rank : i);
  }
  switch (list.size()) {
    case 1: return reduce(axes{list[0]});
    case 2: return reduce(axes{list[1], list[0]});
    case 3: return reduce(axes{list[0], list[2], list[1]});
    default: return reduce(axes{list[0], list[1], list[2], list[3]});
  }
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
        const tensor<double> y =
            with_axes(over, rank, [&](axes list) { return sum(x, list, keep_dims); });
        const tensor<double> m =
            with_axes(over, rank, [&](axes list) { return mean(x, list, keep_dims); });
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

TEST_CASE("argmax finds the first largest element of each row") {
  const tensor<double> x({{1.0, 3.0, 2.0}, {5.0, 5.0, 4.0}, {-3.0, -2.0, -1.0}});
  CHECK(argmax(x) == std::vector<std::size_t>{1, 0, 2});
  CHECK(argmax(tensor<float>({2.0f, 7.0f})) == std::vector<std::size_t>{1});
  CHECK(argmax(tensor<double>(shape{2, 2, 1})) == std::vector<std::size_t>(4, 0));
  CHECK(argmax(tensor<double>(shape{0, 3})).empty());
  tape t;
  CHECK(argmax(t.variable(x)) == std::vector<std::size_t>{1, 0, 2});
}

TEST_CASE("argmax of rows without elements is an error with the shape") {
  CHECK(says(message<shape_error>([] {
               argmax(tensor<double>(shape{2, 0}));
             }),
             "argmax: ", "[2, 0]"));
  CHECK(says(message<shape_error>([] { argmax(tensor<double>(1.0)); }), "argmax: ", "[]"));
}
