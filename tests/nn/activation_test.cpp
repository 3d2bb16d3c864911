#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <cmath>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using reference::message, reference::real, reference::says;

struct case_of_activation {
  nn::activation activation;
  real (*value)(real);
  real (*slope)(real);
};

// The slopes are written so that they keep their tails.
const std::vector<case_of_activation>& cases() {
  static const std::vector<case_of_activation> all{
      {nn::identity, [](real x) { return x; }, [](real) -> real { return 1; }},
      {nn::tanh, [](real x) { return std::tanh(x); },
       [](real x) { return 1 / (std::cosh(x) * std::cosh(x)); }},
      {nn::sigmoid, [](real x) { return 1 / (1 + std::exp(-x)); },
       [](real x) { return 1 / ((1 + std::exp(-x)) * (1 + std::exp(x))); }},
      {nn::relu, [](real x) { return x > 0 ? x : 0; },
       [](real x) -> real { return x > 0 ? 1 : 0; }},
  };
  return all;
}

template <class T>
std::vector<T> arguments() {
  std::vector<T> x{0, T(-0.0), 1, -1, T(1e-20), T(-1e-20)};
  for (int i = -300; i <= 300; ++i) x.push_back(static_cast<T>(i) / T(10) + T(0.0123));
  return x;
}

template <class T>
void check_values_and_slopes(double tolerance) {
  const std::vector<T> x = arguments<T>();
  for (const case_of_activation& c : cases()) {
    CAPTURE(std::string(c.activation.name));
    autodiff::tape tape;
    const autodiff::tensor<T> a =
        tape.variable(autodiff::tensor<T>(autodiff::shape{x.size()}, std::span<const T>(x)));
    const autodiff::tensor<T> z = c.activation(a);
    tape.backward(autodiff::sum(z));
    const autodiff::tensor<T> slope = tape.adjoint(a);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CAPTURE(x[i]);
      CHECK(reference::ulps(z.value(i), c.value(x[i])) <= tolerance);
      CHECK(reference::ulps(slope.value(i), c.slope(x[i])) <= tolerance);
    }
  }
}

template <class T>
autodiff::tensor<T> as_tensor(const autodiff::shape& s, const std::vector<T>& values) {
  return autodiff::tensor<T>(s, std::span<const T>(values));
}

/// x / (1 + |x|), which the library does not know as an activation.
constexpr nn::activation softsign = nn::make_activation(
    "softsign", nn::init::glorot, [](const auto& a) { return a / (1.0f + abs(a)); });

}  // namespace

TEST_CASE("values and slopes of activations are their closed forms to a few last places") {
  check_values_and_slopes<float>(6);
  check_values_and_slopes<double>(6);
}

TEST_CASE("activations carry their names and the initialisation that suits them") {
  CHECK(nn::identity.name == "identity");
  CHECK(nn::tanh.name == "tanh");
  CHECK(nn::sigmoid.name == "sigmoid");
  CHECK(nn::relu.name == "relu");
  CHECK(nn::softmax.name == "softmax");
  CHECK(nn::relu.suits == nn::init::he);
  CHECK(nn::selu.suits == nn::init::lecun);
  for (const auto& a : {nn::identity, nn::tanh, nn::sigmoid, nn::softmax}) {
    CHECK(a.suits == nn::init::glorot);
  }
}

TEST_CASE("every activation is found by its name, and no two share one") {
  std::set<std::string_view> names;
  for (const nn::activation& h : nn::activations()) {
    INFO(h.name);
    CHECK(names.insert(h.name).second);
    CHECK(&nn::activation_named(h.name) == &h);
  }
  CHECK(nn::activation_named("identity").is_identity());
  CHECK(nn::activation_named("relu").elementwise<float>() == &autodiff::loop_table<float>::relu);
  CHECK(nn::activation_named("log_sigmoid").on_double == nn::log_sigmoid.on_double);
  CHECK(nn::activation_named("elu").suits == nn::init::he);
}

TEST_CASE("every function of one argument is an activation by its name") {
  for (const char* name : {"sin", "gaussian", "sqrt", "atan", "erf", "lgamma"}) {
    INFO(name);
    const nn::activation& h = nn::activation_named(name);
    CHECK(h.name == name);
    CHECK(h.suits == nn::init::glorot);
    CHECK(h.elementwise<double>() != nullptr);
    CHECK(nn::find_activation(name) == &h);
  }
  const autodiff::tensor<double> a{0.5};
  CHECK(nn::activation_named("sin")(a).item() == std::sin(0.5));
  // A row of activation.def comes first: it knows which weights suit it.
  CHECK(nn::activation_named("relu").suits == nn::init::he);
  CHECK(nn::find_activation("pow") == nullptr);
}

