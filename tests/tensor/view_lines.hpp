#pragma once
// One line per view: its input's shape, the call, and which element of the input a plain loop would
// put at each index of the result.

#include <autodiff/dual.hpp>
#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/slice.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/tensor/view.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace view_lines {

using autodiff::dual;
using autodiff::range;
using autodiff::shape;
using autodiff::tensor;

using indices = std::vector<std::size_t>;

/// visit(index) in row-major order.
template <class Visitor>
void for_each_index(const shape& s, Visitor&& visit) {
  for (std::size_t flat = 0; flat < s.size(); ++flat) {
    indices index(s.rank());
    std::size_t rest = flat;
    for (std::size_t axis = s.rank(); axis-- > 0; rest /= s[axis]) index[axis] = rest % s[axis];
    visit(index);
  }
}

inline std::size_t flat_index(const shape& s, const indices& index) {
  std::size_t flat = 0;
  for (std::size_t axis = 0; axis < s.rank(); ++axis) flat = flat * s[axis] + index[axis];
  return flat;
}

struct view_line {
  std::string name;
  shape input, result;
  std::function<tensor<double>(const tensor<double>&)> of_doubles;
  std::function<tensor<float>(const tensor<float>&)> of_floats;
  std::function<tensor<dual<double>>(const tensor<dual<double>>&)> of_duals;
  /// Index in the result to index in the input.
  std::function<indices(const indices&)> source;

  /// Row-major indices into the input.
  std::vector<std::size_t> picked() const {
    std::vector<std::size_t> list;
    for_each_index(result, [&](const indices& i) { list.push_back(flat_index(input, source(i))); });
    return list;
  }
};

template <class Call>
view_line line(std::string name, shape input, shape result, Call call,
               std::function<indices(const indices&)> source) {
  return {std::move(name), input, result, call, call, call, std::move(source)};
}

