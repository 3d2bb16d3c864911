#include <autodiff/tensor/strided_walk.hpp>
#include <autodiff/tensor/strides.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace {

using autodiff::shape;
using autodiff::strided_walk;
using tensors::meeting;

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

/// Walks `whole` with operands a and b that broadcast to it: elements come in order, and beside
/// each of them those that its indices name.
void require_right_walk(const shape& whole, const shape& a, const shape& b) {
  INFO("whole " << whole << ", a " << a << ", b " << b);
  const auto walk = autodiff::broadcast_walk<3>(whole, {&whole, &a, &b});
  REQUIRE(walk.rows() * walk.row_size() == whole.size());
  std::size_t visited = 0, wrong = 0;
  walk.for_each([&](const auto& at) {
    const std::size_t flat = visited++;
    wrong += static_cast<std::size_t>(at[0]) != flat ||
             static_cast<std::size_t>(at[1]) != meeting(a, whole, flat) ||
             static_cast<std::size_t>(at[2]) != meeting(b, whole, flat);
  });
  CHECK(visited == whole.size());
  CHECK(wrong == 0);
}

/// An operand that broadcasts to `whole`: leading axes may be missing, any axis may be 1.
shape operand_of(const shape& whole, reference::random& random) {
  std::vector<std::size_t> kept(whole.begin(), whole.end());
  kept.erase(kept.begin(),
             kept.begin() + static_cast<std::ptrdiff_t>(random.below(kept.size() + 1)));
  for (std::size_t& extent : kept) {
    if (random.below(3) == 0) extent = 1;
  }
  return shape(kept);
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

TEST_CASE(
    "a walk over broadcast operands visits every element once, with the right ones beside it") {
  reference::random random(1);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::size_t> whole(random.below(6));
    // Mostly small extents, sometimes 1, rarely 0.
    for (std::size_t& extent : whole) extent = random.below(20) == 0 ? 0 : 1 + random.below(4);
    const shape s(whole);
    require_right_walk(s, operand_of(s, random), operand_of(s, random));
  }
}

TEST_CASE("a walk over broadcast operands handles rank 8, scalars and empty shapes") {
  require_right_walk({2, 1, 2, 1, 2, 1, 2, 3}, {1, 1, 2, 1, 1, 1, 2, 1}, {2, 3});
  require_right_walk({}, {}, {});
  require_right_walk({1, 1}, {1}, {});
  require_right_walk({5}, {}, {});
  require_right_walk({0}, {1}, {});
  require_right_walk({3, 0, 2}, {1, 0, 1}, {2});
}

TEST_CASE("axes along which broadcast operands advance alike are one row") {
  const shape whole{2, 3, 4};
  const auto rows = [&](const shape& operand) {
    return autodiff::broadcast_walk<2>(whole, {&whole, &operand}).rows();
  };
  CHECK(rows({2, 3, 4}) == 1);
  CHECK(rows({}) == 1);
  CHECK(rows({4}) == 6);
  CHECK(rows({3, 4}) == 2);
  CHECK(rows({2, 1, 1}) == 2);
}
