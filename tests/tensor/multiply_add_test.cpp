// Rows of fused chains that compute a product, a sum and a relu at once.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fusion.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <vector>

namespace {

using autodiff::fuse_always;
using autodiff::shape;
using autodiff::tape;
using autodiff::tensor;
using reference::real;
using tensors::drawn;

/// Whether all bits are equal, those of a NaN apart.
template <std::floating_point T>
bool is_same(const tensor<T>& a, const tensor<T>& b) {
  if (a.shape() != b.shape()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const T x = a.values()[i], y = b.values()[i];
    if (x != x && y != y) continue;
    if (x != y || std::signbit(x) != std::signbit(y)) return false;
  }
  return true;
}

/// Values and adjoints of a chain fused and operation by operation, on numbers that multiply and
/// add to something else when they are rounded once instead of twice, and on edges. How a sum of
/// several shares is rounded is left to the loops: such adjoints are close, `exact` are single
/// ones.
template <class T, class Chain>
void check(const Chain& chain, bool exact) {
  const T infinite = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const T tiny = std::numeric_limits<T>::denorm_min();
  const std::vector<T> edges{T(0), T(-0.0), T(1), T(-1), infinite, -infinite, nan, tiny, -tiny};
  reference::random random(91);
  for (const std::size_t n : {1u, 7u, 33u, 200u, 5000u, 70001u}) {
    INFO(n << " elements");
    std::vector<T> numbers[3];
    for (std::size_t k = 0; k < 3; ++k) {
      numbers[k] = random.uniform<T>(n, -3, 3);
      // All pairs of edges meet, from the end, where loops have their remainders.
      for (std::size_t i = 0; n >= 200 && i < 81; ++i)
        numbers[k][n - 1 - i] = edges[k == 0 ? i / 9 : k == 1 ? i % 9 : i / 5 % 9];
    }
    const tensor<T> w = drawn<T>(random, {n});
    tape t;
    tensor<T> fused[3], single[3];
    for (std::size_t k = 0; k < 3; ++k) {
      fused[k] = t.variable(tensor<T>(shape{n}, numbers[k]));
      single[k] = t.variable(tensor<T>(shape{n}, numbers[k]));
    }
    const tensor<T> y = fuse_always(chain, fused[0], fused[1], fused[2]);
    const tensor<T> z = chain(single[0], single[1], single[2]);
    CHECK(is_same(y, z));
    t.backward(y, w);
    std::vector<tensor<T>> adjoints;
    for (const tensor<T>& x : fused) adjoints.push_back(t.adjoint(x));
    t.backward(z, w);
    for (std::size_t k = 0; k < 3; ++k) {
      const tensor<T> expected = t.adjoint(single[k]);
      const real tolerance = exact ? 0 : 64 * real{std::numeric_limits<T>::epsilon()};
      CHECK(reference::all_close(adjoints[k].values(), expected.values(), tolerance));
    }
  }
}

template <class Chain>
void check_both(const Chain& chain, bool exact = true) {
  check<float>(chain, exact);
  check<double>(chain, exact);
}

}  // namespace

TEST_CASE("a product and a sum in one row are those of two rows to the last bit") {
  check_both([](auto a, auto b, auto c) { return a * b + c; });
  check_both([](auto a, auto b, auto c) { return c + a * b; });
  check_both([](auto a, auto b, auto c) { return a * 1.25f + b * c; });
  check_both([](auto a, auto b, auto c) { return b * (a * -0.7f + 0.1f) + c; });
  check_both([](auto a, auto b, auto c) { return (a * 0.3f - 0.9f) * b * c; });
  check_both([](auto a, auto b, auto c) { return c * (0.5f + 3.0f * a) - b; });
  check_both([](auto a, auto b, auto c) { return a * a + b * c; });
}

TEST_CASE("a relu of a product, a sum or both in one row is that of single rows to the last bit") {
  check_both([](auto a, auto b, auto c) { return relu(a * b + c); });
  check_both([](auto a, auto b, auto c) { return relu(a * b) + c; });
  check_both([](auto a, auto b, auto c) { return relu(a + b) * c; });
  check_both([](auto a, auto b, auto c) { return relu(a - 0.25f) * relu(b + c); });
  check_both([](auto a, auto b, auto c) { return relu(relu(a * 2.0f - 0.5f) * b - 0.1f) + c; });
  check_both([](auto a, auto b, auto c) { return relu(0.1f + c * 0.75f) * a * b; });
}

TEST_CASE("a product or a sum that has other uses stays a row of its own") {
  const auto product_twice = [](auto a, auto b, auto c) {
    const auto product = a * b;
    return relu(product + c) * product;
  };
  const auto sum_twice = [](auto a, auto b, auto c) {
    const auto sum = a + b * c;
    return relu(sum) + sum;
  };
  const auto for_nothing = [](auto a, auto b, auto c) {
    const auto product = a * b;
    static_cast<void>(product + c);
    return product * 1.0f + c * 0.5f;
  };
  check_both(product_twice, false);
  check_both(sum_twice, false);
  check_both(for_nothing);
}
