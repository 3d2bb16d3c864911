#include <autodiff/error.hpp>
#include <autodiff/tensor/shape.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cstddef>
#include <set>
#include <sstream>
#include <vector>

namespace {

using autodiff::shape;
using autodiff::shape_error;
using reference::message;
using reference::says;

constexpr std::size_t largest = static_cast<std::size_t>(-1);

std::vector<std::size_t> extents(const shape& s) { return {s.begin(), s.end()}; }

/// Where the element `flat` of `whole` stands in an operand that was broadcast to it: by indices,
/// one axis at a time.
std::size_t offset_in(const shape& operand, const shape& whole, std::size_t flat) {
  std::vector<std::size_t> index(whole.rank());
  for (std::size_t i = whole.rank(); i-- > 0; flat /= whole[i]) index[i] = flat % whole[i];
  std::size_t offset = 0;
  for (std::size_t i = 0; i < operand.rank(); ++i) {
    const std::size_t at = index[whole.rank() - operand.rank() + i];
    offset = offset * operand[i] + (operand[i] == 1 ? 0 : at);
  }
  return offset;
}

/// Walks `whole` with operands a and b and compares every visited element with its own index.
void require_right_walk(const shape& whole, const shape& a, const shape& b) {
  INFO("whole " << whole << ", a " << a << ", b " << b);
  const autodiff::row_walk walk(whole, a, b);
  REQUIRE(walk.rows() * walk.row_size() == whole.size());
  std::vector<int> visits(whole.size());
  bool right = true;
  walk.for_each_row([&](std::size_t out, std::size_t at_a, std::size_t at_b) {
    for (std::size_t i = 0; i < walk.row_size(); ++i) {
      right = right && out + i < whole.size();
      if (!right) return;
      ++visits[out + i];
      right = right && at_a + i * walk.stride_a() == offset_in(a, whole, out + i) &&
              at_b + i * walk.stride_b() == offset_in(b, whole, out + i);
    }
  });
  CHECK(right);
  CHECK(std::count(visits.begin(), visits.end(), 1) == static_cast<std::ptrdiff_t>(visits.size()));
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

TEST_CASE("a shape knows its extents, rank and number of elements") {
  const shape scalar;
  CHECK(scalar.rank() == 0);
  CHECK(scalar.size() == 1);
  CHECK(extents(scalar).empty());

  const shape s{2, 3, 4};
  CHECK(s.rank() == 3);
  CHECK(s.size() == 24);
  CHECK(s[0] == 2);
  CHECK(s[2] == 4);
  CHECK(extents(s) == std::vector<std::size_t>{2, 3, 4});
  CHECK(s.extents().size() == 3);

  CHECK(shape{2, 0, 4}.size() == 0);
  CHECK(shape{1, 1, 1, 1, 1, 1, 1, 2}.rank() == 8);
}

TEST_CASE("shapes are equal when their extents are, rank included") {
  CHECK(shape{2, 3} == shape{2, 3});
  CHECK(shape{2, 3} != shape{3, 2});
  CHECK(shape{3} != shape{1, 3});
  CHECK(shape{} != shape{1});
  CHECK(shape{0, 3} != shape{3, 0});
}

TEST_CASE("a shape prints its extents in brackets") {
  CHECK(to_string(shape{2, 3}) == "[2, 3]");
  CHECK(to_string(shape{7}) == "[7]");
  CHECK(to_string(shape{}) == "[]");
  std::ostringstream out;
  out << shape{0, 1};
  CHECK(out.str() == "[0, 1]");
}

TEST_CASE("a shape refuses more than eight dimensions") {
  const std::string text = message<shape_error>([] { shape{1, 1, 1, 1, 1, 1, 1, 1, 1}; });
  CHECK(says(text, "9 dimensions", "at most 8"));
}

TEST_CASE("a shape refuses more elements than memory can address") {
  const std::string text = message<shape_error>([] {
    shape{std::size_t{1} << 32, std::size_t{1} << 32};
  });
  CHECK(says(text, "[4294967296, 4294967296]", "more elements than memory can address"));
  CHECK_THROWS_AS((shape{largest}), shape_error);
  CHECK_THROWS_AS((shape{3, largest / 2}), shape_error);
  // The product of these wraps around to a small number.
  CHECK_THROWS_AS((shape{std::size_t{1} << 33, std::size_t{1} << 33}), shape_error);
}

TEST_CASE("a zero extent makes a shape empty, however large the others are") {
  CHECK(shape{largest, 0}.size() == 0);
  CHECK(shape{0, largest, largest}.size() == 0);
}

TEST_CASE("a zero extent after a product that overflows still makes a shape empty") {
  const std::size_t large = std::size_t{1} << 40;
  CHECK(shape{large, large, 0}.size() == 0);
  CHECK(shape{0, large, large} != shape{large, 0, large});
}

TEST_CASE("an axis counts from the front or from the back") {
  const shape s{2, 3, 4};
  CHECK(s.axis(0, "sum") == 0);
  CHECK(s.axis(2, "sum") == 2);
  CHECK(s.axis(-1, "sum") == 2);
  CHECK(s.axis(-3, "sum") == 0);
}

TEST_CASE("an axis that does not exist is an error with the operation, the axis and the shape") {
  const shape s{2, 3};
  CHECK(says(message<shape_error>([&] { s.axis(2, "sum"); }), "sum: ", "axis 2", "[2, 3]",
             "from -2 to 1"));
  CHECK(says(message<shape_error>([&] { s.axis(-3, "mean"); }), "mean: ", "axis -3", "[2, 3]"));
  CHECK(says(message<shape_error>([&] { shape{}.axis(0, "sum"); }), "[]", "rank 0 has no axes"));
}

TEST_CASE("shapes broadcast when extents aligned at the end are equal, 1 or missing") {
  struct row {
    shape a, b, result;
  };
  const row rows[] = {
      {{}, {}, {}},
      {{}, {3}, {3}},
      {{1}, {}, {1}},
      {{3}, {3}, {3}},
      {{1}, {3}, {3}},
      {{3}, {2, 3}, {2, 3}},
      {{2, 1}, {3}, {2, 3}},
      {{2, 1}, {1, 3}, {2, 3}},
      {{4, 1, 3}, {2, 1}, {4, 2, 3}},
      {{8, 1, 6, 1}, {7, 1, 5}, {8, 7, 6, 5}},
      {{0}, {1}, {0}},
      {{}, {0, 3}, {0, 3}},
      {{0, 1}, {1, 3}, {0, 3}},
      {{2, 1}, {1, 0}, {2, 0}},
      {{2, 1, 1, 1, 1, 1, 1, 1}, {3}, {2, 1, 1, 1, 1, 1, 1, 3}},
  };
  for (const row& r : rows) {
    INFO(r.a << " with " << r.b);
    CHECK(broadcast(r.a, r.b, "add") == r.result);
    CHECK(broadcast(r.b, r.a, "add") == r.result);
  }
}

TEST_CASE(
    "shapes that do not broadcast are an error with the operation, both shapes and the extents") {
  const std::string text = message<shape_error>([] {
    autodiff::broadcast({2, 3}, {4, 2, 4}, "multiply");
  });
  CHECK(says(text, "multiply: ", "[2, 3]", "[4, 2, 4]", "3 against 4"));
  CHECK(says(message<shape_error>([] {
               autodiff::broadcast({5, 2, 3}, {4, 2, 3}, "add");
             }),
             "[5, 2, 3]", "[4, 2, 3]", "5 against 4"));
  CHECK(says(message<shape_error>([] { autodiff::broadcast({0}, {3}, "add"); }), "[0]", "[3]"));
  CHECK_THROWS_AS(autodiff::broadcast({std::size_t{1} << 40, 1}, {std::size_t{1} << 40}, "add"),
                  shape_error);
}

TEST_CASE("a reduced shape loses its axes or keeps them with extent 1") {
  const auto drop = [](const shape& s, std::vector<std::ptrdiff_t> axes) {
    return autodiff::reduced(s, axes, false, "sum");
  };
  const auto keep = [](const shape& s, std::vector<std::ptrdiff_t> axes) {
    return autodiff::reduced(s, axes, true, "sum");
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
  const auto reduce = [](std::vector<std::ptrdiff_t> axes) {
    return message<shape_error>([&] { autodiff::reduced({2, 3}, axes, false, "mean"); });
  };
  CHECK(says(reduce({0, 0}), "mean: ", "axis 0", "twice"));
  CHECK(says(reduce({1, -1}), "axis -1", "twice"));
  CHECK(says(reduce({2}), "axis 2", "[2, 3]"));
}

TEST_CASE("a walk visits every element once, with the right element of each operand") {
  reference::random random(1);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::size_t> whole(random.below(6));
    // Mostly small extents, sometimes 1, rarely 0.
    for (std::size_t& extent : whole) extent = random.below(20) == 0 ? 0 : 1 + random.below(4);
    const shape s(whole);
    require_right_walk(s, operand_of(s, random), operand_of(s, random));
  }
}

TEST_CASE("a walk handles rank 8, scalars and empty shapes") {
  require_right_walk({2, 1, 2, 1, 2, 1, 2, 3}, {1, 1, 2, 1, 1, 1, 2, 1}, {2, 3});
  require_right_walk({}, {}, {});
  require_right_walk({1, 1}, {1}, {});
  require_right_walk({5}, {}, {});
  require_right_walk({0}, {1}, {});
  require_right_walk({3, 0, 2}, {1, 0, 1}, {2});
}

TEST_CASE("a walk merges axes that advance alike into long rows") {
  CHECK(autodiff::row_walk({2, 3, 4}, {2, 3, 4}, {2, 3, 4}).rows() == 1);
  CHECK(autodiff::row_walk({2, 3, 4}, {2, 3, 4}, {}).rows() == 1);
  CHECK(autodiff::row_walk({2, 3, 4}, {2, 3, 4}, {4}).rows() == 6);
  CHECK(autodiff::row_walk({2, 3, 4}, {2, 3, 4}, {3, 4}).rows() == 2);
  CHECK(autodiff::row_walk({2, 3, 4}, {2, 3, 4}, {2, 1, 1}).rows() == 2);
}
