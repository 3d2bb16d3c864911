#include <autodiff/tensor/strided_walk.hpp>

#include <tests/catch.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace {

using autodiff::shape;
using autodiff::strided_walk;

/// The offsets of both operands at every element, in order.
using places = std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>>;

places visited(const strided_walk<2>& walk) {
  places all;
  walk.for_each_row([&](const auto& at) {
    for (std::size_t i = 0; i < walk.row_size(); ++i) {
      const auto step = static_cast<std::ptrdiff_t>(i);
      all.emplace_back(at[0] + step * walk.stride(0), at[1] + step * walk.stride(1));
    }
  });
  return all;
}

}  // namespace

TEST_CASE("a walk without dimensions visits one element") {
  CHECK(visited(strided_walk<2>()) == places{{0, 0}});
}

TEST_CASE("a walk visits a box in order, each operand by its strides") {
  strided_walk<2> walk;
  walk.add(2, {10, -1});
  walk.add(3, {0, 2});
  walk.add(2, {3, 7});
  CHECK(visited(walk) == places{{0, 0},
                                {3, 7},
                                {0, 2},
                                {3, 9},
                                {0, 4},
                                {3, 11},
                                {10, -1},
                                {13, 6},
                                {10, 1},
                                {13, 8},
                                {10, 3},
                                {13, 10}});
}

TEST_CASE("dimensions that every operand passes as one are one row") {
  strided_walk<2> walk;
  walk.add(2, {12, 12});
  walk.add(1, {99, 99});
  walk.add(3, {4, 4});
  walk.add(4, {1, 1});
  CHECK(walk.row_size() == 24);
  walk.add(2, {0, 1});
  CHECK(walk.row_size() == 2);
}

TEST_CASE("a walk over no elements visits none, wherever the extent of 0 stands") {
  for (const std::size_t empty : {0u, 1u, 2u}) {
    strided_walk<2> walk;
    for (std::size_t d = 0; d < 3; ++d) walk.add(d == empty ? 0 : 2, {1, 1});
    CHECK(walk.row_size() == 0);
    CHECK(visited(walk).empty());
  }
}

TEST_CASE("broadcasting repeats extents of 1 and missing ones") {
  const shape whole{2, 3}, column{2, 1}, row{3};
  const auto walk = autodiff::broadcast_walk<2>(whole, {&column, &row});
  CHECK(visited(walk) == places{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}});
  const auto same = autodiff::broadcast_walk<2>(whole, {&whole, &whole});
  CHECK(same.row_size() == 6);
  const shape scalar;
  CHECK(visited(autodiff::broadcast_walk<2>(scalar, {&scalar, &scalar})) == places{{0, 0}});
}
