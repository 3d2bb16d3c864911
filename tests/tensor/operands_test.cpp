// The same tensor on both sides, and views as operands, for every binary row.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/slice.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensor/loop_rows.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

namespace {

using autodiff::dual;
using autodiff::range;
using autodiff::shape;
using autodiff::tape;
using autodiff::tensor;

using doubles = std::vector<double>;

/// Where both arguments of a row are sampled, cut to be one interval.
template <class Row>
doubles samples(const Row& row, std::size_t count, reference::random& random) {
  return random.uniform(count, std::max(row.sampled[0].from, row.sampled[1].from),
                        std::min(row.sampled[0].to, row.sampled[1].to));
}

template <class T>
tensor<T> repacked(const tensor<T>& x) {
  return tensor<T>(x.shape(), x.values());
}

template <class T>
struct view_of {
  std::string name;
  std::function<tensor<T>(const tensor<T>&)> call;
};

/// Of a [4, 4] tensor views that fit each other.
template <class T>
std::vector<view_of<T>> views() {
  return {
      {"itself cut",
       [](const auto& x) {
         return slice(x, {range{1, 4}, range{0, 3}});
       }},
      {"columns",
       [](const auto& x) {
         return slice(transpose(x), {range{0, 3}, range{1, 4}});
       }},
      {"backwards",
       [](const auto& x) {
         return slice(x, {range{0, 3}, range{.start = 2, .step = -1}});
       }},
      {"an expanded row",
       [](const auto& x) {
         return expand(slice(x, {2, range{1, 4}}), {3, 3});
       }},
      {"an expanded column",
       [](const auto& x) {
         return expand(unsqueeze(slice(x, {range{0, 3}, 1}), 1), {3, 3});
       }},
      {"one element",
       [](const auto& x) {
         return expand(slice(x, {3, 3}), {3, 3});
       }},
      {"a row",
       [](const auto& x) {
         return slice(x, {1, range{0, 3}});
       }},
      {"a column",
       [](const auto& x) {
         return slice(x, {range{1, 4}, range{3, 4}});
       }},
  };
}

// Rows of a view are shorter than its copy, and tails of loops may round otherwise.
template <class T>
bool close(const T& a, const T& b) {
  if constexpr (std::floating_point<T>)
    return reference::close(a, b, 1e-14L);
  else
    return close(a.value(), b.value()) && close(a.tangent(), b.tangent());
}

/// A row of views has the values and adjoints of the same row of their packed copies.
template <class T, class Loops>
void require_views_like_copies(const Loops& loops, const std::vector<T>& values) {
  const tensor<T> x(shape{4, 4}, values);
  for (const view_of<T>& first : views<T>()) {
    for (const view_of<T>& second : views<T>()) {
      INFO(first.name << " and " << second.name);
      const auto [expected, da, db, w] = [&] {
        tape t;
        const tensor<T> a = t.variable(repacked(first.call(x))),
                        b = t.variable(repacked(second.call(x)));
        const tensor<T> y = elementwise(loops, a, b);
        std::vector<T> weights;
        for (std::size_t i = 0; i < y.size(); ++i) weights.emplace_back(0.5 + 0.25 * double(i));
        const tensor<T> of_y(y.shape(), weights);
        t.backward(y, of_y);
        return std::tuple(y, t.adjoint(a), t.adjoint(b), of_y);
      }();
      tape t;
      const tensor<T> leaf = t.variable(x);
      const tensor<T> a = first.call(leaf), b = second.call(leaf);
      const tensor<T> y = elementwise(loops, a, b);
      t.backward(y, w);
      const auto same = [](const tensor<T>& p, const tensor<T>& q) {
        return p.shape() == q.shape() &&
               std::equal(p.values().begin(), p.values().end(), q.values().begin(), close<T>);
      };
      CHECK(same(y, expected));
      CHECK(same(t.adjoint(a), da));
      CHECK(same(t.adjoint(b), db));
    }
  }
}

}  // namespace

