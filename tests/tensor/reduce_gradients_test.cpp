// The lines of reductions, scans, softmax and losses.

#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/extremes.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/scan.hpp>

#include <tests/catch.hpp>
#include <tests/tensor/gradient_table.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <vector>

namespace {

using namespace gradient_table;
using autodiff::reduction;
using reference::real;

using of_line = std::function<real(const reals&)>;

/// f of every line of x, [outer, n, inner], along the middle axis.
reals lines(const reals& x, std::size_t outer, std::size_t n, std::size_t inner, const of_line& f) {
  reals y;
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < inner; ++i) {
      reals one;
      for (std::size_t j = 0; j < n; ++j) one.push_back(x[(o * n + j) * inner + i]);
      y.push_back(f(one));
    }
  }
  return y;
}

real total(const reals& x) {
  real sum = 0;
  for (const real v : x) sum += v;
  return sum;
}
real product(const reals& x) {
  real y = 1;
  for (const real v : x) y *= v;
  return y;
}
real largest(const reals& x) { return *std::max_element(x.begin(), x.end()); }
real smallest(const reals& x) { return *std::min_element(x.begin(), x.end()); }
real log_sum(const reals& x) {
  real sum = 0;
  for (const real v : x) sum += std::exp(v);
  return std::log(sum);
}
of_line power_norm(real p) {
  return [p](const reals& x) {
    real sum = 0;
    for (const real v : x) sum += std::pow(std::fabs(v), p);
    return std::pow(sum, 1 / p);
  };
}
real largest_size(const reals& x) {
  real y = 0;
  for (const real v : x) y = std::max(y, std::fabs(v));
  return y;
}
of_line spread(real correction) {
  return [correction](const reals& x) {
    const real mean = total(x) / static_cast<real>(x.size());
    real sum = 0;
    for (const real v : x) sum += (v - mean) * (v - mean);
    return sum / (static_cast<real>(x.size()) - correction);
  };
}
of_line root_of(const of_line& f) {
  return [f](const reals& x) { return std::sqrt(f(x)); };
}

/// How far to move the elements apart before an operation that has kinks where they meet, or at 0:
/// differences of the loop must not reach across one.
real apart(std::size_t i, std::size_t size) {
  const auto place = static_cast<real>(i * 7 % size);
  return i % 2 ? 3 * place + 2 : -3 * place - 3.5L;
}

template <class Call>
auto on_separated(Call call) {
  return [call](auto x, const autodiff::axes& over, bool keep_dims) {
    using T = typename decltype(x)::value_type;
    std::vector<T> offsets;
    for (std::size_t i = 0; i < x.size(); ++i)
      offsets.emplace_back(static_cast<double>(apart(i, x.size())));
    return call(x + decltype(x)(x.shape(), offsets), over, keep_dims);
  };
}

/// Lines for one reduction: all axes; the last, the first and a middle axis; axes apart.
template <class Call>
void add_axes(std::vector<structured_operation>& table, const std::string& name, Call call,
              const of_line& plain, bool separated = false) {
  const auto moved = [separated](reals x) {
    for (std::size_t i = 0; separated && i < x.size(); ++i) x[i] += apart(i, x.size());
    return x;
  };
  table.push_back(line(
      name + ", all", {{2, 3}}, [call](auto x) { return call(x[0], autodiff::axes{}, false); },
      [plain, moved](const operands& x) { return reals{plain(moved(x[0]))}; }));
  table.push_back(line(
      name + ", last axis", {{2, 3}}, [call](auto x) { return call(x[0], -1, false); },
      [plain, moved](const operands& x) { return lines(moved(x[0]), 2, 3, 1, plain); }));
  table.push_back(line(
      name + ", first axis", {{3, 18}}, [call](auto x) { return call(x[0], 0, true); },
      [plain, moved](const operands& x) { return lines(moved(x[0]), 1, 3, 18, plain); }));
  table.push_back(line(
      name + ", middle axis", {{2, 3, 2}}, [call](auto x) { return call(x[0], 1, false); },
      [plain, moved](const operands& x) { return lines(moved(x[0]), 2, 3, 2, plain); }));
  table.push_back(line(
      name + ", axes apart", {{2, 3, 2}},
      [call](auto x) {
        return call(x[0], autodiff::axes{0, 2}, false);
      },
      [plain, moved](const operands& x) {
        const reals all = moved(x[0]);
        reals picked;
        for (std::size_t j = 0; j < 3; ++j) {
          for (const std::size_t at : {0, 1, 6, 7}) picked.push_back(all[at + 2 * j]);
        }
        return lines(picked, 3, 4, 1, plain);
      }));
}

std::vector<structured_operation> reductions() {
  std::vector<structured_operation> table;
  const auto add = [&](const std::string& name, auto call, const of_line& plain) {
    add_axes(table, name, call, plain);
  };
  const auto add_kinked = [&](const std::string& name, auto call, const of_line& plain) {
    add_axes(table, name, on_separated(call), plain, true);
  };
  add(
      "sum", [](auto x, autodiff::axes a, bool k) { return sum(x, a, k); }, total);
  add(
      "prod", [](auto x, autodiff::axes a, bool k) { return prod(x, a, k); }, product);
  add_kinked(
      "max", [](auto x, autodiff::axes a, bool k) { return max(x, a, k); }, largest);
  add_kinked(
      "min", [](auto x, autodiff::axes a, bool k) { return min(x, a, k); }, smallest);
  add(
      "log_sum_exp", [](auto x, autodiff::axes a, bool k) { return log_sum_exp(x, a, k); },
      log_sum);
  add(
      "variance", [](auto x, autodiff::axes a, bool k) { return variance(x, a, {}, k); },
      spread(1));
  add(
      "variance, biased", [](auto x, autodiff::axes a, bool k) { return variance(x, a, {0}, k); },
      spread(0));
  add(
      "stddev", [](auto x, autodiff::axes a, bool k) { return stddev(x, a, {}, k); },
      root_of(spread(1)));
  add(
      "norm", [](auto x, autodiff::axes a, bool k) { return norm(x, 2, a, k); }, power_norm(2));
  add_kinked(
      "norm, p = 1", [](auto x, autodiff::axes a, bool k) { return norm(x, 1, a, k); },
      power_norm(1));
  add_kinked(
      "norm, p = 3", [](auto x, autodiff::axes a, bool k) { return norm(x, 3, a, k); },
      power_norm(3));
  add_kinked(
      "norm, p = inf",
      [](auto x, autodiff::axes a, bool k) {
        return norm(x, std::numeric_limits<double>::infinity(), a, k);
      },
      largest_size);
  return table;
}

