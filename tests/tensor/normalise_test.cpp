#include <autodiff/error.hpp>
#include <autodiff/random.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/dropout.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/normalise.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace {

using namespace tensors;
using autodiff::domain_error;
using autodiff::generator;

}  // namespace

TEST_CASE("a normalised layer has mean 0 and variance 1, far from 0 too") {
  reference::random random(91);
  const tensor<double> x(shape{5, 64}, random.uniform(320, 1000, 1001));
  const auto y = layer_norm(x, 1, 0.0);
  for (const auto means = mean(y, {1}); const double m : means.values())
    CHECK(std::fabs(m) < 1e-12);
  for (const auto spread = variance(y, {1}, {0}); const double v : spread.values()) {
    CHECK(reference::close(v, 1, 1e-12L));
  }
}

TEST_CASE("batch_norm gives the statistics of the batch, and with them inference the same") {
  const tensor<double> x({{1.0, 10.0}, {3.0, 30.0}}), gain({2.0, 1.0}), bias({0.5, 0.0});
  const auto trained = batch_norm(x, gain, bias, 0.0);
  CHECK(doubles(trained.mean.values().begin(), trained.mean.values().end()) == doubles{2, 20});
  CHECK(doubles(trained.variance.values().begin(), trained.variance.values().end()) ==
        doubles{1, 100});
  CHECK(numbers(trained.y) == doubles{-1.5, -1, 2.5, 1});
  const auto used = batch_norm(x, gain, bias, tensor<double>(trained.mean),
                               tensor<double>(trained.variance), 0.0);
  CHECK(numbers(used) == numbers(trained.y));
}

TEST_CASE("equal elements normalise to the bias, with a finite derivative") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{2, 3}, 5.0));
  const tensor<double> y = layer_norm(x, tensor<double>(shape{3}, 2.0), tensor<double>({1, 2, 3}));
  CHECK(numbers(y) == doubles{1, 2, 3, 1, 2, 3});
  t.backward(sum(y * y));
  for (const double g : t.adjoint(x).values()) CHECK(std::isfinite(g));
}

TEST_CASE("normalising no rows gives no rows, and parameters an adjoint of 0") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>(shape{0, 3}));
  const tensor<double> gain = t.variable(tensor<double>(shape{3}, 1.0));
  const tensor<double> y = layer_norm(x, gain, tensor<double>(shape{3}));
  CHECK(y.shape() == shape{0, 3});
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(gain)) == doubles{0, 0, 0});
}

TEST_CASE("parameters that do not fit are errors with the shapes") {
  const tensor<double> x(shape{2, 3}), two(shape{2}), three(shape{3});
  CHECK(says(message<shape_error>([&] { layer_norm(x, two, two); }), "layer_norm: ", "[2, 3]",
             "[2]"));
  CHECK(
      says(message<shape_error>([&] { layer_norm(x, three, two); }), "layer_norm: ", "[3]", "[2]"));
  CHECK(says(message<shape_error>([&] { layer_norm(x, 3); }), "layer_norm: ", "last 3"));
  CHECK(says(message<shape_error>([&] { layer_norm(x, std::size_t{0}); }), "layer_norm: "));
  CHECK(says(message<shape_error>([&] { batch_norm(x, three, two); }), "batch_norm: ", "[2]",
             "[2, 3]"));
  CHECK(says(message<shape_error>([&] { batch_norm(three, three, three, 1e-5, 0); }),
             "batch_norm: ", "[3]", "no batch"));
  CHECK(says(message<shape_error>([&] { batch_norm(x, three, three, 1e-5, 2); }),
             "batch_norm: ", "axis 2"));
}

TEST_CASE("dropout keeps the expectation, drops with the probability and repeats with the seed") {
  const tensor<float> x(shape{100, 101}, 1.0f);
  generator random(5), same(5);
  const auto y = dropout(x, 0.3, random);
  std::size_t dropped = 0;
  for (const float v : y.values()) {
    dropped += v == 0;
    CHECK((v == 0 || v == static_cast<float>(1 / 0.7)));
  }
  // Four standard deviations.
  CHECK(std::fabs(static_cast<double>(dropped) / 10100 - 0.3) < 4 * std::sqrt(0.21 / 10100));
  CHECK(numbers(dropout(x, 0.3, same)) == numbers(y));
  CHECK(random() == same());
  CHECK(numbers(dropout(x, 0.3, random)) != numbers(y));
}

TEST_CASE("the mask of dropout does not depend on the number type") {
  generator a(9), b(9);
  const auto of_float = dropout(tensor<float>(shape{37}, 1.0f), 0.5, a);
  const auto of_dual = dropout(tensor<dual<double>>(shape{37}, dual<double>(1.0, 1.0)), 0.5, b);
  for (std::size_t i = 0; i < 37; ++i) {
    CHECK((of_float.value(i) == 0) == (of_dual.value(i).value() == 0));
    CHECK(of_dual.value(i).tangent() == of_dual.value(i).value());
  }
}

TEST_CASE("dropout at probability 0 changes nothing, at 1 nothing stays, not even infinity") {
  const double infinity = std::numeric_limits<double>::infinity();
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0, infinity, std::nan("")}));
  generator random(3);
  const auto all = dropout(x, 0, random), none = dropout(x, 1, random);
  CHECK(all.value(1) == infinity);
  CHECK(numbers(none) == doubles{0, 0, 0});
  t.backward(none, tensor<double>({1.0, infinity, 1.0}));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 0, 0});
  CHECK(dropout(tensor<double>(shape{0}), 0.5, random).shape() == shape{0});
  for (const double p : {-0.1, 1.1, std::nan("")}) {
    CHECK(says(message<domain_error>([&] { dropout(x, p, random); }), "dropout: ", "probability",
               "0 to 1"));
  }
}