TEST_CASE("a name that no activation has is refused with the nearest one and all there are") {
  const auto refusal = [](std::string_view name) {
    return message<autodiff::domain_error>([&] { nn::activation_named(name); });
  };
  const std::string text = refusal("rleu");
  CHECK(text.starts_with(
      "activation: there is no 'rleu'; did you mean relu? there are identity, tanh, sigmoid, "));
  for (const nn::activation& h : nn::activations()) CHECK(says(text, h.name));

  CHECK(says(refusal("ReLU"), "did you mean relu?"));
  CHECK(says(refusal("sigmod"), "did you mean sigmoid?"));
  CHECK(says(refusal("softplsu"), "did you mean softplus?"));
  CHECK(says(refusal("leaky-relu"), "did you mean leaky_relu?"));
  CHECK(says(refusal("Hard tahn"), "did you mean hard_tanh?"));
  for (const char* far : {"", "swish", "linear"}) {
    CHECK_FALSE(says(refusal(far), "did you mean"));
    CHECK(says(refusal(far), "; there are identity"));
  }
}

TEMPLATE_TEST_CASE("softmax works row by row, each of sum 1", "", float, double) {
  using T = TestType;
  const std::vector<T> x{T(0.5), -1, 2, 0, 0, 0, 0, 0, T(1e4), T(-1e4), T(9998), 3};
  const auto p = nn::softmax(as_tensor<T>({3, 4}, x));
  REQUIRE(p.shape() == autodiff::shape{3, 4});
  const double tolerance = 4 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (std::size_t i = 0; i < 3; ++i) {
    real largest = x[4 * i], total = 0, sum = 0;
    for (std::size_t j = 0; j < 4; ++j) largest = std::max<real>(largest, x[4 * i + j]);
    for (std::size_t j = 0; j < 4; ++j) total += std::exp(x[4 * i + j] - largest);
    for (std::size_t j = 0; j < 4; ++j) {
      CHECK(reference::close(p.value(i, j), std::exp(x[4 * i + j] - largest) / total, tolerance));
      sum += p.value(i, j);
    }
    CHECK(reference::close(sum, 1, tolerance));
  }
  const auto one_row = nn::softmax(as_tensor<T>({4}, {x.begin(), x.begin() + 4}));
  REQUIRE(one_row.shape() == autodiff::shape{4});
  for (std::size_t j = 0; j < 4; ++j) CHECK(one_row.value(j) == p.value(std::size_t{0}, j));
}

TEST_CASE("the derivative of softmax is p_i (1 if i = j) - p_i p_j") {
  const auto x = as_tensor<double>({3}, {0.3, -0.7, 1.1});
  for (std::size_t i = 0; i < 3; ++i) {
    autodiff::tape tape;
    const autodiff::tensor<double> a = tape.variable(x);
    const autodiff::tensor<double> p = nn::softmax(a);
    autodiff::tensor<double> unit(autodiff::shape{3});
    unit.mutable_values()[i] = 1;
    tape.backward(p, unit);
    for (std::size_t j = 0; j < 3; ++j) {
      const double expected = p.value(i) * ((i == j ? 1 : 0) - p.value(j));
      CHECK(std::abs(tape.adjoint(a).value(j) - expected) < 1e-15);
    }
  }
}

TEMPLATE_TEST_CASE("an activation of the user's own works in a network and is differentiated", "",
                   float, double) {
  using T = TestType;
  nn::network<T> net(2, {nn::dense(3, softsign), nn::dense(1)}, nn::seed{4});
  const auto x = as_tensor<T>({2}, {T(0.8), T(-0.3)});
  const auto y = net(x);
  CHECK(nn::to_string(net) == "2 -> 3 softsign -> 1 identity, 13 parameters");

  const auto& w = net.layers()[0].dense().weights;
  const auto& v = net.layers()[1].dense().weights;
  real expected = 0;
  std::vector<real> slopes;
  for (std::size_t k = 0; k < 3; ++k) {
    real a = 0;
    for (std::size_t m = 0; m < 2; ++m) a += static_cast<real>(x.value(m)) * w.value(m, k);
    expected += v.value(k, std::size_t{0}) * a / (1 + std::abs(a));
    slopes.push_back(1 / ((1 + std::abs(a)) * (1 + std::abs(a))));
  }
  const double tolerance = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());
  CHECK(reference::close(y.item(), expected, tolerance));

  autodiff::tape tape;
  net.layers()[0].dense().weights = tape.variable(w);
  tape.backward(net(x));
  const autodiff::tensor<T> dw = tape.adjoint(net.layers()[0].dense().weights);
  for (std::size_t m = 0; m < 2; ++m) {
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(reference::close(dw.value(m, k), v.value(k, std::size_t{0}) * slopes[k] * x.value(m),
                             tolerance));
    }
  }
}
