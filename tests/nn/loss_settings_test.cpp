// Reductions, names, settings, class indices and the hard points of losses; their values and
// gradients are in loss_test.cpp and loss_table_test.cpp.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <nn/loss/loss.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::shape, autodiff::tensor;
using nn::reduction;
using reference::says;

constexpr double infinity = std::numeric_limits<double>::infinity(),
                 not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Value and gradient by the outputs, row-major.
struct evaluated {
  double value;
  std::vector<double> gradient;
};

evaluated evaluate(const nn::loss& e, const tensor<double>& outputs, const tensor<double>& t) {
  autodiff::tape tape;
  const tensor<double> y = tape.variable(outputs);
  const tensor<double> value = e(y, t);
  tape.backward(value);
  const tensor<double> gradient = tape.adjoint(y);
  return {value.item(), {gradient.values().begin(), gradient.values().end()}};
}

template <class Error = autodiff::domain_error, class Provoke>
std::string refusal(Provoke&& provoke) {
  return reference::message<Error>(provoke);
}

const std::vector<nn::loss>& all_losses() {
  static const std::vector<nn::loss> all{
      nn::half_squared_error,
      nn::mean_squared_error,
      nn::mean_absolute_error,
      nn::huber(),
      nn::binary_cross_entropy,
      nn::binary_cross_entropy_with({.positive_weights = {2}}),
      nn::binary_cross_entropy_of_probabilities,
      nn::hinge,
      nn::softmax_cross_entropy,
      nn::softmax_cross_entropy_with({.label_smoothing = 0.1, .class_weights = {1, 2, 3}}),
      nn::cross_entropy_of_probabilities,
      nn::multiclass_hinge,
      nn::kl_divergence,
      nn::kl_divergence_of_log_probabilities,
      nn::gaussian_nll_of_log_variances,
      nn::gaussian_nll,
      nn::poisson_nll,
      nn::poisson_nll_of_rates,
      nn::poisson_nll_with({.with_constant = true}),
  };
  return all;
}

bool is_gaussian(const nn::loss& e) { return e.name.starts_with("gaussian"); }

}  // namespace

TEST_CASE("sum and mean of every loss are those of what it gives without reduction") {
  const tensor<double> y({{0.25, 0.5, 0.75, 0.1}, {0.6, 0.3, 0.9, 0.2}}),
      y3({{0.25, 0.5, 0.75}, {0.6, 0.3, 0.9}}), t2({{0.5, -1.0}, {0.0, 2.0}}),
      t3({{1.0, 0.0, 0.0}, {0.0, 0.0, 1.0}});
  for (const nn::loss& e : all_losses()) {
    CAPTURE(std::string(e.name));
    const auto of = [&](reduction how) {
      return is_gaussian(e) ? e.reduced(how)(y, t2) : e.reduced(how)(y3, t3);
    };
    const tensor<double> each = of(reduction::none);
    REQUIRE(each.size() > 1);
    CHECK(each.shape()[0] == 2);
    double total = 0;
    for (const double v : each.values()) total += v;
    CHECK(reference::close(of(reduction::sum).item(), total, 1e-15));
    CHECK(reference::close(of(reduction::mean).item(), total / static_cast<double>(each.size()),
                           1e-15));
  }
}

TEST_CASE("losses in float are those in double up to rounding") {
  for (const nn::loss& e : all_losses()) {
    CAPTURE(std::string(e.name));
    const std::size_t targets = is_gaussian(e) ? 2 : 4;
    if (e.name.find("class_weights") != e.name.npos) continue;  // for three classes
    const std::vector<float> outputs{0.25f, 0.5f, 0.75f, 0.125f, 0.625f, 0.375f, 0.875f, 0.0625f},
        hard{1, 0, 0, 0, 0, 0, 1, 0};
    const auto value = [&]<class T>(T) {
      return static_cast<double>(
          e(tensor<T>(shape{2, 4}, std::vector<T>(outputs.begin(), outputs.end())),
            tensor<T>(shape{2, targets}, std::vector<T>(hard.begin(), hard.begin() + 2 * targets)))
              .item());
    };
    CHECK(reference::close(value(0.0f), value(0.0), 1e-6));
  }
}

