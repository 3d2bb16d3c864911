// Counts every request for memory of this program: operator new, and under glibc malloc itself. A
// program of its own, because it replaces them for everybody.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/affine.hpp>
#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/comparison.hpp>
#include <autodiff/tensor/determinant.hpp>
#include <autodiff/tensor/einsum.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/extremes.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/fusion.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/join.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/normalise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/roll.hpp>
#include <autodiff/tensor/scan.hpp>
#include <autodiff/tensor/solve.hpp>
#include <autodiff/tensor/ternary.hpp>
#include <autodiff/tensor/triangle.hpp>
#include <autodiff/tensor/view.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/counted_allocations.hpp>

#include <array>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

namespace {

using autodiff::shape;
using autodiff::tape;
using autodiff::tensor;
using autodiff::var;

/// Requests for memory in ten calls of `step`, once it is warm.
template <class Step>
std::size_t requests_when_warm(Step&& step) {
  for (int round = 0; round < 3; ++round) step();
  const std::size_t before = requests;
  for (int round = 0; round < 10; ++round) step();
  return requests - before;
}

}  // namespace

TEST_CASE("requests for memory are counted") {
  const std::size_t before = requests;
  // A new-expression could be left out by the compiler.
  ::operator delete(::operator new(1));
  const std::size_t by_new = requests;
  CHECK(by_new > before);
  if (!malloc_is_counted) return;
  const tensor<double> x(shape{12345}, 1.0);
  CHECK(requests > by_new);
}

TEST_CASE("recording scalars, sweeping and rewinding again allocates nothing") {
  tape t;
  const var x = t.variable(1.5), y = t.variable(-0.3);
  const auto mark = t.mark();
  double total = 0;
  CHECK(requests_when_warm([&] {
          var z = x;
          for (int i = 0; i < 1000; ++i) z = sin(z) * y + exp(x * y);
          t.backward(z);
          total += t.adjoint(x);
          t.rewind(mark);
        }) == 0);
  CHECK(total != 0);
}

TEST_CASE("making variables after a full rewind allocates nothing") {
  tape t;
  const std::array<double, 3> start{1, 2, 3};
  CHECK(requests_when_warm([&] {
          const auto x = t.variable(start);
          t.backward(var(x[0] * x[1] + x[2]));
          t.adjoint(x);
          t.rewind();
        }) == 0);
}

TEST_CASE("a tape made and destroyed again allocates nothing") {
  double total = 0;
  CHECK(requests_when_warm([&] {
          tape t;
          const var x = t.variable(2.0);
          t.backward(var(x * x));
          total += t.adjoint(x);
        }) == 0);
  CHECK(total == 13 * 4.0);
}

TEST_CASE("a step of tensor operations, swept and rewound, allocates nothing") {
  if (!malloc_is_counted) return;
  tape t;
  const tensor<float> w1 = t.variable(tensor<float>(shape{20, 30}, 0.01f));
  const tensor<float> w2 = t.variable(tensor<float>(shape{30, 5}, 0.02f));
  const tensor<float> input(shape{16, 20}, 1.0f);
  const auto mark = t.mark();
  for (const autodiff::keeping kept : {autodiff::keep_all, autodiff::leaves_only}) {
    CHECK(requests_when_warm([&] {
            const tensor<float> y = sum(square(matmul(tanh(matmul(input, w1)), w2)));
            t.backward(y, kept);
            const tensor<float> g1 = t.adjoint(w1), g2 = t.adjoint(w2);
            t.rewind(mark);
          }) == 0);
  }
}

TEST_CASE(
    "a step of every structured operation, with weights updated in place, allocates nothing") {
  if (!malloc_is_counted) return;
  tape t;
  tensor<double> w(shape{6, 4}, 0.1), b(shape{4}, 0.0);
  const tensor<double> x(shape{8, 6}, 0.5), targets(shape{8, 4}, 0.25);
  const std::array<std::size_t, 3> rows{0, 3, 3};
  CHECK(requests_when_warm([&] {
          {
            const tensor<double> leaf_w = t.variable(w), leaf_b = t.variable(b);
            const tensor<double> z = affine(x, leaf_w, leaf_b);
            const tensor<double> loss =
                softmax_cross_entropy(z, targets) + sum(mean(log_softmax(z), {0})) +
                sum(softmax(transpose(reshape(take_rows(z, rows), {4, 3})))) +
                sum(max(z, 0.0) / (abs(z) + 1.0), {0, 1});
            t.backward(loss, autodiff::leaves_only);
            const tensor<double> step = -0.1 * t.adjoint(leaf_w);
            t.rewind();
            w = leaf_w.detached() + step;
          }
          w.mutable_values()[0] += 1e-3;
        }) == 0);
}

