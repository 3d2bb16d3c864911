#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/linear.hpp>
#include <nn/network/network.hpp>
#include <nn/training/rate_range.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;

/// y = w x.
struct slope {
  tensor<double> w{{1.0}};

  tensor<double> operator()(const tensor<double>& x) const { return matmul(x, w); }
  template <class Visitor>
  void parameters(Visitor&& visit) {
    visit(w);
  }
};

/// Half the squared error is (w - 3)^2 / 2: a step at rate r multiplies w - 3 by 1 - r.
nn::dataset<double> one_sample() { return {tensor<double>({{1.0}}), tensor<double>({{3.0}})}; }

nn::training plain_steps() { return {.loss = nn::half_squared_error, .optimizer = nn::sgd{}}; }

}  // namespace

TEST_CASE("rates rise evenly by their logarithm, and losses are those before each step") {
  slope model;
  const auto found =
      nn::rate_range(model, one_sample(), plain_steps(), {.from = 0.01, .to = 0.16, .steps = 5});
  REQUIRE(found.rates.size() == 5);
  double gap = -2;
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(std::abs(found.rates[i] - 0.01 * std::pow(2.0, static_cast<double>(i))) < 1e-15);
    CHECK(std::abs(found.losses[i] - gap * gap / 2) < 1e-14);
    gap *= 1 - found.rates[i];
  }
  // Averages with weights 0.9^k, the newest loss having k = 0.
  const auto& e = found.losses;
  CHECK(std::abs(found.smoothed[2] - (e[2] + 0.9 * e[1] + 0.81 * e[0]) / (1 + 0.9 + 0.81)) < 1e-14);
}

TEST_CASE("the sweep ends where the loss goes up, and suggests a rate well below") {
  slope model;
  const auto found =
      nn::rate_range(model, one_sample(), plain_steps(), {.from = 1e-4, .to = 1e4, .steps = 200});
  CHECK(found.rates.size() < 200);
  // Beyond 2 every step leads away.
  CHECK(found.rates.back() > 2);
  CHECK(found.suggestion > 1e-3);
  CHECK(found.suggestion < 1);
}

TEST_CASE("the model is as before the sweep, also when it fails") {
  nn::network<double> net(2, {nn::dense(3), nn::batch_norm(), nn::dense(1)}, nn::seed{1});
  const auto state = [&] {
    std::vector<double> values;
    net.state([&](const std::string&, const tensor<double>& t) {
      values.insert(values.end(), t.values().begin(), t.values().end());
    });
    return values;
  };
  const auto before = state();
  nn::dataset<double> data{tensor<double>({{1, 2}, {3, 5}, {4, 4}, {0, 1}}),
                           tensor<double>({{1.0}, {2.0}, {3.0}, {4.0}})};
  nn::rate_range(net, data, plain_steps());
  CHECK(state() == before);
  data.targets.mutable_values()[0] = std::numeric_limits<double>::quiet_NaN();
  const std::string text =
      reference::message<autodiff::domain_error>([&] { nn::rate_range(net, data, plain_steps()); });
  CHECK(reference::says(text, "rate_range: the loss goes up or is not finite after 0 steps",
                        "begin with a lower rate"));
  CHECK(state() == before);
}

TEST_CASE("a loss that no rate lowers suggests none") {
  slope model;
  nn::training how = plain_steps();
  how.loss =
      nn::make_loss("constant", [](const auto& y, const auto& t) { return (y - y) * t + 3; });
  const auto found = nn::rate_range(model, one_sample(), how);
  CHECK(found.rates.size() == 100);
  CHECK(std::isnan(found.suggestion));
}

TEST_CASE("a loss that falls below 0 goes on until it is back at its first value") {
  // The same half squared error, 3 lower: from -1 down to -3 and up again.
  slope model;
  nn::training how = plain_steps();
  how.loss = nn::make_loss("lowered",
                           [](const auto& y, const auto& t) { return (y - t) * (y - t) / 2 - 3; });
  const auto found =
      nn::rate_range(model, one_sample(), how, {.from = 1e-4, .to = 1e4, .steps = 200});
  CHECK(found.rates.back() > 2);
  CHECK(found.rates.size() < 200);
  CHECK(found.smoothed.back() <= found.smoothed.front());
}

TEST_CASE("data without samples is refused") {
  slope model;
  const nn::dataset<double> none{tensor<double>(autodiff::shape{0, 1}),
                                 tensor<double>(autodiff::shape{0, 1})};
  CHECK(reference::says(reference::message<autodiff::shape_error>(
                            [&] { nn::rate_range(model, none, plain_steps()); }),
                        "rate_range: the data has no batches", "at least one sample"));
}

TEST_CASE("sweeps without three rising rates are refused") {
  slope model;
  const auto refusal = [&](const nn::rate_sweep& sweep) {
    return reference::message<autodiff::domain_error>(
        [&] { nn::rate_range(model, one_sample(), plain_steps(), sweep); });
  };
  CHECK(reference::says(refusal({.from = 0}), "rate_range: rates from 0 to 10", "positive"));
  CHECK(reference::says(refusal({.from = 1, .to = 0.5}), "rates from 1 to 0.5", "rising"));
  CHECK(reference::says(refusal({.steps = 2}), "2 steps", "at least 3"));
}
