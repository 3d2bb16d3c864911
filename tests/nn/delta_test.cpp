// The formulas of the textbook, held to differences of plain functions in long double: no tape
// takes part.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/delta/delta.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numbers>
#include <string>
#include <type_traits>
#include <vector>

namespace {

using namespace nn::textbook;
using nn::matrix;
using reference::message, reference::says;
using real = reference::real;
using row = std::vector<real>;

constexpr std::array activations{
    activation::identity,   activation::tanh,        activation::sigmoid,    activation::relu,
    activation::softmax,    activation::log_softmax, activation::leaky_relu, activation::elu,
    activation::selu,       activation::gelu,        activation::gelu_tanh,  activation::silu,
    activation::mish,       activation::softplus,    activation::softsign,   activation::hard_tanh,
    activation::log_sigmoid};

// As they are defined, without a thought for rounding.
real defined(activation h, real a) {
  const real s = 1 / (1 + std::exp(-a)), positive = std::log(1 + std::exp(a));
  switch (h) {
    case activation::identity: return a;
    case activation::tanh: return std::tanh(a);
    case activation::sigmoid: return s;
    case activation::relu: return std::max(a, 0.0L);
    case activation::leaky_relu: return a > 0 ? a : 0.01L * a;
    case activation::elu: return a > 0 ? a : std::exp(a) - 1;
    case activation::selu:
      return 1.0507009873554804934193349852946L *
             (a > 0 ? a : 1.6732632423543772848170429916717L * (std::exp(a) - 1));
    case activation::gelu: return a * 0.5L * (1 + std::erf(a / std::numbers::sqrt2_v<real>));
    case activation::gelu_tanh:
      return a * 0.5L *
             (1 + std::tanh(std::sqrt(2 / std::numbers::pi_v<real>) * (a + 0.044715L * a * a * a)));
    case activation::silu: return a * s;
    case activation::mish: return a * std::tanh(positive);
    case activation::softplus: return positive;
    case activation::softsign: return a / (1 + std::fabs(a));
    case activation::hard_tanh: return std::min(std::max(a, -1.0L), 1.0L);
    case activation::log_sigmoid: return std::log(s);
    case activation::softmax:
    case activation::log_softmax: break;
  }
  throw std::logic_error("softmax is no function of one number");
}

row softmax_of(const row& a) {
  real sum = 0;
  for (const real x : a) sum += std::exp(x);
  row z;
  for (const real x : a) z.push_back(std::exp(x) / sum);
  return z;
}

// A number that a derivative is taken by: what is added to a preactivation or a parameter.
struct nudge {
  enum { a, weight, bias } what;
  std::size_t layer, row, column;  // sample and unit; unit and input; unit
  real by;
};

real nudged(real value, const nudge& n, decltype(nudge::what) what, std::size_t layer,
            std::size_t row, std::size_t column) {
  const bool here = n.what == what && n.layer == layer && n.row == row && n.column == column;
  return here ? value + n.by : value;
}

struct network {
  std::vector<layer<double>> layers;
  matrix<double> x, t;
  loss e;
};

row outputs_of(const network& net, std::size_t sample, const nudge& n) {
  row z;
  for (std::size_t m = 0; m < net.x.columns; ++m) z.push_back(net.x(sample, m));
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    const auto& [w, biases, h] = net.layers[l];
    row a;
    for (std::size_t k = 0; k < w.rows; ++k) {
      real sum = biases.empty() ? 0 : nudged(biases[k], n, nudge::bias, l, k, 0);
      for (std::size_t m = 0; m < w.columns; ++m)
        sum += nudged(w(k, m), n, nudge::weight, l, k, m) * z[m];
      a.push_back(nudged(sum, n, nudge::a, l, sample, k));
    }
    z = couples_units(h) ? softmax_of(a) : a;
    if (h == activation::softmax) continue;
    for (real& unit : z) unit = h == activation::log_softmax ? std::log(unit) : defined(h, unit);
  }
  return z;
}

