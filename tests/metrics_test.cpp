#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/metrics.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;
using counts = std::vector<std::vector<std::size_t>>;

template <class T>
tensor<T> outputs() {
  return tensor<T>({{T(0.9), T(0.1), T(0)},
                    {T(0.2), T(0.3), T(0.5)},
                    {T(-3), T(-1), T(-2)},
                    {T(7), T(8), T(9)},
                    {T(1), T(0), T(0)}});
}

template <class T>
tensor<T> targets() {
  return tensor<T>({{1, 0, 0}, {0, 0, 1}, {0, 1, 0}, {0, 1, 0}, {0, 1, 0}});
}

}  // namespace

TEMPLATE_TEST_CASE("accuracy is the share of rows with both maxima in one place", "", float,
                   double) {
  using T = TestType;
  CHECK(nn::accuracy(outputs<T>(), targets<T>()) == 3.0 / 5);
  CHECK(nn::accuracy(targets<T>(), targets<T>()) == 1);
  CHECK(nn::accuracy(tensor<T>({{0, 1}}), tensor<T>({{1, 0}})) == 0);
}

TEMPLATE_TEST_CASE("the confusion matrix counts [actual][predicted]", "", float, double) {
  using T = TestType;
  const nn::confusion_matrix matrix = nn::confusion(outputs<T>(), targets<T>());
  CHECK(matrix.counts == counts{{1, 0, 0}, {1, 1, 1}, {0, 0, 1}});
  CHECK(matrix.accuracy() == 3.0 / 5);
}

TEST_CASE("at a tie the first class is predicted") {
  CHECK(nn::accuracy(tensor<float>({{1.0f, 1.0f}}), tensor<float>({{1.0f, 0.0f}})) == 1);
  CHECK(nn::accuracy(tensor<float>({{1.0f, 1.0f}}), tensor<float>({{0.0f, 1.0f}})) == 0);
}

TEST_CASE("soft targets count as their largest class") {
  CHECK(nn::accuracy(tensor<double>({{0.1, 0.9}}), tensor<double>({{0.4, 0.6}})) == 1);
}

TEST_CASE("the confusion matrix prints as a table with the share of each row") {
  const nn::confusion_matrix matrix{{{8, 0, 2}, {0, 0, 0}, {12, 1, 1000}}};
  const std::string table =
      "actual | predicted\n"
      "       |     0     1     2    right\n"
      "-------+---------------------------\n"
      "     0 |     8     .     2   80.0 %\n"
      "     1 |     .     .     .        -\n"
      "     2 |    12     1  1000   98.7 %\n";
  CHECK(nn::to_string(matrix) == table);
  std::ostringstream out;
  out << matrix;
  CHECK(out.str() == table);
}

TEST_CASE("without a sample there is no share that is right") {
  CHECK(std::isnan(
      nn::accuracy(tensor<float>(autodiff::shape{0, 3}), tensor<float>(autodiff::shape{0, 3}))));
  CHECK(std::isnan(nn::confusion_matrix{{{0, 0}, {0, 0}}}.accuracy()));
}

TEST_CASE("outputs and targets that are not [n, classes] alike are refused with both shapes") {
  const tensor<float> y(autodiff::shape{4, 3});
  for (const auto& s :
       {autodiff::shape{4, 2}, autodiff::shape{3, 3}, autodiff::shape{4}, autodiff::shape{}}) {
    const tensor<float> t(s);
    const std::string share =
        reference::message<autodiff::shape_error>([&] { nn::accuracy(y, t); });
    const std::string matrix =
        reference::message<autodiff::shape_error>([&] { nn::confusion(y, t); });
    CHECK(reference::says(share, "accuracy", "[4, 3]", autodiff::to_string(s)));
    CHECK(reference::says(matrix, "confusion", "[4, 3]", autodiff::to_string(s)));
  }
  const tensor<float> one_row(autodiff::shape{3});
  CHECK_THROWS_AS(nn::accuracy(one_row, one_row), autodiff::shape_error);
}
