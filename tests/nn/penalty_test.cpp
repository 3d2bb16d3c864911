#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <nn/loss/penalty.hpp>
#include <nn/network/network.hpp>
#include <nn/network/step.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using autodiff::shape, autodiff::tensor;

/// Weights, a bias and a number.
template <class T>
struct sample_model {
  tensor<T> weights{{T(1), T(-2)}, {T(0), T(0.5)}}, bias{T(3), T(-4)},
      scale{autodiff::shape{}, T(5)};

  template <class Visitor>
  void parameters(Visitor&& visit) {
    visit(weights);
    visit(bias);
    visit(scale);
  }
};

struct model_without_weights {
  void parameters(auto&&) {}
};

template <class T>
struct penalised {
  T value;
  std::vector<tensor<T>> gradients;
};

template <class T>
penalised<T> penalise(const nn::penalty& how) {
  sample_model<T> model;
  autodiff::tape tape;
  penalised<T> p;
  p.value = nn::gradient_step(
      tape, model, [&] { return nn::weight_penalty<T>(model, how); }, p.gradients);
  return p;
}

template <class T>
std::vector<T> values(const tensor<T>& x) {
  return {x.values().begin(), x.values().end()};
}

}  // namespace

TEMPLATE_TEST_CASE("penalties and their slopes are their definitions, on weights alone", "", float,
                   double) {
  using T = TestType;
  const auto squares = penalise<T>({.l2 = 0.5});
  CHECK(squares.value == T(0.25 * 5.25));
  CHECK(values(squares.gradients[0]) == std::vector<T>{T(0.5), T(-1), T(0), T(0.25)});
  const auto magnitudes = penalise<T>({.l1 = 0.5});
  CHECK(magnitudes.value == T(0.5 * 3.5));
  CHECK(values(magnitudes.gradients[0]) == std::vector<T>{T(0.5), T(-0.5), T(0), T(0.5)});
  const auto both = penalise<T>({.l1 = 0.5, .l2 = 0.5});
  CHECK(both.value == T(0.25 * 5.25 + 0.5 * 3.5));
  CHECK(values(both.gradients[0]) == std::vector<T>{T(1), T(-1.5), T(0), T(0.75)});
  for (const auto& p : {squares, magnitudes, both}) {
    CHECK(values(p.gradients[1]) == std::vector<T>{0, 0});
    CHECK(values(p.gradients[2]) == std::vector<T>{0});
  }
}

TEST_CASE("biases are penalised where that is asked for") {
  const auto p = penalise<double>({.l1 = 1, .l2 = 2, .biases = true});
  CHECK(p.value == (3.5 + 7 + 5) + (5.25 + 25 + 25));
  CHECK(values(p.gradients[1]) == std::vector<double>{1 + 6, -1 - 8});
  CHECK(values(p.gradients[2]) == std::vector<double>{1 + 10});
}

TEST_CASE("a penalty adds to the loss of a network what weight decay adds to its gradients") {
  nn::network<double> net(3, {nn::dense(4, nn::tanh), nn::dense(2)}, nn::seed{1});
  const tensor<double> x({{0.5, -1.0, 0.25}});
  autodiff::tape tape;
  std::vector<tensor<double>> plain, decayed;
  const double e = nn::gradient_step(
      tape, net, [&] { return sum(net(x)); }, plain);
  const double penalised_e = nn::gradient_step(
      tape, net, [&] { return sum(net(x)) + nn::weight_penalty<double>(net, {.l2 = 0.1}); },
      decayed);
  CHECK(penalised_e > e);
  std::size_t i = 0;
  net.parameters([&](const tensor<double>& w) {
    for (std::size_t j = 0; j < w.size(); ++j) {
      const double decay = w.rank() > 1 ? 0.1 * w.values()[j] : 0;
      CHECK(reference::close(decayed[i].values()[j], plain[i].values()[j] + decay, 1e-15));
    }
    ++i;
  });
}

TEST_CASE("a penalty of strength 0, or of a model without weights, is 0") {
  CHECK(penalise<float>({}).value == 0);
  model_without_weights model;
  CHECK(nn::weight_penalty<float>(model, {.l2 = 1}).item() == 0);
}

TEST_CASE("strengths out of range are refused") {
  for (const double strength :
       {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    sample_model<float> model;
    for (const nn::penalty& how : {nn::penalty{.l1 = strength}, nn::penalty{.l2 = strength}}) {
      const std::string text = reference::message<autodiff::domain_error>(
          [&] { nn::weight_penalty<float>(model, how); });
      CAPTURE(text);
      CHECK(reference::says(text, "weight_penalty", "a strength of", "not negative"));
    }
  }
}
