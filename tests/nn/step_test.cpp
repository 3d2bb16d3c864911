// The sweep of a step against backpropagation derived by hand.

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/network.hpp>
#include <nn/network/step.hpp>
#include <nn/optimizer/optimizer.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using autodiff::tensor;
using tensors::drawn;
using rows = std::vector<std::vector<double>>;

double h(std::string_view name, double a) {
  if (name == "tanh") return std::tanh(a);
  if (name == "sigmoid") return 1 / (1 + std::exp(-a));
  return name == "relu" ? std::max(a, 0.0) : a;
}

double slope(std::string_view name, double a) {
  const double z = h(name, a);
  if (name == "tanh") return 1 - z * z;
  if (name == "sigmoid") return z * (1 - z);
  return name == "relu" ? (a > 0 ? 1 : 0) : 1;
}

/// Backpropagation for one sample, in the words and indices of "A Primer on Backpropagation with a
/// Numerical Example" (Santi, 2025), with a bias added to a_k = sum_m w_km z_m. Adds dE/dw and
/// dE/db of E = 1/2 sum (y - t)^2 to `gradients`, in the order of net.parameters(), and returns E.
double backpropagate(const nn::network<double>& net, std::span<const double> x,
                     std::span<const double> t, rows& gradients) {
  const auto layers = net.layers();
  rows z{{x.begin(), x.end()}}, a{{}};  // a[0] does not exist
  for (const auto& any : layers) {
    const auto& layer = any.dense();
    std::vector<double> a_l(layer.outputs()), z_l(layer.outputs());
    for (std::size_t k = 0; k < a_l.size(); ++k) {
      a_l[k] = layer.has_bias() ? layer.bias.value(k) : 0;
      for (std::size_t m = 0; m < layer.inputs(); ++m)
        a_l[k] += layer.weights.value(m, k) * z.back()[m];
      z_l[k] = h(layer.activation().name, a_l[k]);
    }
    a.push_back(a_l);
    z.push_back(z_l);
  }
  const std::size_t last = layers.size();
  rows delta(last + 1);
  double e = 0;
  delta[last].resize(t.size());
  for (std::size_t k = 0; k < t.size(); ++k) {
    e += (z[last][k] - t[k]) * (z[last][k] - t[k]) / 2;
    // (5), with the slope of an output activation "in exactly the same way as equation (3)".
    delta[last][k] =
        slope(layers[last - 1].dense().activation().name, a[last][k]) * (z[last][k] - t[k]);
  }
  for (std::size_t l = last; l > 1; --l) {  // (7), from (4) and (6)
    const auto& layer = layers[l - 1].dense();
    delta[l - 1].resize(layer.inputs());
    for (std::size_t m = 0; m < layer.inputs(); ++m) {
      double sum = 0;
      for (std::size_t k = 0; k < layer.outputs(); ++k)
        sum += layer.weights.value(m, k) * delta[l][k];
      delta[l - 1][m] = slope(layers[l - 2].dense().activation().name, a[l - 1][m]) * sum;
    }
  }
  std::size_t index = 0;
  for (std::size_t l = 1; l <= last; ++l) {  // (1) and (6): dE/dw_km = delta_k z_m
    const auto& layer = layers[l - 1].dense();
    for (std::size_t m = 0; m < layer.inputs(); ++m) {
      for (std::size_t k = 0; k < layer.outputs(); ++k) {
        gradients[index][m * layer.outputs() + k] += delta[l][k] * z[l - 1][m];
      }
    }
    ++index;
    if (!layer.has_bias()) continue;
    for (std::size_t k = 0; k < layer.outputs(); ++k) gradients[index][k] += delta[l][k];
    ++index;
  }
  return e;
}

nn::network<double> random_network(reference::random& random) {
  constexpr std::array activations{nn::tanh, nn::sigmoid, nn::relu, nn::identity};
  std::vector<nn::dense> layers;
  const std::size_t depth = 1 + random.below(4);
  for (std::size_t l = 0; l < depth; ++l) {
    const std::size_t units = 1 + random.below(6), activation = random.below(4);
    const bool bias = random.below(3) > 0;
    layers.emplace_back(units, activations[activation], bias ? nn::bias::with : nn::bias::without);
  }
  const std::size_t inputs = 1 + random.below(6);
  nn::network<double> net(inputs, layers, nn::seed{random.bits()});
  for (auto& any : net.layers()) {
    auto& layer = any.dense();
    if (layer.has_bias()) layer.bias = drawn(layer.bias.shape(), random.bits());
  }
  return net;
}

template <class Model>
bool all_passive(Model& model) {
  bool passive = true;
  model.parameters([&](const auto& p) { passive &= !p.is_recorded(); });
  return passive;
}