real error_of(const network& net, const nudge& n) {
  const real samples = net.x.rows, count = samples * net.t.columns;
  real sum = 0;
  for (std::size_t i = 0; i < net.x.rows; ++i) {
    row y = outputs_of(net, i, n);
    if (net.e == loss::softmax_cross_entropy) y = softmax_of(y);
    for (std::size_t k = 0; k < y.size(); ++k) {
      const real t = net.t(i, k);
      real p = y[k];
      switch (net.e) {
        case loss::half_squared_error: sum += (p - t) * (p - t) / 2; break;
        case loss::mean_squared_error: sum += (p - t) * (p - t) / count; break;
        case loss::binary_cross_entropy: p = 1 / (1 + std::exp(-p)); [[fallthrough]];
        case loss::binary_cross_entropy_of_probabilities:
          sum -= (t * std::log(p) + (1 - t) * std::log(1 - p)) / count;
          break;
        case loss::softmax_cross_entropy:
        case loss::cross_entropy_of_probabilities: sum -= t * std::log(p) / samples; break;
      }
    }
  }
  return sum;
}

real difference(const network& net, nudge n) {
  return reference::derivative(
      [&](real by) {
        n.by = by;
        return error_of(net, n);
      },
      0, 0.004L);
}

void check_against_differences(const network& net) {
  const backpropagation<double> b = backpropagate(net.layers, net.x, net.t, net.e);
  CHECK(reference::close(b.error, error_of(net, {nudge::a, 0, 0, 0, 0}), 1e-14L));
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    INFO("layer " << l + 1);
    const matrix<double>& w = net.layers[l].weights;
    REQUIRE(b.dw[l].rows == w.rows);
    REQUIRE(b.dw[l].columns == w.columns);
    REQUIRE(b.db[l].size() == net.layers[l].biases.size());
    for (std::size_t k = 0; k < w.rows; ++k) {
      for (std::size_t n = 0; n < net.x.rows; ++n) {
        INFO("sample " << n << ", unit " << k);
        CHECK(reference::close(b.delta[l](n, k), difference(net, {nudge::a, l, n, k, 0}), 1e-13L));
      }
      for (std::size_t m = 0; m < w.columns; ++m) {
        INFO("unit " << k << ", input " << m);
        CHECK(
            reference::close(b.dw[l](k, m), difference(net, {nudge::weight, l, k, m, 0}), 1e-13L));
      }
      if (b.db[l].empty()) continue;
      CHECK(reference::close(b.db[l][k], difference(net, {nudge::bias, l, k, 0, 0}), 1e-13L));
    }
  }
}

// Four samples through 3-4-3 units; targets are probabilities that sum to 1.
network drawn(activation hidden, activation output, loss e, std::uint64_t seed) {
  reference::random random(seed);
  network net{{}, {4, 3, random.uniform(12, -1, 1)}, {4, 3}, e};
  net.layers.push_back({{4, 3, random.uniform(12, -1.5, 1.5)}, random.uniform(4, -1, 1), hidden});
  net.layers.push_back({{4, 4, random.uniform(16, -1.5, 1.5)}, {}, hidden});
  net.layers.push_back({{3, 4, random.uniform(12, -1, 1)}, random.uniform(3, -1, 1), output});
  for (std::size_t n = 0; n < 4; ++n) {
    const double first = random.uniform(0.1, 0.5), second = random.uniform(0.1, 0.4);
    net.t(n, 0) = first;
    net.t(n, 1) = second;
    net.t(n, 2) = 1 - first - second;
  }
  return net;
}

const layer<double> plain_layer{{2, 3, 0.5}, {0.1, 0.2}, activation::tanh};

template <class Provoke>
std::string refusal(Provoke&& provoke) {
  return message<autodiff::shape_error>(provoke);
}

}  // namespace

TEST_CASE("the formulas give the derivatives of E through every hidden activation") {
  for (const activation h : activations) {
    INFO(to_string(h));
    check_against_differences(drawn(h, activation::identity, loss::half_squared_error, 2));
  }
}

TEST_CASE("the formulas give the derivatives of E through every output activation") {
  for (const activation h : activations) {
    INFO(to_string(h));
    check_against_differences(drawn(activation::tanh, h, loss::mean_squared_error, 3));
  }
}

