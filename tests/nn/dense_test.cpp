#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <autodiff/error.hpp>
#include <autodiff/random.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <nn/network/dense.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using reference::real;
using tensors::drawn;

template <class T>
nn::dense_layer<T> layer_of(std::size_t inputs, const nn::dense& description) {
  autodiff::generator random(21);
  nn::dense_layer<T> layer(inputs, description, random);
  // A bias of 0 would hide that it is not added.
  if (layer.has_bias()) layer.bias = drawn<T>(layer.bias.shape(), 5);
  return layer;
}

template <class T>
real preactivation(const nn::dense_layer<T>& layer, std::span<const T> x, std::size_t k) {
  real a = layer.has_bias() ? layer.bias.value(k) : 0;
  for (std::size_t m = 0; m < x.size(); ++m)
    a += static_cast<real>(x[m]) * layer.weights.value(m, k);
  return a;
}

}  // namespace

TEMPLATE_TEST_CASE("a dense layer is h(x w + b) for rows and one row, with and without bias", "",
                   float, double) {
  using T = TestType;
  const double tolerance = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const nn::bias bias : {nn::bias::with, nn::bias::without}) {
    const auto layer = layer_of<T>(5, nn::dense(3, nn::tanh, bias));
    CHECK(layer.inputs() == 5);
    CHECK(layer.outputs() == 3);
    CHECK(layer.has_bias() == (bias == nn::bias::with));
    CHECK(layer.activation().name == "tanh");
    const auto x = drawn<T>({4, 5}, 1);
    const auto a = layer.preactivation(x), z = layer(x);
    REQUIRE(a.shape() == autodiff::shape{4, 3});
    REQUIRE(z.shape() == autodiff::shape{4, 3});
    for (std::size_t i = 0; i < 4; ++i) {
      const auto row = x.values().subspan(5 * i, 5);
      const auto single_x = autodiff::tensor<T>(autodiff::shape{5}, row);
      const auto single_a = layer.preactivation(single_x), single_z = layer(single_x);
      REQUIRE(single_a.shape() == autodiff::shape{3});
      REQUIRE(single_z.shape() == autodiff::shape{3});
      for (std::size_t k = 0; k < 3; ++k) {
        const real expected = preactivation<T>(layer, row, k);
        CHECK(reference::close(a.value(i, k), expected, tolerance));
        CHECK(reference::close(z.value(i, k), std::tanh(expected), tolerance));
        CHECK(reference::close(single_a.value(k), expected, tolerance));
        CHECK(reference::close(single_z.value(k), std::tanh(expected), tolerance));
      }
    }
  }
}

TEST_CASE("a batch without rows passes through a layer") {
  const auto layer = layer_of<double>(5, nn::dense(3, nn::relu));
  CHECK(layer(autodiff::tensor<double>(autodiff::shape{0, 5})).shape() == autodiff::shape{0, 3});
}

TEST_CASE("the bias of a new layer is 0") {
  autodiff::generator random(1);
  const nn::dense_layer<float> layer(2, nn::dense(4), random);
  REQUIRE(layer.bias.shape() == autodiff::shape{4});
  for (const float b : layer.bias.values()) CHECK(b == 0);
}

TEST_CASE("a layer draws its weights as its activation suggests, or as it is told") {
  const auto weights = [](const nn::dense& description) {
    autodiff::generator random(8);
    return nn::dense_layer<double>(30, description, random).weights;
  };
  const auto drawn_by = [](nn::init how) {
    autodiff::generator random(8);
    return nn::initial_weights<double>(how, 30, 20, random);
  };
  const auto equal = [](const autodiff::tensor<double>& a, const autodiff::tensor<double>& b) {
    return std::equal(a.values().begin(), a.values().end(), b.values().begin());
  };
  const nn::init he = nn::init::he, glorot = nn::init::glorot;
  CHECK(equal(weights(nn::dense(20, nn::relu)), drawn_by(he)));
  CHECK(equal(weights(nn::dense(20, nn::tanh)), drawn_by(glorot)));
  CHECK(equal(weights(nn::dense(20, nn::relu).initialised(glorot)), drawn_by(glorot)));
  CHECK(equal(weights(nn::dense(20, nn::tanh).initialised(he)), drawn_by(he)));
  CHECK(!equal(drawn_by(he), drawn_by(glorot)));

  const nn::dense told = nn::dense(20, nn::relu, nn::bias::without).initialised(glorot);
  CHECK(told.units == 20);
  CHECK(told.bias == nn::bias::without);
  CHECK(told.activation.name == "relu");
}