/// A model that is no network: y = softplus(x w) s, with a parameter used twice and one of rank 0.
struct users_own {
  tensor<double> w{{0.3, -0.2}, {0.1, 0.4}};
  tensor<double> s{1.5};
  tensor<double> unused{1.0, 2.0, 3.0};

  template <class Visitor>
  void parameters(Visitor&& visit) {
    visit(w);
    visit(s);
    visit(unused);
  }
  tensor<double> operator()(const tensor<double>& x) const {
    return autodiff::matmul(autodiff::softplus(autodiff::matmul(x, w)), w) * s;
  }
};

/// Its visitor throws between the parameters, once.
struct fragile {
  tensor<double> first{1.0}, second{2.0};
  bool breaks = true;

  template <class Visitor>
  void parameters(Visitor&& visit) {
    visit(first);
    if (std::exchange(breaks, false)) throw std::runtime_error("midway");
    visit(second);
  }
};

}  // namespace

TEST_CASE("a step's gradient is the hand-derived backpropagation on random networks") {
  reference::random random(31);
  autodiff::tape tape;
  std::vector<tensor<double>>
      gradients;  // kept, so that shapes of an earlier network must not survive
  for (int round = 0; round < 100; ++round) {
    nn::network<double> net = random_network(random);
    const std::size_t n = 1 + random.below(5);
    const auto x = drawn({n, net.inputs()}, random.bits()),
               t = drawn({n, net.outputs()}, random.bits());
    CAPTURE(round, nn::to_string(net), n);

    rows expected;
    net.parameters([&](const tensor<double>& p) { expected.emplace_back(p.size(), 0.0); });
    double e = 0;
    for (std::size_t i = 0; i < n; ++i) {
      e += backpropagate(net, x.values().subspan(i * net.inputs(), net.inputs()),
                         t.values().subspan(i * net.outputs(), net.outputs()), expected);
    }
    const double value = nn::gradient_step(
        tape, net, [&] { return nn::half_squared_error(net(x), t); }, gradients);

    CHECK(std::abs(value - e) <= 1e-13 * std::abs(e));
    REQUIRE(gradients.size() == expected.size());
    double largest = 0;
    for (const auto& g : expected) {
      for (const double number : g) largest = std::max(largest, std::abs(number));
    }
    for (std::size_t p = 0; p < expected.size(); ++p) {
      REQUIRE(gradients[p].size() == expected[p].size());
      for (std::size_t i = 0; i < expected[p].size(); ++i) {
        CAPTURE(p, i);
        CHECK(std::abs(gradients[p].values()[i] - expected[p][i]) <= 1e-13 * largest);
      }
    }
    CHECK(all_passive(net));
  }
}

TEST_CASE("gradients have the shapes of their parameters, in the order of parameters()") {
  nn::network<float> net(3, {nn::dense(5, nn::relu), nn::dense(2, nn::identity, nn::bias::without)},
                         nn::seed{1});
  autodiff::tape tape;
  std::vector<tensor<float>> gradients;
  nn::gradient_step(
      tape, net,
      [&] {
        return autodiff::sum(net(tensor<float>({1.0f, 2.0f, 3.0f})));
      },
      gradients);
  std::size_t index = 0;
  net.parameters([&](const tensor<float>& p) { CHECK(gradients[index++].shape() == p.shape()); });
  CHECK(gradients.size() == index);
  for (const auto& g : gradients) CHECK(!g.is_recorded());
}

TEST_CASE("a step leaves the values of the parameters and an empty tape") {
  nn::network<double> net(2, {nn::dense(3, nn::tanh)}, nn::seed{1});
  const auto before = net.layers()[0].dense().weights;
  autodiff::tape tape;
  const autodiff::var earlier = tape.variable(1.0);
  std::vector<tensor<double>> gradients;
  nn::gradient_step(
      tape, net,
      [&] {
        return autodiff::sum(net(tensor<double>({1.0, 2.0})));
      },
      gradients);
  CHECK(std::equal(before.values().begin(), before.values().end(),
                   net.layers()[0].dense().weights.values().begin()));
  CHECK(earlier.value() == 1);
  // Nothing is left to rewind; a checked build keeps a record of its own on a rewound tape.
  const autodiff::tape_statistics after = tape.statistics();
  tape.rewind();
  CHECK(after.operations == tape.statistics().operations);
  CHECK(after.places == tape.statistics().places);
}

