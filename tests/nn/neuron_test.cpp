// Backpropagation neuron by neuron, held to differences in long double and to the same formulas in
// matrices.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/delta/delta.hpp>
#include <nn/delta/neuron.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace {

using nn::matrix, nn::neuron, nn::neuron_network, nn::online_error;
using nn::textbook::activation, nn::textbook::layer;
using reference::message, reference::real, reference::says;

using numbers = std::vector<double>;
using layers = std::vector<layer<double>>;

// Dense layers of these widths, the first being the inputs.
layers drawn(const std::vector<std::size_t>& widths, const std::vector<activation>& types,
             std::uint64_t seed) {
  reference::random random(seed);
  layers all;
  for (std::size_t k = 0; k < types.size(); ++k) {
    const std::size_t m = widths[k], n = widths[k + 1];
    all.push_back({{n, m, random.uniform(n * m, -1, 1)}, random.uniform(n, -1, 1), types[k]});
  }
  return all;
}

real defined(activation f, real z) {
  switch (f) {
    case activation::relu: return z > 0 ? z : 0;
    case activation::sigmoid: return 1 / (1 + std::exp(-z));
    case activation::tanh: return std::tanh(z);
    default: return z;
  }
}

// J by its definition, with `by` added to weight i of neuron l of layer k; weight 0 is the bias.
real online_error_of(const layers& net, const numbers& x, const numbers& y, online_error j,
                     std::size_t k, std::size_t l, std::size_t i, real by) {
  std::vector<real> in(x.begin(), x.end());
  for (std::size_t a = 0; a < net.size(); ++a) {
    std::vector<real> out;
    for (std::size_t b = 0; b < net[a].weights.rows; ++b) {
      const bool here = a == k && b == l;
      real z = net[a].biases[b] + (here && i == 0 ? by : 0);
      for (std::size_t c = 0; c < in.size(); ++c)
        z += (net[a].weights(b, c) + (here && i == c + 1 ? by : 0)) * in[c];
      out.push_back(defined(net[a].h, z));
    }
    in = out;
  }
  real sum = 0;
  for (std::size_t b = 0; b < in.size(); ++b) {
    const real f = in[b], d = y[b];
    sum += j == online_error::squared ? (d - f) * (d - f) / 2
                                      : -(d * std::log(f) + (1 - d) * std::log(1 - f));
  }
  return sum;
}

void check_against_differences(const layers& net, const numbers& x, const numbers& y,
                               online_error j) {
  neuron_network network(net, j);
  network.forward_pass(x);
  CHECK(reference::close(network.back_prop(y), online_error_of(net, x, y, j, 9, 0, 0, 0), 1e-15L));
  for (std::size_t k = 0; k < net.size(); ++k) {
    for (std::size_t l = 0; l < net[k].weights.rows; ++l) {
      const neuron& n = network.layers()[k][l];
      REQUIRE(n.partial_weights.size() == net[k].weights.columns + 1);
      for (std::size_t i = 0; i < n.partial_weights.size(); ++i) {
        INFO("layer " << k << ", neuron " << l << ", weight " << i);
        const real difference = reference::derivative(
            [&](real by) { return online_error_of(net, x, y, j, k, l, i, by); }, 0, 0.004L);
        CHECK(reference::close(n.partial_weights[i], difference, 1e-13L));
      }
    }
  }
}

const numbers record{0.5, -0.8, 0.3}, desired{1, 0};

}  // namespace

TEST_CASE("the partial derivatives are those of J, by every weight and bias") {
  using enum activation;
  for (const online_error j : {online_error::squared, online_error::cross_entropy}) {
    check_against_differences(drawn({3, 4, 2}, {relu, sigmoid}, 1), record, desired, j);
    check_against_differences(drawn({3, 4, 3, 2}, {relu, tanh, sigmoid}, 2), record, desired, j);
    check_against_differences(drawn({3, 2}, {sigmoid}, 3), record, desired, j);
    check_against_differences(drawn({3, 4, 4, 4, 3, 2}, {relu, tanh, sigmoid, tanh, sigmoid}, 5),
                              record, {0.3, 0.6}, j);
  }
  check_against_differences(drawn({3, 4, 2}, {relu, identity}, 6), record, desired,
                            online_error::squared);
}