reals scanned(const reals& x, std::size_t outer, std::size_t n, std::size_t inner, bool products) {
  reals y = x;
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t j = 1; j < n; ++j) {
      for (std::size_t i = 0; i < inner; ++i) {
        real& at = y[(o * n + j) * inner + i];
        const real before = y[(o * n + j - 1) * inner + i];
        at = products ? at * before : at + before;
      }
    }
  }
  return y;
}

/// log(softmax) along the middle axis.
reals log_softmax_along(const reals& x, std::size_t outer, std::size_t n, std::size_t inner) {
  const reals sums = lines(x, outer, n, inner, log_sum);
  reals y = x;
  for (std::size_t i = 0; i < y.size(); ++i) y[i] -= sums[i / (n * inner) * inner + i % inner];
  return y;
}
reals exponentials(reals x) {
  for (real& v : x) v = std::exp(v);
  return x;
}

reals losses(const operands& x, std::size_t k) {
  const reals log_p = log_softmax_along(x[0], x[0].size() / k, k, 1);
  reals y(x[0].size() / k);
  for (std::size_t i = 0; i < log_p.size(); ++i) y[i / k] -= x[1][i] * log_p[i];
  return y;
}

reals binary_losses(const operands& x) {
  reals y;
  for (std::size_t i = 0; i < x[0].size(); ++i) {
    const real p = 1 / (1 + std::exp(-x[0][i]));
    y.push_back(-x[1][i] * std::log(p) - (1 - x[1][i]) * std::log(1 - p));
  }
  return y;
}

const std::vector<std::size_t> labels{2, 0, 1};

std::vector<structured_operation> others() {
  return {
      line(
          "cumsum, last axis", {{2, 3}}, [](auto x) { return cumsum(x[0], -1); },
          [](const operands& x) { return scanned(x[0], 2, 3, 1, false); }),
      line(
          "cumsum, middle axis", {{2, 3, 2}}, [](auto x) { return cumsum(x[0], 1); },
          [](const operands& x) { return scanned(x[0], 2, 3, 2, false); }),
      line(
          "cumprod, last axis", {{2, 4}}, [](auto x) { return cumprod(x[0], 1); },
          [](const operands& x) { return scanned(x[0], 2, 4, 1, true); }),
      line(
          "cumprod, first axis", {{3, 17}}, [](auto x) { return cumprod(x[0], 0); },
          [](const operands& x) { return scanned(x[0], 1, 3, 17, true); }),
      line(
          "softmax, middle axis", {{2, 3, 2}}, [](auto x) { return softmax(x[0], 1); },
          [](const operands& x) { return exponentials(log_softmax_along(x[0], 2, 3, 2)); }),
      line(
          "softmax, long rows", {{2, 40}}, [](auto x) { return softmax(x[0]); },
          [](const operands& x) { return exponentials(log_softmax_along(x[0], 2, 40, 1)); }),
      line(
          "log_softmax, first axis", {{3, 17}}, [](auto x) { return log_softmax(x[0], 0); },
          [](const operands& x) { return log_softmax_along(x[0], 1, 3, 17); }),
      line(
          "cross-entropy, sum", {{18, 3}, {18, 3}},
          [](auto x) { return softmax_cross_entropy(x[0], x[1], reduction::sum); },
          [](const operands& x) { return reals{total(losses(x, 3))}; }),
      line(
          "cross-entropy, each", {{2, 3}, {2, 3}},
          [](auto x) { return softmax_cross_entropy(x[0], x[1], reduction::none); },
          [](const operands& x) { return losses(x, 3); }),
      line(
          "cross-entropy, many classes", {{2, 40}, {2, 40}},
          [](auto x) { return softmax_cross_entropy(x[0], 0.05 * x[1]); },
          [](const operands& x) { return reals{total(losses(x, 40)) / 40}; }),
      line(
          "cross-entropy of labels", {{3, 3}},
          [](auto x) { return softmax_cross_entropy(x[0], labels); },
          [](const operands& x) {
            const reals one_hot{0, 0, 1, 1, 0, 0, 0, 1, 0};
            return reals{total(losses({x[0], one_hot}, 3)) / 3};
          }),
      line(
          "binary cross-entropy", {{2, 3}, {2, 3}},
          [](auto x) { return binary_cross_entropy_with_logits(x[0], x[1]); },
          [](const operands& x) { return reals{total(binary_losses(x)) / 6}; }),
      line(
          "binary cross-entropy, each", {{5}, {5}},
          [](auto x) { return binary_cross_entropy_with_logits(x[0], x[1], reduction::none); },
          [](const operands& x) { return binary_losses(x); }),
  };
}

}  // namespace

TEST_CASE("reductions over any axes hold the gradient table") {
  gradient_table::check_table(reductions());
}

TEST_CASE("scans, softmax and losses hold the gradient table") {
  gradient_table::check_table(others());
}
