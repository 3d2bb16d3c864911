// The lines of normalisations and of dropout.

#include <autodiff/random.hpp>
#include <autodiff/tensor/dropout.hpp>
#include <autodiff/tensor/normalise.hpp>

#include <tests/catch.hpp>
#include <tests/tensor/gradient_table.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace gradient_table;
using reference::real;

constexpr double epsilon = 0.1;

/// (x - mean) / sqrt(variance + epsilon) among the elements of one group each, groups[i] being that
/// of x[i].
reals standardised(const reals& x, const std::vector<std::size_t>& groups, std::size_t count) {
  reals mean(count), variance(count), size(count), y = x;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean[groups[i]] += x[i];
    size[groups[i]] += 1;
  }
  for (std::size_t g = 0; g < count; ++g) mean[g] /= size[g];
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t g = groups[i];
    variance[g] += (x[i] - mean[g]) * (x[i] - mean[g]) / size[g];
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t g = groups[i];
    y[i] = (x[i] - mean[g]) / std::sqrt(variance[g] + epsilon);
  }
  return y;
}

/// i / below % extent for each of n elements: their index along one axis, or several merged ones.
std::vector<std::size_t> index_of(std::size_t n, std::size_t below, std::size_t extent) {
  std::vector<std::size_t> index;
  for (std::size_t i = 0; i < n; ++i) index.push_back(i / below % extent);
  return index;
}

reals affine(reals u, const reals& gain, const reals& bias, const std::vector<std::size_t>& at) {
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = gain[at[i]] * u[i] + bias[at[i]];
  return u;
}

std::vector<structured_operation> table() {
  return {
      line(
          "layer_norm, last axis", {{3, 4}, {4}, {4}},
          [](auto x) { return layer_norm(x[0], x[1], x[2], epsilon); },
          [](const operands& x) {
            return affine(standardised(x[0], index_of(12, 4, 3), 3), x[1], x[2],
                          index_of(12, 1, 4));
          }),
      line(
          "layer_norm, last two axes", {{2, 3, 2}, {3, 2}, {3, 2}},
          [](auto x) { return layer_norm(x[0], x[1], x[2], epsilon); },
          [](const operands& x) {
            return affine(standardised(x[0], index_of(12, 6, 2), 2), x[1], x[2],
                          index_of(12, 1, 6));
          }),
      line(
          "layer_norm, one row", {{4}, {4}, {4}},
          [](auto x) { return layer_norm(x[0], x[1], x[2], epsilon); },
          [](const operands& x) {
            return affine(standardised(x[0], index_of(4, 4, 1), 1), x[1], x[2], index_of(4, 1, 4));
          }),
      line(
          "layer_norm without gain", {{2, 3}}, [](auto x) { return layer_norm(x[0], 1, epsilon); },
          [](const operands& x) { return standardised(x[0], index_of(6, 3, 2), 2); }),
      line(
          "batch_norm, rows", {{4, 3}, {3}, {3}},
          [](auto x) { return batch_norm(x[0], x[1], x[2], epsilon).y; },
          [](const operands& x) {
            const auto feature = index_of(12, 1, 3);
            return affine(standardised(x[0], feature, 3), x[1], x[2], feature);
          }),
      line(
          "batch_norm, pictures", {{2, 3, 2, 2}, {3}, {3}},
          [](auto x) { return batch_norm(x[0], x[1], x[2], epsilon).y; },
          [](const operands& x) {
            const auto feature = index_of(24, 4, 3);
            return affine(standardised(x[0], feature, 3), x[1], x[2], feature);
          }),
      line(
          "batch_norm, features last", {{2, 2, 17}, {17}, {17}},
          [](auto x) { return batch_norm(x[0], x[1], x[2], epsilon, -1).y; },
          [](const operands& x) {
            const auto feature = index_of(68, 1, 17);
            return affine(standardised(x[0], feature, 17), x[1], x[2], feature);
          }),
      line(
          "batch_norm, given statistics", {{3, 2, 2}, {2}, {2}, {2}, {2}},
          [](auto x) { return batch_norm(x[0], x[1], x[2], x[3], x[4], 2.0); },
          [](const operands& x) {
            const auto feature = index_of(12, 2, 2);
            reals u = x[0];
            for (std::size_t i = 0; i < u.size(); ++i) {
              const std::size_t f = feature[i];
              u[i] = (u[i] - x[3][f]) / std::sqrt(x[4][f] + 2);
            }
            return affine(u, x[1], x[2], feature);
          }),
      line(
          "dropout", {{3, 5}},
          [](auto x) {
            autodiff::generator random(7);
            return dropout(x[0], 0.25, random);
          },
          [](const operands& x) {
            autodiff::generator random(7);
            reals y = x[0];
            for (std::size_t i = 0; i < y.size(); i += 2) {
              const std::uint64_t bits = random();
              y[i] *= (bits & 0xffffffff) < 1u << 30 ? 0 : 1 / 0.75L;
              if (i + 1 < y.size()) y[i + 1] *= bits >> 32 < 1u << 30 ? 0 : 1 / 0.75L;
            }
            return y;
          }),
  };
}

}  // namespace

TEST_CASE("normalisations and dropout hold the gradient table") {
  gradient_table::check_table(table());
}