TEST_CASE("the parts at layers k, k + 1 and k + 2 are those of the derivation") {
  using enum activation;
  neuron_network net(drawn({3, 3, 3, 2}, {tanh, tanh, sigmoid}, 7), online_error::cross_entropy);
  const numbers f = net.forward_pass(record);
  net.back_prop(desired);
  const auto& k0 = net.layers()[0];
  const auto& k1 = net.layers()[1];
  const auto& k2 = net.layers()[2];
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(f[k] == k2[k].output);
    CHECK(k2[k].partial_z == -(desired[k] - f[k]));      // part 1
    CHECK(k2[k].partial_weights[0] == k2[k].partial_z);  // part 2, x_0 = 1
    for (std::size_t l = 0; l < 3; ++l)
      CHECK(k2[k].partial_weights[l + 1] == k2[k].partial_z * k1[l].output);
  }
  for (std::size_t l = 0; l < 3; ++l) {
    const double part_3 =
        k2[0].partial_z * k2[0].weights[l + 1] + k2[1].partial_z * k2[1].weights[l + 1];
    const double part_4 = 1 - k1[l].output * k1[l].output;
    CHECK(reference::close(k1[l].partial_z, part_3 * part_4, 1e-15L));
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(k1[l].partial_weights[i + 1] == k1[l].partial_z * k0[i].output);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    double part_3 = 0;
    for (const neuron& n : k1) part_3 += n.partial_z * n.weights[i + 1];
    CHECK(reference::close(k0[i].partial_z, part_3 * (1 - k0[i].output * k0[i].output), 1e-15L));
    for (std::size_t m = 0; m < 3; ++m)
      CHECK(k0[i].partial_weights[m + 1] == k0[i].partial_z * record[m]);
  }
}

TEST_CASE("the squared error of sigmoid outputs keeps the factor f (1 - f)") {
  const layers net = drawn({3, 4, 2}, {activation::relu, activation::sigmoid}, 8);
  neuron_network squared(net, online_error::squared), entropy(net, online_error::cross_entropy);
  const numbers f = squared.forward_pass(record);
  entropy.forward_pass(record);
  squared.back_prop(desired);
  entropy.back_prop(desired);
  for (std::size_t k = 0; k < 2; ++k) {
    const double plain = entropy.layers()[1][k].partial_z, with = squared.layers()[1][k].partial_z;
    CHECK(plain == f[k] - desired[k]);
    CHECK(reference::close(with / plain, f[k] * (1 - f[k]), 1e-15L));
  }
  // Of linear outputs y - f is right as it stands.
  neuron_network linear(drawn({3, 2}, {activation::identity}, 9), online_error::squared);
  const numbers y = linear.forward_pass(record);
  linear.back_prop(desired);
  for (std::size_t k = 0; k < 2; ++k) CHECK(linear.layers()[0][k].partial_z == y[k] - desired[k]);
}

TEST_CASE("neurons and matrices say the same") {
  using enum activation;
  const layers net = drawn({3, 5, 4, 6, 2}, {gelu, elu, softsign, sigmoid}, 10);
  neuron_network network(net, online_error::squared);
  network.forward_pass(record);
  const double j = network.back_prop(desired);
  const auto b =
      nn::textbook::backpropagate(net, matrix<double>(1, 3, record), matrix<double>(1, 2, desired),
                                  nn::textbook::loss::half_squared_error);
  CHECK(reference::close(j, b.error, 1e-15L));
  for (std::size_t k = 0; k < net.size(); ++k) {
    for (std::size_t l = 0; l < net[k].weights.rows; ++l) {
      const neuron& n = network.layers()[k][l];
      CHECK(reference::close(n.z, b.a[k](0, l), 1e-15L));
      CHECK(reference::close(n.output, b.z[k](0, l), 1e-15L));
      CHECK(reference::close(n.partial_z, b.delta[k](0, l), 1e-15L));
      CHECK(reference::close(n.partial_weights[0], b.db[k][l], 1e-15L));
      for (std::size_t i = 0; i < net[k].weights.columns; ++i)
        CHECK(reference::close(n.partial_weights[i + 1], b.dw[k](l, i), 1e-15L));
    }
  }
}