TEST_CASE("a loss is named in full, and keeps its name when it is copied and moved about") {
  CHECK(nn::mean_squared_error.name == "mean_squared_error");
  CHECK(nn::huber(0.5).name == "huber(0.5)");
  CHECK(nn::softmax_cross_entropy_with({.label_smoothing = 0.1, .class_weights = {1, 2.5}}).name ==
        "softmax_cross_entropy(label_smoothing 0.1, class_weights [1, 2.5])");
  CHECK(nn::binary_cross_entropy_with({.positive_weights = {3}}).name ==
        "binary_cross_entropy(positive_weights [3])");
  CHECK(nn::gaussian_nll_with({.with_constant = true}).name ==
        "gaussian_nll(smallest_variance 1e-06, with_constant)");

  const nn::loss total = nn::mean_squared_error.reduced(reduction::sum);
  CHECK(total.name == "mean_squared_error (sum)");
  CHECK(total.how() == reduction::sum);
  CHECK(total.reduced(reduction::none).name == "mean_squared_error (none)");
  CHECK(total.reduced(reduction::mean).name == "mean_squared_error");
  CHECK(nn::half_squared_error.how() == reduction::sum);

  std::optional<nn::loss> copy;
  {
    const nn::loss short_lived = nn::huber(0.123456789).reduced(reduction::sum);
    copy = short_lived;
  }
  const nn::loss moved = std::move(*copy);
  CHECK(moved.name == "huber(0.123456789) (sum)");
  CHECK(moved.reduced(reduction::mean).name == "huber(0.123456789)");
}

TEST_CASE("settings that change nothing are the loss itself") {
  CHECK(nn::softmax_cross_entropy_with({}).name == "softmax_cross_entropy");
  CHECK(nn::binary_cross_entropy_with({}).name == "binary_cross_entropy");
  CHECK(nn::poisson_nll_with({.of_rates = true}).name == "poisson_nll_of_rates");
}

TEST_CASE("a loss can be made of a function of one's own, with captures") {
  const std::vector<double> scale{2.0};
  const nn::loss e = nn::make_loss("scaled_log_cosh", [scale](const auto& y, const auto& t) {
    return scale[0] * log(cosh(y - t));
  });
  CHECK(e.name == "scaled_log_cosh");
  const auto [value, gradient] =
      evaluate(e, tensor<double>({0.5, -1.0}), tensor<double>({0.0, 0.0}));
  CHECK(reference::close(value, std::log(std::cosh(0.5L)) + std::log(std::cosh(1.0L)), 1e-15));
  CHECK(reference::close(gradient[0], std::tanh(0.5L), 1e-15));
  CHECK(reference::close(
      e.reduced(reduction::sum)(tensor<double>({0.5}), tensor<double>({0.0})).item(),
      2 * std::log(std::cosh(0.5L)), 1e-15));
  CHECK(says(
      refusal<autodiff::shape_error>([&] { e(tensor<float>(shape{2}), tensor<float>(shape{3})); }),
      "scaled_log_cosh", "[2]", "[3]"));
}

TEST_CASE("class indices say the same as one-hot rows, as a tensor, a list and a span") {
  const tensor<double> y({{0.5, -1.0, 2.0}, {0.0, 0.25, -3.0}}), t({2.0, 1.0}),
      rows({{0.0, 0.0, 1.0}, {0.0, 1.0, 0.0}});
  const std::array<std::size_t, 2> labels{2, 1};
  for (const nn::loss& e : {nn::softmax_cross_entropy, nn::multiclass_hinge,
                            nn::softmax_cross_entropy_with({.label_smoothing = 0.25})}) {
    CAPTURE(std::string(e.name));
    const double expected = e(y, rows).item();
    CHECK(e(y, t).item() == expected);
    CHECK(e(y, autodiff::index_array{2, 1}).item() == expected);
    CHECK(e(y, std::span<const std::size_t>(labels)).item() == expected);
    CHECK(evaluate(e, y, t).gradient == evaluate(e, y, rows).gradient);
  }
  // One sample, and samples along two axes.
  CHECK(nn::softmax_cross_entropy(tensor<double>({0.5, -1.0, 2.0}), tensor<double>(2.0)).item() ==
        nn::softmax_cross_entropy(tensor<double>({0.5, -1.0, 2.0}), tensor<double>({0.0, 0.0, 1.0}))
            .item());
  const tensor<float> deep(shape{2, 4, 3}, 0.5f);
  CHECK(nn::softmax_cross_entropy.reduced(reduction::none)(deep, tensor<float>(shape{2, 4}))
            .shape() == shape{2, 4});
}