TEST_CASE("the formulas give the derivatives of every loss") {
  for (const loss e : {loss::half_squared_error, loss::mean_squared_error,
                       loss::binary_cross_entropy, loss::softmax_cross_entropy}) {
    INFO(to_string(e));
    check_against_differences(drawn(activation::softplus, activation::identity, e, 4));
  }
  for (const activation output : {activation::sigmoid, activation::softmax}) {
    for (const loss e :
         {loss::binary_cross_entropy_of_probabilities, loss::cross_entropy_of_probabilities}) {
      INFO(to_string(e) << " of " << to_string(output));
      check_against_differences(drawn(activation::softsign, output, e, 5));
    }
  }
}

TEST_CASE("the formulas have the numbers of the primer") {
  // Computed with 50 digits from the document's network and rounded.
  const std::vector<layer<double>> layers{
      {{3, 2, {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}}, {}, activation::tanh},
      {{2, 3, {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}}, {}, activation::identity}};
  const matrix<double> x(1, 2, {1, 2}), t(1, 2, {1, 1.15});
  const auto b = backpropagate(layers, x, t, loss::half_squared_error);
  const double z1[] = {0.46211715726000975850, 0.80049902176062970601, 0.93540907060309898052};
  for (std::size_t m = 0; m < 3; ++m) CHECK(reference::ulps(b.z[0](0, m), z1[m]) <= 1);
  CHECK(reference::close(b.a[1](0, 0), 0.48693424125905661121L, 1e-15L));
  CHECK(reference::close(b.a[1](0, 1), 1.1463418161461781447L, 1e-15L));
  CHECK(reference::close(b.delta[1](0, 0), -0.51306575874094338879L, 1e-15L));
  CHECK(reference::close(b.delta[1](0, 1), -0.0036581838538218553L, 1e-15L));
  // As the document's script printed them in float32.
  const double dw1[] = {-0.04150072, -0.08300145, -0.03751578,
                        -0.07503156, -0.01951589, -0.03903178};
  const double dw2[] = {-0.23709649, -0.41070867, -0.47992632,
                        -0.00169051, -0.00292837, -0.00342189};
  CHECK(reference::all_close(b.dw[0].values, dw1, 6e-8L));
  CHECK(reference::all_close(b.dw[1].values, dw2, 6e-8L));
}

TEST_CASE("a sample counts as often as it is there") {
  network one = drawn(activation::gelu, activation::identity, loss::half_squared_error, 6);
  const auto all = backpropagate(one.layers, one.x, one.t, one.e);
  std::vector<double> sum(all.dw[0].size());
  for (std::size_t n = 0; n < 4; ++n) {
    const auto slice = [n](const matrix<double>& m) {
      const auto from = m.values.begin() + static_cast<std::ptrdiff_t>(n * m.columns);
      return matrix<double>(
          1, m.columns, std::vector<double>(from, from + static_cast<std::ptrdiff_t>(m.columns)));
    };
    const auto b = backpropagate(one.layers, slice(one.x), slice(one.t), one.e);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += b.dw[0].values[i];
  }
  CHECK(reference::all_close(all.dw[0].values, sum, 1e-15L));
}

TEST_CASE("float follows double to its own digits") {
  const network net = drawn(activation::mish, activation::identity, loss::softmax_cross_entropy, 7);
  std::vector<layer<float>> layers;
  const auto narrow = [](const matrix<double>& m) {
    return matrix<float>(m.rows, m.columns, std::vector<float>(m.values.begin(), m.values.end()));
  };
  for (const layer<double>& l : net.layers)
    layers.push_back({narrow(l.weights), {l.biases.begin(), l.biases.end()}, l.h});
  const auto wide = backpropagate(net.layers, net.x, net.t, net.e);
  const auto b = backpropagate(layers, narrow(net.x), narrow(net.t), net.e);
  for (std::size_t l = 0; l < 3; ++l)
    CHECK(reference::all_close(b.dw[l].values, wide.dw[l].values, 2e-6L));
}

TEST_CASE("activations stay finite and their slopes exact far from zero") {
  for (const activation h : activations) {
    INFO(to_string(h));
    for (const double far : {-800.0, 800.0}) {
      const matrix<double> a(1, 2, {far, 0.5}), z = activate(h, a);
      const matrix<double> slope = through_activation(h, a, z, matrix<double>(1, 2, {1, 0}));
      CHECK(std::isfinite(z(0, 0)));
      CHECK(std::isfinite(slope(0, 0)));
    }
  }
  const matrix<double> a(1, 1, {20.0});
  const auto slope =
      through_activation(activation::tanh, a, activate(activation::tanh, a), {1, 1, 1});
  CHECK(reference::ulps(slope(0, 0), 1 / (std::cosh(20.0L) * std::cosh(20.0L))) <= 3);
}