TEST_CASE("a step moves every weight by -eta dJ/dw, after all derivatives are known") {
  const layers start = drawn({3, 4, 2}, {activation::relu, activation::sigmoid}, 11);
  neuron_network still(start, online_error::cross_entropy), moved = still;
  still.forward_pass(record);
  const double j = still.back_prop(desired);
  CHECK(moved.train(record, desired, 0.25) == j);
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t l = 0; l < still.layers()[k].size(); ++l) {
      const neuron &before = still.layers()[k][l], &after = moved.layers()[k][l];
      for (std::size_t i = 0; i < before.weights.size(); ++i)
        CHECK(after.weights[i] == before.weights[i] - 0.25 * before.partial_weights[i]);
    }
  }
  for (int step = 0; step < 200; ++step) moved.train(record, desired, 0.25);
  CHECK(moved.train(record, desired, 0.25) < 0.1 * j);
}

TEST_CASE("layers go in and come out as the matrices hold them") {
  layers net = drawn({3, 4, 2}, {activation::relu, activation::sigmoid}, 12);
  const layers same = neuron_network(net, online_error::squared).textbook_layers();
  REQUIRE(same.size() == 2);
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(same[k].weights == net[k].weights);
    CHECK(same[k].biases == net[k].biases);
    CHECK(same[k].h == net[k].h);
  }
  net[1].biases.clear();
  CHECK(neuron_network(net, online_error::squared).textbook_layers()[1].biases == numbers{0, 0});
}

TEST_CASE("a confident output has a finite error") {
  const layers net{{{1, 1, {1000.0}}, {0.0}, activation::sigmoid}};
  neuron_network network(net, online_error::cross_entropy);
  network.forward_pass(numbers{1});
  CHECK(network.back_prop(numbers{0}) == 1000);
  CHECK(network.layers()[0][0].partial_z == 1);
  CHECK(network.back_prop(numbers{1}) == 0);
  network.forward_pass(numbers{std::numeric_limits<double>::infinity()});
  CHECK(network.back_prop(numbers{1}) == 0);
}

TEST_CASE("labels become desired values") {
  CHECK(nn::desired_values(2, 4) == numbers{0, 0, 1, 0});
  CHECK(says(message<autodiff::shape_error>([] { nn::desired_values(4, 4); }),
             "desired_values: label 4 among 4 classes", "; labels count from 0"));
}

TEST_CASE("what neurons cannot do is refused with what to do instead") {
  using enum activation;
  const auto made = [](const layers& net, online_error j) { neuron_network(net, j); };
  CHECK(says(message<autodiff::domain_error>([&] {
               made(drawn({3, 4, 2}, {softmax, sigmoid}, 1), online_error::squared);
             }),
             "neuron_network: layer 1 is a softmax", "; use sigmoid outputs"));
  CHECK(says(message<autodiff::domain_error>([&] {
               made(drawn({3, 2}, {identity}, 1), online_error::cross_entropy);
             }),
             "cross-entropy over identity outputs", "or online_error::squared"));
  CHECK(says(message<autodiff::shape_error>([&] { made({}, online_error::squared); }),
             "neuron_network: no layers", "; give it at least one"));
  layers torn = drawn({3, 4, 2}, {relu, sigmoid}, 1);
  torn[1].weights = matrix<double>(2, 3);
  CHECK(says(message<autodiff::shape_error>([&] { made(torn, online_error::squared); }),
             "neuron_network: the weights of layer 2 are [2, 3] and its inputs 4 numbers"));

  neuron_network net(drawn({3, 2}, {sigmoid}, 1), online_error::squared);
  CHECK(says(message<autodiff::domain_error>([&] { net.back_prop(desired); }),
             "back_prop: no record has been passed forward", "; call forward_pass()"));
  CHECK(says(message<autodiff::shape_error>([&] {
               net.forward_pass(numbers{1, 2});
             }),
             "forward_pass: 2 inputs for 3", "; give it 3 numbers"));
  net.forward_pass(record);
  CHECK(says(message<autodiff::shape_error>([&] { net.back_prop(record); }),
             "back_prop: 3 desired values for 2"));
  CHECK(says(message<autodiff::domain_error>([] { nn::textbook::value(softmax, 1.0); }),
             "softmax: asked for one unit", "activate()"));
  CHECK(says(message<autodiff::domain_error>([] { nn::textbook::slope(softmax, 1.0); }),
             "softmax: asked for one unit"));
}