TEST_CASE("every binary row of a tensor and itself has the sum of both slopes") {
  reference::random random(7);
  for (const auto& row : loop_rows::binary<double>(autodiff::loops<double>())) {
    INFO(row.name);
    const doubles values = samples(row, 6, random), weights = random.uniform(6, -1, 1);
    const auto expected = [&](std::size_t i) {
      const double x = values[i], y = row.value(x, x);
      return row.share_a(weights[i], x, x, y) + row.share_b(weights[i], x, x, y);
    };
    tape t;
    const tensor<double> x = t.variable(tensor<double>(shape{2, 3}, values));
    const tensor<double> w(shape{2, 3}, weights);
    const tensor<double> y = elementwise(row.loops, x, x);
    t.backward(y, w);
    for (std::size_t i = 0; i < 6; ++i)
      CHECK(reference::close(t.adjoint(x).values()[i], expected(i), 1e-14L));
    // Again through a view that is all of it.
    const tensor<double> again = elementwise(row.loops, x, flip(flip(x, 0), 0));
    t.backward(again, w);
    for (std::size_t i = 0; i < 6; ++i)
      CHECK(reference::close(t.adjoint(x).values()[i], expected(i), 1e-14L));
  }
}

TEST_CASE("every binary row of a tensor and its transpose gives each share its place") {
  reference::random random(8);
  for (const auto& row : loop_rows::binary<double>(autodiff::loops<double>())) {
    INFO(row.name);
    const doubles values = samples(row, 9, random), weights = random.uniform(9, -1, 1);
    doubles expected(9);
    for (std::size_t i = 0; i < 9; ++i) {
      const std::size_t turned = i % 3 * 3 + i / 3;
      const double a = values[i], b = values[turned], y = row.value(a, b);
      expected[i] += row.share_a(weights[i], a, b, y);
      expected[turned] += row.share_b(weights[i], a, b, y);
    }
    tape t;
    const tensor<double> x = t.variable(tensor<double>(shape{3, 3}, values));
    t.backward(elementwise(row.loops, x, transpose(x)), tensor<double>(shape{3, 3}, weights));
    CHECK(reference::all_close(t.adjoint(x).values(), expected, 1e-14L));
  }
}

TEST_CASE("every binary row reads views as it reads their copies") {
  reference::random random(9);
  for (const auto& row : loop_rows::binary<double>(autodiff::loops<double>())) {
    INFO(row.name);
    require_views_like_copies(row.loops, samples(row, 16, random));
  }
}

TEST_CASE("every binary row on duals reads views as it reads their copies") {
  reference::random random(10);
  const auto on_doubles = loop_rows::binary<double>(autodiff::loops<double>());
  const auto on_duals = loop_rows::binary<dual<double>>(autodiff::loops<dual<double>>());
  for (std::size_t r = 0; r < on_duals.size(); ++r) {
    INFO(on_duals[r].name);
    std::vector<dual<double>> values;
    for (const double value : samples(on_doubles[r], 16, random)) values.emplace_back(value, 0.5);
    require_views_like_copies(on_duals[r].loops, values);
  }
}

TEST_CASE(
    "every unary row, and every binary row with a number, reads long rows of views in place") {
  reference::random random(11);
  const tensor<double> w(shape{2, 40}, random.uniform(80, -1, 1));
  const auto cut = [](const tensor<double>& x) { return slice(x, 1, {1, 41}); };
  const auto require_like_copy = [&](const doubles& values, auto&& call) {
    const tensor<double> x(shape{2, 42}, values);
    tape t;
    const tensor<double> a = t.variable(x), copy = t.variable(repacked(cut(x)));
    const tensor<double> view = cut(a);
    const tensor<double> y = call(view), expected = call(copy);
    CHECK_FALSE(view.stored().is_packed());
    t.backward(y, w);
    const tensor<double> dy = t.adjoint(view);
    t.backward(expected, w);
    CHECK(reference::all_close(y.values(), expected.values(), 1e-14L));
    CHECK(reference::all_close(dy.values(), t.adjoint(copy).values(), 1e-14L));
  };
  for (const auto& row : loop_rows::unary<double>(autodiff::loops<double>())) {
    INFO(row.name);
    const auto [from, to] = row.sampled[0];
    require_like_copy(random.uniform(84, from, to),
                      [&](const auto& x) { return elementwise(row.loops, x); });
  }
  for (const auto& row : loop_rows::binary<double>(autodiff::loops<double>())) {
    INFO(row.name);
    const doubles values = samples(row, 84, random);
    const double number = values[0];
    require_like_copy(values, [&](const auto& x) { return elementwise(row.loops, x, number); });
    require_like_copy(values, [&](const auto& x) { return elementwise(row.loops, number, x); });
  }
}
