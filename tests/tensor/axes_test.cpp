#include <autodiff/error.hpp>
#include <autodiff/tensor/axes.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace {

using autodiff::axes;
using autodiff::shape;
using autodiff::shape_error;
using reference::message;
using reference::says;

using indices = std::vector<std::size_t>;

indices of(const shape& s, const axes& list) {
  const autodiff::axis_list found = list.of(s, "sum");
  return {found.begin(), found.end()};
}

}  // namespace

TEST_CASE("axes are given in braces, as a number, a vector or an array") {
  const shape s{2, 3, 4};
  CHECK(of(s, {}) == indices{});
  CHECK(of(s, {2, -3}) == indices{2, 0});
  CHECK(of(s, -1) == indices{2});
  CHECK(of(s, std::vector<int>{1, 0}) == indices{1, 0});
  const std::ptrdiff_t list[] = {-2};
  CHECK(of(s, list) == indices{1});
}

TEST_CASE("more axes than a tensor can have are refused") {
  CHECK(says(message<shape_error>([] { axes{0, 1, 2, 3, 4, 5, 6, 7, 8}; }), "more than 8 axes"));
}

TEST_CASE("a reduced shape loses its axes or keeps them with extent 1") {
  const auto drop = [](const shape& s, const axes& over) {
    return autodiff::reduced(s, over, false, "sum");
  };
  const auto keep = [](const shape& s, const axes& over) {
    return autodiff::reduced(s, over, true, "sum");
  };
  const shape s{2, 3, 4};
  CHECK(drop(s, {}) == shape{});
  CHECK(keep(s, {}) == shape{1, 1, 1});
  CHECK(drop(s, {1}) == shape{2, 4});
  CHECK(keep(s, {1}) == shape{2, 1, 4});
  CHECK(drop(s, {-1, 0}) == shape{3});
  CHECK(keep(s, {-1, 0}) == shape{1, 3, 1});
  CHECK(drop(s, {0, 1, 2}) == shape{});
  CHECK(drop({2, 0}, {1}) == shape{2});
  CHECK(drop({2, 0}, {0}) == shape{0});
  CHECK(drop({}, {}) == shape{});
}

TEST_CASE("an axis named twice or missing is an error of the reduction") {
  const auto reduce = [](const axes& over) {
    return message<shape_error>([&] { autodiff::reduced({2, 3}, over, false, "mean"); });
  };
  CHECK(says(reduce({0, 0}), "mean: ", "axis 0", "twice"));
  CHECK(says(reduce({1, -1}), "axis -1", "twice"));
  CHECK(says(reduce({2}), "axis 2", "[2, 3]"));
}
