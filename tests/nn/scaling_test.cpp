#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <nn/data/scaling.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

template <class T>
autodiff::tensor<T> random_rows(std::size_t n, std::size_t features) {
  reference::random random(1);
  return autodiff::tensor<T>(autodiff::shape{n, features},
                             random.uniform<T>(n * features, -3.0, 40.0));
}

template <class Error, class Function>
std::string message(Function&& provoke) {
  return reference::message<Error>(provoke);
}

}  // namespace

TEMPLATE_TEST_CASE("standardised features have mean 0 and standard deviation 1", "", float,
                   double) {
  using T = TestType;
  const std::size_t n = 100, features = 3;
  const auto x = random_rows<T>(n, features);
  const auto scaling = nn::standard_scaling(x);
  const auto y = scaling.apply(x);
  const double eps = std::numeric_limits<T>::epsilon();
  for (std::size_t j = 0; j < features; ++j) {
    long double sum = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      sum += y.value(i, j);
      squares += static_cast<long double>(y.value(i, j)) * y.value(i, j);
    }
    CHECK(std::fabs(static_cast<double>(sum / n)) < 4 * eps);
    CHECK(std::fabs(static_cast<double>(squares / n) - 1) < 4 * eps);
  }
  CHECK(reference::all_close(scaling.invert(y).values(), x.values(), 100 * eps));
}

TEST_CASE("standard_scaling is the textbook's: two samples, by hand") {
  const auto scaling = nn::standard_scaling(autodiff::tensor<double>{{1, 10}, {5, 10}});
  CHECK(reference::all_close(scaling.offset.values(), std::vector{3.0, 10.0}, 0));
  CHECK(reference::all_close(scaling.spread.values(), std::vector{2.0, 1.0}, 0));
  const auto other = scaling.apply(autodiff::tensor<double>{{7, 12}});
  CHECK(reference::all_close(other.values(), std::vector{2.0, 2.0}, 0));
}

TEMPLATE_TEST_CASE("min-max scaling reaches both ends exactly", "", float, double) {
  using T = TestType;
  const auto x = random_rows<T>(57, 5);
  for (const auto& [least, most] : std::vector<std::pair<T, T>>{{0, 1}, {-1, 1}}) {
    const auto scaling = nn::min_max_scaling<T>(x, least, most);
    const auto y = scaling.apply(x);
    for (std::size_t j = 0; j < 5; ++j) {
      T low = y.value(0, j), high = low;
      for (std::size_t i = 0; i < 57; ++i) {
        low = std::min(low, y.value(i, j));
        high = std::max(high, y.value(i, j));
      }
      CHECK(low == least);
      CHECK(high == most);
    }
    CHECK(reference::all_close(scaling.invert(y).values(), x.values(),
                               100 * std::numeric_limits<T>::epsilon()));
  }
}

TEST_CASE("a feature that never changes becomes 0, not noise") {
  autodiff::tensor<double> x(autodiff::shape{1000, 1}, 0.1);
  for (const auto& scaling : {nn::standard_scaling(x), nn::min_max_scaling(x)}) {
    const auto y = scaling.apply(x);
    for (const double each : y.values()) CHECK(each == 0);
    CHECK(reference::all_close(scaling.invert(y).values(), x.values(), 0));
    CHECK(scaling.spread.item() == 1);
  }
  const autodiff::tensor<double> one{{3, -7}};
  CHECK(reference::all_close(nn::min_max_scaling(one, -1.0, 1.0).apply(one).values(),
                             std::vector{-1.0, -1.0}, 0));
}

