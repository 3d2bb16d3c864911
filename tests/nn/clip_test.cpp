#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/optimizer/clip.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;

template <class T>
using list = std::vector<tensor<T>>;

template <class T>
list<T> drawn() {
  list<T> g;
  reference::random random(3);
  for (const autodiff::shape& s :
       {autodiff::shape{17, 5}, autodiff::shape{}, autodiff::shape{0}, autodiff::shape{300, 400}}) {
    g.emplace_back(s, std::span<const T>(random.uniform<T>(s.size(), -2, 2)));
  }
  return g;
}

template <class T>
double norm_of(const list<T>& gradients) {
  long double squares = 0;
  for (const auto& g : gradients)
    for (const T x : g.values()) squares += static_cast<long double>(x) * x;
  return static_cast<double>(std::sqrt(squares));
}

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEMPLATE_TEST_CASE("a norm above the bound is scaled down to it, all gradients by one factor", "",
                   float, double) {
  using T = TestType;
  const double tolerance = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());
  const list<T> before = drawn<T>();
  list<T> g = before;
  const double norm = norm_of(before);
  CHECK(std::fabs(nn::clip_norm(g, 2.5) / norm - 1) < tolerance);
  const double factor = 2.5 / (norm + 1e-6);
  for (std::size_t p = 0; p < g.size(); ++p) {
    for (std::size_t i = 0; i < g[p].size(); ++i) {
      const double expected = factor * static_cast<double>(before[p].values()[i]);
      REQUIRE(std::fabs(static_cast<double>(g[p].values()[i]) - expected) <=
              tolerance * std::fabs(expected));
    }
  }
  CHECK(std::fabs(norm_of(g) / 2.5 - 1) < 1e-5);
}

TEMPLATE_TEST_CASE("a norm within the bound changes nothing, not even at the bound", "", float,
                   double) {
  using T = TestType;
  const list<T> before = drawn<T>();
  list<T> g = before;
  CHECK(nn::clip_norm(g, 1e9) == nn::clip_norm(g, infinity));
  for (std::size_t p = 0; p < g.size(); ++p)
    CHECK(reference::all_close(g[p].values(), before[p].values(), 0));
  list<T> none;
  CHECK(nn::clip_norm(none, 1) == 0);
}

TEST_CASE("the squares of large and of small gradients neither overflow nor vanish") {
  list<float> large{tensor<float>({3e30f, 4e30f})};
  CHECK(std::fabs(nn::clip_norm(large, 1) / 5e30 - 1) < 1e-6);
  CHECK(std::fabs(large[0].values()[0] - 0.6f) < 1e-6f);
  list<float> small{tensor<float>({3e-30f}), tensor<float>({4e-30f})};
  CHECK(std::fabs(nn::clip_norm(small, 1) / 5e-30 - 1) < 1e-6);
}

TEST_CASE("gradients that are not finite are not hidden by a bound of their norm") {
  list<double> g{tensor<double>({1.0, undefined}), tensor<double>({2.0})};
  CHECK(std::isnan(nn::clip_norm(g, 1)));
  CHECK(std::isnan(g[1].values()[0]));
  list<double> h{tensor<double>({1.0, infinity})};
  CHECK(nn::clip_norm(h, 1) == infinity);
  CHECK(h[0].values()[0] == 0);
  CHECK(std::isnan(h[0].values()[1]));
  for (const bool nan_first : {false, true}) {
    list<double> both{tensor<double>({nan_first ? undefined : infinity}),
                      tensor<double>({nan_first ? infinity : undefined}), tensor<double>({1.0})};
    CHECK(std::isnan(nn::clip_norm(both, 1)));
    CHECK(std::isnan(both[2].values()[0]));
  }
}

TEMPLATE_TEST_CASE("values are moved into their bounds, one by one", "", float, double) {
  using T = TestType;
  const list<T> before = drawn<T>();
  list<T> g = before;
  nn::clip_value(g, 0.75);
  for (std::size_t p = 0; p < g.size(); ++p) {
    for (std::size_t i = 0; i < g[p].size(); ++i) {
      const T x = before[p].values()[i];
      REQUIRE(g[p].values()[i] == (x > T(0.75) ? T(0.75) : x < T(-0.75) ? T(-0.75) : x));
    }
  }
  list<T> special{tensor<T>({T(undefined), T(infinity), T(-infinity), T(0.5)})};
  nn::clip_value(special, 2);
  const auto x = special[0].values();
  CHECK(std::isnan(x[0]));
  CHECK(x[1] == 2);
  CHECK(x[2] == -2);
  CHECK(x[3] == T(0.5));
}

TEST_CASE("clipping leaves tensors alone that share their values with a gradient") {
  const tensor<double> shared({3.0, 4.0});
  list<double> g{shared};
  nn::clip_norm(g, 1);
  CHECK(shared.values()[0] == 3);
  g = {shared};
  nn::clip_value(g, 1);
  CHECK(shared.values()[0] == 3);
  CHECK(g[0].values()[0] == 1);
}

TEST_CASE("bounds that are not positive are refused") {
  list<double> g{tensor<double>({3.0, 4.0})};
  for (const double most : {0.0, -1.0, undefined}) {
    CAPTURE(most);
    CHECK(
        reference::says(reference::message<autodiff::domain_error>([&] { nn::clip_norm(g, most); }),
                        "clip_norm: the largest norm is ", "; it must be positive"));
    CHECK(reference::says(
        reference::message<autodiff::domain_error>([&] { nn::clip_value(g, most); }),
        "clip_value: the largest value is ", "; it must be positive"));
  }
  CHECK(g[0].values()[1] == 4);
}
