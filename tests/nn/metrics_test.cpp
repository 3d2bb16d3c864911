#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/comparison.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <nn/loss/loss.hpp>
#include <nn/training/metrics.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace {

using autodiff::shape, autodiff::tensor;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// Predicted 0, 0, 1, 2, 1, 1, 0, 2, 2, 2, 1, 4 where 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2 is right.
tensor<double> twelve_outputs() {
  tensor<double> y(shape{12, 5});
  const auto values = y.mutable_values();
  std::size_t row = 0;
  for (const std::size_t c : {0, 0, 1, 2, 1, 1, 0, 2, 2, 2, 1, 4}) values[5 * row++ + c] = 1;
  return y;
}
const tensor<double> twelve_targets({0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2});

const nn::metric made_early = nn::accuracy;  // while other global variables are still to come

}  // namespace

TEMPLATE_TEST_CASE("accuracy is the share of rows with both maxima in one place", "", float,
                   double) {
  using T = TestType;
  const tensor<T> y({{T(0.9), T(0.1), T(0)}, {T(0.2), T(0.3), T(0.5)}, {T(-3), T(-1), T(-2)}});
  CHECK(nn::accuracy(y, tensor<T>({{1, 0, 0}, {0, 0, 1}, {1, 0, 0}})) == 2.0 / 3);
  CHECK(nn::accuracy(y, tensor<T>({0, 2, 0})) == 2.0 / 3);
  CHECK(nn::accuracy(y, y) == 1);
  CHECK(nn::accuracy(tensor<T>({{0, 1}}), tensor<T>({{1, 0}})) == 0);
}

TEST_CASE("at a tie the first class is predicted") {
  CHECK(nn::accuracy(tensor<float>({{1.0f, 1.0f}}), tensor<float>({{1.0f, 0.0f}})) == 1);
  CHECK(nn::accuracy(tensor<float>({{1.0f, 1.0f}}), tensor<float>({{0.0f, 1.0f}})) == 0);
}

TEST_CASE("soft targets count as their largest class") {
  CHECK(nn::accuracy(tensor<double>({{0.1, 0.9}}), tensor<double>({{0.4, 0.6}})) == 1);
}

TEST_CASE("the accuracy of single outputs goes by the sign of logits or by a threshold") {
  const tensor<double> y({{-0.5}, {0.25}, {0.75}}), t({0.0, 0.0, 1.0});
  CHECK(nn::accuracy(y, t) == 2.0 / 3);
  CHECK(nn::accuracy_above(0.5)(y, t) == 1);
  CHECK(nn::accuracy(y, tensor<double>({{0.0}, {0.0}, {1.0}})) == 2.0 / 3);
}

TEMPLATE_TEST_CASE("top-k accuracy counts a class among the k largest outputs", "", float, double) {
  using T = TestType;
  const tensor<T> y({{1, 4, 3, 2}, {1, 4, 3, 2}, {5, 5, 5, 5}, {5, 5, 5, 5}}), t({2, 0, 1, 2});
  CHECK(nn::top_k_accuracy(1)(y, t) == 0);
  CHECK(nn::top_k_accuracy(2)(y, t) == 2.0 / 4);
  CHECK(nn::top_k_accuracy(3)(y, t) == 3.0 / 4);
  CHECK(nn::top_k_accuracy(4)(y, t) == 1);
  CHECK(nn::top_k_accuracy(9)(y, t) == 1);
  CHECK(nn::top_k_accuracy(2)(
            y, tensor<T>({{0, 0, 1, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}})) == 2.0 / 4);
}

TEST_CASE("top-k accuracy with k = 1 is the accuracy") {
  CHECK(nn::top_k_accuracy(1)(twelve_outputs(), twelve_targets) ==
        nn::accuracy(twelve_outputs(), twelve_targets));
}