TEST_CASE("large and small numbers keep their spread") {
  for (const double size : {1e-300, 1e-160, 1.0, 1e160, 1e307}) {
    CAPTURE(size);
    const autodiff::tensor<double> x{{-size}, {size}};
    CHECK(nn::standard_scaling(x).spread.item() == size);
    CHECK(reference::all_close(nn::min_max_scaling(x).apply(x).values(), std::vector{0.0, 1.0}, 0));
  }
  CHECK(reference::says(message<autodiff::domain_error>([] {
                          nn::min_max_scaling(autodiff::tensor<double>{{-1e308}, {1e308}});
                        }),
                        "entry 0 goes from -1e+308 to 1e+308"));
  // 3e38 is 6e38 from the mean or nearly, and no float is.
  autodiff::tensor<float> x(autodiff::shape{100, 2}, -3e38F);
  x.mutable_values()[101] = 3e38F;
  CHECK(reference::says(message<autodiff::domain_error>([&] { nn::standard_scaling(x); }),
                        "standard_scaling: entry 1 goes from -3e+38 to 3e+38"));
}

TEST_CASE("rows of any shape are scaled") {
  const autodiff::tensor<float> x{{{1, 2}, {3, 4}}, {{3, 2}, {5, 8}}};
  const auto y = nn::min_max_scaling(x).apply(x);
  CHECK(reference::all_close(y.values(), std::vector{0, 0, 0, 0, 1, 0, 1, 1}, 0));
  const autodiff::tensor<float> numbers{1, 2, 5};
  CHECK(reference::all_close(nn::min_max_scaling(numbers).apply(numbers).values(),
                             std::vector{0.0, 0.25, 1.0}, 0));
}

TEST_CASE("the derivative of a scaled value is 1 / spread") {
  const auto scaling = nn::standard_scaling(autodiff::tensor<double>{{1, 10}, {5, 30}});
  autodiff::tape tape;
  const auto x = tape.variable(autodiff::tensor<double>{{2, 3}});
  tape.backward(sum(scaling.apply(x)));
  CHECK(reference::all_close(tape.adjoint(x).values(), std::vector{0.5, 0.1}, 0));
}

TEST_CASE("what is to be kept of a scaling are its three tensors") {
  auto scaling = nn::standard_scaling(autodiff::tensor<double>{{1, 10}, {5, 30}});
  std::string names;
  scaling.state([&](std::string_view name, autodiff::tensor<double>& t) {
    names += std::string(name) + " ";
    CHECK(t.shape() == autodiff::shape{2});
  });
  CHECK(names == "offset spread base ");
}

TEST_CASE("what cannot be scaled is refused with the shapes or the place") {
  CHECK(reference::says(message<autodiff::shape_error>([] {
                          nn::standard_scaling(autodiff::tensor<double>(autodiff::shape{0, 3}));
                        }),
                        "standard_scaling: no samples in [0, 3]"));
  CHECK(reference::says(message<autodiff::domain_error>([] {
                          nn::min_max_scaling(autodiff::tensor<double>{{1, 2}, {3, std::nan("")}});
                        }),
                        "min_max_scaling: sample 1 has nan in entry 1"));
  CHECK(reference::says(message<autodiff::domain_error>([] {
                          nn::standard_scaling(
                              autodiff::tensor<float>{{std::numeric_limits<float>::infinity()}});
                        }),
                        "sample 0 has inf in entry 0"));
  CHECK(reference::says(message<autodiff::domain_error>([] {
                          nn::min_max_scaling(autodiff::tensor<double>{{1, 2}}, 1.0, 1.0);
                        }),
                        "a range of 1 .. 1"));
  const auto scaling = nn::standard_scaling(autodiff::tensor<double>{{1, 2}, {3, 4}});
  for (const autodiff::shape& s :
       {autodiff::shape{5, 3}, autodiff::shape{2}, autodiff::shape{}, autodiff::shape{1, 1, 2}}) {
    const autodiff::tensor<double> x(s);
    CHECK(reference::says(message<autodiff::shape_error>([&] { scaling.apply(x); }),
                          "scaling::apply: learned from rows [2], applied to",
                          autodiff::to_string(s)));
    CHECK(reference::says(message<autodiff::shape_error>([&] { scaling.invert(x); }),
                          "scaling::invert"));
  }
}
