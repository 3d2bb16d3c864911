// Every row of ops.def in fused chains.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fusion.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/ternary.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/rows.hpp>
#include <tests/tensors.hpp>

#include <cstddef>
#include <vector>

namespace {

using autodiff::fuse_always;
using autodiff::shape;
using autodiff::symbol;
using autodiff::tape;
using autodiff::tensor;
using reference::close;
using reference::real;
using tensors::drawn;

/// A row alone and between other instructions, as a function of symbols, tensors or numbers.
const auto between = [](const auto& row, const auto&... x) {
  return 0.5 * row(x...) + square(row(x...));
};

}  // namespace

TEST_CASE("every unary row has in a fused chain the values and slopes of the row") {
  reference::random random(72);
  using row_forms =
      rows::row<symbol<double>(symbol<double>), tensor<double>(tensor<double>), real(real)>;
  for (const auto& row : rows::unary<row_forms>()) {
    INFO(row.name);
    const shape s{300};
    const tensor<double> at = drawn(random, s, row.sampled[0].from, row.sampled[0].to);
    const tensor<double> w = drawn(random, s);
    tape t;
    const tensor<double> x = t.variable(at), again = t.variable(at);
    const tensor<double> y = fuse_always([&](auto v) { return between(row, v); }, x);
    const tensor<double> alone = fuse_always([&](auto v) { return row(v); }, x);
    const tensor<double> unfused = between(row, again);
    CHECK(reference::all_close(y.values(), unfused.values(), 1e-14L));
    CHECK(reference::all_close(alone.values(), row(at).values(), 1e-14L));
    t.backward(sum(y * w) + sum(unfused * w));
    CHECK(reference::all_close(t.adjoint(x).values(), t.adjoint(again).values(), 1e-14L));
    t.backward(alone, w);
    for (std::size_t i = 0; i < s.size(); i += 37) {
      const real slope = reference::derivative([&](real v) { return row(v); }, at.value(i), 0.02L);
      CHECK(close(t.adjoint(x).value(i), w.value(i) * slope, 1e-12L));
    }
  }
}

TEST_CASE("every binary row has in a fused chain the values and slopes of the row") {
  reference::random random(73);
  using row_forms =
      rows::row<symbol<double>(symbol<double>, symbol<double>),
                symbol<double>(symbol<double>, double), symbol<double>(double, symbol<double>),
                tensor<double>(tensor<double>, tensor<double>),
                tensor<double>(tensor<double>, double), tensor<double>(double, tensor<double>),
                real(real, real)>;
  for (const auto& row : rows::binary<row_forms>()) {
    INFO(row.name);
    const shape s{300};
    const tensor<double> at_a = drawn(random, s, row.sampled[0].from, row.sampled[0].to);
    const tensor<double> at_b = drawn(random, s, row.sampled[1].from, row.sampled[1].to);
    const tensor<double> w = drawn(random, s);
    const double k = at_a.value(7), l = at_b.value(9);
    tape t;
    const tensor<double> a = t.variable(at_a), b = t.variable(at_b);
    const tensor<double> a2 = t.variable(at_a), b2 = t.variable(at_b);
    const tensor<double> y = fuse_always([&](auto u, auto v) { return between(row, u, v); }, a, b);
    const tensor<double> left = fuse_always([&](auto u) { return between(row, u, l); }, a);
    const tensor<double> right = fuse_always([&](auto v) { return between(row, k, v); }, b);
    const tensor<double> alone = fuse_always([&](auto u, auto v) { return row(u, v); }, a, b);
    const tensor<double> y2 = between(row, a2, b2), left2 = between(row, a2, l),
                         right2 = between(row, k, b2);
    CHECK(reference::all_close(y.values(), y2.values(), 1e-14L));
    CHECK(reference::all_close(left.values(), left2.values(), 1e-14L));
    CHECK(reference::all_close(right.values(), right2.values(), 1e-14L));
    CHECK(reference::all_close(alone.values(), row(at_a, at_b).values(), 1e-14L));
    t.backward(sum((y + left + right) * w) + sum((y2 + left2 + right2) * w));
    CHECK(reference::all_close(t.adjoint(a).values(), t.adjoint(a2).values(), 1e-13L));
    CHECK(reference::all_close(t.adjoint(b).values(), t.adjoint(b2).values(), 1e-13L));
    t.backward(alone, w);
    for (std::size_t i = 0; i < s.size(); i += 37) {
      const real u = at_a.value(i), v = at_b.value(i);
      const real by_a = reference::derivative([&](real x) { return row(x, v); }, u, 0.02L);
      const real by_b = reference::derivative([&](real x) { return row(u, x); }, v, 0.02L);
      // polygamma and ierfcx count with their first argument.
      if (row.sampled[0].from != row.sampled[0].to)
        CHECK(close(t.adjoint(a).value(i), w.value(i) * by_a, 1e-11L));
      CHECK(close(t.adjoint(b).value(i), w.value(i) * by_b, 1e-11L));
    }
  }
}