TEST_CASE("inputs that do not fit a layer are refused with both shapes") {
  for (const nn::bias bias : {nn::bias::with, nn::bias::without}) {
    const auto layer = layer_of<double>(5, nn::dense(3, nn::tanh, bias));
    for (const auto& s : {autodiff::shape{4, 6}, autodiff::shape{6}, autodiff::shape{},
                          autodiff::shape{2, 4, 6}, autodiff::shape{5, 4}}) {
      const std::string text =
          reference::message<autodiff::shape_error>([&] { layer(autodiff::tensor<double>(s)); });
      CAPTURE(text);
      CHECK(reference::says(text, autodiff::to_string(s) + " x [5, 3]"));
    }
  }
}

TEST_CASE("a layer without inputs or units is refused") {
  autodiff::generator random(1);
  CHECK_THROWS_AS(nn::dense_layer<float>(0, nn::dense(3), random), autodiff::shape_error);
  CHECK_THROWS_AS(nn::dense_layer<float>(3, nn::dense(0), random), autodiff::shape_error);
}

TEST_CASE("adjoints of a layer are the textbook's: delta = h'(a) dE/dz, dE/dw = z delta") {
  for (const nn::bias bias : {nn::bias::with, nn::bias::without}) {
    auto layer = layer_of<double>(4, nn::dense(3, nn::tanh, bias));
    const auto x_values = drawn<double>({2, 4}, 1), t = drawn<double>({2, 3}, 2);
    autodiff::tape tape;
    const autodiff::tensor<double> x = tape.variable(x_values);
    layer.weights = tape.variable(layer.weights);
    if (layer.has_bias()) layer.bias = tape.variable(layer.bias);
    const autodiff::tensor<double> a = layer.preactivation(x);
    const autodiff::tensor<double> z = layer.activation()(a);
    tape.backward(0.5 * autodiff::sum(autodiff::square(z - t)));

    const autodiff::tensor<double> delta = tape.adjoint(a), dw = tape.adjoint(layer.weights),
                                   dx = tape.adjoint(x);
    real expected[2][3];
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t k = 0; k < 3; ++k) {
        const real y = std::tanh(preactivation<double>(layer, x.values().subspan(4 * i, 4), k));
        expected[i][k] = (1 - y * y) * (y - t.value(i, k));
        CHECK(reference::close(delta.value(i, k), expected[i][k], 1e-15));
      }
    }
    for (std::size_t m = 0; m < 4; ++m) {
      for (std::size_t k = 0; k < 3; ++k) {
        const real sum = x.value(std::size_t{0}, m) * expected[0][k] +
                         x.value(std::size_t{1}, m) * expected[1][k];
        CHECK(reference::close(dw.value(m, k), sum, 1e-15));
      }
      for (std::size_t i = 0; i < 2; ++i) {
        real sum = 0;
        for (std::size_t k = 0; k < 3; ++k) sum += layer.weights.value(m, k) * expected[i][k];
        CHECK(reference::close(dx.value(i, m), sum, 1e-15));
      }
    }
    if (!layer.has_bias()) continue;
    const autodiff::tensor<double> db = tape.adjoint(layer.bias);
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(reference::close(db.value(k), expected[0][k] + expected[1][k], 1e-15));
    }
  }
}
