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