TEST_CASE("targets that are no class index are refused with the target and its sample") {
  const tensor<float> y(shape{2, 3});
  for (const nn::loss& e : {nn::softmax_cross_entropy, nn::multiclass_hinge,
                            nn::softmax_cross_entropy_with({.label_smoothing = 0.25})}) {
    const auto refused = [&](float target) {
      return refusal([&] { e(y, tensor<float>({0.0f, target})); });
    };
    CHECK(says(refused(1.5f), e.name, "target 1.5 of sample 1", "whole numbers below 3"));
    CHECK(says(refused(3.0f), "target 3 of sample 1"));
    CHECK(says(refused(-1.0f), "target -1 of sample 1"));
    CHECK(says(refused(std::numeric_limits<float>::quiet_NaN()), "target nan of sample 1"));
    CHECK(says(refused(std::numeric_limits<float>::infinity()), "target inf of sample 1"));
    CHECK(says(refusal([&] { e(y, autodiff::index_array{-100, 0}); }), "target -100 of sample 0"));
    CHECK(says(refusal<autodiff::shape_error>([&] { e(y, tensor<float>(shape{3})); }), e.name,
               "outputs [2, 3] and targets [3]", "class indices"));
  }
  CHECK_THROWS_AS(nn::softmax_cross_entropy(tensor<float>(1.0f), tensor<float>(0.0f)),
                  autodiff::shape_error);
}

TEST_CASE("class weights of no sample at all leave nothing to take the mean over") {
  const nn::loss e = nn::softmax_cross_entropy_with({.class_weights = {0, 1}});
  const tensor<double> y({{0.5, -1.0}}), t({0.0});
  CHECK(std::isnan(e(y, t).item()));
  CHECK(e.reduced(reduction::sum)(y, t).item() == 0);
  CHECK(evaluate(e, y, t).gradient == std::vector{0.0, 0.0});
}

TEST_CASE("samples of an ignored index are as if they were not there") {
  const tensor<double> y({{0.5, -1.0}, {2.0, 1.0}, {-0.25, 0.5}}),
      kept({{0.5, -1.0}, {-0.25, 0.5}});
  for (const int ignored : {-100, 255, 0}) {
    CAPTURE(ignored);
    const nn::loss e = nn::softmax_cross_entropy_with({.ignored_index = ignored});
    const evaluated found =
        evaluate(e, y, tensor<double>({1.0, static_cast<double>(ignored), 1.0}));
    const evaluated expected =
        evaluate(nn::softmax_cross_entropy, kept, tensor<double>({1.0, 1.0}));
    CHECK(found.value == Approx(expected.value).epsilon(1e-15));
    CHECK(found.gradient[2] == 0);
    CHECK(found.gradient[3] == 0);
    CHECK(found.gradient[4] == Approx(expected.gradient[2]).epsilon(1e-15));
  }
  // Of infinite outputs, too.
  const nn::loss e = nn::softmax_cross_entropy_with({.ignored_index = -1}).reduced(reduction::sum);
  CHECK(e(tensor<double>({{0.0, -infinity}}), tensor<double>({-1.0})).item() == 0);
}

TEST_CASE("where all samples are ignored there is no mean, and nothing to learn") {
  const nn::loss e = nn::softmax_cross_entropy_with({.ignored_index = -100});
  const evaluated found =
      evaluate(e, tensor<double>({{0.5, -1.0}, {2.0, 1.0}}), tensor<double>({-100.0, -100.0}));
  CHECK(std::isnan(found.value));
  CHECK(found.gradient == std::vector{0.0, 0.0, 0.0, 0.0});
}

TEST_CASE("an index that is neither a class nor the ignored one is refused") {
  const nn::loss e = nn::softmax_cross_entropy_with({.ignored_index = -100});
  CHECK(says(refusal([&] {
               e(tensor<double>({{0.5, -1.0}}), tensor<double>({-1.0}));
             }),
             "softmax_cross_entropy(ignored_index -100)", "target -1 of sample 0"));
}

TEST_CASE("the absolute error has slope 0 where output and target are equal") {
  CHECK(evaluate(nn::mean_absolute_error, tensor<double>({2.0, 1.0}), tensor<double>({2.0, 0.0}))
            .gradient == std::vector{0.0, 0.5});
}

TEST_CASE("huber's loss has no seam at delta and stays finite in slope at infinity") {
  const nn::loss e = nn::huber(0.5).reduced(reduction::sum);
  const tensor<double> zero({0.0});
  CHECK(evaluate(e, tensor<double>({0.5}), zero).value == 0.125);
  for (const double y : {0.5, -0.5, 2.0, -1e300, infinity, -infinity})
    CHECK(evaluate(e, tensor<double>({y}), zero).gradient[0] == std::copysign(0.5, y));
  CHECK(e(tensor<double>({infinity}), zero).item() == infinity);
  CHECK(std::isnan(e(tensor<double>({not_a_number}), zero).item()));
}