TEST_CASE("a step whose objective throws leaves passive parameters and a usable tape") {
  nn::network<double> net(2, {nn::dense(3, nn::tanh), nn::dense(2)}, nn::seed{1});
  const tensor<double> x({1.0, 2.0}), t({0.5, -0.5});
  const auto objective = [&] { return nn::half_squared_error(net(x), t); };
  autodiff::tape tape;
  std::vector<tensor<double>> gradients, again;
  const double value = nn::gradient_step(tape, net, objective, gradients);
  const auto thrown = [&](auto&& broken) {
    CHECK_THROWS(nn::gradient_step(tape, net, broken, again));
    CHECK(all_passive(net));
  };
  // A failure of the user's, of shapes, of an output with several elements, of one that is not
  // recorded.
  thrown([&]() -> tensor<double> {
    net(x);
    throw std::runtime_error("the user's");
  });
  thrown([&] { return nn::half_squared_error(net(x), x + tensor<double>(autodiff::shape{3})); });
  thrown([&] { return net(x); });
  thrown([&] { return tensor<double>(1.0); });

  CHECK(nn::gradient_step(tape, net, objective, again) == value);
  REQUIRE(again.size() == gradients.size());
  for (std::size_t p = 0; p < again.size(); ++p) {
    CHECK(std::equal(again[p].values().begin(), again[p].values().end(),
                     gradients[p].values().begin()));
  }
}

TEST_CASE("an objective that depends on no parameter is refused with where to look") {
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{1});
  autodiff::tape tape;
  std::vector<tensor<double>> gradients;
  const auto of_a_copy = [copy = net] { return autodiff::sum(copy(tensor<double>({1.0, 2.0}))); };
  CHECK(reference::message<autodiff::tape_error>(
            [&] { nn::gradient_step(tape, net, of_a_copy, gradients); }) ==
        "gradient_step: the objective depends on no parameter; compute it from the model itself, "
        "not from a copy of it, and see that parameters() hands them out");
  struct {
    void parameters(const std::function<void(tensor<double>&)>&) {}
  } empty;
  CHECK(reference::says(reference::message<autodiff::tape_error>([&] {
                          nn::gradient_step(
                              tape, empty, [] { return tensor<double>(1.0); }, gradients);
                        }),
                        "depends on no parameter"));
}

TEST_CASE("an objective that forgets the parameters is refused") {
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{1});
  autodiff::tape tape;
  std::vector<tensor<double>> gradients;
  const auto forgetful = [&] {
    tape.rewind();
    return autodiff::sum(tape.variable(tensor<double>({1.0, 2.0})));
  };
  CHECK(reference::says(reference::message<autodiff::tape_error>(
                            [&] { nn::gradient_step(tape, net, forgetful, gradients); }),
                        "gradient_step: "));
  CHECK(all_passive(net));
}

namespace {

/// Hands out one tensor more at its second visit.
struct growing_model {
  tensor<double> first{autodiff::shape{2}}, second{autodiff::shape{2}};
  int visits = 0;
  void parameters(auto&& visit) {
    visit(first);
    if (++visits == 2) visit(second);
  }
};

}  // namespace

TEST_CASE("a model whose parameters grow from one visit to the next is refused") {
  growing_model model;
  autodiff::tape tape;
  std::vector<tensor<double>> gradients;
  REQUIRE_THROWS_WITH(nn::gradient_step(
                          tape, model, [&] { return sum(model.first); }, gradients),
                      "gradient_step: parameters() handed out 1 tensors, and then another one; it "
                      "has to hand out the same ones whenever it is called");
  REQUIRE_FALSE(model.first.is_recorded());
  REQUIRE_FALSE(model.second.is_recorded());
}

TEST_CASE("a model that hands out a tensor twice is refused, and nothing is recorded") {
  struct {
    tensor<double> other{1.0, 2.0}, tied{3.0, 4.0};
    void parameters(const std::function<void(tensor<double>&)>& visit) {
      visit(other);
      visit(tied);
      visit(tied);
    }
  } model;
  autodiff::tape tape;
  std::vector<tensor<double>> gradients;
  const std::string remedy =
      "gradient_step: parameters() handed out a tensor twice, the second time as number 2; visit "
      "it once, however often the model uses it";
  CHECK(reference::message<autodiff::tape_error>([&] {
          nn::gradient_step(
              tape, model, [&] { return sum(model.tied); }, gradients);
        }) == remedy);
  CHECK(reference::message<autodiff::tape_error>(
            [&] { const nn::recorded_parameters recorded(model, tape); }) == remedy);
  CHECK(!model.other.is_recorded());
  CHECK(!model.tied.is_recorded());
}

TEST_CASE("parameters that another tape records are refused, and stay recorded") {
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{1});
  autodiff::tape outer, inner;
  const nn::recorded_parameters recorded(net, outer);
  std::vector<tensor<double>> gradients;
  CHECK(reference::message<autodiff::tape_error>([&] {
          nn::gradient_step(
              inner, net,
              [&] {
                return sum(net(tensor<double>({1.0, 2.0})));
              },
              gradients);
        }) ==
        "gradient_step: parameter 0 is a variable of a tape already; end what records it, or "
        "detach() it");
  net.parameters([](const tensor<double>& p) { CHECK(p.is_recorded()); });
}

