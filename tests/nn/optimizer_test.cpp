// Trajectories against the published algorithms, in long double.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/network/network.hpp>
#include <nn/optimizer/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;
using reference::real;

template <class T>
struct model {
  std::vector<tensor<T>> all;

  void parameters(auto&& visit) {
    for (tensor<T>& p : all) visit(p);
  }
};

template <class T>
tensor<T> drawn(const autodiff::shape& s, reference::random& random) {
  return tensor<T>(s, std::span<const T>(random.uniform<T>(s.size(), -1, 1)));
}

template <class T>
model<T> drawn_model(reference::random& random) {
  return {{drawn<T>({3, 7}, random), drawn<T>({7}, random), drawn<T>({}, random),
           drawn<T>({19}, random)}};
}

/// The numbers of one parameter by the book.
struct by_the_book {
  std::vector<real> w, m, v;

  void step(const nn::sgd& s, std::span<const real> g, int) {
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= s.rate * g[i];
  }
  void step(const nn::adam& a, std::span<const real> g, int t) {
    m.resize(w.size());
    v.resize(w.size());
    const real b1 = a.beta1, b2 = a.beta2;
    for (std::size_t i = 0; i < w.size(); ++i) {
      m[i] = b1 * m[i] + (1 - b1) * g[i];
      v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
      const real m_hat = m[i] / (1 - std::pow(b1, static_cast<real>(t)));
      const real v_hat = v[i] / (1 - std::pow(b2, static_cast<real>(t)));
      w[i] -= a.rate * m_hat / (std::sqrt(v_hat) + a.epsilon);
    }
  }
};

/// A hundred steps with drawn gradients; the largest difference from the book, relative to max(1,
/// |w|).
template <class T, class Settings>
real deviation(const Settings& settings, double size_of_gradients) {
  reference::random random(77);
  model<T> moved = drawn_model<T>(random);
  std::vector<by_the_book> book;
  for (const auto& p : moved.all) book.push_back({{p.values().begin(), p.values().end()}, {}, {}});
  nn::optimizer_state<T> steps{nn::optimizer(settings)};
  real largest = 0;
  for (int t = 1; t <= 100; ++t) {
    std::vector<tensor<T>> gradients;
    for (std::size_t p = 0; p < book.size(); ++p) {
      gradients.push_back(drawn<T>(moved.all[p].shape(), random));
      for (T& g : gradients.back().mutable_values()) g *= static_cast<T>(size_of_gradients);
      const auto g = gradients.back().values();
      book[p].step(settings, std::vector<real>(g.begin(), g.end()), t);
    }
    steps.update(moved, gradients);
    for (std::size_t p = 0; p < book.size(); ++p) {
      for (std::size_t i = 0; i < book[p].w.size(); ++i) {
        const real w = book[p].w[i];
        largest = std::max(
            largest, std::fabs(moved.all[p].values()[i] - w) / std::max<real>(1, std::fabs(w)));
      }
    }
  }
  return largest;
}

template <class T>
std::vector<T> all_values(const model<T>& m) {
  std::vector<T> values;
  for (const auto& p : m.all) values.insert(values.end(), p.values().begin(), p.values().end());
  return values;
}

std::string refusal(const nn::optimizer& settings) {
  return reference::message<autodiff::domain_error>(
      [&] { nn::optimizer_state<double> state(settings); });
}

}  // namespace

TEST_CASE("gradient descent follows w - rate g over a hundred steps") {
  CHECK(deviation<double>(nn::sgd{.rate = 0.05}, 1) < 1e-14);
  CHECK(deviation<double>(nn::sgd{}, 1e3) < 1e-13);
  CHECK(deviation<float>(nn::sgd{.rate = 0.05}, 1) < 1e-5);
}

TEST_CASE("adam follows the published algorithm over a hundred steps") {
  CHECK(deviation<double>(nn::adam{}, 1) < 1e-12);
  CHECK(deviation<double>(nn::adam{.rate = 0.1}, 1e-3) < 1e-12);
  CHECK(deviation<double>(nn::adam{.rate = 0.1, .beta1 = 0.5, .beta2 = 0.9, .epsilon = 0.1}, 1) <
        1e-12);
  CHECK(deviation<double>(nn::adam{.beta1 = 0, .beta2 = 0}, 1) < 1e-12);
  // Gradients of the size of epsilon: a correction that misses epsilon shows here.
  CHECK(deviation<double>(nn::adam{.rate = 0.01}, 1e-8) < 1e-12);
  CHECK(deviation<float>(nn::adam{.rate = 0.01}, 1) < 1e-5);
}

TEMPLATE_TEST_CASE("the first step of adam is the rate, against the sign of the gradient", "",
                   float, double) {
  using T = TestType;
  model<T> moved{{tensor<T>({T(0), T(0), T(0)})}};
  nn::optimizer_state<T> steps(nn::adam{.rate = 0.125});
  steps.update(moved, {tensor<T>({T(2), T(-0.3), T(0)})});
  const auto w = moved.all[0].values();
  const double units = 16 * static_cast<double>(std::numeric_limits<T>::epsilon());
  // In float 1 - beta2 is off by 5e-5; that must not reach the step.
  CHECK(std::abs(w[0] / -0.125 - 1) < units + 1e-8);
  CHECK(std::abs(w[1] / 0.125 - 1) < units + 4e-8);
  CHECK(w[2] == 0);
}

