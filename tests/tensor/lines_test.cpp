// Reductions read views where they lie: their lines are those of the packed tensor, number by
// number, and nothing is packed on the way.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/extremes.hpp>
#include <autodiff/tensor/lines.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/slice.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/tensors.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace tensors;
using autodiff::axes;
using autodiff::line_walk;
using autodiff::store;

/// Views of [4, 20, 3] and of [40, 3], one of each kind.
std::vector<std::pair<std::string, tensor<double>>> views() {
  const tensor<double> x = tensors::drawn({4, 20, 3}, 1), rows = tensors::drawn({40, 3}, 2);
  return {{"a transpose", transpose(rows)},
          {"axes in another order", permute(x, {2, 0, 1})},
          {"every second row", slice(x, 1, {0, 20, 2})},
          {"columns, backwards", flip(x, {1, 2})},
          {"the first two columns", slice(x, -1, {0, 2})},
          {"repeated rows", expand(slice(x, 0, {1, 2}), {5, 20, 3})},
          {"nothing", slice(transpose(rows), 1, {1, 1})}};
}

/// Calls visit(over) for every list of axes of s, none included.
template <class Visit>
void for_each_axes(const shape& s, Visit&& visit) {
  for (unsigned set = 0; set < 1U << s.rank(); ++set) {
    std::vector<std::ptrdiff_t> over;
    for (std::size_t i = 0; i < s.rank(); ++i) {
      if (set >> i & 1) over.push_back(static_cast<std::ptrdiff_t>(i));
    }
    visit(axes(over));
  }
}

tensor<double> packed(const tensor<double>& x) {
  return tensor<double>(x.shape(), std::span<const double>(numbers(x)));
}

}  // namespace

TEST_CASE("the lines of a view are those of its packed copy, and results are row-major") {
  for (const auto& [name, x] : views()) {
    INFO(name);
    for_each_axes(x.shape(), [&, &x = x](const axes& over) {
      const tensor<double> copy = packed(x);
      const auto read = [&](const line_walk& walk, const double* data) {
        doubles lines(walk.lines() * walk.length());
        const std::size_t n = walk.length();
        walk.read(data, [&](std::size_t first, std::size_t count, const double* rows) {
          std::copy_n(rows, count * n, lines.begin() + static_cast<std::ptrdiff_t>(first * n));
        });
        return lines;
      };
      const line_walk of_view(x.shape(), x.stored().strides(), over, "test"),
          of_copy(x.shape(), over, "test");
      CHECK(read(of_view, x.stored().first()) == read(of_copy, copy.values().data()));

      doubles doubled(x.size(), 1);
      of_view.map(std::array{x.stored().first()}, doubled.data(), store::add,
                  [&](std::size_t, std::size_t count, const auto& rows, double* out, store how) {
                    for (std::size_t i = 0; i < count * of_view.length(); ++i)
                      out[i] = 2 * rows[0][i] + (how == store::add ? out[i] : 0);
                  });
      for (std::size_t i = 0; i < x.size(); ++i) CHECK(doubled[i] == 2 * copy.values()[i] + 1);
    });
  }
}

TEST_CASE("a reduction of a view is that of its packed copy, and packs nothing") {
  const auto reductions =
      std::array{+[](const tensor<double>& x, const axes& over) { return prod(x, over); },
                 +[](const tensor<double>& x, const axes& over) { return variance(x, over); },
                 +[](const tensor<double>& x, const axes& over) { return norm(x, 3, over); },
                 +[](const tensor<double>& x, const axes& over) { return log_sum_exp(x, over); },
                 +[](const tensor<double>& x, const axes& over) { return max(x, over); },
                 +[](const tensor<double>& x, const axes& over) { return min(x, over); }};
  // A view shares its packed copy with all its own: those compared with are other ones.
  const auto all = views(), others = views();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& [name, x] = all[i];
    if (x.size() == 0) continue;
    const tensor<double> other = packed(others[i].second);
    INFO(name);
    for_each_axes(x.shape(), [&, &x = x](const axes& over) {
      for (const auto& reduction : reductions) {
        tape t;
        const tensor<double> view = t.variable(x), copy = t.variable(other);
        const tensor<double> y = reduction(view, over), expected = reduction(copy, over);
        CHECK(numbers(y) == numbers(expected));
        const tensor<double> seed = tensors::drawn(y.shape(), 3);
        t.backward(y, seed);
        const doubles slopes = numbers(t.adjoint(view));
        t.backward(expected, seed);
        CHECK(slopes == numbers(t.adjoint(copy)));
        CHECK_FALSE(view.stored().is_packed());
      }
    });
    CHECK(argmax(x) == argmax(other));
    for (std::ptrdiff_t axis = 0; axis < static_cast<std::ptrdiff_t>(x.rank()); ++axis) {
      const auto found = argmin(x, axis), expected = argmin(other, axis);
      CHECK(std::ranges::equal(found.values(), expected.values()));
    }
    CHECK_FALSE(x.stored().is_packed());
  }
}
