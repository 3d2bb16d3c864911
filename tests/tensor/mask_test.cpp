#include <autodiff/error.hpp>
#include <autodiff/format.hpp>
#include <autodiff/tensor/mask.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <fmt/format.h>

#include <sstream>
#include <type_traits>
#include <vector>

namespace {

using autodiff::mask;
using autodiff::shape;
using autodiff::shape_error;
using reference::message;
using reference::says;

using answers = std::vector<int>;

answers of(const mask& m) { return {m.values().begin(), m.values().end()}; }

}  // namespace

TEST_CASE("a mask holds a yes or no for each element") {
  const mask m(shape{2, 2}, {true, false, false, true});
  CHECK(m.shape() == shape{2, 2});
  CHECK(m.rank() == 2);
  CHECK(m.size() == 4);
  CHECK(of(m) == answers{1, 0, 0, 1});
  CHECK(m.value(0, 0));
  CHECK_FALSE(m.value(1, 0));
  CHECK(of(mask(shape{2})) == answers{0, 0});
  CHECK(of(mask(shape{2}, true)) == answers{1, 1});
  CHECK(of(mask(shape{2}, std::vector<bool>{true, false})) == answers{1, 0});
  CHECK(mask().size() == 0);
  // Whether all or any were meant has to be said.
  CHECK_FALSE(std::is_convertible_v<mask, bool>);
}

TEST_CASE("a mask counts") {
  const mask m(shape{3}, {true, false, true});
  CHECK(m.count() == 2);
  CHECK(m.any());
  CHECK_FALSE(m.all());
  CHECK(mask(shape{1000}, true).count() == 1000);
  CHECK(mask(shape{2}, true).all());
  CHECK_FALSE(mask(shape{2}).any());
  CHECK(mask(shape{0}).all());
  CHECK_FALSE(mask(shape{0}).any());
  CHECK(mask(shape{}, true).all());
}

TEST_CASE("masks combine element by element, broadcast") {
  const mask a(shape{4}, {true, true, false, false}), b(shape{4}, {true, false, true, false});
  CHECK(of(a & b) == answers{1, 0, 0, 0});
  CHECK(of(a | b) == answers{1, 1, 1, 0});
  CHECK(of(a ^ b) == answers{0, 1, 1, 0});
  CHECK(of(!a) == answers{0, 0, 1, 1});
  CHECK((!mask(shape{0, 2})).shape() == shape{0, 2});
  const mask column(shape{2, 1}, {true, false});
  CHECK((column & b).shape() == shape{2, 4});
  CHECK(of(column & b) == answers{1, 0, 1, 0, 0, 0, 0, 0});
  CHECK(of(b | column) == answers{1, 1, 1, 1, 1, 0, 1, 0});
  CHECK(says(message<shape_error>([&] { (void)(a & mask(shape{3})); }), "&: ", "[4]", "[3]"));
}

TEST_CASE("a mask refuses a wrong number of values and an index that is not there") {
  CHECK(says(message<shape_error>([] { mask(shape{3}, {true}); }), "mask: ", "1 values", "[3]"));
  CHECK(says(message<shape_error>([] { (void)mask(shape{3}).value(-1); }), "(-1)", "[3]"));
  CHECK_THROWS_AS(mask(shape{3}).value(0, 0), shape_error);
}

TEST_CASE("a mask prints as zeros and ones") {
  const mask m(shape{2, 2}, {true, false, false, true});
  std::ostringstream out;
  out << m;
  CHECK(out.str() == "[[1, 0],\n [0, 1]]");
  CHECK(fmt::format("{}", m) == out.str());
  CHECK(to_string(mask()) == "[]");
}
