#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/training/confusion.hpp>

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

// Class 3 neither is there nor was predicted; class 4 was predicted once and is not there.
const nn::confusion_matrix five_classes{
    {{2, 1, 1, 0, 0}, {1, 2, 0, 0, 0}, {0, 1, 3, 0, 1}, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}}};

void check(const nn::class_scores& scores, double precision, double recall, double f1) {
  CHECK(scores.precision == Approx(precision).epsilon(1e-15));
  CHECK(scores.recall == Approx(recall).epsilon(1e-15));
  CHECK(scores.f1 == Approx(f1).epsilon(1e-15));
}

}  // namespace

TEMPLATE_TEST_CASE("the confusion matrix counts [actual][predicted]", "", float, double) {
  using T = TestType;
  const counts expected{{1, 0, 0}, {1, 1, 1}, {0, 0, 1}};
  const nn::confusion_matrix matrix = nn::confusion(outputs<T>(), targets<T>());
  CHECK(matrix.counts == expected);
  CHECK(matrix.accuracy() == 3.0 / 5);
  CHECK(nn::confusion(outputs<T>(), tensor<T>({0, 2, 1, 1, 1})).counts == expected);
}

TEMPLATE_TEST_CASE("a single output is class 1 above the threshold", "", float, double) {
  using T = TestType;
  const tensor<T> y({{T(0)}, {T(0.25)}, {T(0.5)}, {T(0.75)}, {T(-1)}}), t({0, 1, 1, 0, 1});
  const counts above_0{{1, 1}, {1, 2}}, above_half{{1, 1}, {3, 0}};
  CHECK(nn::confusion(y, t).counts == above_0);
  CHECK(nn::confusion(y, t, 0.5).counts == above_half);
  CHECK(nn::confusion(y, tensor<T>({{0}, {1}, {1}, {0}, {1}})).counts == above_0);
  // The -1 of a hinge loss is class 0.
  CHECK(nn::confusion(y, tensor<T>({-1, 1, 1, -1, 1})).counts == above_0);
}

TEST_CASE("scores of a class are shares of what was predicted and of what there is") {
  check(five_classes.of(0), 2.0 / 3, 1.0 / 2, 4.0 / 7);
  check(five_classes.of(1), 1.0 / 2, 2.0 / 3, 4.0 / 7);
  check(five_classes.of(2), 3.0 / 4, 3.0 / 5, 2.0 / 3);
  check(five_classes.of(3), 0, 0, 0);
  check(five_classes.of(4), 0, 0, 0);
}

TEST_CASE("mean scores leave out a class that neither is there nor was predicted") {
  check(five_classes.mean(nn::average::macro), 23.0 / 48, 53.0 / 120, 19.0 / 42);
  check(five_classes.mean(nn::average::weighted), 95.0 / 144, 7.0 / 12, 11.0 / 18);
  check(five_classes.mean(nn::average::micro), 7.0 / 12, 7.0 / 12, 7.0 / 12);
}

TEST_CASE("without a sample there is no share that is right") {
  const nn::confusion_matrix none{{{0, 0}, {0, 0}}};
  CHECK(std::isnan(none.accuracy()));
  for (const auto how : {nn::average::macro, nn::average::weighted, nn::average::micro})
    CHECK(std::isnan(none.mean(how).f1));
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

TEST_CASE("a class that there is not is refused with how many there are") {
  const std::string text = reference::message<autodiff::shape_error>([] { five_classes.of(5); });
  CHECK(reference::says(text, "class 5 of 5", "from 0"));
}

TEST_CASE("outputs and targets that do not fit are refused with both shapes") {
  const tensor<float> y(autodiff::shape{4, 3});
  for (const auto& s : {autodiff::shape{4, 2}, autodiff::shape{3, 3}, autodiff::shape{3},
                        autodiff::shape{4, 1}, autodiff::shape{}}) {
    const std::string text =
        reference::message<autodiff::shape_error>([&] { nn::confusion(y, tensor<float>(s)); });
    CHECK(reference::says(text, "confusion", "[4, 3]", autodiff::to_string(s)));
  }
  const tensor<float> one_row(autodiff::shape{3});
  CHECK_THROWS_AS(nn::confusion(one_row, one_row), autodiff::shape_error);
}

TEST_CASE("a target that is no class index is refused with the target and its sample") {
  const tensor<double> y(autodiff::shape{3, 2});
  for (const double target : {0.5, 2.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    const std::string text = reference::message<autodiff::domain_error>([&] {
      nn::confusion(y, tensor<double>({0.0, target, 1.0}));
    });
    CAPTURE(text);
    CHECK(reference::says(text, "confusion", "of sample 1", "below 2"));
  }
}