TEST_CASE("infinite logits on the right side cost nothing, on the wrong side they are infinite") {
  const tensor<double> y({infinity, -infinity}), right({1.0, 0.0}), wrong({0.0, 1.0});
  for (const nn::loss& e :
       {nn::binary_cross_entropy, nn::binary_cross_entropy_with({.positive_weights = {3}})}) {
    const auto [value, gradient] = evaluate(e, y, right);
    CHECK(value == 0);
    CHECK(gradient == std::vector{0.0, 0.0});
    CHECK(e(y, wrong).item() == infinity);
  }
  const tensor<double> rows({{0.0, -infinity}});
  CHECK(nn::softmax_cross_entropy(rows, tensor<double>({0.0})).item() == 0);
  CHECK(nn::softmax_cross_entropy(rows, tensor<double>({1.0})).item() == infinity);
  CHECK(nn::kl_divergence(rows, tensor<double>({{1.0, 0.0}})).item() == 0);
  CHECK(nn::hinge(y, right).item() == 0);
  CHECK(nn::hinge(y, wrong).item() == infinity);
  CHECK(nn::multiclass_hinge(tensor<double>({{infinity, 0.0}}), tensor<double>({0.0})).item() == 0);
}

TEST_CASE("a positive weight of 0 leaves out the positive samples") {
  const nn::loss e = nn::binary_cross_entropy_with({.positive_weights = {0}});
  const auto [value, gradient] =
      evaluate(e, tensor<double>({-5.0, 0.0}), tensor<double>({1.0, 0.0}));
  CHECK(reference::close(value, std::log(2.0L) / 2, 1e-15));
  CHECK(gradient == std::vector{0.0, 0.25});
}

TEST_CASE("one positive weight serves outputs of any shape") {
  const nn::loss e = nn::binary_cross_entropy_with({.positive_weights = {3}});
  CHECK(reference::close(e(tensor<double>(0.0), tensor<double>(1.0)).item(), 3 * std::log(2.0L),
                         1e-15));
  CHECK(e(tensor<double>(shape{2, 3, 1}), tensor<double>(shape{2, 3, 1})).rank() == 0);
}

TEST_CASE("a probability of 0 costs nothing in divergences where its log is -inf") {
  const tensor<double> y({{0.0, -infinity}}), t({{1.0, 0.0}});
  const auto [value, gradient] = evaluate(nn::kl_divergence_of_log_probabilities, y, t);
  CHECK(value == 0);
  CHECK(gradient == std::vector{-1.0, 0.0});
  // The divergence of a distribution from itself.
  const tensor<double> p({{0.125, 0.5, 0.375}});
  CHECK(std::abs(nn::kl_divergence(log(p), p).item()) < 1e-16);
}

TEST_CASE("hinge losses are 0 from the margin on, with slope 0 there") {
  for (const double other : {0.0, -1.0}) {
    const tensor<double> t({1.0, other, 1.0, other});
    const auto [value, gradient] = evaluate(nn::hinge, tensor<double>({1.0, -1.0, 0.5, 2.0}), t);
    CHECK(value == 3.5 / 4);
    CHECK(gradient == std::vector{0.0, 0.0, -0.25, 0.25});
  }
  const auto [value, gradient] =
      evaluate(nn::multiclass_hinge, tensor<double>({{2.0, 1.0, 1.5, 0.0}}), tensor<double>({0.0}));
  CHECK(value == 0.125);
  CHECK(gradient == std::vector{-0.25, 0.0, 0.25, 0.0});
}

TEST_CASE("a variance below the smallest counts as the smallest and keeps a slope") {
  // m = 1, t = 0, v = 0 counts as 0.25: the slope by v is 1/2 (1 / v - 1 / v^2).
  const nn::loss e = nn::gaussian_nll_with({.smallest_variance = 0.25});
  const auto [value, gradient] = evaluate(e, tensor<double>({1.0, 0.0}), tensor<double>({0.0}));
  CHECK(reference::close(value, (std::log(0.25L) + 4) / 2, 1e-15));
  CHECK(reference::close(gradient[0], 4, 1e-15));
  CHECK(reference::close(gradient[1], (4 - 16) / 2.0L, 1e-15));
  CHECK(std::isfinite(nn::gaussian_nll(tensor<float>({0.0f, 0.0f}), tensor<float>({0.0f})).item()));
}