inline std::vector<view_line> table() {
  using i = const indices&;
  return {
      line(
          "transpose", {2, 3}, {3, 2}, [](const auto& x) { return transpose(x); },
          [](i at) {
            return indices{at[1], at[0]};
          }),
      line(
          "transpose, batch", {2, 3, 4}, {2, 4, 3}, [](const auto& x) { return transpose(x); },
          [](i at) {
            return indices{at[0], at[2], at[1]};
          }),
      line(
          "swap_axes", {2, 3, 4}, {4, 3, 2}, [](const auto& x) { return swap_axes(x, 0, -1); },
          [](i at) {
            return indices{at[2], at[1], at[0]};
          }),
      line(
          "permute", {2, 3, 4}, {4, 2, 3},
          [](const auto& x) {
            return permute(x, {-1, 0, 1});
          },
          [](i at) {
            return indices{at[1], at[2], at[0]};
          }),
      line(
          "flip, one axis", {2, 3}, {2, 3}, [](const auto& x) { return flip(x, -1); },
          [](i at) {
            return indices{at[0], 2 - at[1]};
          }),
      line(
          "flip, both axes", {2, 3}, {2, 3},
          [](const auto& x) {
            return flip(x, {0, 1});
          },
          [](i at) {
            return indices{1 - at[0], 2 - at[1]};
          }),
      line(
          "diagonal", {3, 4}, {3}, [](const auto& x) { return diagonal(x); },
          [](i at) {
            return indices{at[0], at[0]};
          }),
      line(
          "diagonal, above", {3, 4}, {2}, [](const auto& x) { return diagonal(x, 2); },
          [](i at) {
            return indices{at[0], at[0] + 2};
          }),
      line(
          "diagonal, below, of a batch", {2, 3, 3}, {2, 2},
          [](const auto& x) { return diagonal(x, -1, 1, 2); },
          [](i at) {
            return indices{at[0], at[1] + 1, at[1]};
          }),
      line(
          "diagonal, outer axes", {2, 3, 2}, {3, 2},
          [](const auto& x) { return diagonal(x, 0, 0, -1); },
          [](i at) {
            return indices{at[1], at[0], at[1]};
          }),
      line(
          "expand, a new axis", {3}, {2, 3},
          [](const auto& x) {
            return expand(x, {2, 3});
          },
          [](i at) { return indices{at[1]}; }),
      line(
          "expand, inner and outer axes", {2, 1}, {4, 2, 3},
          [](const auto& x) {
            return expand(x, {4, 2, 3});
          },
          [](i at) {
            return indices{at[1], 0};
          }),
      line(
          "expand, rank 0", {}, {2, 2},
          [](const auto& x) {
            return expand(x, {2, 2});
          },
          [](i) { return indices{}; }),
      line(
          "unsqueeze", {2, 3}, {2, 1, 3}, [](const auto& x) { return unsqueeze(x, 1); },
          [](i at) {
            return indices{at[0], at[2]};
          }),
      line(
          "unsqueeze, last", {2}, {2, 1}, [](const auto& x) { return unsqueeze(x, -1); },
          [](i at) { return indices{at[0]}; }),
      line(
          "squeeze", {1, 3, 1}, {3}, [](const auto& x) { return squeeze(x); },
          [](i at) {
            return indices{0, at[0], 0};
          }),
      line(
          "squeeze, one axis", {1, 3, 1}, {1, 3}, [](const auto& x) { return squeeze(x, 2); },
          [](i at) {
            return indices{0, at[1], 0};
          }),
      line(
          "reshape", {2, 6}, {3, 4},
          [](const auto& x) {
            return reshape(x, {3, -1});
          },
          [](i at) {
            const std::size_t flat = at[0] * 4 + at[1];
            return indices{flat / 6, flat % 6};
          }),
      line(
          "flatten", {2, 3, 2}, {2, 6}, [](const auto& x) { return flatten(x, 1); },
          [](i at) {
            return indices{at[0], at[1] / 2, at[1] % 2};
          }),
      line(
          "slice, ranges", {4, 5}, {2, 3},
          [](const auto& x) {
            return slice(x, {range{1, 4, 2}, range{.start = 2}});
          },
          [](i at) {
            return indices{1 + 2 * at[0], 2 + at[1]};
          }),
      line(
          "slice, backwards", {4, 5}, {4, 3},
          [](const auto& x) {
            return slice(x, {range{.step = -1}, range{.stop = -2}});
          },
          [](i at) {
            return indices{3 - at[0], at[1]};
          }),
      line(
          "slice, indices and ranges", {2, 4, 3}, {2},
          [](const auto& x) {
            return slice(x, {-1, range{-1, 0, -2}, 1});
          },
          [](i at) {
            return indices{1, 3 - 2 * at[0], 1};
          }),
      line(
          "slice, one axis", {3, 4}, {3, 2},
          [](const auto& x) {
            return slice(x, -1, {1, 3});
          },
          [](i at) {
            return indices{at[0], at[1] + 1};
          }),
      line(
          "select", {3, 4}, {3}, [](const auto& x) { return select(x, 1, -2); },
          [](i at) {
            return indices{at[0], 2};
          }),
      line(
          "split, equal parts", {4, 3}, {2, 3}, [](const auto& x) { return split(x, 2)[1]; },
          [](i at) {
            return indices{at[0] + 2, at[1]};
          }),
      line(
          "split, extents", {2, 4}, {2, 3},
          [](const auto& x) {
            return split(x, {1, 3, 0}, 1)[1];
          },
          [](i at) {
            return indices{at[0], at[1] + 1};
          }),
      line(
          "unstack", {2, 3}, {2}, [](const auto& x) { return unstack(x, 1)[2]; },
          [](i at) {
            return indices{at[0], 2};
          }),
      line(
          "a view of a view of a view", {4, 6}, {3, 4},
          [](const auto& x) { return flip(transpose(slice(x, 1, {.step = 2})), 1); },
          [](i at) {
            return indices{3 - at[1], 2 * at[0]};
          }),
      line(
          "a reshaped transpose", {4, 3}, {2, 6},
          [](const auto& x) {
            return reshape(transpose(x), {2, 6});
          },
          [](i at) {
            const std::size_t flat = at[0] * 6 + at[1];
            return indices{flat % 4, flat / 4};
          }),
      line(
          "an expanded diagonal", {3, 3}, {2, 3},
          [](const auto& x) {
            return expand(diagonal(x), {2, 3});
          },
          [](i at) {
            return indices{at[1], at[1]};
          }),
      line(
          "a transpose with whole strips", {9, 17}, {17, 9},
          [](const auto& x) { return transpose(x); },
          [](i at) {
            return indices{at[1], at[0]};
          }),
  };
}

}  // namespace view_lines