TEST_CASE("at infinity activations and slopes take their limits, and a NaN has no slope") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (const activation h : {activation::gelu, activation::gelu_tanh, activation::silu,
                             activation::mish, activation::relu}) {
    INFO(to_string(h));
    for (const double far : {1e20, 1e155, 1e300, infinity}) {
      CHECK(value(h, far) == far);
      CHECK(slope(h, far) == 1);
      CHECK(value(h, -far) == 0);
      CHECK(slope(h, -far) == 0);
    }
    CHECK(slope(h, 1e30f) == 1);
    CHECK(slope(h, -1e30f) == 0);
  }
  CHECK(value(activation::softsign, infinity) == 1);
  CHECK(value(activation::softsign, -infinity) == -1);
  CHECK(slope(activation::softsign, infinity) == 0);
  for (const activation h : activations) {
    if (h == activation::identity || couples_units(h)) continue;
    INFO(to_string(h));
    CHECK(std::isnan(value(h, nan)));
    CHECK(std::isnan(slope(h, nan)));
  }
}

TEST_CASE("softmax, its logarithm and its cross-entropy make sense of huge and infinite logits") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto of = [](activation h) {
    return [h](const std::vector<double>& a) {
      return activate(h, matrix<double>(1, a.size(), a)).values;
    };
  };
  const auto softmax = of(activation::softmax), log_softmax = of(activation::log_softmax);
  CHECK(softmax({infinity, 0, infinity}) == std::vector<double>{0.5, 0, 0.5});
  CHECK(softmax({-infinity, 0, 0}) == std::vector<double>{0, 0.5, 0.5});
  CHECK(softmax({-infinity, -infinity}) == std::vector<double>{0, 0});
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double other : {0.0, -infinity, infinity}) {
    CHECK(std::isnan(softmax({other, nan})[0]));
    CHECK(std::isnan(softmax({nan, other})[0]));
    CHECK(std::isnan(log_softmax({other, nan})[0]));
    CHECK(std::isnan(log_softmax({nan, other})[0]));
  }
  CHECK(log_softmax({1e300, 0}) == std::vector<double>{0, -1e300});
  CHECK(log_softmax({infinity, 0}) == std::vector<double>{0, -infinity});
  CHECK(log_softmax({-infinity, 0}) == std::vector<double>{-infinity, 0});
  CHECK(log_softmax({-infinity, -infinity}) == std::vector<double>{-infinity, -infinity});

  const auto e = loss::softmax_cross_entropy;
  const auto one = [](double a, double b) { return matrix<double>(1, 2, {a, b}); };
  for (const double huge : {800.0, -800.0, 1e300}) {
    INFO(huge);
    CHECK(error(e, one(huge, huge), one(1, 0)) == Approx(std::numbers::ln2).epsilon(1e-15));
  }
  CHECK(error(e, one(infinity, 0), one(1, 0)) == 0);
  CHECK(error(e, one(infinity, 0), one(0, 1)) == infinity);
  CHECK(error(e, one(-infinity, -infinity), one(0, 1)) == infinity);
  CHECK(error_slope(e, one(infinity, 0), one(0, 1)) == one(1, -1));

  // A weight of 0 hides an infinite logarithm, but no NaN.
  const auto of_probabilities = loss::cross_entropy_of_probabilities;
  CHECK(error(of_probabilities, one(1, 0), one(1, 0)) == 0);
  CHECK(std::isnan(error(of_probabilities, one(1, nan), one(1, 0))));
  CHECK(std::isnan(error_slope(of_probabilities, one(1, nan), one(1, 0))(0, 1)));
}

TEST_CASE("activations and losses are found by their names") {
  for (const activation h : activations) CHECK(activation_of(to_string(h)) == h);
  CHECK(loss_of("softmax_cross_entropy") == loss::softmax_cross_entropy);
  CHECK(loss_of("cross_entropy_of_probabilities") == loss::cross_entropy_of_probabilities);
  CHECK(!activation_of("Tanh"));
  CHECK(!loss_of(""));
}