TEST_CASE("every ternary row has in a fused chain the values and slopes of the row") {
  reference::random random(74);
  using row_forms =
      rows::row<symbol<double>(symbol<double>, symbol<double>, symbol<double>),
                symbol<double>(symbol<double>, double, double),
                symbol<double>(double, symbol<double>, symbol<double>),
                tensor<double>(tensor<double>, tensor<double>, tensor<double>),
                tensor<double>(tensor<double>, double, double),
                tensor<double>(double, tensor<double>, tensor<double>), real(real, real, real)>;
  for (const auto& row : rows::ternary<row_forms>()) {
    INFO(row.name);
    const shape s{300};
    std::vector<tensor<double>> at;
    for (const auto& from : row.sampled) at.push_back(drawn(random, s, from.from, from.to));
    const double k = at[0].value(5), l = at[1].value(6), m = at[2].value(7);
    const tensor<double> w = drawn(random, s);
    tape t;
    const tensor<double> a = t.variable(at[0]), b = t.variable(at[1]), c = t.variable(at[2]);
    const tensor<double> a2 = t.variable(at[0]), b2 = t.variable(at[1]), c2 = t.variable(at[2]);
    const tensor<double> y =
        fuse_always([&](auto u, auto v, auto x) { return between(row, u, v, x); }, a, b, c);
    const tensor<double> first = fuse_always([&](auto u) { return between(row, u, l, m); }, a);
    const tensor<double> others =
        fuse_always([&](auto v, auto x) { return between(row, k, v, x); }, b, c);
    const tensor<double> alone =
        fuse_always([&](auto u, auto v, auto x) { return row(u, v, x); }, a, b, c);
    const tensor<double> y2 = between(row, a2, b2, c2), first2 = between(row, a2, l, m),
                         others2 = between(row, k, b2, c2);
    CHECK(reference::all_close(y.values(), y2.values(), 1e-14L));
    CHECK(reference::all_close(first.values(), first2.values(), 1e-14L));
    CHECK(reference::all_close(others.values(), others2.values(), 1e-14L));
    t.backward(sum((y + first + others) * w) + sum((y2 + first2 + others2) * w));
    CHECK(reference::all_close(t.adjoint(a).values(), t.adjoint(a2).values(), 1e-13L));
    CHECK(reference::all_close(t.adjoint(b).values(), t.adjoint(b2).values(), 1e-13L));
    CHECK(reference::all_close(t.adjoint(c).values(), t.adjoint(c2).values(), 1e-13L));
    t.backward(alone, w);
    for (std::size_t i = 0; i < s.size(); i += 37) {
      const real u = at[0].value(i), v = at[1].value(i), x = at[2].value(i);
      CHECK(close(alone.value(i), row(u, v, x), 4e-15L));
      const real by_a = reference::derivative([&](real z) { return row(z, v, x); }, u, 0.02L);
      const real by_c = reference::derivative([&](real z) { return row(u, v, z); }, x, 0.02L);
      CHECK(close(t.adjoint(a).value(i), w.value(i) * by_a, 1e-11L));
      CHECK(close(t.adjoint(c).value(i), w.value(i) * by_c, 1e-11L));
    }
  }
}