TEST_CASE("a step of joining, picking and choosing allocates nothing") {
  if (!malloc_is_counted) return;
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{4, 3}, 0.5));
  const auto mark = t.mark();
  CHECK(requests_when_warm([&] {
          const tensor<double> parts =
              autodiff::concat({x, pad(tile(x, {1, 2}), {{0, 0}, {1, 2}}), x}, -1);
          const tensor<double> picked =
              gather(parts, 1, {{0}, {14}, {2}, {2}}) + index_select(parts, 1, {3}) +
              scatter_add(shape{4, 1}, 0, {{3}, {3}, {0}, {1}}, sum(lower(x), {1}, true));
          const tensor<double> y = where(picked > 0.5, clamp(picked, -1.0, 1.0), 0.0);
          t.backward(sum(autodiff::stack({y, roll(repeat(y, 1, 0), 1, 0)})) +
                     sum(masked_select(x, x > 0.0)));
          t.rewind(mark);
        }) == 0);
}

TEST_CASE("a step of reductions, normalisation and scans over any axes allocates nothing") {
  if (!malloc_is_counted) return;
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{6, 4, 4}, 0.5));
  const tensor<double> gain = t.variable(tensor<double>(shape{4}, 1.5)),
                       bias = t.variable(tensor<double>(shape{4}, 0.25));
  const auto mark = t.mark();
  CHECK(requests_when_warm([&] {
          const tensor<double> y = layer_norm(x, gain, bias) + cumsum(softmax(x, 1), 0) +
                                   cumprod(x, -1) + batch_norm(x, gain, bias).y;
          t.backward(sum(variance(y, {0, 2})) + sum(prod(y, {1})) + norm(mean(y, {-1})) +
                     sum(log_sum_exp(y, {0})) + max(y) + sum(min(y, {0, 1})) +
                     sum(sum(transpose(y), {1}, true)));
          t.rewind(mark);
        }) == 0);
}

TEST_CASE("a step of linear algebra allocates nothing") {
  if (!malloc_is_counted) return;
  tape t;
  tensor<double> regular(shape{2, 3, 3}, 0.1);
  for (std::size_t i = 0; i < regular.size(); i += i % 9 == 8 ? 1 : 4)
    regular.mutable_values()[i] = 2.0 + static_cast<double>(i);
  const tensor<double> a = t.variable(regular), b = t.variable(tensor<double>(shape{2, 3, 2}, 0.5));
  const auto mark = t.mark();
  CHECK(requests_when_warm([&] {
          const tensor<double> symmetric = einsum("bij,bkj->bik", a, a);
          t.backward(sum(solve(a, b)) + sum(log_det(a)) + sum(determinant(a)) +
                     sum(matrix_inverse(a)) + sum(cholesky_solve(cholesky(symmetric), b)) +
                     sum(einsum("bii->b", a)) + sum(matmul(a, b)));
          t.rewind(mark);
        }) == 0);
}

TEST_CASE("a fused chain of any length, swept and rewound, allocates nothing") {
  if (!malloc_is_counted) return;
  tape t;
  const tensor<float> x = t.variable(tensor<float>(shape{30, 100}, 0.5f));
  const tensor<float> b = t.variable(tensor<float>(shape{100}, 0.1f));
  const auto mark = t.mark();
  for (const int length : {1, 50}) {
    CHECK(requests_when_warm([&] {
            const tensor<float> y = fuse_always(
                [&](auto v, auto w) {
                  for (int i = 0; i < length; ++i) v = tanh(v * 0.9f + w);
                  return v;
                },
                x, b);
            t.backward(sum(y), autodiff::leaves_only);
            t.rewind(mark);
          }) == 0);
  }
}

TEST_CASE("crossing between scalars and tensors allocates nothing in tensors and tape") {
  if (!malloc_is_counted) return;
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, 2.0, 3.0}));
  const auto mark = t.mark();
  CHECK(requests_when_warm([&] {
          const var a = x[0], b = x[2];
          const tensor<double> y = autodiff::stack({a, b, a * b});
          t.backward(sum(y * a));
          t.rewind(mark);
        }) == 0);
}

TEST_CASE("tensors made on one thread and dropped on another do not pile up there") {
  if (!malloc_is_counted) return;
  // As a reader of data and a trainer do. A pile would show as blocks that the dropping thread
  // can take without a request.
  const shape s{1000};
  std::vector<tensor<double>> handed;
  for (int i = 0; i < 64; ++i) handed.emplace_back(s, 1.0);
  std::size_t from_pile = 0;
  std::thread([&] {
    handed.clear();
    std::vector<tensor<double>> taken;
    taken.reserve(64);
    for (int i = 0; i < 64; ++i) {
      const std::size_t before = requests;
      taken.emplace_back(s);
      from_pile += requests == before;
    }
  }).join();
  CHECK(from_pile == 0);
}