TEST_CASE("normal distributions by log variance are those by variance") {
  const tensor<double> m({{0.5, -1.0}}), t({{0.25, 2.0}});
  const tensor<double> variances({{0.5, -1.0, 2.0, 0.25}}),
      logs({{0.5, -1.0, std::log(2.0), std::log(0.25)}});
  CHECK(reference::close(nn::gaussian_nll_of_log_variances(logs, t).item(),
                         nn::gaussian_nll(variances, t).item(), 1e-15));
  CHECK(reference::close(nn::gaussian_nll_with({.with_constant = true})(variances, t).item(),
                         nn::gaussian_nll(variances, t).item() + std::log(2 * M_PIl) / 2, 1e-15));
}

TEST_CASE("means and variances that do not fit the targets are refused with both shapes") {
  for (const nn::loss& e : {nn::gaussian_nll, nn::gaussian_nll_of_log_variances}) {
    for (const auto& [y, t] : {std::pair{shape{3, 4}, shape{3, 4}},
                               {shape{3, 4}, shape{2, 2}},
                               {shape{4}, shape{}},
                               {shape{}, shape{}},
                               {shape{3, 5}, shape{3, 2}}}) {
      const std::string text = refusal<autodiff::shape_error>(
          [&, y = y, t = t] { e(tensor<double>(y), tensor<double>(t)); });
      CAPTURE(text);
      CHECK(says(text, e.name, autodiff::to_string(y), autodiff::to_string(t), "a mean for each"));
    }
  }
}

TEST_CASE("outputs and targets that a loss is not made for are refused with what to use") {
  const tensor<float> y({1.5f, 0.5f}), t({1.0f, 0.0f});
  CHECK(says(refusal([&] { nn::hinge(t, y); }), "hinge", "a target of 1.5", "0 or -1"));
  CHECK(says(refusal([&] { nn::multiclass_hinge(y, y); }), "multiclass_hinge",
             "targets [1.5, 0.5] of sample 0", "a 1 among zeros"));
  CHECK(says(refusal([&] {
               nn::gaussian_nll(tensor<float>({0.0f, -0.5f}), tensor<float>({0.0f}));
             }),
             "gaussian_nll", "a variance of -0.5", "softplus"));
  CHECK(says(refusal<autodiff::shape_error>([&] {
               nn::softmax_cross_entropy_with({.class_weights = {1, 2, 3}})(y, t);
             }),
             "3 class weights and outputs [2]", "for each class"));
  CHECK(says(refusal<autodiff::shape_error>([&] {
               nn::binary_cross_entropy_with({.positive_weights = {1, 2, 3}})(y, t);
             }),
             "3 positive weights and outputs [2]", "one weight"));
}

TEST_CASE("settings out of range are refused with the setting") {
  CHECK(says(refusal([] { nn::huber(0); }), "huber", "delta is 0", "above 0"));
  CHECK(says(refusal([] { nn::huber(not_a_number); }), "delta is nan"));
  CHECK(says(refusal([] { nn::huber(infinity); }), "delta is inf", "finite"));
  CHECK(says(refusal([] { nn::softmax_cross_entropy_with({.label_smoothing = 1.5}); }),
             "label_smoothing is 1.5", "between 0 and 1"));
  CHECK(says(refusal([] {
               nn::softmax_cross_entropy_with({.class_weights = {1, -2}});
             }),
             "a class weight of -2", "not negative"));
  CHECK(says(refusal([] { nn::binary_cross_entropy_with({.positive_weights = {infinity}}); }),
             "a positive weight of inf", "finite"));
  CHECK(says(refusal([] { nn::gaussian_nll_with({.smallest_variance = 0}); }),
             "smallest variance is 0", "above 0"));
  CHECK(says(refusal([] { nn::gaussian_nll_with({.smallest_variance = infinity}); }),
             "smallest variance is inf", "finite"));
}

TEST_CASE("targets that are variables get their derivatives") {
  // d/dt of -t log p - (1 - t) log(1 - p) is -y, and of the weighted one softplus(y) - w
  // softplus(-y) with the sign turned.
  autodiff::tape tape;
  const tensor<double> t = tape.variable(tensor<double>({0.25}));
  tape.backward(nn::binary_cross_entropy_with({.positive_weights = {3}})(tensor<double>({0.7}), t));
  const auto softplus = [](long double x) { return std::log1p(std::exp(x)); };
  CHECK(reference::close(tape.adjoint(t).value(0), 3 * softplus(-0.7L) - softplus(0.7L), 1e-14));
}