TEST_CASE("gradients that were copied, and those an objective touches, are values of their own") {
  nn::network<double> net(2, {nn::dense(2, nn::tanh), nn::dense(1)}, nn::seed{1});
  const tensor<double> x({1.0, 2.0});
  autodiff::tape tape;
  std::vector<tensor<double>> gradients;
  const auto step = [&](double factor) {
    nn::gradient_step(
        tape, net,
        [&] {
          gradients.assign(7, tensor<double>({9.0}));
          return autodiff::sum(net(x)) * factor;
        },
        gradients);
  };
  step(1);
  REQUIRE(gradients.size() == 4);
  const auto first = gradients;
  const double* const storage = gradients[2].values().data();
  const double w = first[2].values()[0], b = first[1].values()[0];
  step(2);
  CHECK(first[2].values().data() == storage);
  CHECK(first[2].values()[0] == w);
  CHECK(gradients[2].values()[0] == 2 * w);
  CHECK(gradients[1].values()[0] == 2 * b);
  CHECK(gradients[3].item() == 2);
}

TEST_CASE("recording that fails midway leaves passive parameters") {
  fragile model;
  autodiff::tape tape;
  CHECK_THROWS_AS((nn::recorded_parameters<fragile>(model, tape)), std::runtime_error);
  CHECK(!model.first.is_recorded());
  {
    const nn::recorded_parameters<fragile> recorded(model, tape);
    CHECK(model.first.is_recorded());
    CHECK(model.second.is_recorded());
  }
  CHECK(all_passive(model));
}

TEST_CASE("a step on an inner tape leaves the record of the outer one alone") {
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{1});
  autodiff::tape outer;
  const autodiff::var x = outer.variable(3.0);
  autodiff::var y = x * x;
  {
    autodiff::tape inner;
    std::vector<tensor<double>> gradients;
    nn::gradient_step(
        inner, net,
        [&] {
          return autodiff::sum(net(tensor<double>({1.0, 2.0})));
        },
        gradients);
    CHECK(gradients[0].values()[1] == 2);
  }
  y = y + x;
  outer.backward(y);
  CHECK(outer.adjoint(x) == 7);
}

TEST_CASE("a model of the user's own is differentiated, an unused parameter has gradient 0") {
  users_own model;
  const auto x = drawn({4, 2}, 2), t = drawn({4, 2}, 3);
  autodiff::tape tape;
  std::vector<tensor<double>> gradients;
  nn::gradient_step(
      tape, model, [&] { return nn::half_squared_error(model(x), t); }, gradients);
  REQUIRE(gradients.size() == 3);
  CHECK(gradients[2].shape() == autodiff::shape{3});
  for (const double g : gradients[2].values()) CHECK(g == 0);

  using reference::real;
  const auto error = [&](const std::array<real, 5>& p) {
    real e = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      std::array<real, 2> z{};
      for (std::size_t k = 0; k < 2; ++k) {
        real a = 0;
        for (std::size_t m = 0; m < 2; ++m) a += x.value(i, m) * p[2 * m + k];
        z[k] = std::log1p(std::exp(a));
      }
      for (std::size_t k = 0; k < 2; ++k) {
        const real y = (z[0] * p[k] + z[1] * p[2 + k]) * p[4];
        e += (y - t.value(i, k)) * (y - t.value(i, k)) / 2;
      }
    }
    return e;
  };
  const std::array<real, 5> at{0.3, -0.2, 0.1, 0.4, 1.5};
  for (std::size_t i = 0; i < 5; ++i) {
    const auto along = [&](real value) {
      auto p = at;
      p[i] = value;
      return error(p);
    };
    const double found = i < 4 ? gradients[0].values()[i] : gradients[1].item();
    CHECK(reference::close(found, reference::derivative(along, at[i]), 1e-13));
  }
}

TEST_CASE("a model of the user's own is trained by steps") {
  users_own model;
  const auto x = drawn({8, 2}, 2);
  users_own teacher;
  teacher.w = tensor<double>({{0.6, -0.5}, {0.2, 0.1}});
  teacher.s = tensor<double>(1.2);
  const auto t = teacher(x);
  autodiff::tape tape;
  std::vector<tensor<double>> gradients;
  nn::optimizer_state<double> steps(nn::adam{.rate = 0.02});
  const auto objective = [&] { return nn::mean_squared_error(model(x), t); };
  const double first = nn::gradient_step(tape, model, objective, gradients);
  double last = first;
  for (int i = 0; i < 4000; ++i) {
    last = nn::gradient_step(tape, model, objective, gradients);
    steps.update(model, gradients);
  }
  CAPTURE(first, last);
  CHECK(last < 1e-6 * first);
}
