#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <nn/loss/loss.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using reference::real;
using numbers = std::vector<real>;

/// A loss as mathematics: value and derivative by y, for n rows of k numbers.
struct closed_form {
  real value = 0;
  numbers gradient;
};
using closed_form_of = closed_form(std::size_t n, std::size_t k, const numbers& y,
                                   const numbers& t);

closed_form half_squared_error(std::size_t, std::size_t, const numbers& y, const numbers& t) {
  closed_form e;
  for (std::size_t i = 0; i < y.size(); ++i) {
    e.value += (y[i] - t[i]) * (y[i] - t[i]) / 2;
    e.gradient.push_back(y[i] - t[i]);
  }
  return e;
}

closed_form mean_squared_error(std::size_t, std::size_t, const numbers& y, const numbers& t) {
  closed_form e;
  const auto size = static_cast<real>(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    e.value += (y[i] - t[i]) * (y[i] - t[i]) / size;
    e.gradient.push_back(2 * (y[i] - t[i]) / size);
  }
  return e;
}

// -log sigmoid(x), which in long double keeps the tail down to exp(-11000).
real minus_log_sigmoid(real x) {
  return std::max<real>(-x, 0) + std::log1p(std::exp(-std::fabs(x)));
}
real sigmoid(real x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

closed_form binary_cross_entropy(std::size_t, std::size_t, const numbers& y, const numbers& t) {
  closed_form e;
  const auto size = static_cast<real>(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    // 1 - sigmoid(y) = sigmoid(-y), without the cancellation.
    e.value += (t[i] * minus_log_sigmoid(y[i]) + (1 - t[i]) * minus_log_sigmoid(-y[i])) / size;
    e.gradient.push_back(((1 - t[i]) * sigmoid(y[i]) - t[i] * sigmoid(-y[i])) / size);
  }
  return e;
}

closed_form softmax_cross_entropy(std::size_t n, std::size_t k, const numbers& y,
                                  const numbers& t) {
  closed_form e;
  const auto rows = static_cast<real>(n);
  for (std::size_t i = 0; i < n; ++i) {
    const real largest = *std::max_element(&y[i * k], &y[i * k] + k);
    real total = 0;
    for (std::size_t j = 0; j < k; ++j) total += std::exp(y[i * k + j] - largest);
    for (std::size_t j = 0; j < k; ++j) {
      const real log_p = y[i * k + j] - largest - std::log(total);
      if (t[i * k + j] != 0) e.value -= t[i * k + j] * log_p / rows;
      e.gradient.push_back((std::exp(log_p) - t[i * k + j]) / rows);
    }
  }
  return e;
}

closed_form mean_absolute_error(std::size_t, std::size_t, const numbers& y, const numbers& t) {
  closed_form e;
  const auto size = static_cast<real>(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    e.value += std::fabs(y[i] - t[i]) / size;
    e.gradient.push_back((y[i] > t[i] ? 1 : y[i] < t[i] ? -1 : 0) / size);
  }
  return e;
}

closed_form huber(std::size_t, std::size_t, const numbers& y, const numbers& t) {
  closed_form e;
  const auto size = static_cast<real>(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const real apart = y[i] - t[i], far = std::fabs(apart);
    e.value += (far <= 0.5 ? apart * apart / 2 : (far - 0.25L) / 2) / size;
    e.gradient.push_back((far <= 0.5 ? apart : std::copysign(0.5L, apart)) / size);
  }
  return e;
}

closed_form poisson_nll(std::size_t, std::size_t, const numbers& y, const numbers& t) {
  closed_form e;
  const auto size = static_cast<real>(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    e.value += (std::exp(y[i]) - t[i] * y[i]) / size;
    e.gradient.push_back((std::exp(y[i]) - t[i]) / size);
  }
  return e;
}

closed_form kl_divergence(std::size_t n, std::size_t k, const numbers& y, const numbers& t) {
  closed_form e = softmax_cross_entropy(n, k, y, t);
  for (const real p : t) e.value += p > 0 ? p * std::log(p) / static_cast<real>(n) : 0;
  return e;
}

const nn::loss huber_of_a_half = nn::huber(0.5);

struct case_of_loss {
  const nn::loss& loss;
  closed_form_of* form;
};
const case_of_loss cases[] = {
    {nn::half_squared_error, half_squared_error},
    {nn::mean_squared_error, mean_squared_error},
    {nn::binary_cross_entropy, binary_cross_entropy},
    {nn::softmax_cross_entropy, softmax_cross_entropy},
    {nn::mean_absolute_error, mean_absolute_error},
    {huber_of_a_half, huber},
    {nn::poisson_nll, poisson_nll},
    {nn::kl_divergence, kl_divergence},
};

template <class T>
autodiff::tensor<T> as_tensor(const autodiff::shape& s, const numbers& values) {
  autodiff::tensor<T> x(s);
  std::transform(values.begin(), values.end(), x.mutable_values().begin(),
                 [](real v) { return static_cast<T>(v); });
  return x;
}

template <class T>
numbers as_numbers(const autodiff::tensor<T>& x) {
  return {x.values().begin(), x.values().end()};
}

/// Value and gradient of a loss on the tape against its closed form, to `units` last places of T,
/// of the largest entry.
template <class T>
void check(const case_of_loss& c, const autodiff::tensor<T>& y_values, const autodiff::tensor<T>& t,
           double units = 8) {
  CAPTURE(std::string(c.loss.name), autodiff::to_string(t.shape()));
  const std::size_t k = t.shape()[t.rank() - 1];
  const closed_form expected = c.form(t.size() / k, k, as_numbers(y_values), as_numbers(t));
  autodiff::tape tape;
  const autodiff::tensor<T> y = tape.variable(y_values);
  const autodiff::tensor<T> e = c.loss(y, t);
  CHECK(e.shape() == autodiff::shape{});
  tape.backward(e);
  const real tolerance = units * std::numeric_limits<T>::epsilon();
  CAPTURE(e.item(), static_cast<double>(expected.value));
  CHECK(std::fabs(e.item() - expected.value) <= tolerance * std::fabs(expected.value));
  real largest = 0;
  for (const real g : expected.gradient) largest = std::max(largest, std::fabs(g));
  const autodiff::tensor<T> gradient = tape.adjoint(y);
  REQUIRE(gradient.shape() == t.shape());
  for (std::size_t i = 0; i < t.size(); ++i) {
    CAPTURE(i, gradient.values()[i], static_cast<double>(expected.gradient[i]));
    CHECK(std::fabs(gradient.values()[i] - expected.gradient[i]) <= tolerance * largest);
  }
}

/// Rows of weights that sum to 1.
numbers soft_targets(std::size_t n, std::size_t k, std::uint64_t seed) {
  reference::random random(seed);
  numbers t(n * k);
  for (std::size_t i = 0; i < n; ++i) {
    real total = 0;
    for (std::size_t j = 0; j < k; ++j) total += t[i * k + j] = random.uniform(0.1, 1);
    for (std::size_t j = 0; j < k; ++j) t[i * k + j] /= total;
  }
  return t;
}

}  // namespace