TEST_CASE("no number is among the largest where an output is NaN") {
  const tensor<double> y({{not_a_number, 1.0, 0.0}});
  CHECK(nn::top_k_accuracy(2)(y, tensor<double>({0.0})) == 0);
  CHECK(nn::top_k_accuracy(2)(y, tensor<double>({1.0})) == 1);
  CHECK(nn::top_k_accuracy(1)(y, tensor<double>({1.0})) == 0);
}

TEST_CASE("scores as measures are those of the confusion matrix") {
  const auto y = twelve_outputs();
  const auto value = [&](const nn::metric& m) { return m(y, twelve_targets); };
  CHECK(value(nn::precision()) == Approx(23.0 / 48).epsilon(1e-15));
  CHECK(value(nn::recall()) == Approx(53.0 / 120).epsilon(1e-15));
  CHECK(value(nn::f1()) == Approx(19.0 / 42).epsilon(1e-15));
  CHECK(value(nn::f1(nn::average::weighted)) == Approx(11.0 / 18).epsilon(1e-15));
  CHECK(value(nn::recall(nn::average::micro)) == Approx(7.0 / 12).epsilon(1e-15));
  CHECK(value(nn::precision_of(2)) == Approx(3.0 / 4).epsilon(1e-15));
  CHECK(value(nn::recall_of(2)) == Approx(3.0 / 5).epsilon(1e-15));
  CHECK(value(nn::f1_of(0)) == Approx(4.0 / 7).epsilon(1e-15));
  const tensor<double> p({{0.25}, {0.75}, {0.6}}), t({1.0, 1.0, 0.0});
  CHECK(nn::precision_of(1, 0.5)(p, t) == 0.5);
  CHECK(nn::precision_of(1)(p, t) == Approx(2.0 / 3).epsilon(1e-15));
}

TEST_CASE("the area under the curve is the share of pairs in the right order") {
  // Of 4 * 3 pairs 10 are in order and one is equal.
  const tensor<double> y({{0.1}, {0.4}, {0.35}, {0.8}, {0.4}, {0.9}, {-1.0}}),
      t({0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0});
  CHECK(nn::roc_auc(y, t) == 10.5 / 12);
  CHECK(nn::roc_auc(tensor<float>({{2.0f}, {1.0f}}), tensor<float>({1.0f, 0.0f})) == 1);
  CHECK(nn::roc_auc(tensor<float>({{2.0f}, {1.0f}}), tensor<float>({0.0f, 1.0f})) == 0);
  CHECK(nn::roc_auc(tensor<float>({{1.0f}, {1.0f}}), tensor<float>({0.0f, 1.0f})) == 0.5);
  CHECK(std::isnan(nn::roc_auc(tensor<float>({{2.0f}, {1.0f}}), tensor<float>({1.0f, 1.0f}))));
  CHECK(
      std::isnan(nn::roc_auc(tensor<double>({{not_a_number}, {1.0}}), tensor<double>({1.0, 0.0}))));
}

TEST_CASE("measures of regression are their definitions") {
  const tensor<double> y({{0.5, 1.0}, {-1.0, 1.0}, {7.0, -6.0}}),
      t({{0.0, 2.0}, {-1.0, 2.0}, {8.0, -5.0}});
  CHECK(nn::r_squared(y, t) == Approx(((1 - 3.75 / 146) + (1 - 9.0 / 98)) / 2).epsilon(1e-14));
  CHECK(nn::root_mean_squared_error(y, t) == Approx(std::sqrt(4.25 / 6)).epsilon(1e-15));
  CHECK(nn::r_squared(tensor<float>({1.0f, 2.0f}), tensor<float>({1.0f, 2.0f})) == 1);
  // The mean of the targets explains nothing.
  CHECK(nn::r_squared(tensor<float>({1.5f, 1.5f}), tensor<float>({1.0f, 2.0f})) == 0);
}