TEST_CASE("settings out of range are refused by name and value") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const double rate : {0.0, -1.0, nan, inf, -inf}) {
    CAPTURE(rate);
    CHECK(reference::says(refusal(nn::sgd{.rate = rate}), "the rate is"));
    CHECK(reference::says(refusal(nn::adam{.rate = rate}), "the rate is"));
  }
  for (const double beta : {-0.1, 1.0, 1.5, nan, inf}) {
    CAPTURE(beta);
    CHECK(reference::says(refusal(nn::adam{.beta1 = beta}), "beta1 is", "[0, 1)"));
    CHECK(reference::says(refusal(nn::adam{.beta2 = beta}), "beta2 is", "[0, 1)"));
  }
  for (const double epsilon : {0.0, -1e-8, nan, inf}) {
    CAPTURE(epsilon);
    CHECK(reference::says(refusal(nn::adam{.epsilon = epsilon}), "epsilon is"));
  }
  CHECK(refusal(nn::sgd{.rate = -1}) == "optimizer: the rate is -1; it must be positive");
  CHECK(refusal(nn::adam{}) == "nothing was thrown");
}

TEST_CASE("gradients that are not the model's are refused with shapes, and nothing has moved") {
  for (const nn::optimizer& settings : {nn::optimizer(nn::sgd{}), nn::optimizer(nn::adam{})}) {
    reference::random random(5);
    model<double> moved = drawn_model<double>(random);
    nn::optimizer_state<double> steps(settings);
    const auto before = all_values(moved);
    const auto refused = [&](const std::vector<tensor<double>>& gradients) {
      const std::string text =
          reference::message<autodiff::shape_error>([&] { steps.update(moved, gradients); });
      CHECK(all_values(moved) == before);
      return text;
    };
    const auto good = moved.all;
    CHECK(refused({}) ==
          "optimizer: 4 parameters and 0 gradients; pass the gradients of this model, "
          "in the order of its parameters");
    CHECK(reference::says(refused({good[0], good[1], good[2]}), "4 parameters and 3 gradients"));
    CHECK(reference::says(refused({good[0], good[1], good[2], good[3], good[3]}),
                          "4 parameters and 5 gradients"));
    CHECK(reference::says(refused({good[0], good[2], good[1], good[3]}),
                          "parameter 1 has shape [7] and its gradient []"));
    CHECK(reference::says(refused({good[0], good[1], good[2], tensor<double>(autodiff::shape{18})}),
                          "parameter 3 has shape [19] and its gradient [18]"));

    // What was refused has left no trace: the state goes on as a fresh one.
    steps.update(moved, good);
    model<double> fresh{good};
    nn::optimizer_state<double>(settings).update(fresh, good);
    CHECK(all_values(moved) == all_values(fresh));
  }
}

TEST_CASE("a state of adam that serves one model refuses another, and nothing has moved") {
  reference::random random(5);
  model<double> first = drawn_model<double>(random);
  nn::optimizer_state<double> steps(nn::adam{});
  steps.update(first, first.all);
  model<double> larger{
      {drawn<double>({100, 100}, random), first.all[1], first.all[2], first.all[3]}};
  model<double> longer = drawn_model<double>(random);
  longer.all.push_back(drawn<double>({5}, random));
  for (model<double>* other : {&larger, &longer}) {
    const auto before = all_values(*other);
    const std::string text =
        reference::message<autodiff::shape_error>([&] { steps.update(*other, other->all); });
    CAPTURE(text);
    CHECK(reference::says(text, "optimizer", "another model"));
    CHECK(all_values(*other) == before);
  }
}

TEST_CASE("parameters that are recorded are not moved") {
  reference::random random(5);
  model<double> moved = drawn_model<double>(random);
  const auto gradients = moved.all;
  nn::optimizer_state<double> steps(nn::adam{});
  {
    autodiff::tape tape;
    model<double> half_recorded = moved;
    half_recorded.all[2] = tape.variable(half_recorded.all[2]);
    const std::string text =
        reference::message<autodiff::tape_error>([&] { steps.update(half_recorded, gradients); });
    CHECK(reference::says(text, "optimizer: parameter 2 is a variable of a tape"));
    CHECK(all_values(half_recorded) == all_values(moved));
  }
  model<double> fresh = moved;
  steps.update(moved, gradients);
  nn::optimizer_state<double>(nn::adam{}).update(fresh, gradients);
  CHECK(all_values(moved) == all_values(fresh));
}

TEST_CASE("moving a network leaves its copies and its gradients alone") {
  nn::network<double> net(2, {nn::dense(3), nn::dense(1)}, nn::seed{1});
  const nn::network<double> copy = net;
  const auto before = copy.layers()[0].dense().weights.values()[0];
  std::vector<tensor<double>> gradients;
  // The gradient shares the storage of its parameter here.
  net.parameters([&](const tensor<double>& p) { gradients.push_back(p); });
  nn::optimizer_state<double> steps(nn::sgd{.rate = 0.5});
  steps.update(net, gradients);
  CHECK(net.layers()[0].dense().weights.values()[0] == before / 2);
  CHECK(copy.layers()[0].dense().weights.values()[0] == before);
  CHECK(gradients[0].values()[0] == before);
}

TEST_CASE("two states of one setting do not share what they remember") {
  reference::random random(9);
  model<double> a = drawn_model<double>(random), b = a;
  const auto gradients = a.all;
  nn::optimizer_state<double> first(nn::adam{}), copy = first;
  first.update(a, gradients);
  copy.update(b, gradients);
  CHECK(all_values(a) == all_values(b));
  nn::optimizer_state<double> half_way = first;
  first.update(a, gradients);
  half_way.update(b, gradients);
  CHECK(all_values(a) == all_values(b));
}