TEMPLATE_TEST_CASE("losses and their gradients are their closed forms on matrices and vectors", "",
                   float, double) {
  using T = TestType;
  for (const case_of_loss& c : cases) {
    // From 4096 elements on, chains of elementwise functions run as one operation.
    for (const auto& s :
         {autodiff::shape{4, 3}, autodiff::shape{3}, autodiff::shape{1, 3}, autodiff::shape{2, 1},
          autodiff::shape{7, 10}, autodiff::shape{450, 10}}) {
      const std::size_t k = s[s.rank() - 1], n = s.size() / k;
      const auto y = reference::random(5).uniform<real>(s.size(), -3, 3);
      numbers one_hot(s.size());
      for (std::size_t i = 0; i < n; ++i) one_hot[i * k + i % k] = 1;
      check<T>(c, as_tensor<T>(s, y), as_tensor<T>(s, one_hot));
      check<T>(c, as_tensor<T>(s, y), as_tensor<T>(s, soft_targets(n, k, 6)), 64);
    }
  }
}

TEST_CASE("half of the squared error has the delta y - t of the textbook, bit for bit") {
  const autodiff::tensor<double> y_values({0.48, 1.14}), t({1.0, 1.15});
  autodiff::tape tape;
  const autodiff::tensor<double> y = tape.variable(y_values);
  tape.backward(nn::half_squared_error(y, t));
  CHECK(tape.adjoint(y).value(0) == 0.48 - 1.0);
  CHECK(tape.adjoint(y).value(1) == 1.14 - 1.15);
}

TEST_CASE("mean and half squared error are equal for two outputs of one sample only") {
  const autodiff::tensor<double> y({0.5, 2.0}), t({1.0, 1.0}), y3({0.5, 2.0, 1.0}),
      t3({1.0, 1.0, 0.0});
  CHECK(nn::mean_squared_error(y, t).item() == nn::half_squared_error(y, t).item());
  CHECK(nn::mean_squared_error(y3, t3).item() != nn::half_squared_error(y3, t3).item());
}

TEMPLATE_TEST_CASE("cross-entropies of logits up to 1e4 are finite and right", "", float, double) {
  using T = TestType;
  const autodiff::shape s{4, 2};
  const auto y = as_tensor<T>(s, {1e4, -1e4, -1e4, 1e4, 1e4, 1e4, 0, -1e4});
  for (const numbers& t : {numbers{1, 0, 1, 0, 1, 0, 1, 0}, numbers{0, 1, 0, 1, 0, 1, 0, 1},
                           numbers{.5, .5, .25, .75, 1, 0, .5, .5}}) {
    check<T>(cases[2], y, as_tensor<T>(s, t));
    check<T>(cases[3], y, as_tensor<T>(s, t));
  }
}