TEST_CASE("what does not fit is refused with its sizes and what to do") {
  const auto run = [](const std::vector<layer<double>>& layers, const matrix<double>& x,
                      const matrix<double>& t) {
    return refusal([&] { backpropagate(layers, x, t, loss::half_squared_error); });
  };
  const matrix<double> x(1, 3), t(1, 2);
  CHECK(says(run({}, x, t), "backpropagate: no layers", "; give it at least one"));
  CHECK(
      says(run({plain_layer}, matrix<double>(0, 3), t), "no samples", "give it at least one row"));
  CHECK(says(run({plain_layer}, matrix<double>(1, 4), t),
             "the weights of layer 1 are [2, 3] and its inputs 4 numbers", "[units, inputs]"));
  CHECK(says(run({plain_layer, plain_layer}, x, t), "the weights of layer 2 are [2, 3]",
             "its inputs 2 numbers"));
  CHECK(says(run({{{2, 3}, {1, 2, 3}}}, x, t), "layer 1 has 2 units and 3 biases", "or none"));
  CHECK(says(run({plain_layer}, x, matrix<double>(1, 3)), "outputs [1, 2] and targets [1, 3]",
             "the shape of the outputs"));
  CHECK(says(run({plain_layer}, x, matrix<double>(2, 2)), "targets [2, 2]"));
  matrix<double> short_of_values = x;
  short_of_values.values.pop_back();
  CHECK(says(run({plain_layer}, short_of_values, t), "inputs [1, 3] with 2 values", "as many"));
}

TEST_CASE("every formula refuses matrices that do not fit each other") {
  const matrix<double> two_by_three(2, 3), three_by_two(3, 2), one_row(1, 3);
  const auto e = loss::half_squared_error;
  CHECK(says(refusal([&] { error(e, two_by_three, one_row); }),
             "error: outputs [2, 3] and targets [1, 3]", "; give both the same shape"));
  CHECK(says(refusal([&] { error_slope(e, two_by_three, three_by_two); }),
             "error_slope: outputs [2, 3] and targets [3, 2]"));
  CHECK(says(
      refusal([&] { through_activation(activation::tanh, two_by_three, two_by_three, one_row); }),
      "through_activation: a [2, 3] and dE/dz [1, 3]"));
  CHECK(says(
      refusal([&] { through_activation(activation::tanh, two_by_three, one_row, two_by_three); }),
      "through_activation: a [2, 3] and z [1, 3]"));
  CHECK(says(refusal([&] { preactivation(plain_layer, three_by_two); }),
             "preactivation: z [3, 2] for weights [2, 3]", "; give z [n, 3]"));
  CHECK(says(refusal([&] { through_weights(plain_layer, two_by_three); }),
             "through_weights: delta [2, 3] for weights [2, 3]", "; give delta [n, 2]"));
  CHECK(says(refusal([&] { weight_gradient(two_by_three, three_by_two); }),
             "weight_gradient: delta [2, 3] and z [3, 2]", "; give both a row for each sample"));
  CHECK(says(refusal([&] {
               preactivation(layer<double>{{2, 3}, {1}, activation::tanh}, one_row);
             }),
             "preactivation: 2 units and 1 biases"));
}

TEST_CASE("the formulas include nothing of the engine but its exceptions") {
  for (const char* file :
       {"matrix.hpp", "terms.hpp", "activations.hpp", "activations.cpp", "losses.hpp", "losses.cpp",
        "delta.hpp", "delta.cpp", "report.hpp", "report.cpp", "neuron.hpp", "neuron.cpp"}) {
    std::ifstream in(std::filesystem::path(BACKSWEEP_SOURCE_DIR) / "nn/delta" / file);
    REQUIRE(in);
    for (std::string line; std::getline(in, line);) {
      INFO(file << ": " << line);
      if (line.starts_with("#include <autodiff/")) CHECK(says(line, "<autodiff/error.hpp>"));
      if (line.starts_with("#include <nn/")) {
        CHECK(line.starts_with("#include <nn/delta/"));
        CHECK(!says(line, "compare_deltas"));
      }
    }
  }
}