TEST_CASE("of targets that are all the same everything is explained or nothing") {
  const tensor<double> same({3.0, 3.0});
  CHECK(nn::r_squared(same, same) == 1);
  CHECK(nn::r_squared(tensor<double>({3.0, 3.5}), same) == 0);
  // Three times 0.1, divided by 3, rounds to another number.
  const tensor<double> tenths({0.1, 0.1, 0.1});
  CHECK(nn::r_squared(tenths, tenths) == 1);
  CHECK(nn::r_squared(tensor<double>({0.2, 0.1, 0.1}), tenths) == 0);
  CHECK(std::isnan(nn::r_squared(tensor<double>({3.0, not_a_number}), same)));
  CHECK(std::isnan(nn::r_squared(tensor<double>({3.0}), tensor<double>({3.0}))));
}

TEST_CASE("a loss is a measure, and so is a function of one's own") {
  const tensor<float> y({1.0f, -1.0f}), t({0.0f, 1.0f});
  const nn::metric error = nn::mean_absolute_error;
  CHECK(error.name == "mean_absolute_error");
  CHECK(error(y, t) == 1.5);
  const nn::metric share("within 1", [](const auto& outputs, const auto& targets) {
    return static_cast<double>((abs(outputs - targets) <= 1).count()) /
           static_cast<double>(outputs.size());
  });
  CHECK(share.name == "within 1");
  CHECK(share(y, t) == 0.5);
}

TEST_CASE("measures are named so that they can head columns") {
  CHECK(nn::accuracy.name == "accuracy");
  CHECK(made_early.name == "accuracy");
  CHECK(nn::top_k_accuracy(5).name == "top_5_accuracy");
  CHECK(nn::precision().name == "precision");
  CHECK(nn::f1(nn::average::weighted).name == "f1 (weighted)");
  CHECK(nn::recall(nn::average::micro).name == "recall (micro)");
  CHECK(nn::f1_of(1).name == "f1 of class 1");
  CHECK(nn::metric(nn::huber(0.5)).name == "huber(0.5)");
}

TEST_CASE("without a sample measures are NaN") {
  const tensor<float> y(shape{0, 3}), one(shape{0, 1});
  for (const nn::metric& m : {nn::accuracy, nn::top_k_accuracy(2), nn::f1()})
    CHECK(std::isnan(m(y, y)));
  for (const nn::metric& m :
       {nn::accuracy, nn::roc_auc, nn::r_squared, nn::root_mean_squared_error})
    CHECK(std::isnan(m(one, one)));
}

TEST_CASE("measures refuse what they are not made for with shapes and a remedy") {
  const auto refusal = [](const nn::metric& m, const shape& y, const shape& t) {
    return reference::message<autodiff::shape_error>(
        [&] { m(tensor<double>(y), tensor<double>(t)); });
  };
  using reference::says;
  const std::pair<nn::metric, const char*> of_classes[] = {
      {nn::accuracy, "accuracy"},
      {nn::top_k_accuracy(2), "top_k_accuracy"},
      {nn::f1(), "f1"},
      {nn::roc_auc, "roc_auc"}};
  for (const auto& [m, name] : of_classes) {
    const std::string text = refusal(m, {4, 3}, {3, 3});
    CAPTURE(text);
    CHECK(says(text, name, "[4, 3]", "[3, 3]", "class indices"));
  }
  for (const nn::metric& m : {nn::r_squared, nn::root_mean_squared_error})
    CHECK(says(refusal(m, {4, 3}, {4}), m.name, "[4, 3]", "[4]"));
  CHECK(says(refusal(nn::top_k_accuracy(2), {4, 1}, {4}), "[4, 1]", "use accuracy"));
  CHECK(says(refusal(nn::roc_auc, {4, 3}, {4}), "[4, 3]", "one output per sample"));
  const tensor<float> one_row(shape{3});
  CHECK_THROWS_AS(nn::accuracy(one_row, one_row), autodiff::shape_error);
  CHECK(says(reference::message<autodiff::domain_error>([] { nn::top_k_accuracy(0); }),
             "top_k_accuracy", "k of 1 or more"));
}