TEMPLATE_TEST_CASE("a confident and right binary output keeps the tail of loss and gradient", "",
                   float, double) {
  using T = TestType;
  for (const T y : {T(12), T(25), T(60)}) {
    // -log sigmoid(y) is nearly exp(-y), far below the last place of y.
    check<T>(cases[2], as_tensor<T>({1}, {y}), as_tensor<T>({1}, {1}));
    check<T>(cases[2], as_tensor<T>({1}, {-y}), as_tensor<T>({1}, {0}));
  }
}

TEST_CASE("binary cross-entropy on a sigmoid's logits has the delta (p - t) / n") {
  const auto y_values = as_tensor<double>({3, 1}, {0.3, -2, 5});
  const auto t = as_tensor<double>({3, 1}, {1, 0, 0.5});
  autodiff::tape tape;
  const autodiff::tensor<double> y = tape.variable(y_values);
  tape.backward(nn::binary_cross_entropy(y, t));
  const autodiff::tensor<double> p = autodiff::sigmoid(y_values), gradient = tape.adjoint(y);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(reference::close(gradient.values()[i], (p.values()[i] - t.values()[i]) / 3, 1e-16));
  }
}

TEST_CASE("binary cross-entropy of logit 0 is log 2 with slope 1/2 - t") {
  for (const double t : {0.0, 0.25, 1.0}) {
    autodiff::tape tape;
    const autodiff::tensor<double> y = tape.variable(autodiff::tensor<double>({0.0}));
    const autodiff::tensor<double> e = nn::binary_cross_entropy(y, autodiff::tensor<double>({t}));
    tape.backward(e);
    CHECK(reference::close(e.item(), std::log(2.0L), 1e-16));
    CHECK(tape.adjoint(y).value(0) == 0.5 - t);
  }
}

TEST_CASE("cross-entropies of probabilities are those of the logits they come from") {
  const autodiff::tensor<double> logits({{0.5, -1.5, 2.0}, {0.0, 3.0, -0.25}}),
      t({{0.25, 0.0, 0.75}, {1.0, 0.0, 0.0}});
  const auto same = [&](const nn::loss& of_logits, const nn::loss& of_probabilities, auto&& h) {
    autodiff::tape tape;
    const autodiff::tensor<double> a = tape.variable(logits), b = tape.variable(logits);
    const autodiff::tensor<double> e = of_logits(a, t), f = of_probabilities(h(b), t);
    CHECK(reference::close(f.item(), e.item(), 1e-15));
    tape.backward(e);
    const autodiff::tensor<double> slope = tape.adjoint(a);
    tape.backward(f);
    CHECK(reference::all_close(tape.adjoint(b).values(), slope.values(), 1e-15));
  };
  same(nn::binary_cross_entropy, nn::binary_cross_entropy_of_probabilities,
       [](const auto& a) { return autodiff::sigmoid(a); });
  same(nn::softmax_cross_entropy, nn::cross_entropy_of_probabilities,
       [](const auto& a) { return autodiff::softmax(a); });
}

TEST_CASE("a probability of 0 or 1 costs nothing where its weight is 0") {
  autodiff::tape tape;
  const autodiff::tensor<double> y = tape.variable(autodiff::tensor<double>({0.0, 1.0})),
                                 t({0.0, 1.0});
  for (const nn::loss* e :
       {&nn::binary_cross_entropy_of_probabilities, &nn::cross_entropy_of_probabilities}) {
    const autodiff::tensor<double> zero = (*e)(y, t);
    tape.backward(zero);
    CHECK(zero.item() == 0);
    CHECK(std::isfinite(tape.adjoint(y).value(0)));
    CHECK(std::isfinite(tape.adjoint(y).value(1)));
  }
}

TEST_CASE("a loss goes down when its output goes to the target") {
  for (const case_of_loss& c : cases) {
    const autodiff::tensor<float> t({1.0f, 0.0f}), far({-1.0f, 2.0f}), near({0.5f, -0.2f});
    CHECK(c.loss(near, t).item() < c.loss(far, t).item());
  }
}

TEST_CASE("targets of another shape than the outputs are refused with both shapes") {
  for (const case_of_loss& c : cases) {
    for (const auto& s : {autodiff::shape{4, 1}, autodiff::shape{3}, autodiff::shape{1, 3},
                          autodiff::shape{}, autodiff::shape{3, 4}}) {
      const auto refused = [&]<class T>(T) {
        return reference::message<autodiff::shape_error>([&] {
          c.loss(autodiff::tensor<T>(autodiff::shape{4, 3}), autodiff::tensor<T>(s));
        });
      };
      for (const std::string& text : {refused(0.0f), refused(0.0)}) {
        CAPTURE(text);
        CHECK(reference::says(text, std::string(c.loss.name), "[4, 3]", autodiff::to_string(s)));
      }
    }
  }
}
